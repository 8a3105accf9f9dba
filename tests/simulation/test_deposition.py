"""Vapour deposition: the substrate, batches, the surface, the lid and the gas."""

from dataclasses import replace

import numpy as np
import pytest

from glassclf.configurations import pairs_within
from glassclf.simulation.deposition import (
    SLAB,
    add_vapor,
    deposit,
    find_gas,
    make_substrate,
    random_points,
    surface_height,
)
from glassclf.simulation.film_system import FilmState, FilmSystem

WIDTH = 12.0


@pytest.fixture(scope="module")
def substrate():
    pytest.importorskip("lammps")
    return make_substrate(WIDTH, 0.189, np.random.default_rng(0))


def film_of(points, types=None, width=WIDTH, lid=20.0):
    """A film without substrate particles below it, unless types say so."""
    points = np.asarray(points, dtype=float)
    types = np.zeros(len(points), dtype=int) if types is None else np.asarray(types)
    return FilmState(
        positions=points,
        velocities=np.zeros_like(points),
        types=types,
        anchors=points[types == 2],
        width=width,
        lid=lid,
    )


def rows(n_rows, spacing=0.9, width=WIDTH):
    x, y = np.meshgrid(np.arange(0, width, spacing), np.arange(n_rows) * spacing + 0.5)
    return np.column_stack([x.ravel(), y.ravel()])


def test_substrate_is_a_dense_disordered_layer(substrate):
    n = len(substrate.types)
    assert n == 54
    assert set(substrate.types) == {2}
    assert surface_height(substrate) == 4.0
    pairs = pairs_within(substrate.configuration(), 1.2)
    assert pairs.distances.min() > 0.7
    np.testing.assert_array_equal(substrate.positions, substrate.anchors)
    assert substrate.film.sum() == 0


def test_substrate_is_seeded(substrate):
    again = make_substrate(WIDTH, 0.189, np.random.default_rng(0))
    np.testing.assert_array_equal(again.positions, substrate.positions)
    np.testing.assert_array_equal(again.velocities, substrate.velocities)
    other = make_substrate(WIDTH, 0.189, np.random.default_rng(1))
    assert not np.array_equal(other.positions, substrate.positions)


def test_substrate_has_its_temperature():
    pytest.importorskip("lammps")
    wide = make_substrate(60.0, 0.189, np.random.default_rng(0))
    measured = (wide.velocities**2).sum(axis=1).mean() / 2
    assert measured == pytest.approx(0.189, abs=4 * 0.189 / np.sqrt(len(wide.types)))


def test_vapor_flies_down_above_the_surface(substrate):
    state = add_vapor(substrate, (7, 3), np.random.default_rng(3))
    new = slice(len(substrate.types), None)
    assert state.types[new].tolist() == [0] * 7 + [1] * 3
    heights = state.positions[new, 1] - surface_height(substrate)
    assert ((heights >= SLAB[0]) & (heights <= SLAB[1])).all()
    assert (state.velocities[new, 1] <= -0.2).all()
    assert state.lid == surface_height(substrate) + 7
    np.testing.assert_array_equal(state.positions[: new.start], substrate.positions)


def test_vapor_has_two_degrees_of_freedom(substrate):
    rng = np.random.default_rng(0)
    states = [add_vapor(substrate, (6, 4), rng) for _ in range(300)]
    velocities = np.concatenate([state.velocities[-10:] for state in states])
    # The slowest are made a little faster: 0.006 of 2 T = 1.
    assert (velocities**2).sum(axis=1).mean() == pytest.approx(1.006, abs=0.06)
    assert velocities[:, 0].mean() == pytest.approx(0, abs=0.06)


def test_vapor_keeps_its_distance_from_gas_and_images(substrate):
    gas = [[0.2, 8.0], [6.0, 7.5]]
    state = replace(
        substrate,
        positions=np.concatenate([substrate.positions, gas]),
        velocities=np.concatenate([substrate.velocities, np.zeros((2, 2))]),
        types=np.append(substrate.types, [0, 0]),
    )
    for seed in range(20):
        full = add_vapor(state, (7, 3), np.random.default_rng(seed))
        upper = full.configuration().positions[-12:]
        pairs = pairs_within(film_of(upper).configuration(), 1.5)
        assert pairs.distances.min() >= 1.0


def test_lid_never_sinks(substrate):
    high = replace(substrate, lid=30.0)
    assert add_vapor(high, (7, 3), np.random.default_rng(0)).lid == 30.0


def test_points_that_do_not_fit_are_counted():
    words = r"only \d+ of 40 particles fit between the heights 1 and 3 .* use a larger width"
    with pytest.raises(RuntimeError, match=words):
        random_points(np.empty((0, 2)), 40, 12.0, 1.0, 3.0, 1.0, np.random.default_rng(0))


def test_surface_does_not_follow_the_gas():
    film = rows(6)
    assert surface_height(film_of(film)) == surface_height(film_of([*film, [3.0, 17.0]])) == 6.0


def test_gas_is_what_no_chain_joins_to_the_substrate():
    points = rows(3)
    types = np.where(points[:, 1] < 1, 2, 0)
    droplet = [[3.0, 9.0], [3.9, 9.0], [3.0, 9.9]]
    # A column that leans over the periodic boundary.
    column = [[11.5, 3.5], [0.3, 4.3], [0.3, 5.4]]
    state = film_of([*points, *droplet, *column], [*types, 0, 1, 0, 0, 1, 0])
    gas = find_gas(state)
    assert np.flatnonzero(gas).tolist() == [len(points), len(points) + 1, len(points) + 2]


def test_batches_are_65_to_35_in_pairs(substrate):
    rng = np.random.default_rng(5)
    state = substrate
    for n_done, n_type_1 in enumerate((3, 7)):
        state = deposit(state, n_done, 0.189, 4000, rng)
        assert (state.types < 2).sum() == 10 * (n_done + 1)
        assert (state.types == 1).sum() == n_type_1
        assert find_gas(state).sum() <= 1


def test_a_batch_ends_when_no_more_than_one_percent_is_gas(substrate):
    layers = rows(19, spacing=12 / 11) + [0, 4.5]
    thick = replace(
        substrate,
        positions=np.concatenate([substrate.positions, layers]),
        velocities=np.zeros((len(substrate.types) + len(layers), 2)),
        types=np.append(substrate.types, np.zeros(len(layers), dtype=int)),
        lid=30.0,
    )
    with FilmSystem(thick) as system:
        thick = system.quench()
    # After these steps half of the batch, 5 of 219 particles, is still on its way.
    state = deposit(thick, 0, 0.1, 1000, np.random.default_rng(0))
    assert state.film.sum() == 219
    assert find_gas(state).sum() <= 2


def test_film_that_does_not_condense_is_an_error(substrate):
    words = "10 of 10 particles are still gas after batch 1, at a substrate temperature of 0.189"
    with pytest.raises(RuntimeError, match=words):
        deposit(substrate, 0, 0.189, 4, np.random.default_rng(0))
