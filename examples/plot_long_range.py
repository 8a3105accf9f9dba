"""
Does it help to see the whole box?
==================================

A message-passing network knows of a particle what a few bonds reach. Two options of it reach
further, or more of what is there: with ``global_node=True`` each particle is told the mean state of
all others, and with ``edge_update=True`` bonds learn from the particles at both their ends. Do they
help where a histogram to r = 2.5 and a network of that range leave off?

Not on inherent structures of the Kob-Andersen mixture, glass (T = 0.05) against liquid. Of four
networks none is better than the others by more than the spread over folds, nor is the histogram
better to r = 5 than to r = 2.5. AUC, mean +- standard deviation over twice four folds, whole runs
held out:

=====================  ================  ================  ================
method                 liquid at 0.635   liquid at 0.479   alike or unlike
=====================  ================  ================  ================
RDF to 2.5 + LR        0.984 +- 0.023    0.881 +- 0.080    0.531 +- 0.050
RDF to 5 + LR          0.969 +- 0.046    0.863 +- 0.061    0.510 +- 0.085
RDF to 2.5 + SVM       0.975 +- 0.027    0.902 +- 0.064    1.000 +- 0.000
MPNN                   0.988 +- 0.013    0.859 +- 0.063    0.455 +- 0.081
MPNN, global node      0.982 +- 0.016    0.846 +- 0.067    1.000 +- 0.000
MPNN, edge update      0.988 +- 0.010    0.871 +- 0.088    0.498 +- 0.037
MPNN, both             0.977 +- 0.026    0.816 +- 0.075    1.000 +- 0.000
=====================  ================  ================  ================

The last column is a question that no neighbourhood answers: two pieces of a mixture stand far apart
in one box, and are of the same kind or not. Whatever is averaged over particles, in the mean it is
the same in both classes. There the network and the linear model of the histogram are at chance, and
more range does not help; the global node solves it. So does a support vector machine on the
histogram: what it takes is not to see far, but to put together what is known of the whole.

An epoch takes 7 to 10 percent longer with the global node, and 1.5 to 1.9 times as long with the
update of bonds, the more so the more bonds there are.

Run it from a checkout::

    python examples/plot_long_range.py     # 4 minutes on 2 cores

It needs ``glassclf[plot]``. It prints tables and writes ``long_range.png`` into
``long_range_output``.
"""

# %%
# Two layers over the six nearest neighbours reach about as far as a histogram to r = 2.5.
import argparse
import os
import warnings
from itertools import product
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import load_kob_andersen, make_patterned, select_pair
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer

# Few samples and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_FOLDS, N_DIVISIONS = (2, 1) if QUICK else (4, 2)
N_PLANTED = 16 if QUICK else 240
NETWORK = {"hidden_size": 32, "n_layers": 2, "schedule": "cosine", "random_state": 0}
GAP = 6.0
OPTIONS = {
    "MPNN": {},
    "MPNN, global node": {"global_node": True},
    "MPNN, edge update": {"edge_update": True},
    "MPNN, both": {"global_node": True, "edge_update": True},
}


