"""
Glass or liquid, from one snapshot
==================================

The main job. Two-dimensional Kob-Andersen runs were cooled from T = 2 to T = 0.05; one snapshot of
each run is a glass (T = 0.05) and one a liquid. Three methods tell them apart, cross-validated
with whole runs held out: a histogram of distances (RDF) with logistic regression, a convolutional
network (CNN) on images, and a message-passing network (MPNN) on the graph of neighbours.

Run it from a checkout::

    python examples/plot_quickstart.py           # a minute on 2 cores
    python examples/plot_quickstart.py --full    # every network on every task

It prints the comparison and writes ``comparison.png``, ``comparison.csv`` and the best fitted
pipeline, ``model.joblib``, into ``quickstart_output``.
"""

# %%
# The tasks: snapshots as they are (thermal) or quenched to their inherent structures, against
# liquids at three temperatures. ``select_pair`` also returns the run of each snapshot, its group.
import argparse
import csv
import os
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer

STATES = ("thermal", "inherent")
LIQUIDS = (1.0, 0.635, 0.479)
N_FOLDS = 4
N_NEW_RUNS = 4  # kept out of everything, to use the fitted pipeline on

# Few runs and epochs, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"


# %%
# The methods. The images are turned, mirrored and shifted at random in training; all else of the
# networks is the default. The quick form lowers ``max_epochs``, and says so.
AUGMENT = ["quarter_turns", "mirrors", "shifts"]


def make_methods():
    epochs = {"max_epochs": 2} if QUICK else {}
    return {
        "RDF + LR": make_pipeline(
            RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=1000)
        ),
        "CNN": make_pipeline(
            ImageFeaturizer(n_pixels=128),
            CNNClassifier(augment=AUGMENT, random_state=0, **epochs),
        ),
        "MPNN": make_pipeline(GraphFeaturizer(), MPNNClassifier(random_state=0, **epochs)),
    }


def choose_tasks(methods, full):
    """List (method, state, liquid); the networks see the middle liquid only, unless full."""
    return [
        (method, state, liquid)
        for method in methods
        for state in STATES
        for liquid in LIQUIDS
        if method == "RDF + LR" or full or liquid == 0.635
    ]


# %%
# Grouped cross-validation: both snapshots of a run stand on the same side of every split.
def compare(data, methods, full):
    scores = {}
    bar = tqdm(choose_tasks(methods, full), desc="cross-validating")
    for method, state, liquid in bar:
        bar.set_postfix_str(f"{method}, {state}, T = {liquid}")
        X, y, run = select_pair(data, liquid=liquid, state=state)
        scores[method, state, liquid] = cross_val_score(
            methods[method],
            X,
            y,
            groups=run,
            cv=GroupKFold(N_FOLDS),
            scoring="roc_auc",
            n_jobs=2,
        )
    return scores


# %%
# The comparison as a table, in the terminal and in a file.
def print_table(scores, n_runs):
    columns = [(state, liquid) for state in STATES for liquid in LIQUIDS]
    print(f"\nAUC, glass (T = 0.05) against liquid, {n_runs} runs, {N_FOLDS} folds grouped by run:")
    print("mean +- standard deviation over folds; 0.5 is chance\n")
    print(" " * 9 + "".join(f"{state + ' ' + str(liquid):>16}" for state, liquid in columns))
    for method in dict.fromkeys(method for method, _, _ in scores):
        cells = [scores.get((method, *column)) for column in columns]
        texts = ["-" if auc is None else f"{auc.mean():.3f} +- {auc.std():.3f}" for auc in cells]
        print(f"{method:9}" + "".join(f"{text:>16}" for text in texts))
    print(MEANING)


MEANING = """
The thermal columns are solved by a histogram of distances: it sees the vibration, and is a
thermometer. The inherent columns are the real test: the vibration is gone, and only structure is
left. There a network has to beat the first row before it has shown anything.
"""


def write_table(scores, path):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["method", "state", "liquid_temperature", "fold", "auc"])
        for task, folds in scores.items():
            writer.writerows([*task, fold, f"{auc:.4f}"] for fold, auc in enumerate(folds))


# %%
# The figure: what the networks are asked to tell apart, and how well each method does.
COLORS = {"RDF + LR": "0.45", "CNN": "#d55e00", "MPNN": "#0072b2"}


