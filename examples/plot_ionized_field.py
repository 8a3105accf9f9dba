"""
Where the gas is ionised
========================

A density and the sources in it, and the ionised fraction of every cell, by counting photons.
Boosted trees on shell averages, a network on the same table, and a network that sees a cube around
each point beside it are trained on 3000 points and tested in blocks of space, at least eight cells
from any training point. Then the whole box is predicted, tile by tile.

The fraction is 0 or 1 nearly everywhere, so R2 measures how well the surface of the bubbles is met.
Here boosting reaches 0.91, the network on the same table 0.92, and cubes beside it change nothing:
whether a cell is ionised depends on no direction. On one field, five block splits tell how much the
score depends on the place (0.01 to 0.02); another field would tell more.

Run it from a checkout::

    python examples/plot_ionized_field.py     # 2 minutes on 2 cores

It needs ``glassclf[plot]``. It prints a table and writes ``ionized_field.png`` into
``ionized_field_output``.
"""

# %%
# A box of 128 cells a side, and points drawn without repetition.
import argparse
import os
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from glassclf.configurations import FieldPoints, sample_points
from glassclf.datasets import make_ionized_field
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import NeighborhoodFeaturizer, ShellAverageFeaturizer
from glassclf.inspection import predict_field
from glassclf.model_selection import BlockSplit
from glassclf.plotting import BlockSplitDisplay

# A small box and one epoch, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
CELLS, R_MAX, N_POINTS, EPOCHS = (48, 8, 300, 1) if QUICK else (128, 20, 5500, 10)
RADII = (0, 1, 2, 4, 6) if QUICK else (0, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20)
SYMMETRIES = ["quarter_turns", "mirrors"]


def make_models():
    settings = {
        "bounds": (0, 1),
        "max_epochs": EPOCHS,
        "batch_size": 64,
        "schedule": "cosine",
        "random_state": 0,
    }
    shells = ShellAverageFeaturizer(RADII)
    cubes = NeighborhoodFeaturizer(size=9, strides=(1,), radii=RADII)
    on_cubes = CNNRegressor(
        architecture="pyramid",
        n_filters=(8, 16, 16, 32),
        n_scalars=2 * len(RADII),
        augment=SYMMETRIES,
        **settings,
    )
    on_shells = CNNRegressor(n_filters=(128, 128), **{**settings, "max_epochs": 3 * EPOCHS})
    return {
        "shells, boosting": make_pipeline(shells, HistGradientBoostingRegressor(random_state=0)),
        "shells, network": make_pipeline(shells, on_shells),
        "cubes and shells, network": make_pipeline(cubes, on_cubes),
    }


# %%
# The figure: a slice through the truth and two predictions, and where points of a split lie.
def draw(path, data, predicted, cv, X):
    figure, axes = plt.subplots(2, 3, figsize=(14, 9), layout="constrained")
    place = CELLS // 2
    slices = {"log density": np.log(data.density), "ionised fraction": data.ionized, **predicted}
    for ax, (name, field) in zip(axes.flat, slices.items()):
        limits = {} if name == "log density" else {"vmin": 0, "vmax": 1}
        ax.imshow(field[place].T, origin="lower", cmap="viridis", **limits)
        ax.set_title(name)
    BlockSplitDisplay.from_splitter(cv, X, ax=axes.flat[len(slices)])
    for ax in axes.flat[len(slices) + 1 :]:
        ax.remove()
    figure.savefig(path, dpi=110)


def main(output="ionized_field_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 48 cells a side, 300 points, 1 epoch; numbers mean nothing")
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = make_ionized_field(CELLS, r_max=R_MAX, fraction=0.3 if QUICK else 0.5, random_state=0)
    fields = [data.density, data.sources]
    points, _ = sample_points(data.ionized, N_POINTS, random_state=0)
    X, y = FieldPoints(fields, points), data.ionized[tuple(points.T)].astype(float)
    blocks = {"block": 12, "gap": 2} if QUICK else {"block": 32, "gap": 8}
    # Tables do not know where their samples are: they are told by groups and box.
    cv = BlockSplit(5, box=data.density.shape, random_state=0, **blocks)
    sizes = [len(train) for train, _ in cv.split(X)]
    rows, predicted = [], {}
    for name, model in tqdm(make_models().items(), desc="models"):
        # Features do not depend on the split: they are made once.
        features = model[:-1].fit_transform(X)
        scores = cross_validate(model[-1], features, y, groups=points, cv=cv)
        begin = time.monotonic()
        predicted[name] = predict_field(model.fit(X, y), fields)
        seconds = time.monotonic() - begin
        rows.append((name, scores["test_score"], scores["fit_time"].mean(), seconds))
    print(f"\nR2 in 5 block splits, {min(sizes)} to {max(sizes)} training points\n")
    print(f"{'':28}{'mean':>8}{'spread':>8}{'fit':>9}{'whole box':>12}")
    for name, score, fit, seconds in rows:
        print(f"{name:28}{score.mean():8.3f}{score.std():8.3f}{fit:7.1f} s{seconds:10.1f} s")
    draw(output / "ionized_field.png", data, predicted, cv, X)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Where the gas is ionised.")
    parser.add_argument("--output", default="ionized_field_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
