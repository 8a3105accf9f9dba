"""
A network of 6,601 parameters through ten points
=================================================

The energy of two Lennard-Jones particles at ten distances, and a network that has hundreds of
parameters for each of them: 64 radial functions of the distance, 100 hidden units with a smooth
activation. It can be trained to pass through every point, also where their noise put them. What it
says between the points, and beyond them, is another question, and four panels ask it:

- the curve, from eight seeds: all pass through the points, bend at will in the gap between them,
  and know nothing beyond them;
- the validation curve along the weight decay, which hardly helps before it hurts;
- the learning curve, with the range of the splits: what helps is more points, and with 80 of them
  the error comes near the noise;
- the loss along the epochs, with and without momentum, and with weight decay.

Run it from a checkout::

    python examples/plot_overfitting.py     # 2 minutes on 2 cores

It needs ``glassclf[plot]``. It prints a table and writes ``overfitting.png`` into
``overfitting_output``. With ``--tensorboard`` (and ``glassclf[train]``) it also writes what
``tensorboard --logdir overfitting_output/runs`` shows.
"""

# %%
# The data: ten distances, and the energy at them with some noise.
import argparse
import os
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ShuffleSplit, learning_curve, validation_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tqdm import tqdm

from glassclf.estimators import CNNRegressor
from glassclf.testing import check_memorizes

# Few epochs and fits, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
EPOCHS, N_SEEDS, N_SPLITS = (5, 2, 2) if QUICK else (800, 8, 5)
FIRST, LAST, NOISE = 1.0, 2.2, 0.05
DECAYS = [1e-3, 1.0] if QUICK else [1e-3, 1e-2, 1e-1, 1.0, 10.0]
SIZES = [5, 20] if QUICK else [5, 10, 20, 40, 80]


def lennard_jones(r):
    return 4 * (r**-12.0 - r**-6.0)


def draw_points(n, seed=0):
    rng = np.random.default_rng(seed)
    r = np.sort(rng.uniform(FIRST, LAST, n))
    return r[:, None], lennard_jones(r) + NOISE * rng.standard_normal(n)


# %%
# The network: a descriptor of the distance, and a module of one's own in ``CNNRegressor``, which
# takes tables as well. The descriptor decides what the network can see; look at it first.
def radial_functions(r):
    centres = np.linspace(0.8, 3.0, 64)
    return np.exp(-0.5 * ((r - centres) / 0.1) ** 2)


class SmoothNetwork(torch.nn.Module):
    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(in_channels, 100), torch.nn.SiLU(), torch.nn.Linear(100, n_outputs)
        )

    def forward(self, x):
        return self.layers(x)


class Momentum(torch.optim.SGD):
    """Gradient descent that keeps nine tenths of its last step."""

    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, lr=lr, momentum=0.9, weight_decay=weight_decay)


def make_model(**settings):
    settings = {"lr": 3e-3, "weight_decay": 0.0, "random_state": 0, **settings}
    network = CNNRegressor(module=SmoothNetwork, max_epochs=EPOCHS, batch_size=16, **settings)
    return make_pipeline(FunctionTransformer(radial_functions), network)


def draw_curves(axis, r, energy):
    grid = np.linspace(0.9, 3.0, 200)[:, None]
    for seed in tqdm(range(N_SEEDS), desc="seeds"):
        model = make_model(random_state=seed).fit(r, energy)
        axis.plot(grid, model.predict(grid), color="#d55e00", alpha=0.5, linewidth=1)
    axis.plot(grid, lennard_jones(grid), color="0.2", label="Lennard-Jones")
    axis.plot(r, energy, "o", color="#0072b2", label="training")
    axis.axvspan(r.min(), r.max(), color="0.93", zorder=0)
    axis.set(ylim=(-1.6, 2.0), xlabel="distance", ylabel="energy", title=f"{N_SEEDS} seeds")
    axis.legend(frameon=False)
    return sum(weights.numel() for weights in model[-1].net_.module_.parameters())


def draw_spread(axis, values, scores, name, colour):
    axis.semilogx(values, scores.mean(axis=1), "o-", color=colour, label=name)
    axis.fill_between(values, scores.min(axis=1), scores.max(axis=1), color=colour, alpha=0.2)


