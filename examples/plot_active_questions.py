"""
What a network needs to read a tumbling rate
============================================

Five questions about the tumbling rate of active matter from one snapshot, on simulations of 64 x 64
sites that are made here. Do copies of a snapshot, shifted around the border, help, and what happens
if they are put on both sides of a split? Is it of use to see which way particles face, and does a
network trained on places understand a picture in grey? What does it say of rates between those it
was trained on, and beyond them? Of densities it has not seen? And must snapshots be from the steady
state?

All tests are on runs that were not trained on, but that of the leak. Shifts are worth more than
copies that are stored. The leak does not show here, as the network is too small to remember
snapshots; nobody can know that before. Orientations help a little; a network that was trained on
places is lost in a grey picture, while one trained in grey finds its way among places. Rates
between those of the training are met as well as these, and beyond them the answer stops short at
both ends. Trained on snapshots from the start on, the answer for the fastest tumblers is too low by
0.65, on those of the steady state alone by 0.39.

Run it from a checkout::

    python examples/plot_active_questions.py     # 3 minutes on 2 cores

It needs ``glassclf[simulation,plot]``. It prints a table and writes ``active_questions.png`` into
``active_questions_output``.
"""

# %%
# Ten rates, and as many runs of each for the test as for the training.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from glassclf.configurations import Lattices
from glassclf.datasets import make_persistent_exclusion
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import LatticeFeaturizer
from glassclf.inspection import regression_report
from glassclf.thermodynamics import cluster_measures, steady_state

# Few snapshots and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
RATES = 2.0 ** np.linspace(-6, -1, 6 if QUICK else 10)
N_SNAPSHOTS, EPOCHS = (4, 1) if QUICK else (20, 25)
SYMMETRIES = ["shifts", "quarter_turns", "mirrors"]


def simulate(densities, seed, n_runs=3, **settings):
    settings = {"n_snapshots": N_SNAPSHOTS, "shape": (64, 64), "verbose": 0, **settings}
    return make_persistent_exclusion(RATES, densities, n_runs, random_state=seed, **settings)


def target(X):
    return np.log2(X.info["tumbling_rate"])


def make_model(channels="occupancy", augment=SYMMETRIES):
    network = CNNRegressor(
        architecture="strided",
        augment=augment,
        max_epochs=EPOCHS,
        batch_size=16,
        lr=2e-3,
        schedule="cosine",
        random_state=0,
    )
    return make_pipeline(LatticeFeaturizer(channels), network)


def score(model, X, X_test):
    """Train, and test: the report, and the predictions."""
    found = model.fit(X, target(X)).predict(X_test)
    return regression_report(target(X_test), found, groups=X_test.info["run"]), found


# %%
# Copies of each snapshot, shifted around the border: stored, or drawn anew for each batch. With the
# stored ones a split at random puts copies of one snapshot into training and test.
def roll(X, n_copies, rng):
    copies = [
        np.roll(sites, rng.integers(0, 64, 2), (0, 1)) for sites in X for _ in range(n_copies)
    ]
    info = {name: np.repeat(values, n_copies) for name, values in X.info.items()}
    return Lattices(np.array(copies), info)


def ask_about_copies(X, X_test):
    rng = np.random.default_rng(0)
    yield "no copies", score(make_model(augment=None), X, X_test)
    yield "shifts", score(make_model(augment=["shifts"]), X, X_test)
    yield "shifts, turns and mirrors", score(make_model(), X, X_test)
    rolled = roll(X, 2, rng)
    yield "two stored copies of each", score(make_model(augment=None), rolled, X_test)
    order = rng.permutation(len(rolled))
    train, test = rolled[order[: len(X)]], rolled[order[len(X) :]]
    yield "a leak: copies on both sides", score(make_model(augment=None), train, test)


