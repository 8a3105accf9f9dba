"""Small seeded sets of configurations that the checks, and users' own tests, run on."""

import numpy as np
from sklearn.utils import check_random_state

from glassclf.configurations import Configuration, Configurations

SPACING = 1.0
CELLS = {2: (6, 7), 3: (6, 6, 6)}
SHARE_OF_TYPE_ZERO = 0.65


def noisy_lattice(noise, *, n_cells=(6, 7), types=(0, 1), periodic=True, info=None, random_state=0):
    """Particles near the sites of a square or cubic lattice.

    Parameters
    ----------
    noise : float or None
        Standard deviation of the displacement from the site, in units of the lattice spacing 1;
        None puts the particles anywhere in the box.
    n_cells : tuple of int, default=(6, 7)
        Lattice sites along each direction; their number is the number of dimensions.
    types : tuple of int, default=(0, 1)
        Types given to the particles, the first to about 65 % of them. Each occurs.
    periodic : bool or sequence of bool, default=True
        As in :class:`~glassclf.configurations.Configuration`.
    info : dict, default=None
        As in :class:`~glassclf.configurations.Configuration`.
    random_state : int, RandomState instance or None, default=0
        Seed of the displacements and of the types.

    Returns
    -------
    configuration : Configuration
        With ``prod(n_cells)`` particles at density 1.

    Examples
    --------
    >>> from glassclf.testing import noisy_lattice
    >>> noisy_lattice(0.05, n_cells=(3, 2))
    Configuration(n_particles=6, n_dims=2, types=[0, 1], box=[3.0, 2.0], periodic=True)
    """
    rng = check_random_state(random_state)
    box = SPACING * np.array(n_cells, dtype=np.float64)
    sites = np.stack(np.meshgrid(*map(np.arange, n_cells), indexing="ij"), axis=-1)
    positions = (sites.reshape(-1, len(n_cells)) + 0.5) * SPACING
    if noise is None:
        positions = rng.uniform(size=positions.shape) * box
    else:
        positions = (positions + noise * rng.normal(size=positions.shape)) % box
    n_rest = int(round((1 - SHARE_OF_TYPE_ZERO) * len(positions)))
    given = np.full(len(positions), types[0])
    given[:n_rest] = np.resize(types[1:] or types, n_rest)
    return Configuration(positions, rng.permutation(given), box, periodic, info)


def two_phases(n_runs=8, *, n_dims=2, types=(0, 1), random_state=0):
    """Ordered and disordered configurations, one of each in every run.

    Parameters
    ----------
    n_runs : int, default=8
        Number of runs; the set has twice as many configurations.
    n_dims : {2, 3}, default=2
        Number of spatial dimensions.
    types : tuple of int, default=(0, 1)
        Particle types that occur.
    random_state : int, RandomState instance or None, default=0
        Seed of the set.

    Returns
    -------
    X : Configurations of shape (2 * n_runs,)
        With ``info["run"]`` and ``info["temperature"]``; run by run: ordered, disordered.
    y : ndarray of str of shape (2 * n_runs,)
        "glass" for the ordered ones, "liquid" for the others.
    groups : ndarray of str of shape (2 * n_runs,)
        The run of each configuration.

    Examples
    --------
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases(n_runs=2)
    >>> len(X), y.tolist(), groups.tolist()
    (4, ['glass', 'liquid', 'glass', 'liquid'], ['run 0', 'run 0', 'run 1', 'run 1'])
    """
    rng = check_random_state(random_state)
    y = np.tile(["glass", "liquid"], n_runs)
    groups = np.array([f"run {run}" for run in np.repeat(np.arange(n_runs), 2)])
    X = Configurations(
        noisy_lattice(
            0.05 if label == "glass" else None,
            n_cells=CELLS[n_dims],
            types=types,
            info={"run": str(run), "temperature": 0.05 if label == "glass" else 1.0},
            random_state=rng,
        )
        for label, run in zip(y, groups)
    )
    return X, y, groups


def graded_disorder(n_runs=8, *, random_state=0):
    """Configurations of growing disorder, and the disorder as a target for regression.

    Parameters
    ----------
    n_runs : int, default=8
        Number of runs of two configurations each.
    random_state : int, RandomState instance or None, default=0
        Seed of the set.

    Returns
    -------
    X : Configurations of shape (2 * n_runs,)
        With ``info["run"]``.
    y : ndarray of shape (2 * n_runs,)
        The displacement from the lattice, scaled to run from -1 to 1.
    groups : ndarray of str of shape (2 * n_runs,)
        The run of each configuration.

    Examples
    --------
    >>> from glassclf.testing import graded_disorder
    >>> X, y, groups = graded_disorder(n_runs=2)
    >>> y.round(2).tolist()
    [-1.0, -0.33, 0.33, 1.0]
    """
    rng = check_random_state(random_state)
    y = np.linspace(-1.0, 1.0, 2 * n_runs)
    groups = np.array([f"run {run}" for run in np.arange(2 * n_runs) % n_runs])
    X = Configurations(
        noisy_lattice(0.15 + 0.13 * target, info={"run": str(run)}, random_state=rng)
        for target, run in zip(y, groups)
    )
    return X, y, groups


def without_info(X):
    """Give the same configurations without their info."""
    return Configurations(
        Configuration(one.positions, one.types, one.box, one.periodic) for one in X
    )


def as_triples(X):
    """Give the configurations as (positions, types, box) triples of plain arrays."""
    return [(one.positions.copy(), one.types.copy(), one.box) for one in X]
