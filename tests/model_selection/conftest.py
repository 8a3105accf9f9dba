import numpy as np
import pytest

from glassclf.testing import two_phases


@pytest.fixture(scope="session")
def images():
    """Small images of one channel, dark and bright, their labels and groups of two."""
    rng = np.random.default_rng(0)
    X = rng.random((64, 1, 8, 8), dtype=np.float32)
    y = np.array(["bright", "dark"] * 32)
    X[y == "bright"] += 0.5
    return X, y, np.repeat(np.arange(32), 2)


@pytest.fixture(scope="session")
def configurations():
    """Ordered and disordered configurations of 16 runs, their labels and runs."""
    return two_phases(n_runs=16)
