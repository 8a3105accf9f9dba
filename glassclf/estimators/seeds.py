"""Random numbers of a training: drawn from its own seed, without a trace outside."""

import contextlib
import random
import threading

import numpy as np
import torch
from sklearn.utils import check_random_state

# The generators are shared by all threads of a process: trainings take turns.
_GENERATORS = threading.RLock()


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
    """Seed torch, NumPy and Python within the context, and restore their generators afterwards.

    The networks draw from torch alone; modules and callbacks of a user may draw from the others.

    Parameters
    ----------
    seed : int
    device : torch.device
        Where the training runs; generators of other devices are left alone.
    """
    with _GENERATORS:
        before = random_states(device)
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.default_generators[_index(device)].manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            restore_random_states(before, device)


def random_states(device):
    """States of all generators that a training on a device may use.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    states : dict
        Of tensors and plain values, which can be kept without pickle.
    """
    numpy_name, numpy_keys, *numpy_rest = np.random.get_state()  # noqa: NPY002
    version, python_keys, python_gauss = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "numpy": [numpy_name, torch.from_numpy(numpy_keys.astype(np.int64)), *numpy_rest],
        "python": [version, torch.tensor(python_keys), python_gauss],
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(_index(device))
    return states


def restore_random_states(states, device):
    """Set the generators to states that :func:`random_states` returned.

    Parameters
    ----------
    states : dict
    device : torch.device
    """
    torch.set_rng_state(states["torch"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys.tolist()), gauss))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], _index(device))


def _index(device):
    return torch.cuda.current_device() if device.index is None else device.index