def draw_snapshot(ax, configuration, title):
    """Draw one corner of a configuration, particles as discs of their true diameter."""
    side = 12.0
    positions = configuration.positions % configuration.box
    ax.add_collection(
        EllipseCollection(
            widths=np.where(configuration.types == 0, 1.0, 0.88),
            heights=np.where(configuration.types == 0, 1.0, 0.88),
            angles=0,
            units="xy",
            offsets=positions,
            offset_transform=ax.transData,
            facecolors=np.where(configuration.types == 0, "#9ecae1", "#08519c"),
            edgecolors="white",
            linewidths=0.4,
        )
    )
    ax.set(xlim=(0, side), ylim=(0, side), xticks=[], yticks=[], aspect="equal")
    ax.set_title(title, fontsize=11)


def draw_scores(ax, scores):
    columns = [(state, liquid) for state in STATES for liquid in LIQUIDS]
    for shift, method in zip((-0.2, 0.0, 0.2), COLORS):
        here = [i for i, column in enumerate(columns) if (method, *column) in scores]
        folds = np.array([scores[(method, *columns[i])] for i in here])
        mean, spread = folds.mean(axis=1), folds.std(axis=1)
        ax.errorbar(
            np.array(here) + shift,
            mean,
            yerr=[spread, np.minimum(spread, 1 - mean)],
            fmt="o",
            markersize=9,
            capsize=3,
            color=COLORS[method],
            label=method,
        )
    ax.axhline(0.5, color="black", linewidth=0.8, linestyle=":")
    ax.text(-0.4, 0.505, "chance", fontsize=9)
    ax.axvline(2.5, color="black", linewidth=0.8)
    ax.text(1, 1.04, "thermal: a thermometer will do", ha="center", fontsize=11)
    ax.text(4, 1.04, "inherent: only structure is left", ha="center", fontsize=11)
    ax.set_xticks(range(len(columns)), [f"{liquid:g}" for _, liquid in columns])
    lowest = min(0.4, *(folds.mean() - folds.std() for folds in scores.values()))
    ax.set_yticks(np.arange(0.0, 1.01, 0.1))
    ax.set(xlim=(-0.5, 5.5), ylim=(lowest, 1.1))
    ax.set(xlabel="temperature of the liquid", ylabel="AUC, whole runs held out")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 0.25), frameon=False)
    ax.spines[["top", "right"]].set_visible(False)


def draw(data, scores, path):
    X, y, _ = select_pair(data, liquid=0.635, state="inherent")
    figure = plt.figure(figsize=(12, 5.6), layout="constrained")
    figure.suptitle("Glass or liquid from one snapshot (2D Kob-Andersen, mean and spread of folds)")
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 2.6])
    draw_snapshot(figure.add_subplot(grid[0, 0]), X[0], "glass (T = 0.05), inherent")
    draw_snapshot(figure.add_subplot(grid[1, 0]), X[1], "liquid (T = 0.635), inherent")
    draw_scores(figure.add_subplot(grid[:, 1]), scores)
    figure.savefig(path, dpi=150)


# %%
# The best pipeline of the hardest task that all methods have seen is fitted on all runs, saved,
# loaded again as a colleague would, and used on runs that no method has seen.
def keep_best(data, new_data, methods, scores, path):
    task = ("inherent", 0.635)
    best = max(methods, key=lambda method: scores[(method, *task)].mean())
    X, y, _ = select_pair(data, liquid=0.635, state="inherent")
    joblib.dump(methods[best].fit(X, y), path)

    model = joblib.load(path)
    X, y, run = select_pair(new_data, liquid=0.635, state="inherent")
    print(f"{best}, fitted on all runs and loaded from {path}, on runs it has never seen:")
    for label, probability, name in zip(y, model.predict_proba(X), run):
        print(f"  {name}: a {label:6}  P(glass) = {probability[0]:.2f}")


def main(full=False, output="quickstart_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    data = load_kob_andersen().data
    runs = np.unique(data.info["run"])
    used = runs[:8] if QUICK else runs[:-N_NEW_RUNS]
    new = np.isin(data.info["run"], runs[-N_NEW_RUNS:])
    known = np.isin(data.info["run"], used)
    if QUICK:
        print(f"GLASSCLF_QUICK=1: max_epochs lowered to 2, {len(used)} runs; scores mean nothing")
    methods = make_methods()
    scores = compare(data[known], methods, full)
    print_table(scores, len(used))
    write_table(scores, output / "comparison.csv")
    draw(data[known], scores, output / "comparison.png")
    keep_best(data[known], data[new], methods, scores, output / "model.joblib")
    print(f"\nfigure, table and model are in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Glass or liquid, from one snapshot.")
    parser.add_argument("--full", action="store_true", help="every network on every task")
    parser.add_argument("--output", default="quickstart_output", help="folder for the results")
    options = parser.parse_args()
    main(options.full, options.output)
