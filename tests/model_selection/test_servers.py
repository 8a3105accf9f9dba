"""The database server and the cluster of the tests are real ones."""

import os

import joblib
import optuna
import pytest


@pytest.mark.slow
def test_database_keeps_a_study(database):
    study = optuna.create_study(storage=optuna.storages.RDBStorage(database), study_name="kept")
    trial = study.ask()
    study.tell(trial, trial.suggest_float("x", 0, 1))
    again = optuna.load_study(study_name="kept", storage=optuna.storages.RDBStorage(database))
    (read,) = again.trials
    assert read.value == read.params["x"] == trial.params["x"]


@pytest.mark.slow
def test_cluster_runs_in_other_processes(dask_cluster):
    with joblib.parallel_config(backend="dask"):
        pids = joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(2))
    assert len(pids) == 2
    assert os.getpid() not in pids
