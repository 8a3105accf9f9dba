"""
Trained on one liquid, tested on another
========================================

What a classifier has learned shows where else it works. Here a radial distribution function with
logistic regression tells the glass (T = 0.05) from a liquid of one temperature, and is tested on
glass against every other liquid, on inherent structures: runs that are held out are held out of
every task, so that no score rests on a run that was trained on.

The lower panel has two readings of the matrix. One model, trained on the hottest liquid, meets ever
closer ones; and each liquid has a model of its own. The distance between the two is what training
on the very task is worth. Behind them stands what they all follow, the mean energy of the liquid's
inherent structures above that of the glass.

Run it from a checkout::

    python examples/plot_transfer.py            # a minute on 2 cores
    python examples/plot_transfer.py --full     # a message-passing network as well, far longer

It needs ``glassclf[plot]``. It prints a table and writes ``transfer.png`` into ``transfer_output``.
"""

# %%
# One task for each liquid, all of the same runs.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.inspection import transfer_matrix
from glassclf.plotting import TransferDisplay

# Few runs and folds, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
LIQUIDS = (1.0, 0.635, 0.333) if QUICK else (1.0, 0.8, 0.635, 0.54725, 0.479, 0.401)
N_FOLDS, N_PERMUTATIONS = (2, 1) if QUICK else (4, 5)


def make_tasks(data):
    tasks = {}
    for liquid in LIQUIDS:
        X, y, run = select_pair(data, liquid=liquid, state="inherent")
        few = np.isin(run, np.unique(run)[:8]) if QUICK else np.full(len(run), True)
        tasks[f"T = {liquid:.3g}"] = X[few], y[few], run[few]
    return tasks


# %%
# The features do not depend on labels, and are computed once: a task may hold any X.
def with_features(tasks, featurizer):
    featurizer.fit(next(iter(tasks.values()))[0])
    return {
        name: (featurizer.transform(X), y, run)
        for name, (X, y, run) in tqdm(tasks.items(), desc=type(featurizer).__name__)
    }


def mean_energies(tasks):
    energies = {}
    for name, (X, y, _) in tasks.items():
        energy = X.info["inherent_energy"]
        energies[name] = energy[y == "liquid"].mean() - energy[y == "glass"].mean()
    return energies


def print_table(title, result):
    print(f"\n{title}: AUC, mean +- spread over {len(result.scores)} folds; rows: trained on\n")
    print(" " * 18 + "".join(f"{name:>16}" for name in result.names))
    for name, means, spreads in zip(result.names, result.mean, result.std):
        cells = [f"{mean:.2f} +- {spread:.2f}" for mean, spread in zip(means, spreads)]
        print(f"{name:18}" + "".join(f"{cell:>16}" for cell in cells))
    null = result.null
    if null is not None:
        print(f"{'shuffled labels':18}" + "".join(f"{m:16.2f}" for m in null.mean(axis=(0, 1))))


# %%
# The curves of the lower panel.
def draw_curves(ax, result, energies):
    places = np.arange(len(result.names))
    error = 1 / np.sqrt(len(result.scores))
    for label, color, rows in (
        (f"one model, trained on {result.names[0]}", "#d55e00", np.zeros(len(places), dtype=int)),
        ("a model for each liquid", "#009e73", places),
    ):
        values, spread = result.mean[rows, places], result.std[rows, places]
        ax.errorbar(places, values, spread * error, fmt="o-", color=color, capsize=3, label=label)
    if result.null is not None:
        null = result.null.mean(axis=(0, 1))
        ax.plot(places, null, "x--", color="0.4", label="labels shuffled")
    ax.axhline(0.5, color="0.7", linewidth=0.8, linestyle=":")
    ax.set_xticks(places, result.names)
    ax.set(ylabel="AUC; bars: standard error", xlabel="liquid that the glass is told from")
    behind = ax.twinx()
    behind.bar(places, list(energies.values()), color="0.85", width=0.6, zorder=0)
    behind.set_ylabel("energy above the glass", color="0.5")
    behind.set_ylim(0, 1.6 * max(energies.values()))
    ax.set_zorder(behind.get_zorder() + 1)
    ax.patch.set_visible(False)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def main(output="transfer_output", full=False):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    tasks = make_tasks(load_kob_andersen())
    if QUICK:
        print("GLASSCLF_QUICK=1: 8 runs, 3 liquids, 2 folds; scores mean nothing")
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    features = with_features(tasks, RDFFeaturizer())
    result = transfer_matrix(
        linear, features, cv=N_FOLDS, n_permutations=N_PERMUTATIONS, random_state=0
    )
    print_table("RDF + logistic regression", result)
    if full:
        network = MPNNClassifier(random_state=0)
        graphs = with_features(tasks, GraphFeaturizer())
        deep = transfer_matrix(network, graphs, cv=N_FOLDS, n_jobs=2, random_state=0)
        print_table("message-passing network", deep)
    figure = plt.figure(figsize=(8, 10), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    TransferDisplay.from_result(result, ax=top.subplots())
    draw_curves(bottom.subplots(), result, mean_energies(tasks))
    figure.savefig(output / "transfer.png", dpi=130)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Transfer between liquids.")
    parser.add_argument("--output", default="transfer_output", help="folder for the figure")
    parser.add_argument("--full", action="store_true", help="with a message-passing network")
    main(**vars(parser.parse_args()))
