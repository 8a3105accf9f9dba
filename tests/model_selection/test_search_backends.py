"""Trials in other processes are those of one process, whichever backend of joblib runs them."""

import os
import site
from pathlib import Path

import joblib
import numpy as np
import optuna
import pytest
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.model_selection import OptunaSearch

# A module that every process can import: functions of a test file are known by name only here.
SCORERS = """
import os

import torch


def weights(estimator, X, y):
    network = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    weights = torch.cat([weight.flatten() for weight in network.net_.module_.parameters()])
    # One number that a change of any bit of any weight would change.
    places = torch.arange(1, len(weights) + 1, dtype=torch.float64)
    return float((weights.detach().double() * places).sum())


def threads(estimator, X, y):
    return {
        "score": estimator.score(X, y),
        "threads": torch.get_num_threads(),
        "process": os.getpid(),
    }


def broken(estimator, X, y):
    raise OwnError("one", "two")


class OwnError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")
"""
BACKENDS = ["loky", "multiprocessing", "dask"]


@pytest.fixture(scope="module")
def scorers(tmp_path_factory):
    """The module, which processes find by the environment, or by the path that they inherit."""
    folder = tmp_path_factory.mktemp("importable")
    (folder / "scorers_of_the_search.py").write_text(SCORERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        patch.syspath_prepend(folder)
        import scorers_of_the_search

        # loky keeps workers for later calls: those of other tests have another path.
        joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
        yield scorers_of_the_search
        joblib.externals.loky.get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def use(request, scorers):
    """Context of a backend."""

    def use(backend):
        if backend == "dask":
            client = request.getfixturevalue("dask_cluster")
            client.run(site.addsitedir, str(Path(scorers.__file__).parent))
        return joblib.parallel_config(backend=backend)

    return use


@pytest.fixture
def small(configurations):
    X, y, groups = configurations
    return X[:12], y[:12], groups[:12]


def table(search):
    """What must be equal bit by bit: all but times."""
    return [
        (t.number, t.state.name, t.params, t.values, t.intermediate_values, scores(t))
        for t in search.study_.trials
    ]


def scores(trial):
    return trial.user_attrs["folds"]["scores"]


def assert_equal(one, other):
    assert table(one) == table(other)
    assert one.best_params_ == other.best_params_


def nested(search, data):
    """The search inside a worker of joblib, where the trials of a batch run one after another."""
    (fitted,) = Parallel(n_jobs=2)(delayed(search.fit)(*data) for _ in range(1))
    return fitted


def network_search(kind, scorers, **parameters):
    if kind == "mpnn":
        network = MPNNClassifier(hidden_size=4, n_layers=1, max_epochs=3, random_state=0)
        estimator = make_pipeline(GraphFeaturizer(), network)
        space = {
            "graphfeaturizer__n_neighbors": ("int", 2, 4),
            "mpnnclassifier__lr": ("float", 1e-3, 1e-1, "log"),
        }
    else:
        network = CNNClassifier(n_filters=(2,), max_epochs=3, random_state=0)
        estimator = make_pipeline(ImageFeaturizer(8), network)
        space = {"cnnclassifier__lr": ("float", 1e-3, 1e-1, "log")}
    defaults = {"n_trials": 5, "cv": GroupKFold(2), "random_state": 0, "scoring": scorers.weights}
    return OptunaSearch(estimator, space, **{**defaults, **parameters})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["mpnn", "cnn"])
def test_networks_are_trained_as_in_one_process(kind, backend, small, scorers, use):
    sampler = optuna.samplers.RandomSampler(0)
    alone = network_search(kind, scorers, sampler=sampler).fit(*small)
    assert len({row[3][0] for row in table(alone)}) == 5
    with use(backend):
        assert_equal(network_search(kind, scorers, sampler=sampler, n_jobs=2).fit(*small), alone)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_batches_are_those_of_a_nested_search(backend, use):
    X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
    search = OptunaSearch(
        LogisticRegression(),
        {"C": ("float", 1e-2, 1e2, "log")},
        n_trials=15,
        n_jobs=2,
        cv=3,
        scoring="neg_log_loss",
        random_state=0,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )
    inside = nested(search, (X, y))
    assert "pruned" in inside.cv_results_["state"]
    with use(backend):
        assert_equal(search.fit(X, y), inside)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_search_may_run_inside_of_a_parallel_one(backend, use, tmp_path):
    X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
    search = OptunaSearch(
        LogisticRegression(), {"C": ("float", 1e-2, 1e2, "log")}, n_trials=4, n_jobs=2, cv=2
    ).set_params(random_state=0, storage=str(tmp_path / "journal.log"))
    with use(backend):
        outer = cross_validate(search, X, y, cv=3, n_jobs=2, return_estimator=True)
    search.set_params(storage=None)
    for one, (train, _) in zip(outer["estimator"], StratifiedKFold(3).split(X, y)):
        assert search.fit(X[train], y[train]).best_params_ == one.best_params_


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_processes_share_the_cores(backend, scorers, use):
    X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
    space = {"C": ("float", 1e-2, 1e2, "log")}
    search = OptunaSearch(LogisticRegression(), space, n_trials=4, cv=2, n_jobs=2, random_state=0)
    search.set_params(scoring=scorers.threads, refit="score")
    with use(backend):
        search.fit(X, y)
    allowed = max(1, joblib.cpu_count() // 2)
    threads = [search.cv_results_[f"split{fold}_test_threads"] for fold in range(2)]
    assert np.all(np.concatenate(threads) <= allowed)
    processes = set(search.cv_results_["split0_test_process"])
    assert os.getpid() not in processes


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_errors_come_back_from_other_processes(backend, scorers, use):
    X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
    space = {"C": ("float", 1e-2, 1e2, "log")}
    search = OptunaSearch(LogisticRegression(), space, n_trials=2, cv=2, n_jobs=2, random_state=0)
    search.set_params(scoring=scorers.broken)
    # An error that cannot be pickled comes in words; a fork of a process with dask can pickle all.
    expected = (RuntimeError, scorers.OwnError) if backend == "multiprocessing" else RuntimeError
    with use(backend), pytest.raises(expected, match="one and two") as error:
        search.fit(X, y)
    note, place = error.value.__notes__
    assert "in broken" in note
    assert "Traceback" in note
    assert place.startswith("in trial 0 with ")
    assert [trial.state.name for trial in search.study_.trials] == ["FAIL"] * 2


def test_threads_are_refused():
    X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
    space = {"C": ("float", 1e-2, 1e2, "log")}
    search = OptunaSearch(LogisticRegression(), space, n_trials=2, cv=2, n_jobs=2)
    message = 'n_jobs=2 needs processes, as threads share .*: leave the backend "threading", or use'
    with joblib.parallel_config(backend="threading"):
        with pytest.raises(ValueError, match=message):
            search.fit(X, y)
        search.set_params(n_jobs=1).fit(X, y)
    assert len(search.study_.trials) == 2
