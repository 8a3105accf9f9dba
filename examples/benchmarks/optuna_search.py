"""Measure the search: what it costs, what two processes gain, what pruning saves, what it finds.

    python examples/benchmarks/optuna_search.py

has four parts, and ``--part NAME`` runs one of them:

``overhead`` (half a minute)
    Seconds of a trial in ``OptunaSearch``, and in ``Study.optimize`` with an objective that scores
    the same estimator by ``cross_val_score``: same sampler, same folds, in memory.
``processes`` (10 minutes)
    Trials an hour with ``n_jobs=2`` against ``n_jobs=1``, one thread each.
``pruning`` (an hour)
    Message-passing network on inherent structures, glass against liquid of T = 0.635; 20 trials of
    3 folds and at most 15 epochs, three seeds. Best score and epochs with and without a pruner.
``nested`` (10 minutes)
    RDF + logistic regression at T = 0.479: AUC of a search of 30 trials over radius, bins and
    regularisation, in every outer fold anew, minus that of the defaults, over five ways to cut the
    runs into four outer folds.

``--part nested-mpnn`` is the last one with the message-passing network, the space and the pruner of
the part before, once (an hour).
``--quick`` takes small data and proves nothing but that it runs.
"""

import argparse
import platform
import time

import numpy as np
import optuna
import sklearn
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassclf.datasets import load_kob_andersen, select_pair
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.model_selection import OptunaSearch, search_space

SPACE = {"C": optuna.distributions.FloatDistribution(1e-3, 1e3, log=True)}


def measure_overhead(quick):
    n_trials = 20 if quick else 200
    X, y = make_classification(200, random_state=0)
    model, cv = LogisticRegression(), list(StratifiedGroupKFold(3).split(X, y, np.arange(200)))

    def objective(trial):
        C = trial.suggest_float("C", 1e-3, 1e3, log=True)
        return cross_val_score(LogisticRegression(C=C), X, y, cv=cv).mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seconds = {}
    begin = time.perf_counter()
    search = OptunaSearch(model, SPACE, n_trials=n_trials, cv=cv, random_state=0).fit(X, y)
    seconds["OptunaSearch"] = (time.perf_counter() - begin) / n_trials
    evaluation = (search.cv_results_["mean_fit_time"] + search.cv_results_["mean_score_time"]) * 3
    begin = time.perf_counter()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=n_trials)
    seconds["Study.optimize"] = (time.perf_counter() - begin) / n_trials
    print(f"overhead, {n_trials} trials in memory, ms a trial")
    for name, each in seconds.items():
        print(f"  {name}: {1e3 * each:.2f}, of which fits and scores {1e3 * evaluation.mean():.2f}")
    own = seconds["OptunaSearch"] - evaluation.mean()
    ratio = seconds["OptunaSearch"] / seconds["Study.optimize"]
    print(f"  overhead of the search: {1e3 * own:.2f} (asked: below 20); ratio {ratio:.2f}")


def make_pair(liquid, quick):
    X, y, run = select_pair(load_kob_andersen(), liquid=liquid, state="inherent")
    keep = np.isin(run, np.unique(run)[:6]) if quick else np.full(len(run), True)
    return X[keep], y[keep], run[keep]


def make_mpnn(max_epochs, quick):
    network = MPNNClassifier(max_epochs=2 if quick else max_epochs, random_state=0, device="cpu")
    return make_pipeline(GraphFeaturizer(), network)


def measure_processes(quick):
    X, y, run = make_pair(0.635, quick)
    pipe = make_mpnn(5, quick)
    space = {"mpnnclassifier__lr": ("float", 1e-3, 1e-2, "log")}
    n_trials = 4 if quick else 16
    rates = {}
    torch.set_num_threads(1)
    for n_jobs in (2, 1):  # the processes start, and load torch, before the clock does
        settings = dict(space=space, cv=GroupKFold(3), n_jobs=n_jobs, random_state=0)
        OptunaSearch(pipe, **settings, n_trials=n_jobs, refit=False).fit(X[:12], y[:12], run[:12])
        begin = time.perf_counter()
        OptunaSearch(pipe, **settings, n_trials=n_trials, refit=False).fit(X, y, run)
        rates[n_jobs] = n_trials / (time.perf_counter() - begin) * 3600
        print(f"processes: n_jobs={n_jobs}: {rates[n_jobs]:.0f} trials an hour")
    print(f"  ratio {rates[2] / rates[1]:.2f} (asked: 1.7)")


