"""
What a network looks at
=======================

A message-passing network tells the glass (T = 0.05) from a liquid (T = 0.635) on inherent
structures. Which particles decide, and is it more than the energy? The network pools its particles
by attention, so that it says itself which of them count; attribution says for which class they
speak, and what each of them adds to the log odds.

The table puts measures of structure beside the network. Each separates the classes to some degree,
and each explains some of the network's score, on runs that it was not trained on: the share of its
variance that a straight line in the measure accounts for. Most of what the network says is the
energy, which it was not given.

Run it from a checkout::

    python examples/plot_attention.py            # 2 minutes on 2 cores
    python examples/plot_attention.py --full     # a network of default size, far longer

It needs ``glassclf[plot]``. It prints the table and writes ``attention.png`` into
``attention_output``.
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
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer
from glassclf.inspection import (
    attention,
    attribution,
    bond_metrics,
    compare_measures,
    mean_measures,
)
from glassclf.plotting import ConfigurationDisplay

# Few runs and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_FOLDS = 2 if QUICK else 4

LABELS = {
    "n_subgraphs": "subgraphs",
    "n_bb_bonds": "B-B bonds",
    "n_isolated_a": "isolated A",
    "n_isolated_b": "isolated B",
}


def make_network(full):
    size = {} if full else {"hidden_size": 32, "n_layers": 2, "max_epochs": 15}
    if QUICK:
        size["max_epochs"] = 1
    return MPNNClassifier(pooling="attention", random_state=0, **size)


# %%
# Every configuration is scored, and looked into, by a network that has not seen its run.
def look_into(graphs, y, run, full):
    odds = np.empty(len(y))
    weights, bonds, shares = ([None] * len(y) for _ in range(3))
    folds = list(GroupKFold(N_FOLDS).split(np.zeros(len(y)), groups=run))
    for train, test in tqdm(folds, desc="training"):
        network = clone(make_network(full)).fit(graphs[train], y[train])
        shared, attended = attribution(network, graphs[test]), attention(network, graphs[test])
        odds[test] = shared.output
        for place, row in enumerate(test):
            weights[row], bonds[row] = attended.particles[place], attended.bonds[place]
            shares[row] = shared.particles[place]
    return odds, weights, bonds, shares


# %%
# Measures of structure: energies, local order, and how B particles hang together, in the graph of
# the six nearest neighbours and among the tenth of all bonds with the highest attention.
def thermal_energies(data, X):
    """Energy per particle of the snapshots that the inherent structures were quenched from."""
    thermal = data[data.info["state"] == "thermal"].info
    keys = zip(thermal["run"], thermal["temperature"])
    known = dict(zip(keys, thermal["potential_energy"]))
    return [known[key] for key in zip(X.info["run"], X.info["temperature"])]


def make_measures(data, X, graphs, bonds):
    measures = {
        "inherent energy": X.info["inherent_energy"],
        "energy of the snapshot": thermal_energies(data, X),
    }
    means = mean_measures(X)
    measures["B around A"] = means["coordination_0_1"]
    for number, kind in enumerate("AB"):
        measures[f"neighbours of {kind}"] = means[f"coordination_{number}"]
        measures[f"cell area of {kind}"] = means[f"area_{number}"]
        measures[f"psi5 of {kind}"] = means[f"psi5_{number}"]
        measures[f"psi6 of {kind}"] = means[f"psi6_{number}"]
    nearest = bond_metrics(GraphFeaturizer(n_neighbors=6).fit_transform(X))
    attended = bond_metrics(graphs, bonds, quantile=0.9)
    for where, metrics in (("nearest six", nearest), ("high attention", attended)):
        for name, label in LABELS.items():
            measures[f"{label}, {where}"] = metrics[name]
    return {name: np.asarray(values, float) for name, values in measures.items()}


def print_table(X, y, run, odds, measures):
    print(f"\nnetwork: AUC {roc_auc_score(y == 'liquid', odds):.3f} on held-out runs\n")
    # A measure that is the same everywhere tells nothing, and follows nothing.
    measures = {name: values for name, values in measures.items() if np.ptp(values) > 0}
    result = compare_measures(measures, y, odds, groups=run, random_state=0)
    print(f"{'':28}{'AUC of the measure':>22}{'rank correlation':>18}{'explains':>10}")
    for row, name in enumerate(result.names):
        auc = f"{result.auc[row]:.3f} +- {result.auc_error[row]:.3f}"
        print(
            f"{name:28}{auc:>22}{result.correlation[row]:18.2f}{100 * result.explained[row]:9.0f}%"
        )
    energies = {name: values for name, values in measures.items() if "energy" in name}
    both = compare_measures(energies, y, odds, groups=run, random_state=0)
    print(f"\nboth energies together explain {100 * both.explained_by_all:.0f} % of the score,")
    print(f"all of the table {100 * result.explained_by_all:.0f} %")
    return result


# %%
# The figure: attention and attribution on a glass and a liquid, and the score beside the energy.
def draw_particles(ax, configuration, values, title, label):
    ConfigurationDisplay(configuration, values, label=label).plot(ax=ax)
    ax.set_title(title)


def draw_score(ax, X, y, odds):
    for label, color in (("glass", "#0072b2"), ("liquid", "#d55e00")):
        mine = y == label
        ax.plot(X.info["inherent_energy"][mine], odds[mine], "o", color=color, label=label)
    ax.axhline(0, color="0.7", linewidth=0.8, linestyle=":")
    ax.set(xlabel="inherent energy per particle", ylabel="log odds of the liquid, held-out runs")
    ax.legend(frameon=False)


def draw_measures(ax, result):
    places = np.arange(len(result.names))
    # Which class has the larger values is no matter here.
    ax.barh(places - 0.2, np.abs(result.auc - 0.5) + 0.5, 0.38, color="#56b4e9", label="AUC alone")
    ax.barh(places + 0.2, result.explained, 0.38, color="#e69f00", label="share of the score")
    ax.set_yticks(places, result.names)
    ax.set(xlim=(0, 1), ylim=(len(places) - 0.4, -0.6))
    ax.legend(frameon=False, loc="lower right")


def main(output="attention_output", full=False):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    data = load_kob_andersen().data
    X, y, run = select_pair(data, liquid=0.635, state="inherent")
    if QUICK:
        few = np.isin(run, np.unique(run)[:8])
        X, y, run = X[few], y[few], run[few]
        print("GLASSCLF_QUICK=1: 8 runs, max_epochs lowered to 1; numbers mean nothing")
    graphs = GraphFeaturizer(n_neighbors=12).fit_transform(X)
    odds, weights, bonds, shares = look_into(graphs, y, run, full)
    result = print_table(X, y, run, odds, make_measures(data, X, graphs, bonds))
    figure, axes = plt.subplots(2, 3, figsize=(17, 10), layout="constrained")
    for row, label in enumerate(("glass", "liquid")):
        chosen = int(np.argmax(y == label))
        n_particles = X[chosen].n_particles
        draw_particles(
            axes[row, 0],
            X[chosen],
            n_particles * weights[chosen],
            f"{label}: attention",
            "weight x number of particles",
        )
        draw_particles(
            axes[row, 1],
            X[chosen],
            n_particles * shares[chosen],
            f"{label}: attribution, sums to {odds[chosen]:+.1f}",
            "share of the log odds of the liquid x number",
        )
    draw_score(axes[0, 2], X, y, odds)
    draw_measures(axes[1, 2], result)
    figure.savefig(output / "attention.png", dpi=110)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a message-passing network looks at.")
    parser.add_argument("--output", default="attention_output", help="folder for the figure")
    parser.add_argument("--full", action="store_true", help="a network of default size")
    main(**vars(parser.parse_args()))
