"""The command ``glassclf worker`` runs trials of a search that a script defines."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import optuna
import pytest

import glassclf
from glassclf.cli import main
from glassclf.model_selection.liveness import Worker
from glassclf.model_selection.sharing import claim, finish
from glassclf.model_selection.studies import open_storage
from glassclf.model_selection.worker import read_search, work

STUDY = """
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from glassclf.model_selection import OptunaSearch

X = np.random.default_rng(0).random((24, 3))
y = np.arange(24) % 2


def score(estimator, X, y):
    time.sleep({seconds})
    return estimator.score(X, y) - 0.01 * abs(np.log(estimator.C))


search = OptunaSearch(
    LogisticRegression(),
    {{"C": ("float", 1e-2, 1e2, "log")}},
    n_trials=3,
    cv=2,
    scoring=score,
    storage="journal.log",
    random_state=0,
)
{more}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Working directory of the command, which leaves the import path as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def write(folder):
    def write(more="", seconds=0.0):
        path = folder / "study.py"
        path.write_text(STUDY.format(more=more, seconds=seconds))
        return path

    return write


@pytest.fixture
def run(capsys):
    """Lines that the command prints."""

    def run(*arguments):
        main(["worker", *map(str, arguments)])
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def refused(capsys):
    """The only line of its error."""

    def refused(*arguments, code=2):
        with pytest.raises(SystemExit) as stop:
            main(["worker", *map(str, arguments)])
        assert stop.value.code == code
        # The bar stands there too.
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gl")]
        (line,) = lines
        assert line.startswith("glassclf: ")
        return line

    return refused


def load_study():
    storage = open_storage("journal.log")
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def trials():
    return load_study().trials


def test_a_worker_completes_a_study_and_saves_the_model(write, run, folder):
    first, best, saved = run(write())
    assert re.fullmatch("study search-[0-9a-f]{8}: 3 trials", first)
    values = {trial.value: trial.params for trial in trials()}
    assert best == f"best score {max(values):.6g} with {values[max(values)]}"
    assert saved == f"fitted to all data and saved as {folder / 'study.safetensors'}"
    assert glassclf.load(folder / "study.safetensors").C == values[max(values)]["C"]
    assert run(write()) == [first, best, saved]
    assert len(trials()) == 3


def test_the_model_goes_where_it_is_wanted(write, run, refused, folder, monkeypatch):
    (folder / "models").mkdir()
    lines = run(write(), "--output", "models/best.safetensors")
    assert lines[-1] == "fitted to all data and saved as models/best.safetensors"
    assert glassclf.load("models/best.safetensors").C > 0
    monkeypatch.setenv("HOME", str(folder / "models"))
    run(write(), "--output", "~/again.safetensors")
    assert sorted(path.name for path in folder.rglob("*.safetensors")) == [
        "again.safetensors",
        "best.safetensors",
    ]
    error = refused(write(), "--output", "nowhere/best.safetensors")
    assert error == "glassclf: nowhere, where the model is to be saved, is no folder"


def test_modules_beside_the_script_can_be_imported(write, run, folder):
    (folder / "my_own_helper_of_the_study.py").write_text("GROUPS = list(range(12)) * 2\n")
    lines = run(write("from my_own_helper_of_the_study import GROUPS as groups"))
    assert lines[0].endswith("3 trials")


def test_a_guarded_fit_is_not_run(write, run):
    lines = run(write('if __name__ == "__main__":\n    raise SystemError("by hand only")'))
    assert lines[0].endswith("3 trials")


def test_without_refit_no_model_is_saved(write, run, folder):
    assert len(run(write("search.set_params(refit=False)"))) == 2
    assert not list(folder.glob("*.safetensors"))


def test_several_objectives_print_the_front(write, run, folder):
    more = 'search.set_params(scoring=["accuracy", "n_parameters"], refit=False)'
    first, *front = run(write(more))
    assert first.endswith(": 3 trials")
    assert front
    for line in front:
        assert line.startswith("on the front: {'number': ")
        assert "'values': {'accuracy': 0." in line
        assert "'n_parameters': 4.0}" in line
    assert not list(folder.glob("*.safetensors"))


def test_a_worker_that_is_not_the_last_leaves_the_rest(write, run):
    run(write("search.set_params(n_trials=1)"))
    study, other = load_study(), Worker(1e6)
    trial = claim(study, 3, other)
    trial.suggest_float("C", 1e-2, 1e2, log=True)
    end = threading.Timer(3.0, finish, [study, trial.number, "COMPLETE", [0.0]])
    end.start()
    (line,) = run(write())
    end.join()
    assert re.fullmatch("study search-[0-9a-f]{8}: no trial is left for this worker", line)
    assert len(study.trials) == 3