# %%
# Places alone, places and orientations, and a network trained on one and asked about the other.
def ask_about_orientations(X, X_test):
    yield "orientations", score(make_model("orientation"), X, X_test)
    grey, places = (
        make_model(channels, ["shifts"]).fit(X, target(X)) for channels in ("grey", "occupancy")
    )
    for name, model, channels in (
        ("grey, asked in grey", grey, "grey"),
        ("grey, asked about places", grey, "occupancy"),
        ("places, asked in grey", places, "grey"),
    ):
        images = LatticeFeaturizer(channels).fit_transform(X_test)
        found = model[-1].predict(images)
        yield name, (regression_report(target(X_test), found), found)


# %%
# Rates between those of the training, and beyond them; densities; the steady state.
def ask_about_rates(X, X_test):
    number = np.searchsorted(RATES, X.info["tumbling_rate"])
    of_test = np.searchsorted(RATES, X_test.info["tumbling_rate"])
    every_other, inner = number % 2 == 0, (number > 0) & (number < len(RATES) - 1)
    between = (of_test % 2 == 1) & (of_test < number[every_other].max())
    yield "rates between", score(make_model(), X[every_other], X_test[between])
    outer = (of_test == 0) | (of_test == len(RATES) - 1)
    yield "rates beyond", score(make_model(), X[inner], X_test[outer])


def ask_about_densities(X_test):
    mixed = simulate([0.05, 0.15, 0.25], seed=2)
    model = make_model().fit(mixed, target(mixed))
    for name, density in (("densities between", [0.1, 0.2]), ("a density beyond", 0.35)):
        unseen = simulate(density, seed=3)
        found = model.predict(unseen)
        yield name, (regression_report(target(unseen), found, groups=unseen.info["run"]), found)
    found = model.predict(X_test)
    yield "one of several densities", (regression_report(target(X_test), found), found)


def ask_about_the_steady_state(X_test):
    X = simulate(0.15, seed=4, warm_up=0, n_snapshots=12 if QUICK else 2 * N_SNAPSHOTS, interval=4)
    size = cluster_measures(X).weighted_mean
    mask = steady_state(size, X.info["run"]).mask
    yield "from the start on", score(make_model(), X, X_test)
    yield "steady state alone", score(make_model(), X[mask], X_test)


# %%
# The figure: error by question, and what is said of rates that were not trained on.
def draw(path, reports):
    figure, axes = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    errors = [report.mae for report, _ in reports.values()]
    axes[0].barh(range(len(errors)), errors, color="#56b4e9")
    axes[0].set_yticks(range(len(errors)), reports)
    axes[0].invert_yaxis()
    axes[0].set(xlabel="mean error of the log2 rate", title="the smaller, the better")
    ends = np.log2(RATES[[0, -1]])
    axes[1].plot(ends, ends, color="0.6", linewidth=1)
    styles = (("rates between", "o", "#0072b2"), ("rates beyond", "s", "#d55e00"))
    for name, marker, color in styles:
        report = reports[name][0]
        axes[1].errorbar(
            report.value, report.mean, report.spread, fmt=marker, color=color, capsize=3, label=name
        )
    axes[1].set(xlabel="true log2 rate", ylabel="predicted log2 rate")
    axes[1].set_title("rates that were not trained on")
    axes[1].legend(frameon=False)
    figure.savefig(path, dpi=120)


def main(output="active_questions_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 6 rates, 4 snapshots, 1 epoch; numbers mean nothing")
    X, X_test = simulate(0.15, seed=0), simulate(0.15, seed=1)
    questions = [
        ask_about_copies(X, X_test),
        ask_about_orientations(X, X_test),
        ask_about_rates(X, X_test),
        ask_about_densities(X_test),
        ask_about_the_steady_state(X_test),
    ]
    reports = {
        name: result for question in tqdm(questions, desc="questions") for name, result in question
    }
    print(f"\nlog2 of the tumbling rate on {len(X_test)} snapshots of other runs\n")
    print(f"{'':32}{'r':>8}{'mean error':>12}{'largest bias':>14}")
    for name, (report, _) in reports.items():
        bias = np.abs(report.bias).max()
        print(f"{name:32}{report.r:8.4f}{report.mae:12.3f}{bias:14.3f}")
    draw(output / "active_questions.png", reports)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a network needs to read tumbling rates.")
    parser.add_argument("--output", default="active_questions_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
