"""Data-parallel training, by two real processes on the CPU."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from glassclf.estimators import CNNClassifier, parallel

PROGRAM = Path(__file__).with_name("parallel_program.py")
spec = importlib.util.spec_from_file_location("parallel_program", PROGRAM)
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_accelerate = pytest.mark.skipif(
    importlib.util.find_spec("accelerate") is None,
    reason='data_parallel=True needs accelerate: pip install "glassclf[cluster]"',
)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What each of the two processes has kept, and the folder in which they trained."""
    folder = tmp_path_factory.mktemp("parallel")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc_per_node=2", str(PROGRAM), str(folder), "cpu"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(2)], folder


def weights(rank, name):
    return {k.partition("/")[2]: v for k, v in rank.items() if k.startswith(f"{name}/")}


@needs_accelerate
@pytest.mark.parametrize("name", program.TOGETHER)
def test_the_network_is_that_of_one_process(ranks, name):
    samples, y, sample_weight = program.make_samples()
    alone = clone(program.TOGETHER[name]).set_params(random_state=0, data_parallel=False)
    alone.fit(samples[name], y, sample_weight=sample_weight)
    expected = program.weights_of(alone)
    for rank in ranks[0]:
        found = weights(rank, name)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-5, err_msg=key)
        losses = alone.history_["train_loss"]
        np.testing.assert_allclose(rank[f"facts/{name}_loss"], losses, atol=1e-5)
        proba = alone.predict_proba(samples[name])
        np.testing.assert_allclose(rank[f"facts/{name}_proba"], proba, atol=1e-5)


@needs_accelerate
@pytest.mark.parametrize(
    "name", [*program.TOGETHER, "random", "plain", "uninterrupted", "resumed", "finished"]
)
def test_all_processes_end_with_equal_weights(ranks, name):
    first, second = (weights(rank, name) for rank in ranks[0])
    assert first
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)


@needs_accelerate
def test_random_numbers_differ_where_they_may(ranks):
    first, second = ranks[0]
    assert not np.array_equal(first["facts/own"], second["facts/own"])
    np.testing.assert_array_equal(first["facts/common"], second["facts/common"])


@needs_accelerate
def test_a_training_stopped_in_one_process_goes_on_in_all(ranks):
    (first, second), folder = ranks
    assert first["facts/stopped_by"] == second["facts/stopped_by"] == "SIGTERM"
    expected = weights(first, "uninterrupted")
    for name in ("resumed", "finished"):
        for key, value in weights(first, name).items():
            np.testing.assert_array_equal(value, expected[key], err_msg=f"{name} {key}")
    assert (folder / "checkpoint" / "latest.ckpt").exists()


@needs_accelerate
def test_the_main_process_alone_warns(ranks):
    first, second = ranks[0]
    assert len(first["facts/warnings"]) == 1
    assert len(second["facts/warnings"]) == 0


@needs_accelerate
@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("other_data", "the processes of data_parallel=True were given different data"),
        ("unwritable", "cannot be written"),
    ],
)
def test_errors_reach_all_processes(ranks, fact, message):
    for rank in ranks[0]:
        assert message in str(rank[f"facts/{fact}"])


@needs_accelerate
def test_a_single_process_trains_as_usual(images):
    X, y = images
    model = CNNClassifier(n_filters=(4,), max_epochs=2, random_state=0)
    together = clone(model).set_params(data_parallel=True)
    with pytest.warns(UserWarning, match="this is the only process: start the program with"):
        together.fit(X, y)
    np.testing.assert_array_equal(together.predict_proba(X), model.fit(X, y).predict_proba(X))


def test_missing_accelerate(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match=r"data_parallel=True needs accelerate: pip install"):
        CNNClassifier(data_parallel=True).fit(*images)


@needs_accelerate
def test_workers_of_joblib_are_refused(images, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    X, y = images
    model = CNNClassifier(n_filters=(4,), max_epochs=1, data_parallel=True)
    with (
        joblib.parallel_config(backend="threading"),
        pytest.raises(ValueError, match="cannot train in a worker of joblib: use n_jobs=1"),
    ):
        cross_val_score(model, X, y, cv=2, n_jobs=2, error_score="raise")


@needs_accelerate
def test_all_processes_on_one_gpu_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="device='cuda:0' would put all 2 processes on one GPU"):
        parallel.join_processes(torch.device("cuda:0"))


@needs_accelerate
def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "200")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "100")
    with pytest.raises(ValueError, match="100 processes on this machine, but .* GPUs"):
        parallel.join_processes(torch.device("cuda"))


@needs_accelerate
def test_an_accelerator_for_one_process_is_refused(monkeypatch):
    from accelerate import PartialState

    monkeypatch.delenv("WORLD_SIZE", raising=False)
    PartialState._reset_state()
    try:
        PartialState(cpu=True)
        monkeypatch.setenv("WORLD_SIZE", "2")
        with pytest.raises(ValueError, match="it was set up for 1 on 'cpu'"):
            parallel.join_processes(torch.device("cpu"))
    finally:
        PartialState._reset_state()