def make_methods(X):
    """Estimators by name, each with its features."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    near, far = (
        RDFFeaturizer(r_max, n_bins=int(40 * r_max)).fit_transform(X) for r_max in (2.5, 5)
    )
    methods = {
        "RDF to 2.5 + LR": (linear, near),
        "RDF to 5 + LR": (linear, far),
        "RDF to 2.5 + SVM": (make_pipeline(StandardScaler(), SVC()), near),
    }
    graphs = GraphFeaturizer(n_neighbors=6).fit_transform(X)
    epochs = {"max_epochs": 1} if QUICK else {}
    for name, options in OPTIONS.items():
        network = MPNNClassifier(**NETWORK, **epochs, **options)
        methods[name] = (network, graphs)
    return methods


# %%
# The planted question: two pieces of a mixture, too far apart for any bond. In a piece particles of
# type B stand anywhere, or in patches. Are both pieces of one kind? In either class half of the
# pieces are mixed and half are patchy, so that no neighbourhood tells the classes apart.
def make_planted():
    kinds = [
        iter(
            make_patterned(
                N_PLANTED,
                symmetry=None,
                clumping=clumping,
                n_particles=200,
                random_state=seed,
                n_jobs=2,
            )
        )
        for seed, clumping in enumerate((0.0, 1.0))
    ]
    samples, labels = [], []
    for _ in range(N_PLANTED // 4):
        for left, right in product((0, 1), repeat=2):
            samples.append(put_side_by_side(next(kinds[left]), next(kinds[right])))
            labels.append("alike" if left == right else "unlike")
    return Configurations(samples), np.array(labels), np.arange(N_PLANTED)


def put_side_by_side(left, right):
    width, height = left.box
    positions = np.concatenate([left.positions, right.positions + [width + GAP, 0]])
    types = np.concatenate([left.types, right.types])
    return Configuration(positions, types, [2 * (width + GAP), height])


def make_tasks():
    data = load_kob_andersen().data
    tasks = {}
    for liquid in (0.635, 0.479):
        X, y, run = select_pair(data, liquid=liquid, state="inherent")
        few = np.isin(run, np.unique(run)[:8]) if QUICK else np.full(len(y), True)
        tasks[f"inherent, glass or liquid at T = {liquid}"] = X[few], y[few], run[few]
    tasks["two pieces: alike or unlike"] = make_planted()
    return tasks


def make_folds(y, groups):
    """Divide the groups into folds, more than once."""
    divisions = [
        StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
        for seed in range(N_DIVISIONS)
    ]
    return [fold for division in divisions for fold in division.split(y, y, groups)]


def print_table(task, y, scores):
    print(f"\n{task}, {len(y)} samples, {N_DIVISIONS} x {N_FOLDS} folds\n")
    print(f"{'':22}{'AUC':>18}{'seconds a fit':>16}")
    for name, found in scores.items():
        auc = found["test_score"]
        text = f"{auc.mean():.3f} +- {auc.std():.3f}"
        print(f"{name:22}{text:>18}{found['fit_time'].mean():16.1f}")


# %%
# The figure: two samples of the planted question, and the AUC of each fold.
def draw_sample(ax, sample, label):
    for kind, color in enumerate(("#9ecae1", "#d55e00")):
        ax.plot(*sample.positions[sample.types == kind].T, "o", color=color, markersize=3.5)
    ax.set(xticks=[], yticks=[], aspect="equal", title=label)


def draw_scores(ax, task, scores):
    for row, found in enumerate(scores.values()):
        auc = found["test_score"]
        color = "0.45" if row < len(scores) - len(OPTIONS) else "#0072b2"
        ax.plot(auc, np.full(len(auc), row), "o", color=color, markersize=5, alpha=0.5)
        ax.plot(auc.mean(), row, "|", color=color, markersize=18, markeredgewidth=3)
    ax.axvline(0.5, color="0.7", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(scores)), scores)
    ax.set(xlim=(0.2, 1.03), ylim=(len(scores) - 0.5, -0.5), xlabel="AUC, held-out groups")
    ax.set_title(task)


def draw(path, tasks, scores):
    figure, axes = plt.subplot_mosaic(
        [["alike", "alike", "alike", "unlike", "unlike", "unlike"], [0, 0, 1, 1, 2, 2]],
        figsize=(14, 7.5),
        height_ratios=(1, 1.8),
        layout="constrained",
    )
    X, y, _ = tasks["two pieces: alike or unlike"]
    for label in ("alike", "unlike"):
        draw_sample(axes[label], X[int(np.argmax(y == label))], f"two pieces: {label}")
    for number, task in enumerate(scores):
        draw_scores(axes[number], task, scores[task])
    for number in (1, 2):
        axes[number].set_yticklabels([])
    figure.savefig(path, dpi=110)


def main(output="long_range_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    # A network that cannot see what decides learns samples by heart, for as long as it is let.
    warnings.filterwarnings("ignore", message="the training loss")
    if QUICK:
        print("GLASSCLF_QUICK=1: 16 samples of a task, 1 epoch; numbers mean nothing")
    tasks, scores = make_tasks(), {}
    for task, (X, y, groups) in tasks.items():
        scores[task] = {
            name: cross_validate(
                method,
                features,
                y,
                cv=make_folds(y, groups),
                scoring="roc_auc",
                # Processes cost more than a logistic regression.
                n_jobs=2 if isinstance(method, MPNNClassifier) and not QUICK else 1,
            )
            for name, (method, features) in tqdm(make_methods(X).items(), desc=task)
        }
        print_table(task, y, scores[task])
    draw(output / "long_range.png", tasks, scores)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Networks that see the whole box.")
    parser.add_argument("--output", default="long_range_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
