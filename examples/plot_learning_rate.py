"""
Choosing a learning rate
========================

The learning rate decides more than any other parameter whether a training works. Two ways to choose
it: a range test, one short training in which the rate rises until the loss explodes
(:func:`lr_range <glassclf.model_selection.lr_range>`), and the score against the rate with its
spread over seeds (:func:`repeat_fit <glassclf.model_selection.repeat_fit>`), which costs a hundred
times as much and tells what the first one cannot: how much of a score was luck.

Run it from a checkout::

    python examples/plot_learning_rate.py     # under 3 minutes on 2 cores

It prints a table and writes ``learning_rate.png`` into ``learning_rate_output``.
"""

# %%
# The task: thermal snapshots of a glass (T = 0.05) and of a liquid just above the glass transition
# (T = 0.479), each image cut into four windows that share the run of their snapshot.
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
from glassclf.model_selection import lr_range, repeat_fit
from glassclf.plotting import LearningRateRangeDisplay

# Few rates, seeds and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
RATES = (1e-4, 1e-2) if QUICK else (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1)
N_JOBS = 1 if QUICK else 2
N_SEEDS = 2 if QUICK else 6
MAX_EPOCHS = 2 if QUICK else 20


def make_windows(n_pixels=32):
    X, y, run = select_pair(load_kob_andersen().data, liquid=0.479, state="thermal")
    images = ImageFeaturizer(n_pixels=2 * n_pixels).fit_transform(X)
    low, high = slice(None, n_pixels), slice(n_pixels, None)
    quarters = [images[:, :, a, b] for a in (low, high) for b in (low, high)]
    return np.concatenate(quarters), np.tile(y, 4), np.tile(run, 4)


# %%
# The range test. The suggestion is a tenth of the rate at which the loss was lowest.
def run_range_test(network, X, y, run):
    result = lr_range(network, X, y, groups=run, lr_max=10.0, n_batches=20 if QUICK else 150)
    print(f"range test: {len(result.lr)} batches, suggestion {result.suggestion:.1e}\n")
    return result


# %%
# The score against the rate. Each rate is tried with the same seeds. It is the largest rate of a
# training: from there it falls to zero along a cosine, so that the last epoch is scored in calm; at
# a constant rate the score of a last epoch is a matter of luck (see the example of the crash).
def compare_rates(network, X, y, run):
    results = {
        rate: repeat_fit(
            clone(network).set_params(lr=rate),
            X,
            y,
            groups=run,
            n_seeds=N_SEEDS,
            n_jobs=N_JOBS,
            random_state=0,
        )
        for rate in RATES
    }
    print(f"validation accuracy of {N_SEEDS} seeds after {MAX_EPOCHS} epochs\n")
    print(f"{'rate':>8}{'last epoch':>18}{'lowest':>10}{'fell back to chance':>22}")
    for rate, result in results.items():
        last = f"{result.mean:.3f} +- {result.spread:.3f}"
        lowest = result.final_score.min()
        print(f"{rate:>8.0e}{last:>18}{lowest:>10.3f}{result.share_fallen:>22.0%}")
    return results


def draw(range_test, results, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained")
    LearningRateRangeDisplay.from_result(range_test, ax=left)
    left.set(title="range test", ylim=(0, 4 * range_test.smoothed_loss[0]))
    rates = np.array(list(results))
    for rate, result in results.items():
        right.plot(np.full(N_SEEDS, rate), result.final_score, ".", color="0.6", zorder=1)
    right.errorbar(
        rates,
        [result.mean for result in results.values()],
        yerr=[result.spread for result in results.values()],
        fmt="o-",
        capsize=3,
        color="#0072b2",
        label="mean and standard deviation over seeds",
    )
    right.axhline(0.5, color="black", linewidth=0.8, linestyle="--", label="chance")
    right.axvline(range_test.suggestion, color="#d55e00", linestyle="--", label="suggestion")
    right.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy, last epoch")
    right.set(title="score against rate", ylim=(0.3, 1.1))
    right.legend(frameon=False, loc="lower left")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(output="learning_rate_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print(f"GLASSCLF_QUICK=1: {len(RATES)} rates, {N_SEEDS} seeds; numbers mean nothing")
    # At small rates the trainings are not finished, which is what the comparison is to show.
    warnings.simplefilter("ignore", ConvergenceWarning)
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the processes of repeat_fit, too
    X, y, run = make_windows()
    network = CNNClassifier(
        schedule="cosine",
        padding="zeros",
        validation_fraction=0.25,
        max_epochs=MAX_EPOCHS,
        random_state=0,
    )
    range_test = run_range_test(network, X, y, run)
    draw(range_test, compare_rates(network, X, y, run), output / "learning_rate.png")
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Choosing a learning rate.")
    parser.add_argument("--output", default="learning_rate_output", help="folder of the figure")
    main(parser.parse_args().output)
