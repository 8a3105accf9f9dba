"""
Turns, mirror images, shifts and crops
======================================

An inherent structure that is turned, mirrored or shifted around its periodic border is as good a
sample as it was before. ``augment=`` shows the network such changes of each training batch, drawn
anew every time, in place of copies on disk. This example draws each of them, and then asks whether
they help: a convolutional network (CNN) tells glass from liquid, with and without, beside the
histogram of distances (RDF) with logistic regression, which knows these symmetries by construction.

Run it from a checkout::

    python examples/plot_augmentation.py     # under 3 minutes on 2 cores

It prints a table and writes ``augmentation.png`` into ``augmentation_output``.
"""

# %%
# The task: the inherent structures of a glass (T = 0.05) and of a liquid (T = 0.635) from each run.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.collections import LineCollection
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassclf.configurations import Configuration
from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import CNNClassifier, Crops, Mirrors, QuarterTurns, Shifts
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer
from glassclf.networks import GraphBatch

LIQUID = 0.635
N_FOLDS = 4
N_PIXELS = 128

# Few runs and epochs, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
MAX_EPOCHS = 2 if QUICK else 40
SEEDS = (0,) if QUICK else (0, 1)

SYMMETRIES = ["quarter_turns", "mirrors", "shifts"]


# %%
# What each one does to an image. The particles within an L are drawn in another colour, so that one
# sees where they went.
def make_marked_image(configuration):
    """Image with three channels: small, large, and marked particles."""
    x, y = (configuration.positions % configuration.box / configuration.box).T
    marked = (x > 0.2) & (x < 0.7) & (y > 0.2) & (y < 0.8) & ~((x > 0.35) & (y > 0.35))
    types = np.where(marked, 2, 1 - np.minimum(configuration.types, 1))
    copy = Configuration(configuration.positions, types, configuration.box)
    return ImageFeaturizer(N_PIXELS, blur=0.25).fit_transform([copy])


def augment_once(augmentation, batch, seed):
    torch.manual_seed(seed)
    return augmentation(batch)


COLORS = np.array([[0.03, 0.32, 0.61], [0.42, 0.68, 0.84], [0.84, 0.37, 0.0]])


def draw_image(ax, image, title):
    """Draw channels as inks on white paper, axis 0 of the image to the right."""
    ink = np.clip(image / image.max((1, 2), keepdims=True) * 1.3, 0, 1)
    paper = 1 - np.einsum("cxy,ck->yxk", ink, 1 - COLORS)
    ax.imshow(np.clip(paper, 0, 1), origin="lower", interpolation="bilinear")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=11)


def draw_images(axes, configuration):
    image = torch.from_numpy(make_marked_image(configuration))
    draw_image(axes[0], image[0].numpy(), "an image")
    shown = [
        ("quarter_turns", QuarterTurns(), 4),
        ("mirrors", Mirrors(axes=(0,)), 1),
        ("shifts", Shifts(), 5),
        ("crops", Crops(share=0.6), 7),
    ]
    for ax, (name, augmentation, seed) in zip(axes[1:], shown):
        draw_image(ax, augment_once(augmentation, image, seed)[0].numpy(), f'"{name}"')


# %%
# A graph has no window to look through: its crop is a particle and all within so many bonds of it.
def make_graph_batch(configuration):
    """The graph of one configuration, with particles numbered in place of their types."""
    graph = GraphFeaturizer(n_neighbors=6).fit_transform([configuration])
    n_nodes = int(graph.n_nodes[0])
    return GraphBatch(
        types=torch.arange(n_nodes),
        graph=torch.zeros(n_nodes, dtype=torch.int64),
        n_nodes=torch.tensor([n_nodes]),
        sources=torch.from_numpy(np.repeat(np.arange(n_nodes), graph.degrees)),
        neighbors=torch.from_numpy(np.array(graph.neighbors)).long(),
        vectors=torch.from_numpy(np.array(graph.vectors)),
        distances=torch.from_numpy(np.array(graph.distances)),
        n_neighbors=graph.n_neighbors,
    )


