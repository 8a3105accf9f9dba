"""Energies of single particles, by numpy: no simulation engine is needed for them."""

import numpy as np

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.conversion import as_configurations
from glassclf.configurations.neighbors import pairs_one_way
from glassclf.simulation.potentials import PairPotential, check_fits_potential, get_potential


def particle_energies(X, *, potential="kob-andersen-2d"):
    """Compute the energy of each particle: half of that of each of its pairs.

    Parameters
    ----------
    X : Configuration, or anything that ``as_configurations`` takes
        In 2 or 3 dimensions, in any box.
    potential : str, default="kob-andersen-2d"
        Name of the interaction, as in :func:`quench`.

    Returns
    -------
    energies : ndarray of shape (n_particles,), or list of them
        In units of eps; one array for a Configuration, a list with one array each for a set. The
        mean over the particles is the potential energy per particle.

    Raises
    ------
    ValueError
        If there is no such potential, it is none of pairs, is made for another number of
        dimensions, or does not know a type; for a set the message names the configuration.

    Notes
    -----
    Reduced Lennard-Jones units. The potential is truncated at 2.5 sigma_ab and shifted to zero
    there; energies that are quoted without the shift are lower.

    Examples
    --------
    The two particles of a pair share its energy.

    >>> from glassclf.configurations import Configuration
    >>> from glassclf.simulation import particle_energies
    >>> pair = Configuration([[4.0, 5.0], [5.1225, 5.0]], [0, 0], [10.0, 10.0])
    >>> particle_energies(pair).round(4)
    array([-0.4918, -0.4918])
    """
    if isinstance(X, Configuration):
        return _energies_of_one(X, potential)
    energies = []
    for index, configuration in enumerate(as_configurations(X)):
        try:
            energies.append(_energies_of_one(configuration, potential))
        except ValueError as error:
            raise ValueError(f"configuration {index}: {error}") from error
    return energies


def _energies_of_one(configuration, name):
    check_fits_potential(configuration, name)
    potential = get_potential(name)
    if not isinstance(potential, PairPotential):
        raise ValueError(
            f"potential {name!r} is no pair potential: pairs have no energy of their own"
        )
    pairs = pairs_one_way(configuration, potential.cutoff * float(potential.sigma.max()))
    a, b = configuration.types[pairs.sources], configuration.types[pairs.targets]
    epsilon, sigma = potential.epsilon[a, b], potential.sigma[a, b]
    inside = pairs.distances < potential.cutoff * sigma
    attraction = (sigma[inside] / pairs.distances[inside]) ** 6
    at_cutoff = potential.cutoff**-6.0
    halves = 2 * epsilon[inside] * (attraction**2 - attraction - at_cutoff**2 + at_cutoff)
    n = configuration.n_particles
    return np.bincount(pairs.sources[inside], halves, n) + np.bincount(
        pairs.targets[inside], halves, n
    )
