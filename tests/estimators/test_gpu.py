"""What only a GPU can show. Where there is none, each test says so."""

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

from glassclf.estimators import CNNClassifier

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, and torch finds none"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

PROGRAM = Path(__file__).with_name("gpu_program.py")
spec = importlib.util.spec_from_file_location("gpu_program", PROGRAM)
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)


def start(command, folder, **environment):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), command, str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["cnn", "mpnn"])
def task(request):
    models, samples, y = program.make_samples()
    return models[request.param].set_params(device="cuda", dropout=0.0), samples[request.param], y


@pytest.fixture
def little_memory():
    """Let this process have a tenth of a gigabyte of the GPU."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 1e8 / total))
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.mark.parametrize("precision", ["bf16", "16"])
def test_half_precision(task, precision):
    model, X, y = task
    if precision == "bf16" and not torch.cuda.is_bf16_supported():
        with pytest.raises(ValueError, match='precision="bf16" needs a newer GPU'):
            model.set_params(precision="bf16").fit(X, y)
        pytest.skip("this GPU has no bfloat16")
    single = clone(model).fit(X, y)
    half = model.set_params(precision=precision).fit(X, y)
    np.testing.assert_allclose(
        half.history_["train_loss"], single.history_["train_loss"], atol=0.15
    )
    assert {tensor.dtype for tensor in half.net_.module_.parameters()} == {torch.float32}


def test_data_on_the_gpu(task):
    model, X, y = task
    model.set_params(validation_fraction=0.25)
    moved = clone(model).set_params(data_device="cuda").fit(X, y)
    expected = model.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(moved.predict_proba(X), expected, atol=1e-3)
    assert np.isfinite(moved.history_["valid_score"]).all()


def test_compiled(task):
    model, X, y = task
    plain = clone(model).fit(X, y).predict_proba(X)
    compiled = model.set_params(compile=True).fit(X, y)
    np.testing.assert_allclose(compiled.predict_proba(X), plain, atol=1e-2)


def test_deterministic_trainings_and_resumes_are_equal(tmp_path):
    start("deterministic", tmp_path, CUBLAS_WORKSPACE_CONFIG=":4096:8")


def test_out_of_memory_names_a_batch_size(little_memory):
    X = np.zeros((64, 1, 256, 256), dtype=np.float32)
    model = CNNClassifier(n_filters=(64,), device="cuda", batch_size=64, max_epochs=1)
    with pytest.raises(torch.OutOfMemoryError, match="with batch_size=64: try batch_size=32"):
        model.fit(X, np.arange(64) % 2)


def test_data_that_do_not_fit_name_their_bytes(little_memory):
    X = np.zeros((1000, 1, 256, 256), dtype=np.float32)
    model = CNNClassifier(n_filters=(2,), device="cuda", data_device="cuda", max_epochs=1)
    with pytest.raises(torch.OutOfMemoryError, match="the samples take 262,144,000 bytes, of wh"):
        model.fit(X, np.arange(1000) % 2)


def test_a_model_predicts_where_no_gpu_is(tmp_path):
    models, samples, y = program.make_samples()
    for name, model in models.items():
        # All that keeps weights of its own while it trains.
        model.set_params(device="cuda", early_stopping=True, average_weights=0.9, precision="16")
        joblib.dump(model.fit(samples[name], y), tmp_path / f"{name}.joblib")
    start("predict", tmp_path, CUDA_VISIBLE_DEVICES="")
    for name, model in models.items():
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(found, model.predict_proba(samples[name]), atol=1e-3)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_train_together(tmp_path):
    parallel_program = PROGRAM.with_name("parallel_program.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc_per_node=2", str(parallel_program), str(tmp_path), "cuda"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    first, second = (dict(np.load(tmp_path / f"{rank}.npz")) for rank in range(2))
    names = [name for name in first if not name.startswith("facts/")]
    for name in names:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5, err_msg=name)
