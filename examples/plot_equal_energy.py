"""
Glass and liquid of equal energy
================================

The energy of its inherent structure alone tells a glass from a liquid of the same cooling run. What
is left if it cannot? A fast cooling ends in a glass as high in energy as a liquid of a slower one.
Here each such glass is paired with a liquid whose energy differs by at most 0.002 per particle, and
four methods try to tell them apart, with whole pairs held out: the energy, a histogram of distances
(RDF) and one of bond order, each with logistic regression (LR), and a message-passing network
(MPNN). Shuffled labels show what each can do by chance alone.

The energy says nothing, and the RDF little. The bond order says as much as the network does, which
was not told where to look: among the large particles of the fast glass, the best ordered tenth has
neighbours that are closer to a hexagon than in the liquid.

Run it from a checkout::

    python examples/plot_equal_energy.py     # about 4 minutes on 2 cores

It needs ``glassclf[order,plot]``. It prints a table and writes ``equal_energy.png`` into
``equal_energy_output``.
"""

# %%
# The task is bundled. ``compare_classes`` says what the two classes have in common.
import argparse
import os
from pathlib import Path

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

from glassclf.datasets import compare_classes, load_equal_energy, load_kob_andersen, shuffle_labels
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import BondOrderFeaturizer, GraphFeaturizer, RDFFeaturizer

N_FOLDS = 4

# Few pairs and epochs, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"


# %%
# The methods, each with its features, which do not depend on the labels and are computed once.
def make_methods(X):
    epochs = {"max_epochs": 2} if QUICK else {}
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return {
        "energy alone": (linear, X.info["inherent_energy"][:, None]),
        "RDF + LR": (linear, RDFFeaturizer().fit_transform(X)),
        "bond order + LR": (linear, BondOrderFeaturizer().fit_transform(X)),
        "MPNN": (MPNNClassifier(random_state=0, **epochs), GraphFeaturizer().fit_transform(X)),
    }


# %%
# One score is the mean AUC over four folds. It depends on how the pairs fall into folds, so the
# quick methods are scored ten times. With shuffled labels they show how far from 0.5 chance gets;
# the network, which takes a quarter of a minute for each score, is shuffled twice.
def score(method, features, y, groups, seed):
    cv = GroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    folds = cross_val_score(
        method,
        features,
        y,
        groups=groups,
        cv=cv,
        scoring="roc_auc",
        # Processes cost more than a logistic regression.
        n_jobs=2 if isinstance(method, MPNNClassifier) and not QUICK else 1,
    )
    return folds.mean()


def compare(X, y, groups):
    scores = {}
    bar = tqdm(make_methods(X).items(), desc="cross-validating")
    for name, (method, features) in bar:
        bar.set_postfix_str(name)
        n_true, n_shuffled = (2, 2) if name == "MPNN" else (10, 50)
        if QUICK:
            n_true = n_shuffled = 1
        scores[name, "true"] = np.array(
            [score(method, features, y, groups, seed) for seed in range(n_true)]
        )
        null = [shuffle_labels(X, y, groups, random_state=seed)[1] for seed in range(n_shuffled)]
        scores[name, "shuffled"] = np.array(
            [score(method, features, shuffled, groups, seed) for seed, shuffled in enumerate(null)]
        )
    return scores


def print_table(scores, n_pairs):
    print(f"\nAUC, {n_pairs} pairs, mean of {N_FOLDS} folds, whole pairs held out:")
    print("mean +- spread over divisions into folds, and over shuffles of the labels\n")
    print(f"{'':16}{'true labels':>18}{'shuffled labels':>18}")
    for name in dict.fromkeys(name for name, _ in scores):
        cells = [scores[name, kind] for kind in ("true", "shuffled")]
        texts = [f"{values.mean():.3f} +- {values.std():.3f}" for values in cells]
        print(f"{name:16}" + "".join(f"{text:>18}" for text in texts))


# %%
# The figure: the energies with a line for each pair, one pair itself, and the scores.
GLASS, LIQUID = "#0072b2", "#d55e00"


