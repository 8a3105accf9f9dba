"""The study of a search is found again where it is kept, and never taken for another one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassclf.model_selection import OptunaSearch, studies
from glassclf.model_selection.sharing import counts
from glassclf.model_selection.studies import _without_password, open_storage

SPACE = {"C": ("float", 1e-2, 1e2, "log")}


@pytest.fixture
def data():
    return np.random.default_rng(0).random((24, 3)), np.arange(24) % 2


@pytest.fixture(params=["memory", "journal", "sqlite", "postgresql"])
def storage(request, tmp_path):
    if request.param == "memory":
        return optuna.storages.InMemoryStorage()
    if request.param == "journal":
        return tmp_path / "journal.log"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/study.db"
    return request.getfixturevalue("database")


def make_search(storage, space=SPACE, *, estimator=None, **parameters):
    parameters = {"n_trials": 3, "cv": 2, "random_state": 0, **parameters}
    return OptunaSearch(estimator or LogisticRegression(), space, storage=storage, **parameters)


def trials_in(storage):
    """Number of trials of every study in a storage."""
    storage = open_storage(storage)
    return sorted(
        len(optuna.load_study(study_name=name, storage=storage).trials)
        for name in optuna.get_all_study_names(storage)
    )


def test_n_trials_is_the_total_of_all_calls(storage, data):
    first = make_search(storage).fit(*data)
    assert re.fullmatch("search-[0-9a-f]{8}", first.study_.study_name)
    again = make_search(storage).fit(*data)
    assert trials_in(storage) == [3]
    assert again.best_params_ == first.best_params_
    assert again.cv_results_["params"] == first.cv_results_["params"]
    np.testing.assert_array_equal(again.predict(data[0]), first.predict(data[0]))
    more = make_search(storage, n_trials=5).fit(*data)
    assert trials_in(storage) == [5]
    assert len({str(found) for found in more.cv_results_["params"]}) == 5
    fewer = make_search(storage, n_trials=1).fit(*data)
    assert trials_in(storage) == [5]
    assert fewer.best_score_ == more.best_score_


def test_the_name_stands_for_the_data(data, tmp_path):
    X, y = data
    groups = np.arange(24) // 2
    names = [
        make_search(tmp_path / "journal.log", study_name="mine", n_trials=1)
        .fit(*one)
        .study_.study_name
        for one in ((X, y), (X + 1, y), (X, 1 - y), (X, y, groups), (X.copy(order="F"), y))
    ]
    assert all(re.fullmatch("mine-[0-9a-f]{8}", name) for name in names)
    assert len(set(names)) == 4
    assert names[0] == names[4]
    assert trials_in(tmp_path / "journal.log") == [1] * 4


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_outer_folds_share_no_study(data, tmp_path, n_jobs):
    search = make_search(tmp_path / "journal.log")
    scores = cross_validate(search, *data, cv=3, n_jobs=n_jobs, return_estimator=True)
    assert len({one.study_.study_name for one in scores["estimator"]}) == 3
    assert trials_in(tmp_path / "journal.log") == [3, 3, 3]


@pytest.mark.slow
def test_outer_folds_may_share_a_database(data, database):
    cross_validate(make_search(database), *data, cv=3, n_jobs=2)
    assert trials_in(database) == [3, 3, 3]


def test_a_relative_path_has_its_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    make_search("runs/journal.log").fit(*data)
    make_search("bare.log").fit(*data)
    assert trials_in(tmp_path / "runs" / "journal.log") == [3]
    assert trials_in(tmp_path / "bare.log") == [3]
    assert not any(Path("runs").glob("*.lock"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert trials_in("~/bare.log") == [3]


DIFFERENT = {
    "space": {"space": {"C": ("float", 1e-2, 1e3, "log")}},
    "scoring": {"scoring": "accuracy"},
    "estimator": {"estimator": LogisticRegression(tol=1e-2)},
    "cv": {"cv": 3},
}


@pytest.mark.parametrize("fact", DIFFERENT)
def test_a_study_of_another_search_is_refused(data, tmp_path, fact):
    parameters = {"scoring": "roc_auc", **DIFFERENT[fact]}
    make_search(tmp_path / "journal.log", scoring="roc_auc").fit(*data)
    with pytest.raises(ValueError, match=f"was made with another {fact}: .*there .*, here") as e:
        make_search(tmp_path / "journal.log", **parameters).fit(*data)
    assert f"take another study_name, or the {fact} of then" in str(e.value)
    assert ("needs a random_state" in str(e.value)) == (fact == "cv")
    make_search(tmp_path / "journal.log", study_name="other", **parameters).fit(*data)
    assert trials_in(tmp_path / "journal.log") == [3, 3]


def test_another_direction_is_refused(data, tmp_path):
    scoring = ["accuracy", "roc_auc"]
    make_search(tmp_path / "journal.log", scoring=scoring, refit="accuracy").fit(*data)
    with pytest.raises(ValueError, match="maximize accuracy, here maximize roc_auc;"):
        make_search(tmp_path / "journal.log", scoring=scoring, refit="roc_auc").fit(*data)
    with pytest.raises(ValueError, match="here maximize accuracy, maximize roc_auc;"):
        make_search(tmp_path / "journal.log", scoring=scoring, refit=False).fit(*data)
    costs = {"scoring": ["accuracy", "fit_time"], "refit": False, "study_name": "front"}
    make_search(tmp_path / "journal.log", **costs).fit(*data)
    with pytest.raises(ValueError, match="there maximize accuracy, minimize fit_time, here max"):
        make_search(tmp_path / "journal.log", **{**costs, "scoring": scoring}).fit(*data)


def test_what_changes_no_result_may_differ(data, tmp_path):
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"logisticregression__C": SPACE["C"]}
    make_search(tmp_path / "journal.log", space, estimator=pipe).fit(*data)
    pipe.set_params(memory=str(tmp_path / "memory"), logisticregression__C=3.0)
    make_search(tmp_path / "journal.log", space, estimator=pipe, n_trials=4).fit(*data)
    assert trials_in(tmp_path / "journal.log") == [4]


def test_a_splitter_that_shuffles_needs_a_seed(data, tmp_path):
    cv = KFold(2, shuffle=True)
    make_search(tmp_path / "journal.log", cv=cv).fit(*data)
    with pytest.raises(ValueError, match=r"another cv: .* \(a splitter that shuffles needs a"):
        make_search(tmp_path / "journal.log", cv=cv).fit(*data)


def test_a_foreign_study_is_refused(data, tmp_path):
    name = make_search(None).fit(*data).study_.study_name
    storage = open_storage(tmp_path / "journal.log")
    foreign = optuna.create_study(storage=storage, study_name=name)
    with pytest.raises(ValueError, match=r"was not made by this search \(directions \['minimize'"):
        make_search(tmp_path / "journal.log").fit(*data)
    optuna.delete_study(study_name=name, storage=storage)
    foreign = optuna.create_study(storage=storage, study_name=name, direction="maximize")
    foreign.tell(foreign.ask(), 1.0)
    with pytest.raises(ValueError, match=r"\['maximize'\], 1 trials\): take another study_name"):
        make_search(tmp_path / "journal.log").fit(*data)
    assert len(foreign.trials) == 1


def test_an_unreachable_storage_is_one_clear_error(data, tmp_path):
    secret = "p@ss/w?rd"
    urls = {
        f"postgresql://me:{secret}@127.0.0.1:9/none": "postgresql://me@127.0.0.1:9/none",
        "postgresql://127.0.0.1:9/none?password=p&ss": "postgresql://127.0.0.1:9/none",
        f"nosuchdatabase://me:{secret}@host/none": "nosuchdatabase://me@host/none",
        f"sqlite:///{tmp_path}/missing/study.db": f"sqlite:///{tmp_path}/missing/study.db",
        str(tmp_path / "missing" / "journal.log"): str(tmp_path / "missing" / "journal.log"),
    }
    for url, shown in urls.items():
        with pytest.raises(
            ConnectionError, match="cannot be reached: .*; give the (URL|path)"
        ) as error:
            make_search(url).fit(*data)
        assert str(error.value).startswith(f"storage={shown!r} cannot")
        assert not re.search("p[@&]?ss", str(error.value))
        assert "\n" not in str(error.value)
    assert not (tmp_path / "missing").exists()


def test_passwords_are_left_out():
    assert _without_password("mysql://me:a:b@c@host/name") == "mysql://me@host/name"
    assert _without_password("sqlite:///study.db") == "sqlite:///study.db"
    assert _without_password("runs/journal.log") == "runs/journal.log"


def test_the_driver_of_postgresql_is_named(monkeypatch):
    monkeypatch.setattr(studies, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'PostgreSQL needs psycopg: pip install "glassclf\[clus'):
        open_storage("postgresql://me@host/name")


@pytest.mark.slow
def test_the_usual_url_of_postgresql_will_do(data, database):
    make_search(database.replace("+psycopg", "")).fit(*data)
    assert trials_in(database) == [3]


def test_other_storages_are_refused(data):
    with pytest.raises(ValueError, match="The 'storage' parameter of OptunaSearch must be"):
        make_search(3).fit(*data)


def test_a_grid_is_searched_once(data, tmp_path):
    grid = {"alpha": [0.1, 1.0, 10.0, 100.0]}
    space = {"alpha": ("choice", tuple(grid["alpha"]))}
    X, y = data
    for n_trials in (2, 10, 10):
        sampler = optuna.samplers.GridSampler(grid, seed=0)
        search = make_search(
            tmp_path / "journal.log", space, estimator=Ridge(), sampler=sampler, n_trials=n_trials
        ).fit(X, X[:, 0] + y)
    assert sorted(found["alpha"] for found in search.cv_results_["params"]) == grid["alpha"]
    # Other samplers go on where the grid has no point left.
    sampler = optuna.samplers.RandomSampler(0)
    search.set_params(sampler=sampler, n_trials=6).fit(X, X[:, 0] + y)
    assert trials_in(tmp_path / "journal.log") == [6]


PROCESS = """
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from glassclf.model_selection import OptunaSearch

X, y = np.random.default_rng(0).random((24, 3)), np.arange(24) % 2
search = OptunaSearch(
    LogisticRegression(),
    {"C": ("float", 1e-2, 1e2, "log")},
    n_trials=12,
    cv=2,
    random_state=0,
    storage=sys.argv[1],
)
print("ready", flush=True)
sys.stdin.readline()
search.fit(X, y)
print(len(search.cv_results_["params"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "journal", "postgresql"])
def test_processes_that_begin_together_share_the_budget(kind, request, data, tmp_path):
    storage = {"sqlite": f"sqlite:///{tmp_path}/study.db", "journal": f"{tmp_path}/journal.log"}
    storage = storage.get(kind) or request.getfixturevalue("database")
    command = [sys.executable, "-c", PROCESS, storage]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [
        subprocess.Popen(command, **pipes, text=True, env=environment, cwd=tmp_path)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            assert output == "12\n"
    finally:
        for process in processes:
            process.kill()
            process.wait()
    storage = open_storage(storage)
    (name,) = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).trials
    counted = [trial for trial in trials if counts(trial)]
    assert [trial.state.name for trial in counted] == ["COMPLETE"] * 12
    assert len({trial.params["C"] for trial in counted}) == 12
