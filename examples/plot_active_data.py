"""
More snapshots, more simulations, and how sure to be
====================================================

Before a computer is asked for another week: do more snapshots of each simulation make the tumbling
rate of active matter better known, or more simulations? The error on other runs is drawn against
the snapshots of each run, for one run a rate and for several, with the spread over the choice of
runs, for the pair correlation with a quadratic regression and for a convolutional network (CNN).

Snapshots of one run are alike, so that of as many snapshots in all, those of more runs teach more.
The network, which is shown each snapshot shifted, turned and mirrored, needs far fewer than the
baseline.

Then, how sure to be of a prediction: four networks that differ by their first weights and by the
order of the snapshots are asked, and their disagreement is taken for the uncertainty. They err in
common, so that the truth is within it in one case of five. Multiplied by the factor that two runs a
rate, kept aside, ask for, it is so in nine of ten: a few large errors decide the factor.

Run it from a checkout::

    python examples/plot_active_data.py     # 2 minutes on 2 cores

It needs ``glassclf[simulation,plot]``. It prints four tables and writes ``active_data.png`` into
``active_data_output``.
"""

# %%
# Simulations at ten rates, on 64 x 64 sites; those to test on have a seed of their own.
import argparse
import os
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from tqdm import tqdm

from glassclf.datasets import make_persistent_exclusion
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import LatticeCorrelationFeaturizer, LatticeFeaturizer
from glassclf.inspection import regression_report

# Few snapshots and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
RATES = 2.0 ** np.linspace(-6, -1, 6 if QUICK else 10)
N_RUNS, N_FRAMES = ((1, 4), (1, 4)) if QUICK else ((1, 2, 4, 8, 16), (1, 2, 4, 8, 16))
# Runs and snapshots of each for the network: eight in all in three ways, and more.
OF_NETWORK = [(1, 4), (4, 1)] if QUICK else [(1, 8), (2, 4), (8, 1), (8, 4), (8, 16)]
N_DRAWS = 2 if QUICK else 4
# Snapshots that a network is shown in all its epochs.
N_SHOWN = 50 if QUICK else 25_600


def simulate(n_runs, seed):
    X = make_persistent_exclusion(
        RATES, 0.15, n_runs, n_snapshots=max(N_FRAMES), shape=(64, 64), random_state=seed
    )
    return X, np.log2(X.info["tumbling_rate"])


def draw_rows(X, n_runs, n_frames, rng):
    """Rows of some runs of each rate, and of the first snapshots of each."""
    run, rate = X.info["run"], X.info["tumbling_rate"]
    rows = []
    for one in np.unique(rate):
        for name in rng.choice(np.unique(run[rate == one]), n_runs, replace=False):
            rows.append(np.flatnonzero(run == name)[:n_frames])
    return np.concatenate(rows)


# %%
# The models: the baseline, and the network, which is shown as many snapshots in all in any case.
def make_baseline():
    return make_pipeline(
        LatticeCorrelationFeaturizer(),
        StandardScaler(),
        PolynomialFeatures(2),
        StandardScaler(),
        RidgeCV(np.logspace(-2, 4, 7)),
    )


