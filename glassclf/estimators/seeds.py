"""Random numbers of a training: drawn from its own seed, without a trace outside."""

import contextlib
import threading

import torch
from sklearn.utils import check_random_state

# torch has one generator for all threads of a process: trainings take turns.
_GENERATOR = threading.RLock()


def draw_seed(random_state):
    """Draw a seed.

    Parameters
    ----------
    random_state : int, RandomState or None

    Returns
    -------
    seed : int
        The same for the same int.
    """
    return int(check_random_state(random_state).randint(2**31 - 1))


@contextlib.contextmanager
def seeded(seed, device):
    """Seed torch within the context, and restore its generators afterwards.

    Parameters
    ----------
    seed : int
    device : torch.device
        Where the training runs; generators of other devices are left alone.
    """
    cuda = []
    if device.type == "cuda":
        cuda = [torch.cuda.current_device() if device.index is None else device.index]
    with _GENERATOR, torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(seed)
        for index in cuda:
            torch.cuda.default_generators[index].manual_seed(seed)
        yield
