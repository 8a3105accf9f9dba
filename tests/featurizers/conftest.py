"""Random and crystalline configurations that the featurizer tests share."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations


def make_gas(n_particles, box, *, periodic=True, n_configurations=1, n_types=2, seed=0, info=None):
    """Particles anywhere in the box, independent of each other."""
    rng = np.random.default_rng(seed)
    box = np.array(box, dtype=float)
    cell = np.diag(box) if box.ndim == 1 else box
    return Configurations(
        Configuration(
            rng.random((n_particles, len(box))) @ cell,
            # Every type is there, whatever the seed.
            rng.permutation(np.arange(n_particles) % n_types),
            box,
            periodic,
            {name: values[index] for name, values in (info or {}).items()},
        )
        for index in range(n_configurations)
    )


def make_lattice(cell, basis, n_cells):
    """A crystal of one type in a periodic box."""
    cell, basis = np.array(cell, dtype=float), np.array(basis, dtype=float)
    corners = np.stack(np.meshgrid(*[np.arange(n_cells)] * len(cell)), axis=-1)
    fractions = (corners.reshape(-1, 1, len(cell)) + basis).reshape(-1, len(cell))
    return Configuration(fractions @ cell, np.zeros(len(fractions), dtype=int), n_cells * cell)


@pytest.fixture(scope="session")
def gas():
    return make_gas


@pytest.fixture(scope="session")
def square():
    return make_lattice(np.eye(2), [[0, 0]], 6)


@pytest.fixture(scope="session")
def triangular():
    return make_lattice([[1, 0], [0.5, np.sqrt(0.75)]], [[0, 0]], 6)


@pytest.fixture(scope="session")
def face_centred_cubic():
    return make_lattice(np.eye(3), [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 3)
