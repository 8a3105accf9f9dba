"""
What a trained network responds to
==================================

Artificial films ask a classifier of glass and liquid what it looks at. :func:`make_patterned` makes
films that differ in one known thing: how many clusters of five-fold or three-fold symmetry they
hold, how wide these are, and how far the small particles stand together. Everything else, number,
density and composition, is the same. The logarithm of the odds P(glass) / P(liquid) is drawn along
each, for the histogram of distances (RDF) with logistic regression and for a message-passing
network (MPNN).

**How to read it.** None of these films is a glass or a liquid, and they are far from all that the
classifiers were trained on: what they say about them is extrapolated. They call every film a
liquid, with odds that no liquid has: P(glass) itself is a row of zeros. So each film is shown
twice: as made, and with all of its particles relaxed (``quench``), at distances that the
classifiers know. A response that goes away then was to distances that no inherent structure has, or
to a pattern that has gone with them: the table also gives the bond order that is left around the
centres. A response that stays may be to the pattern; where two classifiers disagree about it, each
shows its own habits and not a property of the material.

Run it from a checkout; it needs the extra ``simulation``::

    python examples/plot_patterned.py     # under 4 minutes on 2 cores

It prints a table and writes ``patterned.png`` into ``patterned_output``.
"""

# %%
# The classifiers, trained on inherent structures of a glass (T = 0.05) and of a liquid (T = 0.635).
# Some runs are kept out, to see what they say about glasses and liquids they have not seen.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassclf.configurations import nearest_neighbors
from glassclf.datasets import load_kob_andersen, make_patterned, select_pair
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.simulation import quench

# Few runs, films and epochs, to test that the script works: its curves then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_TRAINING_RUNS = 6 if QUICK else 24
N_FILMS = 1 if QUICK else 6
MAX_EPOCHS = 2 if QUICK else 40


def train(data):
    methods = {
        "RDF + LR": make_pipeline(
            RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=1000)
        ),
        "MPNN": make_pipeline(
            GraphFeaturizer(), MPNNClassifier(max_epochs=MAX_EPOCHS, random_state=0)
        ),
    }
    X, y, _ = select_pair(data, liquid=0.635, state="inherent")
    return {name: method.fit(X, y) for name, method in methods.items()}


def log_odds(method, X):
    """ln(P(glass) / P(liquid)): so far from 0 that the probability itself is 0 in most digits."""
    if hasattr(method, "decision_function"):
        return -method.decision_function(X)  # positive for the last class, "liquid"
    glass, liquid = np.clip(method.predict_proba(X), 1e-300, None).T
    return np.log(glass / liquid)


# %%
# The films. All that share a seed begin from the same random numbers: a curve follows the same
# films while one thing changes.
SWEEPS = {
    "radius of the rings (10 clusters)": {
        "five-fold": ("separation", (0.8, 0.9, 1.0, 1.2, 1.6), {"n_clusters": 10}),
        "five-fold, nothing else inside": (
            "separation",
            (0.8, 0.9, 1.0, 1.2, 1.6),
            {"n_clusters": 10, "fill_clusters": False},
        ),
    },
    "number of clusters": {
        "five-fold": ("n_clusters", (0, 10, 20, 40), {}),
        "three-fold": ("n_clusters", (0, 10, 20, 40), {"symmetry": 3}),
    },
    "clumping of the small particles": {
        "no clusters": ("clumping", (0.0, 0.25, 0.5, 0.75, 1.0), {"symmetry": None}),
    },
}


def make_films():
    """Films as made and quenched, by sweep, kind and value."""
    films = {}
    for sweep, kinds in SWEEPS.items():
        for kind, (parameter, values, others) in kinds.items():
            for value in values[1::2] if QUICK else values:
                made = make_patterned(
                    N_FILMS,
                    **{**others, parameter: value},
                    random_state=0,
                    n_jobs=1 if QUICK else 2,
                    verbose=0,
                )
                relaxed = quench(made, n_jobs=1 if QUICK else 2)
                films[sweep, kind, value] = {"as made": made, "relaxed": relaxed}
                print(f"made {N_FILMS} films: {sweep} {value}, {kind}")
    return films


# %%
# What the classifiers say, as a table and as curves: mean over films, and spread between them.
# Beside them what they say about glass, liquid and the hottest melt, all of them inherent
# structures, from runs not trained on.
def references(methods, data):
    X, y, _ = select_pair(data, liquid=0.635, state="inherent")
    hot = data[(data.info["state"] == "inherent") & (data.info["temperature"] == 1.95)]
    sets = {"glass": X[y == "glass"], "liquid, T = 0.635": X[y == "liquid"], "T = 1.95": hot}
    return {
        name: {what: log_odds(method, some).mean() for what, some in sets.items()}
        for name, method in methods.items()
    }


def order_at(film, particles, order):
    """Mean |psi_k| of some particles and their k nearest: 1 around the centres as they are made."""
    vectors = nearest_neighbors(film, order).vectors.reshape(film.n_particles, order, 2)[particles]
    angles = np.arctan2(vectors[..., 1], vectors[..., 0])
    return np.abs(np.exp(1j * order * angles).mean(axis=1)).mean()


def order_left(films):
    """Bond order around the centres of clusters; "-" where there are none."""
    n_clusters, symmetry = (int(films.info[name][0]) for name in ("n_clusters", "symmetry"))
    if n_clusters == 0:
        return "-"
    centers = np.arange(n_clusters) * (symmetry + 1)
    return f"{np.mean([order_at(film, centers, symmetry) for film in films]):.2f}"


