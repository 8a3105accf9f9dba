"""
Where glass turns into liquid
=============================

A classifier of glass and liquid can be asked about every temperature in between. Where its answer
passes one half is often taken for a transition. It is not one: that place moves with the pair of
temperatures it was trained on. What does not move, on inherent structures, is the kink. Below the
glass transition structures no longer change, the log odds of the glass are flat; above it they
fall. Thermal snapshots have no such plateau: the vibration of the particles is a thermometer.

Left: the mean log odds of models that were trained on glass (T = 0.05) against one liquid each, on
runs that the model has not seen, beside the thermodynamic glass transition of these runs. Middle:
the same on thermal snapshots. Right: learning by confusion, in which a border between cold and hot
is put at every temperature. A transition would show as a maximum. Inherent structures show a fall:
the colder the border, the less there is to tell; thermal snapshots are told apart everywhere.

Run it from a checkout::

    python examples/plot_crossover.py            # a minute on 2 cores
    python examples/plot_crossover.py --full     # also temperature from one snapshot, far longer

It needs ``glassclf[plot]``. It prints what it found and writes ``crossover.png`` into
``crossover_output``.
"""

# %%
# All temperatures of all runs that were cooled at one rate, inherent structures or thermal.
import argparse
import os
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassclf.datasets import load_kob_andersen
from glassclf.estimators import MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.inspection import crossover, learn_by_confusion
from glassclf.plotting import CrossoverDisplay
from glassclf.thermodynamics import GlassTransition, cooling_curves

# Few runs and folds, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
GLASS, LIQUIDS = 0.05, (1.0, 0.635, 0.479)
N_FOLDS = 2 if QUICK else 4
WINDOWS = ((0.05, 0.206), (0.479, 0.8))
MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def select(data, state):
    keep = data.info["state"] == state
    if QUICK:
        keep &= np.isin(data.info["run"], np.unique(data.info["run"])[:8])
    return data[keep]


# %%
# Each run is scored at all temperatures by a model that was trained on the other runs.
def glass_probability(features, temperature, run, liquid):
    pair = np.isclose(temperature, GLASS) | np.isclose(temperature, liquid)
    proba = np.empty(len(run))
    for train, test in GroupKFold(N_FOLDS).split(features, groups=run):
        train = train[pair[train]]
        is_glass = np.isclose(temperature[train], GLASS)
        model = clone(MODEL).fit(features[train], is_glass)
        proba[test] = model.predict_proba(features[test])[:, 1]
    return proba


def find_crossovers(features, temperature, run, state):
    results = {}
    for liquid in LIQUIDS:
        proba = glass_probability(features, temperature, run, liquid)
        with warnings.catch_warnings():
            # That there is none is told below, in the table and in the figure.
            warnings.simplefilter("ignore")
            results[f"against T = {liquid:g}"] = crossover(temperature, proba, run, windows=WINDOWS)
            half = crossover(temperature, proba, run, method="half")
        kink = results[f"against T = {liquid:g}"]
        print(
            f"{state:9} {liquid:8g}  {tell(kink):32} slope ratio {kink.slope_ratio:6.2f}   "
            f"{tell(half)}"
        )
    return results


def tell(result):
    if np.isnan(result.temperature):
        return "none"
    return "{:.3f} [{:.3f}, {:.3f}]".format(result.temperature, *result.interval)


# %%
# Temperature from one snapshot, as a regression: above the glass transition only can it work.
def print_temperatures(X):
    network = make_pipeline(GraphFeaturizer(), MPNNRegressor(random_state=0))
    temperature, run = X.info["temperature"], X.info["run"]
    found = cross_val_predict(network, X, temperature, groups=run, cv=GroupKFold(N_FOLDS), n_jobs=2)
    print("\ntemperature from one inherent structure, message-passing network, held-out runs")
    print(f"{'true':>8}{'mean':>8}{'spread':>8}")
    for true in np.unique(temperature):
        mine = found[temperature == true]
        print(f"{true:8.3f}{mine.mean():8.3f}{mine.std():8.3f}")


# %%
# The figure.
def draw_confusion(ax, curves, tg):
    ax.axvspan(*tg[1:], color="0.88", linewidth=0, label=f"Tg = {tg[0]:.3f}")
    for (state, result), color in zip(curves.items(), ("#0072b2", "#d55e00")):
        error = result.std / np.sqrt(len(result.scores))
        ax.errorbar(
            result.border, result.mean, error, fmt="o-", color=color, capsize=3, label=state
        )
    ax.axhline(0.5, color="0.7", linewidth=0.8, linestyle=":")
    ax.set(xlabel="border between cold and hot", ylabel="balanced accuracy; bars: standard error")
    ax.set_title("learning by confusion")
    ax.legend(frameon=False, loc="lower right")


def main(output="crossover_output", full=False):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    data = load_kob_andersen().data
    if QUICK:
        print("GLASSCLF_QUICK=1: 8 runs, 2 folds; numbers mean nothing")
    curve = cooling_curves(select(data, "inherent"))
    transition = GlassTransition(*WINDOWS, random_state=0)
    transition.fit(curve.temperature, curve.energy, groups=curve.runs)
    tg = transition.tg_, *transition.tg_interval_
    print("thermodynamic Tg of these runs: {:.3f} [{:.3f}, {:.3f}]\n".format(*tg))
    print(f"{'':9} {'liquid':>8}  {'kink':32} {'':18}   where P(glass) = 1/2")
    figure, axes = plt.subplots(1, 3, figsize=(16, 4.8), layout="constrained")
    curves = {}
    for ax, state in zip(axes, ("inherent", "thermal")):
        X = select(data, state)
        temperature, run = X.info["temperature"], X.info["run"]
        features = RDFFeaturizer().fit_transform(X)
        results = find_crossovers(features, temperature, run, state)
        CrossoverDisplay.from_result(results, tg=tg, ax=ax)
        ax.set_title(f"{state} {'structures' if state == 'inherent' else 'snapshots'}")
        grid = temperature <= 0.8
        curves[state] = learn_by_confusion(
            MODEL, features[grid], temperature[grid], run[grid], cv=GroupKFold(N_FOLDS)
        )
    print("\nlearning by confusion, balanced accuracy\n   border  inherent   thermal")
    for row in zip(curves["inherent"].border, *(each.mean for each in curves.values())):
        print("{:9.3f}{:10.2f}{:10.2f}".format(*row))
    draw_confusion(axes[2], curves, tg)
    if full:
        print_temperatures(select(data, "inherent"))
    figure.savefig(output / "crossover.png", dpi=130)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Where the score of a classifier turns.")
    parser.add_argument("--output", default="crossover_output", help="folder for the figure")
    parser.add_argument("--full", action="store_true", help="also temperature from one snapshot")
    main(**vars(parser.parse_args()))
