"""Workers killed at random moments: the study gets exactly its trials, and a model."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import pytest

import glassclf
from glassclf.model_selection.liveness import WORKER
from glassclf.model_selection.sharing import DEATHS, ERROR, RETRY_OF, counts
from glassclf.model_selection.studies import open_storage

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_TRIALS = 16 if QUICK else 30
N_WORKERS = 4
N_KILLS = 4 if QUICK else 8
# Optuna takes away the lock of a journal from a dead process after 30 s, and it may happen twice.
LIMIT = 180.0

STUDY = """
import time

import numpy as np
from sklearn.linear_model import LogisticRegression

from glassclf.model_selection import OptunaSearch


def score(estimator, X, y):
    time.sleep({seconds} / 2)
    return estimator.score(X, y) - 0.01 * abs(np.log(estimator.C))


X = np.random.default_rng(0).random((24, 3))
y = np.arange(24) % 2
search = OptunaSearch(
    LogisticRegression(),
    {{"C": ("float", 1e-2, 1e2, "log")}},
    n_trials={n_trials},
    cv=2,
    scoring=score,
    storage={storage!r},
    random_state=0,
    grace_period=4.0,
)
"""


class Workers:
    """Processes that run ``glassclf worker`` on one script."""

    def __init__(self, script, output):
        server = Path(__file__).with_name("worker_server.py")
        self.script, self.output = script, output
        self.running, self.logs = [], {}
        self.process = subprocess.Popen(
            [sys.executable, server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(output.parent)},
        )
        assert self.process.stdout.readline() == "ready\n"

    def start(self):
        log = self.output.with_name(f"worker{len(self.logs)}.log")
        arguments = ["worker", str(self.script), "--output", str(self.output)]
        self.process.stdin.write(json.dumps({"arguments": arguments, "output": str(log)}) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        self.running.append(pid)
        self.logs[pid] = log

    def look(self):
        """Forget those that have ended by themselves, each of which must have done well."""
        for pid in [pid for pid in self.running if not Path(f"/proc/{pid}").exists()]:
            self.running.remove(pid)
            log = self.logs[pid]
            assert Path(f"{log}.code").read_text() == "0", log.read_text()

    def forget_dead(self):
        self.running = [pid for pid in self.running if Path(f"/proc/{pid}").exists()]

    def kill(self, pid):
        self.running.remove(pid)
        # It may have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start_workers():
    """Start a server of workers; all its processes end with the test."""
    with contextlib.ExitStack() as stack:

        def start(script, output):
            workers = Workers(script, output)
            stack.callback(workers.close)
            return workers

        yield start


@pytest.fixture(params=["journal", "postgresql"])
def storage(request, tmp_path):
    if request.param == "journal":
        return str(tmp_path / "journal.log")
    return request.getfixturevalue("database")


def write_study(tmp_path, storage, n_trials, seconds=0.2):
    script = tmp_path / "study.py"
    script.write_text(STUDY.format(storage=storage, n_trials=n_trials, seconds=seconds))
    return script


def read_study(storage):
    """The only study in a storage, once a worker has made it."""
    while not (names := optuna.get_all_study_names(storage)):
        time.sleep(0.05)
    (name,) = names
    return optuna.load_study(study_name=name, storage=storage)


def at_work(study):
    """Processes that run a trial, as the study has it."""
    running = [trial for trial in study.trials if trial.state.name == "RUNNING"]
    signed = [trial.user_attrs[WORKER] for trial in running if WORKER in trial.user_attrs]
    return [worker["process"]["pid"] for worker in signed]


def check_retries(trials, kills):
    """Check that each trial taken from a dead worker has failed, and was queued once at most.

    None is lost, unless whoever had just taken it was killed before it could queue it.
    """
    retried = [trial.user_attrs[RETRY_OF] for trial in trials if RETRY_OF in trial.user_attrs]
    assert len(retried) == len(set(retried))
    for trial in trials:
        if trial.state.name == "FAIL" and trial.params and ERROR not in trial.user_attrs:
            end = trial.datetime_complete
            hit = any(abs(kill - end) < timedelta(seconds=1) for kill in kills)
            assert trial.number in retried or hit
    for trial in trials:
        if RETRY_OF in trial.user_attrs:
            origin = trials[trial.user_attrs[RETRY_OF]]
            assert origin.state.name == "FAIL"
            assert not counts(origin)
            # Unless it was killed before it had asked for them.
            assert trial.state.name != "COMPLETE" or origin.params.items() <= trial.params.items()


@pytest.mark.slow
def test_workers_killed_at_random_moments(storage, start_workers, tmp_path):
    model = tmp_path / "best.safetensors"
    workers = start_workers(write_study(tmp_path, storage, N_TRIALS, seconds=0.5), model)
    for _ in range(N_WORKERS):
        workers.start()
    rng = random.Random(0)
    give_up = time.monotonic() + LIMIT
    study = read_study(open_storage(storage))
    kills, step = [], max(1, (N_TRIALS - N_WORKERS) // N_KILLS)
    while workers.running:
        assert time.monotonic() < give_up, study.trials
        workers.look()
        n_done = sum(trial.state.is_finished() for trial in study.trials if counts(trial))
        # Anyone now, whatever it does, and next time the one that has just begun a trial: others
        # may be done with theirs before the signal comes.
        choice = at_work(study)[-1:] if len(kills) % 2 else workers.running
        choice = [pid for pid in workers.running if pid in choice]
        if len(kills) < N_KILLS and n_done > len(kills) * step and choice:
            # In the quick form not while somebody writes a journal: its lock would stay for 30 s.
            while QUICK and os.path.lexists(f"{storage}.lock") and time.monotonic() < give_up:
                pass
            workers.kill(rng.choice(choice))
            workers.start()
            kills.append(datetime.now())
        time.sleep(rng.uniform(0.0, 0.05))
    assert len(kills) == N_KILLS
    trials = study.trials
    assert not any(trial.state.name == "RUNNING" for trial in trials)
    counted = [trial for trial in trials if counts(trial) and trial.state.is_finished()]
    assert len(counted) == N_TRIALS
    check_retries(trials, kills)
    assert any(RETRY_OF in trial.user_attrs for trial in trials), "no kill hit a trial"
    assert study.best_value == max(t.value for t in trials if t.state.name == "COMPLETE")
    assert glassclf.load(model).C == study.best_params["C"]
    last = [log.read_text() for log in workers.logs.values() if "best score" in log.read_text()]
    assert last
    assert all(f"best score {study.best_value:.6g} with" in text for text in last)


@pytest.mark.slow
def test_a_trial_that_kills_its_workers_is_given_up(start_workers, tmp_path):
    storage, model = str(tmp_path / "journal.log"), tmp_path / "best.safetensors"
    script = write_study(tmp_path, storage, n_trials=6, seconds=0.0)
    deadly = "import os\n\n\ndef score(estimator, X, y):\n    if estimator.C > 5:\n"
    deadly += "        os.kill(os.getpid(), 9)\n"
    script.write_text(script.read_text().replace("def score(estimator, X, y):\n", deadly))
    workers = start_workers(script, model)
    give_up = time.monotonic() + LIMIT
    while not model.exists():
        workers.start()
        while workers.running:
            assert time.monotonic() < give_up
            workers.forget_dead()
            time.sleep(0.02)
    trials = read_study(open_storage(storage)).trials
    counted = [trial for trial in trials if counts(trial)]
    failed = [trial for trial in counted if trial.state.name == "FAIL"]
    assert len(counted) == 6
    assert 0 < len(failed) < 6
    for trial in counted:
        assert (trial in failed) == (trial.params["C"] > 5)
    for trial in failed:
        assert trial.user_attrs[ERROR] == "the workers that ran it died, 3 times in a row"
        assert trial.user_attrs[DEATHS] == 2
        (first,) = (t for t in trials if t.params == trial.params and DEATHS not in t.user_attrs)
        assert first.number < trial.number
    assert len(workers.logs) == 1 + 3 * len(failed)