def draw_graph_crop(ax, configuration, seed=16):
    crop = augment_once(Crops(share=0.5), make_graph_batch(configuration), seed)
    positions = configuration.positions % configuration.box
    ax.scatter(*positions.T, s=6, color="0.8", linewidths=0)
    kept = positions[crop.types]
    starts = kept[crop.sources]
    ends = starts + crop.vectors.numpy()
    ax.add_collection(LineCollection(np.stack([starts, ends], 1), colors="0.6", linewidths=0.7))
    types = np.minimum(configuration.types[crop.types], 1)
    ax.scatter(*kept.T, s=np.where(types, 9, 13), color=COLORS[1 - types], linewidths=0, zorder=3)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.set(xlim=(0, configuration.box[0]), ylim=(0, configuration.box[1]))
    ax.set_title(f'"crops" of a graph: {len(kept)} of {len(positions)} particles', fontsize=11)


# %%
# Whether it helps. All else is the default of the network. Whole runs are held out, and each
# network is trained from two seeds, as one may be lucky.
def make_methods():
    def cnns(**settings):
        return [
            make_pipeline(
                ImageFeaturizer(N_PIXELS),
                CNNClassifier(max_epochs=MAX_EPOCHS, random_state=seed, **settings),
            )
            for seed in SEEDS
        ]

    baseline = make_pipeline(RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=1000))
    return {"RDF + LR": [baseline], "CNN": cnns(), "CNN, augmented": cnns(augment=SYMMETRIES)}


def compare(X, y, run):
    scores = {}
    for name, methods in make_methods().items():
        folds = [
            cross_val_score(
                method, X, y, groups=run, cv=GroupKFold(N_FOLDS), scoring="roc_auc", n_jobs=2
            )
            for method in methods
        ]
        scores[name] = np.concatenate(folds)
        print(f"{name:16} {scores[name].mean():.3f} +- {scores[name].std():.3f}", flush=True)
    return scores


def draw_scores(ax, scores):
    for row, (name, folds) in enumerate(scores.items()):
        color = {"RDF + LR": "0.45", "CNN": "#d55e00"}.get(name, "#0072b2")
        ax.plot(folds, [row] * len(folds), "o", color=color, alpha=0.35, markersize=7)
        ax.plot(folds.mean(), row, "|", color=color, markersize=26, markeredgewidth=3)
    ax.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(scores)), list(scores))
    ax.set_xlim(min(0.48, min(folds.min() for folds in scores.values()) - 0.02), 1.02)
    ax.set_ylim(len(scores) - 0.5, -0.5)
    ax.set_xlabel(f"AUC, glass against liquid at T = {LIQUID}, folds and mean")
    ax.spines[["top", "right"]].set_visible(False)


def main(output="augmentation_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    X, y, run = select_pair(load_kob_andersen().data, liquid=LIQUID, state="inherent")
    if QUICK:
        few = np.isin(run, np.unique(run)[:N_FOLDS])
        X, y, run = X[few], y[few], run[few]
        print(f"GLASSCLF_QUICK=1: {MAX_EPOCHS} epochs, {N_FOLDS} runs; scores mean nothing")

    figure = plt.figure(figsize=(13, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.4])
    draw_images(top.subplots(1, 5), X[0])
    crop, result = bottom.subplots(1, 2, width_ratios=[1, 2])
    draw_graph_crop(crop, X[0])
    print(f"AUC, glass against liquid at T = {LIQUID}, inherent, {len(set(run))} runs,")
    print(
        f"{N_FOLDS} folds grouped by run, {len(SEEDS)} seeds: mean +- spread over folds and seeds\n"
    )
    draw_scores(result, compare(X, y, run))
    figure.savefig(output / "augmentation.png", dpi=130)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw augmentations, and see whether they help.")
    parser.add_argument("--output", default="augmentation_output", help="folder for the figure")
    main(parser.parse_args().output)
