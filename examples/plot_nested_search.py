"""
Nested cross-validation of a search
===================================

A search tries many settings and keeps the best. Its own score is therefore too good: part of it is
luck on the folds that chose. The honest question is how well "search, then fit" does on runs that
the search has never seen, and whether it does better than the defaults. Here a radial distribution
function with logistic regression tells glass from liquid (T = 0.479) on inherent structures; Optuna
searches its cutoff, its number of bins and the regularisation.

In every outer fold a search of its own sees the training runs only. Its result is scored on the
held-out runs, beside the defaults. Four folds of a few runs each scatter more than a search can
gain, so the whole is repeated with the runs cut into folds in other ways.

On so few runs it does no better. The search's own score promises 0.91; what it has found reaches
0.80 on held-out runs, and the defaults 0.83: the trial that is best on 24 runs is partly the
luckiest one.

Run it from a checkout::

    python examples/plot_nested_search.py     # about 7 minutes on 2 cores

It needs ``glassclf[plot]``. It prints a table and writes ``nested_search.png`` into
``nested_search_output``.
"""

# %%
# The task is bundled: one glass and one liquid from each cooling run.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.featurizers import RDFFeaturizer
from glassclf.model_selection import OptunaSearch
from glassclf.plotting import StudyDisplay

# Few runs and trials, to test that the script works: its scores then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_TRIALS, N_REPEATS = (3, 1) if QUICK else (30, 4)

# %%
# What is searched is known for each step; a dict of one's own would do as well.
PIPE = make_pipeline(RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=2000))


def make_search(seed, **settings):
    return OptunaSearch(PIPE, n_trials=N_TRIALS, scoring="roc_auc", random_state=seed, **settings)


# %%
# Nested cross-validation is one call of scikit-learn. ``params`` hands the runs to the search, so
# that its own folds keep them together, too.
def compare(X, y, run):
    rows = []
    for repeat in tqdm(range(N_REPEATS), desc="nested cross-validation"):
        given = {"groups": run, "scoring": "roc_auc"}
        given["cv"] = GroupKFold(4, shuffle=True, random_state=repeat)
        plain = cross_val_score(PIPE, X, y, **given)
        nested = cross_validate(
            make_search(repeat), X, y, params={"groups": run}, return_estimator=True, **given
        )
        found = zip(plain, nested["test_score"], nested["estimator"])
        rows += [(*scores, search.best_score_, search.best_params_) for *scores, search in found]
    return rows


def print_table(rows):
    print("\nAUC on runs that were held out from everything\n")
    print(f"{'fold':6}{'defaults':>10}{'searched':>10}{'its own score':>16}   found")
    for number, (plain, nested, inner, found) in enumerate(rows):
        texts = [f"{name.rpartition('__')[2]}={value:.3g}" for name, value in found.items()]
        print(f"{number:<6}{plain:10.3f}{nested:10.3f}{inner:16.3f}   {', '.join(texts)}")
    scores = np.array([row[:3] for row in rows])
    # Folds of one repeat share their training runs; repeats share them, too, but cut them anew.
    means = scores.reshape(N_REPEATS, -1, 3).mean(axis=1)
    texts = [f"{mean:.3f}" for mean in means.mean(axis=0)]
    print(f"{'mean':6}{texts[0]:>10}{texts[1]:>10}{texts[2]:>16}")
    gain = means[:, 1] - means[:, 0]
    spread = f" (spread over repeats {gain.std(ddof=1):.3f})" if N_REPEATS > 1 else ""
    print(f"\nsearched minus defaults: {gain.mean():+.3f}{spread}")


# %%
# The figure: the scores of each outer fold, and the study of a search on all runs.
def draw_scores(ax, rows):
    scores = np.array([row[:3] for row in rows])
    ax.plot([0, 1, 2], scores.T, color="0.8", linewidth=0.8)
    for place, color in enumerate(("0.4", "#009e73", "#d55e00")):
        values = scores[:, place]
        ax.plot(np.full(len(values), place), values, "o", color=color, alpha=0.5)
        ax.plot(place, values.mean(), "_", color=color, markersize=32, markeredgewidth=3)
    ax.set_xticks([0, 1, 2], ["defaults,\nheld out", "searched,\nheld out", "searched,\nits own"])
    ax.set(xlim=(-0.5, 2.5), ylabel="AUC", title="one line an outer fold; bar: mean")
    ax.spines[["top", "right"]].set_visible(False)


def main(output="nested_search_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    X, y, run = select_pair(load_kob_andersen(), liquid=0.479, state="inherent")
    if QUICK:
        few = np.isin(run, np.unique(run)[:12])
        X, y, run = X[few], y[few], run[few]
        print("GLASSCLF_QUICK=1: 12 runs, 3 trials a search; scores mean nothing")
    rows = compare(X, y, run)
    print_table(rows)
    search = make_search(0, refit=False, verbose=1).fit(X, y, run)
    figure = plt.figure(figsize=(13, 7.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 2.6])
    draw_scores(left.subplots(), rows)
    top, bottom = right.subfigures(2, 1)
    axes = [*top.subplots(1, 2), *bottom.subplots(1, 3)]
    StudyDisplay.from_study(search.study_, target_name="AUC of the inner folds", ax=axes)
    figure.savefig(output / "nested_search.png", dpi=130)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Nested cross-validation of a search.")
    parser.add_argument("--output", default="nested_search_output", help="folder for the figure")
    main(parser.parse_args().output)