def make_network(n_samples, seed=0):
    network = CNNRegressor(
        architecture="strided",
        augment=["shifts", "quarter_turns", "mirrors"],
        max_epochs=max(N_SHOWN // n_samples, 1),
        batch_size=16,
        lr=2e-3,
        schedule="cosine",
        random_state=seed,
    )
    return make_pipeline(LatticeFeaturizer(), network)


# %%
# Learning curves. Each value is of runs drawn anew; the spread is over the draws.
def learn_baseline(X, y, X_test, y_test):
    errors = np.empty((len(N_RUNS), len(N_FRAMES), N_DRAWS))
    for i, n_runs in enumerate(tqdm(N_RUNS, desc="pair correlation")):
        for j, n_frames in enumerate(N_FRAMES):
            for draw in range(N_DRAWS):
                rows = draw_rows(X, n_runs, n_frames, np.random.default_rng(draw))
                found = make_baseline().fit(X[rows], y[rows]).predict(X_test)
                errors[i, j, draw] = np.abs(found - y_test).mean()
    return errors


def learn_network(X, y, X_test, y_test):
    errors = {}
    for n_runs, n_frames in tqdm(OF_NETWORK, desc="CNN"):
        rows = draw_rows(X, n_runs, n_frames, np.random.default_rng(0))
        model = make_network(len(rows)).fit(X[rows], y[rows])
        errors[n_runs, n_frames] = np.abs(model.predict(X_test) - y_test).mean()
    return errors


def print_errors(errors, of_network):
    print("\nmean error of the log2 rate, by runs a rate and snapshots of each: pair correlation\n")
    print(f"{'runs':>6}" + "".join(f"{n:>16}" for n in N_FRAMES))
    for n_runs, row in zip(N_RUNS, errors):
        cells = (f"{each.mean():.3f} +- {each.std():.3f}" for each in row)
        print(f"{n_runs:6}" + "".join(f"{cell:>16}" for cell in cells))
    print("\nCNN\n")
    for (n_runs, n_frames), error in of_network.items():
        print(f"{n_runs:6} runs of {n_frames:3} snapshots {error:.3f}")


# %%
# The ensemble. Two runs of each rate are kept aside, to find the factor of its uncertainty.
def ask_ensemble(X, y, X_test, y_test):
    run, rate = X.info["run"], X.info["tumbling_rate"]
    kept = np.concatenate([np.unique(run[rate == one])[:2] for one in RATES])
    aside = np.isin(run, kept)
    names = [f"network {number}" for number in range(4)]
    members = [(name, make_network((~aside).sum(), seed)) for seed, name in enumerate(names)]
    ensemble = VotingRegressor(members, verbose=True).fit(X[~aside], y[~aside])
    std = ensemble.transform(X[aside]).std(1, ddof=1)
    scale = regression_report(y[aside], ensemble.predict(X[aside]), std=std).scale
    found, std = ensemble.predict(X_test), ensemble.transform(X_test).std(1, ddof=1)
    reports = {
        name: regression_report(y_test, found, std=factor * std, groups=X_test.info["run"])
        for name, factor in (("disagreement", 1.0), (f"{scale:.1f} times it", scale))
    }
    return np.abs(found - y_test) / std, scale, reports


def print_uncertainty(reports):
    print("\nthe truth of other runs within the uncertainty of an ensemble\n")
    print(f"{'':16}{'once':>8}{'twice':>8}     (a normal distribution: 0.68, 0.95)")
    for name, report in reports.items():
        print(f"{name:16}{report.coverage[0]:8.2f}{report.coverage[1]:8.2f}")
    report = next(iter(reports.values()))
    print(
        f"\nbias by rate, with its 95 % interval over {report.n_runs[0]} runs; r {report.r:.4f}\n"
    )
    for value, bias, (low, high) in zip(report.value, report.bias, report.bias_interval):
        print(f"{value:8.2f}{bias:8.3f}   [{low:.3f}, {high:.3f}]")


# %%
# What a thousand snapshots cost.
def print_costs(X, y, simulation_time):
    rows = draw_rows(X, min(N_RUNS[-1], 8), N_FRAMES[-1], np.random.default_rng(0))
    X, y = X[rows], y[rows]
    times = {"simulated": simulation_time}
    sizes = {"simulated": X.sites.nbytes}
    for name, featurizer in (
        ("images", LatticeFeaturizer(lazy=False)),
        ("pair correlation", LatticeCorrelationFeaturizer()),
    ):
        start = time.perf_counter()
        sizes[name] = featurizer.fit_transform(X).nbytes
        times[name] = time.perf_counter() - start
    start = time.perf_counter()
    make_network(N_SHOWN).fit(X, y)
    times["CNN, an epoch"] = time.perf_counter() - start
    print("\na thousand snapshots of 64 x 64 sites\n")
    for name, seconds in times.items():
        size = f"{sizes[name] / len(y) / 1e3:9.2f} MB" if name in sizes else ""
        print(f"{name:18}{1000 * seconds / len(y):8.2f} s{size}")


# %%
# The figure.
def draw(axes, errors, of_network, relative, scale):
    colors = plt.colormaps["viridis"](np.linspace(0, 0.85, len(N_RUNS)))
    for n_runs, row, color in zip(N_RUNS, errors, colors):
        label = f"{n_runs} run{'s' * (n_runs > 1)} a rate"
        axes[0].errorbar(N_FRAMES, row.mean(1), row.std(1), color=color, capsize=2, label=label)
    for (n_runs, n_frames), error in of_network.items():
        color = colors[N_RUNS.index(n_runs)]
        axes[0].plot(n_frames, error, "s", color=color, markeredgecolor="black")
    axes[0].plot([], [], "ks", markerfacecolor="none", label="CNN")
    axes[0].set(xscale="log", yscale="log", xticks=N_FRAMES, xticklabels=N_FRAMES)
    axes[0].set(xlabel="snapshots of each run", ylabel="mean error of the log2 rate")
    axes[0].set_title("lines: pair correlation")
    axes[0].legend(frameon=False)
    width = np.linspace(0, 3, 61)
    axes[1].plot(width, 2 * norm.cdf(width) - 1, color="0.6", label="normal distribution")
    for factor, label in ((1.0, "disagreement of 4 networks"), (scale, f"{scale:.1f} times it")):
        share = (relative[:, None] <= factor * width).mean(0)
        axes[1].plot(width, share, label=label)
    axes[1].set(xlabel="distance in units of the uncertainty", ylabel="share of truths within")
    axes[1].legend(frameon=False)


def main(output="active_data_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 6 rates, 4 runs, 1 epoch; numbers mean nothing")
    # The first simulation of a process compiles it.
    simulate(1, seed=2)
    start = time.perf_counter()
    X, y = simulate(max(N_RUNS), seed=0)
    simulation_time = time.perf_counter() - start
    X_test, y_test = simulate(4, seed=1)
    errors = learn_baseline(X, y, X_test, y_test)
    of_network = learn_network(X, y, X_test, y_test)
    print_errors(errors, of_network)
    rows = draw_rows(X, min(max(N_RUNS), 10), max(N_FRAMES), np.random.default_rng(0))
    relative, scale, reports = ask_ensemble(X[rows], y[rows], X_test, y_test)
    print_uncertainty(reports)
    print_costs(X, y, simulation_time)
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    draw(axes, errors, of_network, relative, scale)
    figure.savefig(output / "active_data.png", dpi=110)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How much data, and how sure.")
    parser.add_argument("--output", default="active_data_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