def print_table(odds, levels, films):
    print(f"\nln(P(glass) / P(liquid)), mean and spread of {N_FILMS} films\n")
    for method, known in levels.items():
        print(f"{method}:  " + ",  ".join(f"{what} {value:.1f}" for what, value in known.items()))
    print(
        f"\n{'':72}" + "".join(f"{method + ', ' + how:>20}" for method, how in COLUMNS) + "  order"
    )
    for key, values in odds.items():
        sweep, kind, value = key
        cells = [f"{values[c].mean():.1f} +- {values[c].std():.1f}" for c in COLUMNS]
        name = f"{sweep} {value}, {kind}"
        left = order_left(films[key]["relaxed"])
        print(f"{name:72}" + "".join(f"{cell:>20}" for cell in cells) + f"{left:>7}")
    plain = next(both["relaxed"] for key, both in films.items() if key[1] == "no clusters")
    five, three = (
        np.mean([order_at(film, film.types == 1, order) for film in plain]) for order in (5, 3)
    )
    print("\norder: mean |psi_k| of the centres and their k nearest, relaxed; 1 in perfect rings.")
    print(f"Small particles without clusters, relaxed: |psi_5| {five:.2f}, |psi_3| {three:.2f}.")


METHODS = ("RDF + LR", "MPNN")
COLUMNS = [(method, how) for method in METHODS for how in ("as made", "relaxed")]
COLORS = {
    "five-fold": "#0072b2",
    "five-fold, nothing else inside": "#56b4e9",
    "three-fold": "#d55e00",
    "no clusters": "0.3",
}


def draw_film(ax, film, title):
    """Draw a corner of a film; particles of clusters in warm colours."""
    n_marked = int(film.info["n_clusters"]) * (int(film.info["symmetry"]) + 1)
    marked = np.arange(film.n_particles) < n_marked
    small = film.types == 1
    colors = np.where(small, "#08519c", "#9ecae1")
    colors[marked] = np.where(small, "#a63603", "#fdae6b")[marked]
    diameters = np.where(small, 0.88, 1.0)
    ax.add_collection(
        EllipseCollection(
            widths=diameters,
            heights=diameters,
            angles=0,
            units="xy",
            offsets=film.positions,
            offset_transform=ax.transData,
            facecolors=colors,
            edgecolors="white",
            linewidths=0.4,
        )
    )
    ax.set(xlim=(0, 22), ylim=(0, 14), xticks=[], yticks=[], aspect="equal")
    ax.set_title(title, fontsize=10)


def draw_curves(ax, method, sweep, odds, levels):
    for kind in SWEEPS[sweep]:
        values = [key[2] for key in odds if key[:2] == (sweep, kind)]
        for how, line in (("as made", "o-"), ("relaxed", "s:")):
            curves = np.array([odds[sweep, kind, value][method, how] for value in values])
            ax.errorbar(
                values,
                curves.mean(axis=1),
                yerr=curves.std(axis=1),
                fmt=line,
                capsize=3,
                markersize=5,
                color=COLORS[kind],
                markerfacecolor=COLORS[kind] if how == "as made" else "white",
                label=f"{kind}, {how}",
            )
    for what, level in levels[method].items():
        ax.axhline(level, color="black", linewidth=0.8, linestyle="--")
        ax.annotate(
            what, (0.98, level), xycoords=("axes fraction", "data"), ha="right", va="bottom"
        )
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_yscale("symlog", linthresh=10)


def draw(films, odds, levels, path):
    figure, axes = plt.subplots(
        3, 3, figsize=(13, 10), layout="constrained", height_ratios=[1.1, 1, 1], sharey="row"
    )
    for (top, *below), sweep in zip(axes.T, SWEEPS):
        sweep_films = {key[1:]: both for key, both in films.items() if key[0] == sweep}
        kind, value = list(sweep_films)[-1]
        draw_film(top, sweep_films[kind, value]["as made"][0], f"{sweep}: {value}\n{kind}, as made")
        for ax, method in zip(below, METHODS):
            draw_curves(ax, method, sweep, odds, levels)
        below[-1].set_xlabel(sweep)
        below[0].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(0, 0.58))
    for ax, method in zip(axes[1:, 0], METHODS):
        ax.set_ylabel(f"{method}\nln(P(glass) / P(liquid))")
    figure.suptitle(
        "Artificial films: all are extrapolated, and relaxing them takes most of the response away"
    )
    figure.savefig(path, dpi=150)


def main(output="patterned_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    data = load_kob_andersen().data
    runs = np.unique(data.info["run"])
    known = np.isin(data.info["run"], runs[:N_TRAINING_RUNS])
    unseen = np.isin(data.info["run"], runs[24:])
    if QUICK:
        print(f"GLASSCLF_QUICK=1: {N_TRAINING_RUNS} runs, {N_FILMS} films; curves mean nothing")
    methods = train(data[known])
    levels = references(methods, data[unseen])
    films = make_films()
    odds = {
        key: {(name, how): log_odds(methods[name], both[how]) for name, how in COLUMNS}
        for key, both in films.items()
    }
    print_table(odds, levels, films)
    draw(films, odds, levels, output / "patterned.png")
    print(f"\nthe figure is {output}/patterned.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a trained network responds to.")
    parser.add_argument("--output", default="patterned_output", help="folder for the results")
    main(parser.parse_args().output)