def draw_validation_curve(axis, r, energy):
    settings = {"cv": ShuffleSplit(N_SPLITS, test_size=0.5, random_state=0)}
    settings |= {"scoring": "neg_root_mean_squared_error"}
    name = "cnnregressor__weight_decay"
    train, test = validation_curve(
        make_model(), r, energy, param_name=name, param_range=DECAYS, **settings
    )
    draw_spread(axis, DECAYS, -train, "training", "#0072b2")
    draw_spread(axis, DECAYS, -test, "unseen", "#d55e00")
    axis.set(xlabel="weight decay", ylabel="error of the energy", title="validation curve, n = 10")
    axis.legend(frameon=False)


def draw_learning_curve(axis):
    r, energy = draw_points(120, seed=1)
    settings = {"cv": ShuffleSplit(N_SPLITS, test_size=40, random_state=0), "train_sizes": SIZES}
    settings |= {"scoring": "neg_root_mean_squared_error"}
    _, train, test = learning_curve(make_model(), r, energy, **settings)
    draw_spread(axis, SIZES, -train, "training", "#0072b2")
    draw_spread(axis, SIZES, -test, "unseen", "#d55e00")
    axis.axhline(NOISE, color="0.6", linewidth=1, label="noise")
    axis.set(yscale="log", xlabel="points", ylabel="error of the energy", title="learning curve")
    axis.set_xticks([], minor=True)
    axis.set_xticks(SIZES, SIZES)
    axis.legend(frameon=False)
    return -test.mean(axis=1), test.std(axis=1)


def draw_losses(axis, r, energy, callbacks):
    optimizers = {
        "gradient descent": {"optimizer": "sgd", "lr": 0.02},
        "with momentum": {"optimizer": Momentum, "lr": 0.02},
        "Adam": {},
        "Adam, weight decay 1": {"weight_decay": 1.0},
    }
    for name, settings in tqdm(optimizers.items(), desc="optimizers"):
        model = make_model(**settings, callbacks=callbacks(name)).fit(r, energy)
        axis.loglog(1 + np.arange(EPOCHS), model[-1].history_["train_loss"], label=name)
    axis.set(xlabel="epoch", ylabel="training loss", title="how it is trained")
    axis.legend(frameon=False)


def tensorboard(output, wanted):
    """Callbacks that write the history of each training for TensorBoard."""
    if not wanted:
        return lambda name: None
    from skorch.callbacks import TensorBoard
    from torch.utils.tensorboard import SummaryWriter

    return lambda name: [TensorBoard(SummaryWriter(output / "runs" / name.replace(" ", "_")))]


def main(output="overfitting_output", with_tensorboard=False):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    # Where a training still gains is part of the question.
    warnings.simplefilter("ignore", ConvergenceWarning)
    if QUICK:
        print("GLASSCLF_QUICK=1: 5 epochs, 2 seeds; numbers mean nothing")
    r, energy = draw_points(10)
    # Before anything else: can it learn the ten points by heart?
    score = check_memorizes(make_model(), r, energy, n_samples=10, min_score=-9 if QUICK else 0.95)
    figure, axes = plt.subplots(2, 2, figsize=(12, 9), layout="constrained")
    n_parameters = draw_curves(axes[0, 0], r, energy)
    print(f"{n_parameters} parameters, ten points learned with R2 {score:.3f}")
    draw_validation_curve(axes[0, 1], *draw_points(20))
    errors, spread = draw_learning_curve(axes[1, 0])
    draw_losses(axes[1, 1], r, energy, tensorboard(output, with_tensorboard))
    print(f"\n{'points':>8}{'error on unseen':>18}{'spread':>10}    noise {NOISE}")
    for size, error, width in zip(SIZES, errors, spread):
        print(f"{size:8}{error:18.3f}{width:10.3f}")
    figure.savefig(output / "overfitting.png", dpi=120)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ten points and 6,601 parameters.")
    parser.add_argument("--output", default="overfitting_output", help="folder for the figure")
    parser.add_argument("--tensorboard", action="store_true", dest="with_tensorboard")
    main(**vars(parser.parse_args()))
