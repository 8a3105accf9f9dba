"""
The tumbling rate of active matter from one snapshot
====================================================

Self-propelled particles on a lattice run straight on, block each other, and tumble into a new
direction with a probability that an experiment cannot see. Can it be read from one picture of where
the particles are? A convolutional network (CNN) gets the occupied sites, or also which way each
particle faces. Shifts, quarter turns and mirror images are drawn anew for each batch; nothing is
stored of them, and no copy of a snapshot can get into the test.

Runs are split, never the snapshots of a run. The baseline is the pair correlation of the occupied
sites with a quadratic regression. It is nearly as good as the network, in a second: most of what a
snapshot tells of the rate is in its pairs.

Run it from a checkout::

    python examples/plot_tumbling_rate.py     # under 3 minutes on 2 cores

It needs ``glassclf[plot]``. It prints a table and writes ``tumbling_rate.png`` into
``tumbling_rate_output``.
"""

# %%
# Bundled runs at ten rates. Two of the eight runs of each rate are held out.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from tqdm import tqdm

from glassclf.datasets import load_persistent_exclusion
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import LatticeCorrelationFeaturizer, LatticeFeaturizer
from glassclf.inspection import regression_report
from glassclf.plotting import RegressionDisplay

# Few snapshots and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_TEST = 2
EPOCHS = 1 if QUICK else 25


def split(target, groups):
    """Rows for training and test: the last two runs of each rate are held out."""
    held_out = np.zeros(len(target), dtype=bool)
    for rate in np.unique(target):
        held_out |= np.isin(groups, np.unique(groups[target == rate])[-N_TEST:])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


# %%
# The models. Turns and mirror images also turn which way particles face.
def make_models():
    network = {
        "augment": ["shifts", "quarter_turns", "mirrors"],
        "architecture": "strided",
        "max_epochs": EPOCHS,
        "batch_size": 16,
        "lr": 2e-3,
        "schedule": "cosine",
        "random_state": 0,
    }
    return {
        "pair correlation": make_pipeline(
            LatticeCorrelationFeaturizer(),
            StandardScaler(),
            PolynomialFeatures(2),
            StandardScaler(),
            RidgeCV(np.logspace(-2, 4, 7)),
        ),
        "CNN, occupancy": make_pipeline(LatticeFeaturizer(), CNNRegressor(**network)),
        "CNN, orientations": make_pipeline(
            LatticeFeaturizer("orientation"), CNNRegressor(**network)
        ),
    }


def print_reports(reports):
    print("\nlog2 of the tumbling rate, held-out runs; rates are 0.556 apart\n")
    print(f"{'':20}{'r':>8}{'mean error':>12}{'largest bias':>14}")
    for name, report in reports.items():
        bias = np.abs(report.bias).max()
        print(f"{name:20}{report.r:8.4f}{report.mae:12.3f}{bias:14.3f}")


# %%
# The figure: a slow and a fast tumbler, and the predictions of each model.
ORIENTATIONS = ListedColormap(["white", "#0072b2", "#e69f00", "#009e73", "#cc79a7"])


def draw_snapshot(ax, sites, rate):
    corner = sites[:64, :64]
    ax.imshow(corner.T, origin="lower", cmap=ORIENTATIONS, vmin=0, vmax=4, interpolation="nearest")
    ax.set(title=f"tumbling rate {2.0**rate:.3g}, a quarter of the lattice", xticks=[], yticks=[])


def main(output="tumbling_rate_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    bunch = load_persistent_exclusion()
    X, y, run = bunch.data, bunch.target, bunch.groups
    if QUICK:
        print("GLASSCLF_QUICK=1: every fifth snapshot, 1 epoch; numbers mean nothing")
        few = np.arange(0, len(y), 5)
        X, y, run = X[few], y[few], run[few]
    train, test = split(y, run)
    reports, predictions = {}, {}
    for name, model in tqdm(make_models().items(), desc="training"):
        predictions[name] = model.fit(X[train], y[train]).predict(X[test])
        reports[name] = regression_report(y[test], predictions[name], groups=run[test])
    print_reports(reports)
    figure, axes = plt.subplots(1, 5, figsize=(23, 4.8), layout="constrained")
    draw_snapshot(axes[0], X[0], y[0])
    draw_snapshot(axes[1], X[len(X) - 1], y[-1])
    for ax, (name, found) in zip(axes[2:], predictions.items()):
        display = RegressionDisplay(y[test], found, reports[name], label="log2 rate").plot(ax=ax)
        display.ax_.set_title(f"{name}\n{ax.get_title()}")
    figure.savefig(output / "tumbling_rate.png", dpi=100)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Tumbling rates from single snapshots.")
    parser.add_argument("--output", default="tumbling_rate_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
