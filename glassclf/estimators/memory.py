"""What to do when a GPU runs out of memory."""

import contextlib

import torch


@contextlib.contextmanager
def explained_out_of_memory(batch_size):
    """Say which batch size to try where a device runs out of memory.

    Parameters
    ----------
    batch_size : int
        The present one.

    Raises
    ------
    torch.OutOfMemoryError
        In place of torch's own, which names bytes alone.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        if batch_size > 1:
            advice = f"with batch_size={batch_size}: try batch_size={batch_size // 2}"
        else:
            advice = 'with batch_size=1: use smaller samples, a smaller network or precision="bf16"'
        raise torch.OutOfMemoryError(f"the device ran out of memory {advice} ({error})") from error
