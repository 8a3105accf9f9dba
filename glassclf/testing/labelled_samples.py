"""A small set of configurations with energies and forces, made without a simulation."""

import numpy as np
from sklearn.utils import check_random_state

from glassclf.configurations import Configurations
from glassclf.testing.samples import noisy_lattice

EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
R_MAX = 2.0
ENERGY_ALONE = -3.0


def labelled_lattices(n_samples=12, *, noise=0.08, n_cells=(6, 7), random_state=0):
    """Noisy lattices of two types with the energies and forces of a smooth pair potential.

    Parameters
    ----------
    n_samples : int, default=12
        Number of configurations, two in each run.
    noise : float, default=0.08
        As in :func:`noisy_lattice`.
    n_cells : tuple of int, default=(6, 7)
        As in :func:`noisy_lattice`, each at least 5: the potential ends at a distance of 2.
    random_state : int, RandomState instance or None, default=0
        Seed of the set.

    Returns
    -------
    X : Configurations of shape (n_samples,)
        With ``info["run"]``.
    energy : ndarray of shape (n_samples,)
        Of whole configurations.
    forces : list of ndarray of shape (n_particles, n_dims)

    Examples
    --------
    >>> from glassclf.testing import labelled_lattices
    >>> X, energy, forces = labelled_lattices(4)
    >>> energy.shape, forces[0].shape
    ((4,), (42, 2))
    """
    rng = check_random_state(random_state)
    X = Configurations(
        noisy_lattice(noise, n_cells=n_cells, info={"run": f"run {i // 2}"}, random_state=rng)
        for i in range(n_samples)
    )
    energies, forces = zip(*(_label(one) for one in X))
    return X, np.array(energies), list(forces)


def pair_energy(r, a, b):
    """Energy of a pair of types a and b at distance r, and its derivative.

    Parameters
    ----------
    r : ndarray
    a, b : int or ndarray of int

    Returns
    -------
    energy, slope : ndarray
    """
    u = np.minimum(r / R_MAX, 1.0)
    end, slope = (1 - u**2) ** 3, -6 * u / R_MAX * (1 - u**2) ** 2
    core, core_slope = r**-6.0 - 1.0, -6 * r**-7.0
    return EPSILON[a, b] * core * end, EPSILON[a, b] * (core_slope * end + core * slope)


def _label(one):
    vectors = one.positions[None] - one.positions[:, None]
    vectors -= one.box * np.round(vectors / one.box)
    # No particle is its own neighbour.
    r = np.linalg.norm(vectors, axis=-1) + 10 * R_MAX * np.eye(one.n_particles)
    energy, slope = pair_energy(r, one.types[:, None], one.types[None])
    forces = ((slope / r)[:, :, None] * vectors).sum(axis=1)
    return energy.sum() / 2 + ENERGY_ALONE * one.n_particles, forces
