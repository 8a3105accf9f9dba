"""Deterministic algorithms within a training, and nowhere else."""

import contextlib

import pytest
import torch

from glassclf.estimators.determinism import deterministic_algorithms

CPU = torch.device("cpu")


def settings():
    cudnn = torch.backends.cudnn
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.deterministic,
        cudnn.benchmark,
    )


@pytest.mark.parametrize("warn_only", [False, True])
@pytest.mark.parametrize("failure", [None, ValueError, KeyboardInterrupt])
def test_settings_are_restored(warn_only, failure):
    torch.use_deterministic_algorithms(warn_only, warn_only=warn_only)
    torch.backends.cudnn.benchmark = warn_only
    before = settings()
    try:
        expected = pytest.raises(failure) if failure else contextlib.nullcontext()
        with expected, deterministic_algorithms(CPU):
            assert settings() == (True, False, True, False)
            if failure:
                raise failure
        assert settings() == before
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False


def test_operation_without_deterministic_algorithm():
    def write_twice():
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))

    write_twice()
    with (
        pytest.raises(RuntimeError, match="deterministic=True: torch has no deterministic put_ on"),
        deterministic_algorithms(CPU),
    ):
        write_twice()
    with pytest.raises(RuntimeError, match="^other$"), deterministic_algorithms(CPU):
        raise RuntimeError("other")
    assert not torch.are_deterministic_algorithms_enabled()


def test_gpus_need_an_environment_variable(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with (
        pytest.raises(ValueError, match="needs the environment variable CUBLAS_WORKSPACE_CONFIG="),
        deterministic_algorithms(torch.device("cuda:0")),
    ):
        pass
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with deterministic_algorithms(torch.device("cuda:0")):
        assert torch.are_deterministic_algorithms_enabled()
