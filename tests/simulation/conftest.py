"""A plain twin of the potentials: energies and forces with numpy, pair by pair."""

import numpy as np
import pytest

from glassclf.configurations import pairs_within
from glassclf.simulation.potentials import get_potential


@pytest.fixture(scope="session")
def energy_and_forces():
    """Return the function: configuration -> energy per particle, force on each particle."""
    return _energy_and_forces


def _energy_and_forces(configuration, name="kob-andersen-2d"):
    potential = get_potential(name)
    pairs = pairs_within(configuration, potential.cutoff * potential.sigma.max())
    a, b = configuration.types[pairs.sources], configuration.types[pairs.targets]
    epsilon, sigma = potential.epsilon[a, b], potential.sigma[a, b]
    r = pairs.distances

    def lennard_jones(distance):
        return 4 * epsilon * ((sigma / distance) ** 12 - (sigma / distance) ** 6)

    inside = r < potential.cutoff * sigma
    energies = np.where(inside, lennard_jones(r) - lennard_jones(potential.cutoff * sigma), 0.0)
    slopes = np.where(inside, -24 * epsilon * (2 * (sigma / r) ** 12 - (sigma / r) ** 6) / r, 0.0)
    forces = np.zeros_like(configuration.positions)
    # The vector points from source to target; the source is pushed the other way where repelled.
    np.add.at(forces, pairs.sources, (slopes / r)[:, None] * pairs.vectors)
    return energies.sum() / 2 / configuration.n_particles, forces