def test_the_end_of_the_time_can_be_told_from_the_end_of_the_study(write, refused):
    script = write("search.set_params(n_trials=10_000, timeout=0.5)")
    error = refused("--output", "best.safetensors", script, code=75)
    n_done = re.fullmatch(
        r"glassclf: timeout=0.5 is over: (\d+) of 10000 trials are done, start the worker again to "
        "go on",
        error,
    )[1]
    assert len(load_study().trials) == int(n_done)


def test_errors_are_one_line(write, refused, folder):
    assert refused("missing.py") == (
        "glassclf: missing.py is no file: give the Python file that defines the search"
    )
    (folder / "bare.py").write_text("search = X = 3\n")
    assert refused("bare.py") == (
        "glassclf: bare.py must define search, X and y (and may define groups), but has no y"
    )
    (folder / "empty.py").write_text("")
    assert refused("empty.py").endswith("but has no search, X, y")
    (folder / "other.py").write_text("search = X = y = 3\n")
    assert refused("other.py") == ("glassclf: search in other.py must be an OptunaSearch, got int")
    error = refused(write("search.set_params(storage=None)"))
    assert "study.py keeps its study in memory, where no other worker sees it: set" in error
    error = refused(write('search.set_params(storage="missing/journal.log")'))
    assert "storage='missing/journal.log' cannot be reached: " in error
    assert "'n_trials' parameter of OptunaSearch" in refused(write("search.set_params(n_trials=0)"))
    script = write("search.set_params(scoring=lambda estimator, X, y: float('nan'))")
    assert refused(script).endswith("the score of a fold must be a finite number, got nan")
    assert [trial.state.name for trial in trials()] == ["FAIL"]


def test_a_model_that_cannot_be_saved_leaves_its_study(write, refused, folder):
    more = "search.set_params(estimator=DecisionTreeClassifier(), scoring=None)\n"
    more += 'search.set_params(space={"max_depth": ("int", 1, 3)})'
    error = refused(write(more))
    assert re.match("glassclf: study search-[0-9a-f]{8} is complete, but ", error)
    assert "DecisionTreeClassifier" in error
    assert "joblib.dump keeps everything" in error
    assert "search.fit(X, y, groups) of the script fits the best one again" in error
    assert [trial.state.name for trial in trials()] == ["COMPLETE"] * 3
    assert not (folder / "study.safetensors").exists()


def start(script):
    return subprocess.Popen(
        [sys.executable, "-m", "glassclf", "worker", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": os.getcwd()},
    )


def wait_for_trials(process, n, timeout=60):
    """Wait until so many trials were begun, the last one with its parameters."""
    give_up = time.monotonic() + timeout
    while time.monotonic() < give_up and process.poll() is None:
        if os.path.exists("journal.log") and optuna.get_all_study_names(
            open_storage("journal.log")
        ):
            begun = [trial for trial in trials() if trial.params]
            if len(begun) >= n:
                return
        time.sleep(0.1)
    raise AssertionError(f"no trial began: {process.communicate()}")


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_sigterm_gives_the_running_trials_back(write, run, n_jobs):
    process = start(write(f"search.set_params(n_jobs={n_jobs})", seconds=30.0))
    try:
        wait_for_trials(process, n_jobs)
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 75, errors
    assert output == ""
    lines = [line for line in errors.splitlines() if line and not line.startswith("search ")]
    line = "glassclf: stopped by SIGTERM: the running trials are given back to the study, start "
    assert lines == [f"{line}the worker again to go on"]
    assert [trial.state.name for trial in trials()] == ["FAIL"] * n_jobs + ["WAITING"] * n_jobs
    given_back = [trial.params for trial in trials()[:n_jobs]]
    waiting = [trial.system_attrs["fixed_params"] for trial in trials()[n_jobs:]]
    assert waiting == given_back
    assert all(given_back)


def test_work_in_a_thread_leaves_signals_alone(write, run):
    parts, fitted = read_search(write()), []
    thread = threading.Thread(target=lambda: fitted.append(work(**parts)))
    before = signal.getsignal(signal.SIGTERM)
    thread.start()
    thread.join()
    assert fitted == [True]
    assert signal.getsignal(signal.SIGTERM) is before
