"""
How small a piece tells glass from liquid
=========================================

A box of 1080 particles is cut into windows, any estimator is fitted on them, and a configuration is
classified by all its windows together. Here a radial distribution function with logistic regression
(RDF + LR) and a message-passing network (MPNN) tell the glass (T = 0.05) from a liquid on inherent
structures, on runs that they have not seen. The published work on this problem (arXiv:1909.04648)
classified windows of about 43 particles.

A single window of that size says little. All windows of a box together say nearly what the whole
box does, as what tells the two apart is local: of the liquid at T = 1 nothing is lost. At T = 0.635
the RDF loses nothing either, but the network does: on all four folds (``--full``) 0.87 with windows
of 43 particles, 0.94 with 100, and 0.98 on whole boxes. A convolutional network (CNN) is worse than
both on windows of any size.

Run it from a checkout::

    python examples/plot_windows.py            # 4 minutes on 2 cores
    python examples/plot_windows.py --full     # all folds, and a CNN as well, 16 minutes

It needs ``glassclf[plot]``. It prints a table and writes ``windows.png`` into ``windows_output``.
"""

# %%
# Glass against liquid, on bundled inherent structures.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import CNNClassifier, MPNNClassifier, WindowedClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer
from glassclf.plotting import WindowMapDisplay

# Few runs and epochs, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
LIQUIDS = (1.0, 0.635)
SIZES = (43, 300) if QUICK else (20, 43, 100, 300)
N_FOLDS = 4


def make_pair(liquid):
    X, y, run = select_pair(load_kob_andersen(), liquid=liquid, state="inherent")
    few = np.isin(run, np.unique(run)[:8]) if QUICK else np.full(len(run), True)
    return X[few], y[few], run[few]


# %%
# The methods. In a window the network sees all particles that are there, up to the 20 nearest.
# Small graphs go through it in larger batches.
def make_methods(n_particles, full):
    whole = n_particles is None
    epochs = {"max_epochs": 1 if QUICK else 15}
    network = MPNNClassifier(
        hidden_size=32, batch_size=4 if whole else 64, random_state=0, **epochs
    )
    methods = {
        "RDF + LR": make_pipeline(
            RDFFeaturizer(), StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
        ),
        "MPNN": make_pipeline(GraphFeaturizer(), network),
    }
    if full:
        # Pixels of one width, whatever the size.
        n_pixels = 64 if whole else max(8, round(2 * np.sqrt(n_particles / 1.2)))
        network = CNNClassifier(n_filters=(16, 32), random_state=0)
        methods["CNN"] = make_pipeline(ImageFeaturizer(n_pixels), network)
    return methods


# %%
# One fold: AUC of single windows, and of whole configurations.
def score(method, X, y, run, train, test, n_particles):
    if n_particles is None:
        model = clone(method).fit(X[train], y[train])
        return np.nan, roc_auc_score(y[test], model.predict_proba(X[test])[:, 1]), model
    model = WindowedClassifier(method, n_particles=n_particles)
    model.fit(X[train], y[train], groups=run[train])
    scores = [proba[:, 1] for _, proba in model.window_scores(X[test])]
    labels = np.repeat(y[test], [len(each) for each in scores])
    single = roc_auc_score(labels, np.concatenate(scores))
    return single, roc_auc_score(y[test], model.predict_proba(X[test])[:, 1]), model


def compare(full):
    rows, shown = {}, None
    sizes = (*SIZES, None)
    bar = tqdm([(liquid, size) for liquid in LIQUIDS for size in sizes], desc="window sizes")
    for liquid, size in bar:
        X, y, run = make_pair(liquid)
        folds = list(GroupKFold(N_FOLDS).split(X, y, run))
        for name, method in make_methods(size, full).items():
            bar.set_postfix_str(f"T = {liquid:g}, {size or 'all'} particles, {name}")
            # The network of every size on one fold only; with --full on all.
            if name != "RDF + LR" and not full and (QUICK or size not in (43, None)):
                continue
            few = folds if name == "RDF + LR" or full else folds[:1]
            found = [score(method, X, y, run, *fold, size) for fold in few]
            rows[liquid, size, name] = np.array([each[:2] for each in found])
            if (liquid, size, name) == (LIQUIDS[0], 43, "RDF + LR"):
                test = folds[-1][1]
                shown = found[-1][2], X[test], y[test]
    return rows, shown


def print_table(rows):
    print("\nAUC on held-out runs, mean +- spread over folds (a single fold has none)\n")
    print(f"{'liquid':>7} {'particles':>10}  {'':10}{'single window':>16}{'whole box':>16}")
    for (liquid, size, name), scores in rows.items():
        cells = [tell(column) for column in scores.T]
        print(f"{liquid:7g} {size or 'all':>10}  {name:10}" + "".join(f"{c:>16}" for c in cells))


def tell(values):
    if np.isnan(values).any():
        return "-"
    spread = f" +- {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{spread}"


# %%
# The figure: AUC against the size of the windows, and the windows of a glass and a liquid.
COLORS = {"RDF + LR": "#0072b2", "MPNN": "#d55e00", "CNN": "#009e73"}


def draw_curves(ax, rows, liquid, legend):
    for name in dict.fromkeys(name for *_, name in rows):
        sizes = [size for t, size, each in rows if t == liquid and each == name and size]
        whole = rows.get((liquid, None, name))
        values = np.array([rows[liquid, size, name].mean(axis=0) for size in sizes])
        color = COLORS[name]
        if len(sizes):
            ax.plot(sizes, values[:, 0], "o:", color=color, label=f"{name}, single window")
            ax.plot(sizes, values[:, 1], "o-", color=color, label=f"{name}, windows pooled")
        if whole is not None:
            ax.plot(1080, whole[:, 1].mean(), "*", markersize=13, color=color, clip_on=False)
    ax.plot([], [], "*", markersize=11, color="0.4", label="fitted on whole boxes")
    ax.set(xscale="log", ylim=(0.45, 1.02), xlabel="particles of a window", ylabel="AUC")
    ax.set_xticks([20, 43, 100, 300, 1080], ["20", "43", "100", "300", "1080"])
    ax.minorticks_off()
    ax.axhline(0.5, color="0.7", linewidth=0.8, linestyle=":")
    ax.set_title(f"glass against liquid at T = {liquid:g}")
    if legend:
        ax.legend(frameon=False, fontsize="small", loc="lower right")


def main(output="windows_output", full=False):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 8 runs, max_epochs lowered to 1; scores mean nothing")
    rows, (model, X, y) = compare(full)
    print_table(rows)
    figure, axes = plt.subplots(2, 2, figsize=(12, 10), layout="constrained")
    for ax, liquid in zip(axes[0], LIQUIDS):
        draw_curves(ax, rows, liquid, legend=liquid == LIQUIDS[0])
    for ax, label in zip(axes[1], ("glass", "liquid")):
        WindowMapDisplay.from_estimator(model, X, int(np.argmax(y == label)), ax=ax)
        ax.set_title(f"{label}, held out, windows of 43 particles")
    figure.savefig(output / "windows.png", dpi=130)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="AUC against window size.")
    parser.add_argument("--output", default="windows_output", help="folder for the figure")
    parser.add_argument("--full", action="store_true", help="networks of every size, all folds")
    main(**vars(parser.parse_args()))
