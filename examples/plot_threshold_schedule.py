"""
A training that crashes, and its cure
=====================================

A convolutional network is trained with a learning rate of 1e-3 throughout, which many try first.
Its validation accuracy climbs to 100 %, falls to 50 % from one epoch to the next, comes back, and
falls again. The schedule ``"threshold"`` ends this: it goes on with a tenth of the rate while the
validation score is high, and takes the full rate again when it is not.

One such curve proves nothing, as it may never show up again: :func:`repeat_fit
<glassclf.model_selection.repeat_fit>` trains each setting with eight seeds.

Run it from a checkout::

    python examples/plot_threshold_schedule.py     # under 3 minutes on 2 cores

It prints a table and writes ``threshold_schedule.png`` into ``threshold_schedule_output``.
"""

# %%
# The task is an easy one, so that a fall cannot be blamed on it: snapshots of a glass (T = 0.05)
# and of a hot liquid (T = 1), thermal vibration and all. Each image is cut into four windows, which
# share the run of their snapshot, so that they stay on one side of the validation split.
import argparse
import os
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import CNNClassifier
from glassclf.featurizers import ImageFeaturizer
from glassclf.model_selection import repeat_fit
from glassclf.plotting import TrainingDisplay

# Few seeds and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_JOBS = 1 if QUICK else 2
N_SEEDS = 2 if QUICK else 8
MAX_EPOCHS = 3 if QUICK else 30


def make_windows(n_pixels=32):
    X, y, run = select_pair(load_kob_andersen().data, liquid=1.0, state="thermal")
    images = ImageFeaturizer(n_pixels=2 * n_pixels).fit_transform(X)
    low, high = slice(None, n_pixels), slice(n_pixels, None)
    quarters = [images[:, :, a, b] for a in (low, high) for b in (low, high)]
    return np.concatenate(quarters), np.tile(y, 4), np.tile(run, 4)


# %%
# The settings differ in the schedule alone. Everything else is the default of the network, but for
# the padding (a window is not periodic) and the rate (the default is 3e-3, which crashes as well).
def make_settings():
    network = CNNClassifier(
        lr=1e-3, padding="zeros", validation_fraction=0.25, max_epochs=MAX_EPOCHS
    )
    return {
        "1e-3 throughout": network,
        "1e-4 from 90 % on": clone(network).set_params(schedule="threshold", threshold=0.9),
        "and 1e-5 from 97 % on": clone(network).set_params(
            schedule="threshold", threshold=(0.9, 0.97)
        ),
    }


# %%
# A score has fallen when it was more than three standard errors above chance before, and is within
# one of them now; a training has collapsed when it ends like that. With 1e-3 throughout all eight
# trainings fell, 27 times in all, and one ended at chance. With the threshold none did; the fall
# that is left stands at the beginning, before a score of 90 % had lowered the rate.
def print_table(results):
    print(f"validation accuracy of {N_SEEDS} seeds, {MAX_EPOCHS} epochs\n")
    print(f"{'':24}{'best epoch':>12}{'last epoch':>18}{'fell':>8}{'falls':>8}{'collapsed':>12}")
    for name, result in results.items():
        last = f"{result.mean:.3f} +- {result.spread:.3f}"
        print(
            f"{name:24}{result.best_score.mean():>12.3f}{last:>18}"
            f"{result.share_fallen:>8.0%}{result.n_falls.sum():>8}{result.share_collapsed:>12.0%}"
        )


# %%
# Why does it fall? The training loss stays low all the time. What breaks is the batch
# normalisation: its averages, used for predictions only, trail behind the weights, and at large
# steps by too much. glassclf therefore averages them once more when a fit ends, so the fitted
# network is sound even if its last epoch was not. Other codes do not, and early stopping and every
# choice made along the way look at the scores of the epochs. The low rate cures the cause: the
# averages keep up.
def explain(X, y, run, network, result):
    worst = int(np.argmin(result.final_score))
    fitted = clone(network).set_params(random_state=int(result.seeds[worst]))
    fitted.fit(X, y, groups=run)
    print(
        f"\nthe worst last epoch: accuracy {result.final_score[worst]:.3f} at a training loss of "
        f"{result.history['train_loss'][worst, -1]:.3f};\nthe fitted network, its averages taken "
        f"once more: accuracy {fitted.score(X, y):.3f} on all windows"
    )


# %%
# The figure: loss, score and rate of every seed, one row a setting.
def draw(results, path):
    figure, axes = plt.subplots(
        len(results), 3, figsize=(12, 3 * len(results)), layout="constrained", sharex=True
    )
    for row, (name, result) in zip(axes, results.items()):
        TrainingDisplay.from_result(result, ax=row)
        row[1].set(title=f"{name}: {result.share_fallen:.0%} fall", ylim=(0.4, 1.03))
        row[2].set(ylim=(5e-6, 2e-3))
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(output="threshold_schedule_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print(f"GLASSCLF_QUICK=1: {N_SEEDS} seeds, {MAX_EPOCHS} epochs; numbers mean nothing")
    # Some trainings are still improving at the end, which is not what this is about.
    warnings.simplefilter("ignore", ConvergenceWarning)
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the processes of repeat_fit, too
    X, y, run = make_windows()
    settings = make_settings()
    results = {
        name: repeat_fit(network, X, y, groups=run, n_seeds=N_SEEDS, n_jobs=N_JOBS, random_state=0)
        for name, network in settings.items()
    }
    print_table(results)
    first = next(iter(settings))
    explain(X, y, run, settings[first], results[first])
    draw(results, output / "threshold_schedule.png")
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A training that crashes, and its cure.")
    parser.add_argument(
        "--output", default="threshold_schedule_output", help="folder of the figure"
    )
    main(parser.parse_args().output)
