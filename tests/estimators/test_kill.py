"""Trainings killed with SIGKILL at random moments end with the weights of an unharmed one."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glassclf.estimators.checkpoint import LATEST

HARDENED = {
    "augment": ["shifts", "quarter_turns", "mirrors"],
    "dropout": 0.2,
    "early_stopping": True,
    "patience": 8,
}
# Every schedule, estimator and way of saving; about a second each.
TASKS = {
    "constant": ("CNNClassifier", {**HARDENED, "average_weights": 0.9}),
    "exponential": ("MPNNRegressor", {"checkpoint_batches": 1, "n_layers": 2}),
    "noam": ("CNNRegressor", {**HARDENED, "clip_norm": 1.0}),
    "cosine": ("CNNClassifier", {"optimizer": "sgd", "dropout": 0.5, "checkpoint_batches": 2}),
    "linear": ("MPNNClassifier", {"early_stopping": True, "dropout": 0.3, "n_layers": 2}),
    "plateau": ("CNNClassifier", {**HARDENED, "plateau_patience": 1, "checkpoint_batches": 3}),
    "threshold": ("CNNClassifier", {**HARDENED, "threshold": (0.6, 0.8), "lr": 3e-2}),
}
KILLS_OF_A_TASK = 3


class Server:
    """The process that trains in children."""

    def __init__(self):
        script = Path(__file__).with_name("kill_server.py")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout.readline() == "ready\n"

    def start(self, task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


def make_task(kind, parameters, folder, name):
    epochs = 24 if kind.startswith("CNN") else 12
    defaults = {"random_state": 1, "max_epochs": epochs, "batch_size": 8}
    parameters = {**defaults, **parameters}
    checkpoint = None if name == "whole" else str(folder / name)
    parameters["checkpoint"] = checkpoint
    return {"kind": kind, "parameters": parameters, "result": str(folder / f"{name}.digest")}


def kill(pid):
    # It may have ended by itself.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run_to_the_end(server, task):
    server.start(task)
    assert server.wait() == 0
    return Path(task["result"]).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("schedule", TASKS)
def test_killed_at_random_moments(server, tmp_path, schedule):
    kind, parameters = TASKS[schedule]
    parameters = {"schedule": schedule, "validation_fraction": 0.3, **parameters}
    start = time.monotonic()
    whole = run_to_the_end(server, make_task(kind, parameters, tmp_path, "whole"))
    duration = time.monotonic() - start
    rng = random.Random(schedule)
    task = make_task(kind, parameters, tmp_path, "killed")
    n_kills = 0
    while n_kills < KILLS_OF_A_TASK:
        pid = server.start(task)
        time.sleep(rng.uniform(0.05, 0.2) * duration)
        kill(pid)
        if server.wait() != -signal.SIGKILL:
            break
        n_kills += 1
    assert n_kills == KILLS_OF_A_TASK, f"it ended after {n_kills} kills"
    assert run_to_the_end(server, task) == whole


@pytest.mark.slow
def test_killed_while_a_checkpoint_is_written(server, tmp_path):
    # A network of megabytes, saved after every batch: much of the time is spent on writing.
    parameters = {"n_filters": (64, 128, 128), "checkpoint_batches": 1, "max_epochs": 3}
    whole = run_to_the_end(server, make_task("CNNClassifier", parameters, tmp_path, "whole"))
    task = make_task("CNNClassifier", parameters, tmp_path, "killed")
    folder = Path(task["parameters"]["checkpoint"])
    n_torn = 0
    for _ in range(4):
        pid = server.start(task)
        while not any(folder.glob(f".*-{LATEST}")) and not Path(task["result"]).exists():
            pass
        kill(pid)
        server.wait()
        n_torn += any(folder.glob(f".*-{LATEST}"))
    assert n_torn >= 1, "no kill fell into the writing of a checkpoint"
    assert run_to_the_end(server, task) == whole
