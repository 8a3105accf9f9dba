"""Searches that share a study with others: they take over from the dead, wait for the living."""

import os
import signal
import threading

import numpy as np
import optuna
import pytest
from sklearn.linear_model import LogisticRegression
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier
from glassclf.model_selection import OptunaSearch
from glassclf.model_selection.liveness import WORKER, Worker, _process
from glassclf.model_selection.search_loop import seed_for
from glassclf.model_selection.sharing import claim, finish
from glassclf.model_selection.studies import open_storage

SPACE = {"C": ("float", 1e-2, 1e2, "log")}


@pytest.fixture
def data():
    return np.random.default_rng(0).random((24, 3)), np.arange(24) % 2


def suggest(trial):
    return trial.suggest_float("C", 1e-2, 1e2, log=True)


def states(study):
    return [trial.state.name for trial in study.trials]


def make_search(storage, **parameters):
    parameters = {"n_trials": 4, "cv": 2, "random_state": 0, "storage": storage, **parameters}
    return OptunaSearch(LogisticRegression(), SPACE, **parameters)


def join(search, data, process, n_begun):
    """Study of a search, in which another process has begun some trials."""
    study = search.set_params(n_trials=1).fit(*data).study_
    trials = [claim(study, 100, Worker(1e6)) for _ in range(n_begun)]
    for trial in trials:
        trial.set_user_attr(WORKER, {"name": "other", "process": process})
    return study, trials, [suggest(trial) for trial in trials]


def test_a_search_survives_being_taken_for_dead(data, tmp_path):
    storage = str(tmp_path / "journal.log")

    def space(trial):
        if trial.number == 1:
            take_away(storage, 1)
        return {"C": suggest(trial)}

    search = make_search(storage, n_trials=3).set_params(space=space).fit(*data)
    assert states(search.study_) == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]


def take_away(storage, number):
    """End a running trial, as others do who take its worker for dead."""
    storage = open_storage(storage)
    (name,) = optuna.get_all_study_names(storage)
    assert finish(optuna.load_study(study_name=name, storage=storage), number, "FAIL")


def test_a_trial_that_was_taken_away_ends_at_its_next_report(data, tmp_path):
    storage, calls = str(tmp_path / "journal.log"), tmp_path / "calls"
    calls.touch()

    def score(estimator, X, y):
        with calls.open("a") as file:
            file.write(".")
        if calls.stat().st_size == 6:
            take_away(storage, 1)
        return estimator.score(X, y)

    search = make_search(storage, n_trials=2, cv=5, scoring=score)
    search.set_params(pruner=optuna.pruners.NopPruner()).fit(*data)
    assert states(search.study_) == ["COMPLETE", "FAIL", "COMPLETE"]
    assert calls.stat().st_size == 5 + 1 + 5


def test_a_search_takes_over_from_the_dead(data, tmp_path, dead):
    search = make_search(tmp_path / "journal.log")
    study, _, values = join(search, data, dead, 2)
    search.set_params(n_trials=4).fit(*data)
    assert states(study) == ["COMPLETE", "FAIL", "FAIL"] + ["COMPLETE"] * 3
    assert [trial.params["C"] for trial in study.trials[3:5]] == values
    assert search.cv_results_["number"].tolist() == [0, 3, 4, 5]


def test_a_search_waits_for_the_living(data, tmp_path):
    search = make_search(tmp_path / "journal.log")
    study, (trial,), _ = join(search, data, _process(os.getpid()), 1)
    timer = threading.Timer(1.0, finish, [study, trial.number, "COMPLETE", [2.0]])
    timer.start()
    search.set_params(n_trials=3).fit(*data)
    timer.join()
    assert states(study) == ["COMPLETE"] * 3
    assert search.study_.best_value == 2.0
    # The time that is allowed counts also while it waits.
    claim(study, 4, Worker(1e6))
    search.set_params(n_trials=4, timeout=0.3).fit(*data)
    assert states(study)[-1] == "RUNNING"


def test_an_error_gives_the_trial_back(data, tmp_path):
    def score(estimator, X, y):
        raise KeyboardInterrupt

    search = make_search(tmp_path / "journal.log", scoring=score)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*data)
    assert states(search.study_) == ["FAIL", "WAITING"]

    def broken_space(trial):
        raise LookupError("of the space")

    search = make_search(tmp_path / "journal.log", study_name="broken").set_params(
        space=broken_space
    )
    with pytest.raises(LookupError, match="of the space"):
        search.fit(*data)
    assert states(search.study_) == ["FAIL"]


def test_every_worker_has_a_seed_of_its_own(data, tmp_path):
    assert len({seed_for(seed, number) for seed in range(10) for number in range(10)}) == 100
    found = []
    for n_trials in range(1, 6):
        # Each call is a worker of its own, with the same random_state.
        search = make_search(tmp_path / "journal.log", n_trials=n_trials).fit(*data)
        found.append(search.study_.trials[-1].params["C"])
    sampler = optuna.samplers.RandomSampler(seed=0)
    for n_trials in range(6, 9):
        search = make_search(tmp_path / "journal.log", n_trials=n_trials, sampler=sampler)
        found.append(search.fit(*data).study_.trials[-1].params["C"])
    assert len(set(found)) == 8
    # The first worker follows the seed it was given.
    assert found[0] == make_search(None, n_trials=1).fit(*data).best_params_["C"]


class AskToStop(Callback):
    """Send the signal that a batch system sends, in the middle of a training."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 1:
            signal.raise_signal(signal.SIGUSR1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_that_was_asked_to_stop_is_no_result(images, tmp_path):
    network = CNNClassifier(n_filters=(2,), max_epochs=3, checkpoint=tmp_path / "{params}-{data}")
    network.set_params(callbacks=[AskToStop()])
    space = {"lr": ("float", 1e-3, 1e-1, "log")}
    search = OptunaSearch(network, space, n_trials=2, cv=2, storage=tmp_path / "journal.log")
    with pytest.raises(InterruptedError, match="was stopped by SIGUSR1: the running trial is"):
        search.fit(*images)
    assert states(search.study_) == ["FAIL", "WAITING"]


def test_a_study_without_results_is_refused(data, tmp_path):
    search = make_search(tmp_path / "journal.log", timeout=1e-9)
    message = "no trial of study 'search-.*' is complete after timeout=1e-09: raise timeout, or"
    with pytest.raises(ValueError, match=message):
        search.fit(*data)