def draw_energies(ax, bunch, liquids):
    info = bunch.fast_runs.info
    glasses = info["inherent_energy"][info["temperature"] == 0.05]
    pairs = bunch.data.info["inherent_energy"].reshape(-1, 2)
    for height, all_of_class, paired, color in (
        (1, glasses, pairs[:, 0], GLASS),
        (0, liquids, pairs[:, 1], LIQUID),
    ):
        ax.plot(all_of_class, [height] * len(all_of_class), "o", color="0.8", markersize=6)
        ax.plot(paired, [height] * len(paired), "o", color=color, markersize=6)
    ax.plot(pairs.T, [[1] * len(pairs), [0] * len(pairs)], color="0.4", linewidth=0.8, zorder=0)
    ax.set_yticks([1, 0], ["glass, T = 0.05\n20,000 steps", "liquid, T = 0.8\n200,000 steps"])
    ax.set_ylim(-0.35, 1.35)
    ax.set_xlabel("inherent-structure energy per particle")
    ax.set_title(f"{len(pairs)} pairs within 0.002; grey: without a partner", fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)


def draw_snapshot(ax, configuration, title):
    """Draw one corner of a configuration, particles as discs of their true diameter."""
    side = 12.0
    positions = configuration.positions[(configuration.positions < side + 0.5).all(axis=1)]
    types = configuration.types[(configuration.positions < side + 0.5).all(axis=1)]
    diameters = np.where(types == 0, 1.0, 0.88)
    ax.add_collection(
        EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(types)),
            units="xy",
            offsets=positions,
            transOffset=ax.transData,
            facecolors=np.array(["#08519c", "#6baed6"])[types],
        )
    )
    ax.set(xlim=(0, side), ylim=(0, side), xticks=[], yticks=[], aspect="equal")
    ax.set_title(title, fontsize=11)


def draw_scores(ax, scores):
    for row, ((_, kind), values) in enumerate(scores.items()):
        color = "0.6" if kind == "shuffled" else "#009e73"
        ax.plot(values, [row] * len(values), "o", color=color, alpha=0.4, markersize=7)
        ax.plot(values.mean(), row, "|", color=color, markersize=24, markeredgewidth=3)
    ax.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    names = [name if kind == "true" else "labels shuffled" for name, kind in scores]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(f"AUC, mean of {N_FOLDS} folds; bar: mean of all")
    ax.spines[["top", "right"]].set_visible(False)


def main(output="equal_energy_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    bunch = load_equal_energy()
    X, y, groups = bunch.data, bunch.target, bunch.groups
    print(compare_classes(X, y, groups))
    figure = plt.figure(figsize=(13, 6.4), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.3])
    draw_energies(top.subplots(), bunch, choose_liquids(load_kob_andersen().data))
    left, middle, right = bottom.subplots(1, 3, width_ratios=[1, 1, 2])
    draw_snapshot(left, X[0], f"glass, energy {X[0].info['inherent_energy']:.4f}")
    draw_snapshot(middle, X[1], f"liquid, energy {X[1].info['inherent_energy']:.4f}")
    if QUICK:
        few = np.isin(groups, np.unique(groups)[: 2 * N_FOLDS])
        X, y, groups = X[few], y[few], groups[few]
        print(
            f"GLASSCLF_QUICK=1: max_epochs lowered to 2, {len(y) // 2} pairs; scores mean nothing"
        )
    scores = compare(X, y, groups)
    print_table(scores, len(y) // 2)
    draw_scores(right, scores)
    figure.savefig(output / "equal_energy.png", dpi=130)
    print(f"\nthe figure is in {output}/")


def choose_liquids(data):
    of_class = (data.info["state"] == "inherent") & (data.info["temperature"] == 0.8)
    return data.info["inherent_energy"][of_class]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Glass and liquid of equal energy.")
    parser.add_argument("--output", default="equal_energy_output", help="folder for the figure")
    main(parser.parse_args().output)
