"""Deterministic algorithms for the time of a training."""

import contextlib
import os

import torch

# What cuBLAS needs to be told before its first use in a process; torch accepts either.
WORKSPACES = (":4096:8", ":16:8")


@contextlib.contextmanager
def deterministic_algorithms(device):
    """Make torch use deterministic algorithms alone within the context.

    The settings of torch are restored afterwards, also after a failure.

    Parameters
    ----------
    device : torch.device
        Where the training runs.

    Raises
    ------
    ValueError
        On a GPU, if the environment variable CUBLAS_WORKSPACE_CONFIG is not set.
    RuntimeError
        If the network does something for which torch has no deterministic algorithm.
    """
    if device.type == "cuda" and os.environ.get("CUBLAS_WORKSPACE_CONFIG") not in WORKSPACES:
        raise ValueError(
            "deterministic=True on a GPU needs the environment variable "
            f"CUBLAS_WORKSPACE_CONFIG={WORKSPACES[0]}, set before the program starts"
        )
    cudnn = torch.backends.cudnn
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    flags = cudnn.deterministic, cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    except RuntimeError as error:
        operation, found, _ = str(error).partition(" does not have a deterministic implementation")
        if not found:
            raise
        raise RuntimeError(
            f"deterministic=True: torch has no deterministic {operation} on this device; change "
            "the network, or use deterministic=False"
        ) from error
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        cudnn.deterministic, cudnn.benchmark = flags