# Smaller networks than search_space allows, so that a thousand epochs take minutes.
NETWORKS = {
    "graphfeaturizer__n_neighbors": ("int", 6, 20, "log"),
    "mpnnclassifier__hidden_size": ("int", 8, 48, "log"),
    "mpnnclassifier__n_layers": ("int", 1, 3),
    "mpnnclassifier__lr": ("float", 1e-4, 3e-2, "log"),
    "mpnnclassifier__dropout": ("float", 0.0, 0.5),
    "mpnnclassifier__weight_decay": ("float", 1e-4, 1e-1, "log"),
}


def make_pruner(quick):
    # After 10 of 45 epochs one trial in five goes on, and then to the end: with more rungs the best
    # ones fall to the luck of the first fold. Four trials are run that far before any is judged.
    bounds = (1, 0) if quick else (10, 5)
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=bounds[0], reduction_factor=5, bootstrap_count=bounds[1]
    )


def measure_pruning(quick, seeds=(0, 1, 2)):
    X, y, run = make_pair(0.635, quick)
    pipe = make_mpnn(15, quick)
    for seed in seeds[:1] if quick else seeds:
        best, epochs = {}, {}
        for name, each in {"all": optuna.pruners.NopPruner(), "pruned": make_pruner(quick)}.items():
            search = OptunaSearch(
                pipe,
                NETWORKS,
                n_trials=2 if quick else 20,
                cv=GroupKFold(3),
                scoring="roc_auc",
                pruner=each,
                random_state=seed,
                refit=False,
            )
            begin = time.perf_counter()
            search.fit(X, y, run)
            best[name] = search.best_score_
            # Every epoch is reported once.
            epochs[name] = sum(len(trial.intermediate_values) for trial in search.study_.trials)
            print(
                f"pruning, seed {seed}, {name}: best AUC {best[name]:.4f}, {epochs[name]} epochs, "
                f"{time.perf_counter() - begin:.0f} s",
                flush=True,
            )
        print(
            f"  seed {seed}: difference {best['pruned'] - best['all']:+.4f} (asked: -0.01), "
            f"ratio of epochs {epochs['pruned'] / epochs['all']:.2f} (asked: 0.5)",
            flush=True,
        )


def measure_nested(pipe, space, n_repeats, quick, **settings):
    X, y, run = make_pair(0.479, quick)
    gains = []
    for repeat in range(1 if quick else n_repeats):
        cv = GroupKFold(4, shuffle=True, random_state=repeat)
        given = dict(groups=run, cv=cv, scoring="roc_auc")
        plain = cross_val_score(pipe, X, y, **given)
        search = OptunaSearch(
            pipe,
            space,
            n_trials=2 if quick else 30,
            scoring="roc_auc",
            random_state=repeat,
            **settings,
        )
        found = cross_val_score(search, X, y, params={"groups": run}, **given)
        gains += list(found - plain)
        print(
            f"nested, repeat {repeat}: defaults {plain.mean():.3f}, searched {found.mean():.3f}",
            flush=True,
        )
    gains = np.array(gains).reshape(-1, 4).mean(axis=1)
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    print(f"  mean paired gain {gains.mean():+.4f} +- {error:.4f} (asked: above 0)")


def measure_nested_rdf(quick):
    pipe = make_pipeline(RDFFeaturizer(), StandardScaler(), LogisticRegression(max_iter=2000))
    # Five folds of five runs each scatter more than a search can gain.
    cv = GroupShuffleSplit(2 if quick else 20, test_size=0.25, random_state=0)
    measure_nested(pipe, search_space(pipe), 5, quick, cv=cv)


def measure_nested_mpnn(quick):
    settings = {"cv": GroupKFold(3), "pruner": make_pruner(quick)}
    measure_nested(make_mpnn(15, quick), NETWORKS, 1, quick, **settings)


PARTS = {
    "overhead": measure_overhead,
    "processes": measure_processes,
    "pruning": measure_pruning,
    "nested": measure_nested_rdf,
    "nested-mpnn": measure_nested_mpnn,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, optuna {optuna.__version__}, scikit-learn "
        f"{sklearn.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    )
    parts = [given.part] if given.part else [part for part in PARTS if part != "nested-mpnn"]
    for part in parts:
        PARTS[part](given.quick)


if __name__ == "__main__":
    main()
