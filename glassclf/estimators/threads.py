"""The number of threads that torch works with."""

import contextlib

import torch


@contextlib.contextmanager
def torch_threads(n_threads):
    """Let torch work with a number of threads within the context.

    Two thread counts add numbers in two orders, and so train to different weights.

    Parameters
    ----------
    n_threads : int or None
        None leaves it as it is.
    """
    before = torch.get_num_threads()
    if n_threads is not None and n_threads != before:
        torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
