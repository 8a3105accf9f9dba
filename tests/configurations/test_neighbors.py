"""Neighbour search against a slow plain twin."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from glassclf.configurations import (
    Configuration,
    Configurations,
    nearest_neighbors,
    pairs_one_way,
    pairs_within,
    plane_distances,
)
from glassclf.featurizers import RDFFeaturizer
from glassclf.testing import noisy_lattice


def all_pairs(configuration, reach):
    """Every pair and image within reach: (source, target, vector), by plain loops over images."""
    positions, cell = configuration.positions, configuration.cell
    spread = np.ptp(positions @ np.linalg.inv(cell), axis=0)
    steps = np.ceil(reach / plane_distances(cell) + spread).astype(int) * configuration.periodic
    found = []
    for shift in product(*(range(-step, step + 1) for step in steps)):
        vectors = positions[None] - positions[:, None] + np.array(shift) @ cell
        lengths = np.linalg.norm(vectors, axis=2)
        for source, target in zip(*np.nonzero(lengths <= reach)):
            if source != target or any(shift):
                found.append((source, target, vectors[source, target]))
    return found


def rows_of(sources, targets, vectors):
    rows = np.column_stack([sources, targets, np.round(vectors, 7) + 0.0])
    return rows[np.lexsort(rows.T)]


@st.composite
def configurations(draw, max_particles=9):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_dims = draw(st.sampled_from([2, 3]))
    n_particles = draw(st.integers(1, max_particles))
    cell = np.diag(rng.uniform(0.6, 4.0, n_dims))
    if draw(st.booleans()):
        tilt = rng.uniform(-0.5, 0.5, (n_dims, n_dims)) * np.diag(cell)
        cell = cell + np.tril(tilt, -1)
    low, high = draw(st.sampled_from([(0.0, 1.0), (-2.0, 3.0)]))
    positions = rng.uniform(low, high, (n_particles, n_dims)) @ cell
    if draw(st.booleans()):
        positions[-1] = positions[0]
    periodic = rng.random(n_dims) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    return Configuration(positions, rng.integers(0, 2, n_particles), cell, periodic)


def assert_sorted(pairs):
    order = np.lexsort((pairs.targets, pairs.distances, pairs.sources))
    assert (order == np.arange(len(order))).all() or np.array_equal(
        np.column_stack(pairs[:2])[order], np.column_stack(pairs[:2])
    )


@settings(max_examples=150, deadline=None)
@given(configurations(), st.floats(0.2, 4.0))
def test_pairs_within_finds_every_image(configuration, r_max):
    pairs = pairs_within(configuration, r_max)
    expected = all_pairs(configuration, r_max)
    assert len(pairs.sources) == len(expected)
    if expected:
        assert rows_of(*pairs[:3]) == pytest.approx(rows_of(*zip(*expected)), abs=1e-6)
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors, axis=1), pairs.distances)
    assert_sorted(pairs)


@settings(max_examples=150, deadline=None)
@given(configurations(max_particles=40), st.integers(1, 8))
def test_nearest_neighbors_are_the_nearest_distinct_particles(configuration, n_neighbors):
    n_particles = configuration.n_particles
    if n_neighbors >= n_particles:
        with pytest.raises(ValueError, match="must be smaller than the number of particles"):
            nearest_neighbors(configuration, n_neighbors)
        return
    extent = np.abs(configuration.positions).max() + np.abs(configuration.cell).sum()
    nearest = np.full((n_particles, n_particles), np.inf)
    reach = 2.0 * extent if not configuration.periodic.any() else np.abs(configuration.cell).sum()
    reach = max(reach, 4 * extent * (~configuration.periodic).any())
    for source, target, vector in all_pairs(configuration, reach):
        if source != target:
            nearest[source, target] = min(nearest[source, target], np.linalg.norm(vector))
    expected = np.sort(nearest, axis=1)[:, :n_neighbors]

    pairs = nearest_neighbors(configuration, n_neighbors)

    assert pairs.sources.tolist() == np.repeat(np.arange(n_particles), n_neighbors).tolist()
    targets = pairs.targets.reshape(n_particles, n_neighbors)
    assert (targets != np.arange(n_particles)[:, None]).all()
    assert all(len(set(row)) == n_neighbors for row in targets.tolist())
    np.testing.assert_allclose(pairs.distances, expected.ravel(), atol=1e-9)
    np.testing.assert_allclose(pairs.distances, nearest[pairs.sources, pairs.targets], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(pairs.vectors, axis=1), pairs.distances)
    assert_sorted(pairs)


def square_lattice(n=6, spacing=1.0):
    grid = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=-1)
    positions = grid.reshape(-1, 2) * spacing
    return Configuration(positions, np.zeros(n * n, int), [n * spacing] * 2)


def test_square_lattice_has_four_neighbours_at_the_lattice_constant():
    pairs = pairs_within(square_lattice(), r_max=1.0)
    assert np.bincount(pairs.sources).tolist() == [4] * 36
    assert set(pairs.distances.tolist()) == {1.0}


def test_ties_go_to_the_lower_index():
    pairs = nearest_neighbors(square_lattice(), n_neighbors=3)
    touching = pairs_within(square_lattice(), r_max=1.0).targets.reshape(36, 4)
    assert pairs.targets.reshape(36, 3).tolist() == np.sort(touching, axis=1)[:, :3].tolist()


@pytest.mark.parametrize("tilt", [0.0, 1.5])
def test_order_of_particles_does_not_matter(tilt):
    rng = np.random.default_rng(3)
    positions, cell = rng.uniform(-4, 12, (60, 2)), np.array([[8.0, 0.0], [tilt, 7.0]])
    shuffled = rng.permutation(60)
    for search, limit in ((pairs_within, 1.4), (nearest_neighbors, 5)):
        one = search(Configuration(positions, np.zeros(60, int), cell), limit)
        two = search(Configuration(positions[shuffled], np.zeros(60, int), cell), limit)
        assert rows_of(*one[:3]) == pytest.approx(
            rows_of(shuffled[two.sources], shuffled[two.targets], two.vectors)
        )


@pytest.mark.parametrize("cell", [np.diag([5.0, 6.0]), np.array([[5.0, 0.0], [2.0, 6.0]])])
@pytest.mark.parametrize("r_max", [1.0, 7.0])
def test_both_directions_of_a_pair_are_exactly_opposite(cell, r_max):
    positions = np.random.default_rng(0).uniform(-9, 9, (20, 2))
    pairs = pairs_within(Configuration(positions, np.zeros(20, int), cell), r_max)
    there = {(s, t, *v) for s, t, v in zip(pairs.sources, pairs.targets, pairs.vectors.tolist())}
    back = {(t, s, *v) for s, t, v in zip(pairs.sources, pairs.targets, (-pairs.vectors).tolist())}
    assert there == back


def test_a_single_particle_meets_only_its_images():
    alone = Configuration([[0.3, 0.3]], [0], [1.0, 2.0])
    assert len(pairs_within(alone, 0.9).sources) == 0
    assert sorted(pairs_within(alone, 1.0).vectors.tolist()) == [[-1.0, 0.0], [1.0, 0.0]]
    with pytest.raises(ValueError, match="n_neighbors=1 for 1 particles"):
        nearest_neighbors(alone, 1)


@pytest.mark.parametrize("tilt", [0.0, 0.4])
def test_coincident_particles_are_neighbours_at_distance_zero(tilt):
    box = [[2.0, 0.0], [tilt, 2.0]]
    pairs = nearest_neighbors(Configuration([[0.5, 0.5]] * 5, [0] * 5, box), 2)
    assert pairs.distances.tolist() == [0.0] * 10
    assert pairs.targets.tolist() == [1, 2, 0, 2, 0, 1, 0, 1, 0, 1]
    assert len(pairs_within(Configuration([[0.5, 0.5]] * 5, [0] * 5, box), 0.5).sources) == 20


def test_a_long_thin_film_in_a_large_open_box():
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, [10, 1e-3, 10], (80, 3))
    cell = [[10.0, 0, 0], [0, 500.0, 0], [1.0, 0, 10.0]]
    pairs = nearest_neighbors(Configuration(positions, [0] * 80, cell, [True, False, True]), 4)
    assert len(pairs.sources) == 320
    assert pairs.distances.max() < 5


@pytest.mark.parametrize("r_max", [0, -1.0, np.inf, np.nan, "1"])
def test_r_max_must_be_a_positive_number(r_max):
    with pytest.raises(ValueError, match="r_max must be a positive number"):
        pairs_within(square_lattice(), r_max)


@pytest.mark.parametrize("n_neighbors", [0, -1, 2.0, "2", None])
def test_n_neighbors_must_be_a_positive_integer(n_neighbors):
    with pytest.raises(ValueError, match="n_neighbors must be a positive integer"):
        nearest_neighbors(square_lattice(), n_neighbors)


def test_the_configuration_stays_as_it_was():
    configuration = square_lattice()
    configuration.positions -= 20.0
    configuration.positions.flags.writeable = False
    before = configuration.positions.tobytes()
    pairs_within(configuration, 4.0)
    nearest_neighbors(configuration, 4)
    assert configuration.positions.tobytes() == before


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3, 1 / 3, 0.7])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_neighbours_at_exactly_the_radius_are_all_found(n_dims, shift):
    square = noisy_lattice(0.0, n_cells=(7,) * n_dims)
    moved = Configuration(square.positions + shift, square.types, square.box)
    pairs = pairs_within(moved, 1.0 + 1e-12)
    assert np.bincount(pairs.sources).tolist() == [2 * n_dims] * moved.n_particles


def test_far_particles_and_tiny_radii_take_no_memory():
    far = Configuration([[0.0, 0.0], [1e9, 1.0], [1e9, 2.0]], [0, 0, 0], [4.0, 4.0], [False, False])
    assert nearest_neighbors(far, 1).targets.tolist() == [1, 2, 1]
    assert len(pairs_within(far, 1e-9).sources) == 0
    in_line = Configuration([[x, 0.0] for x in range(50)], [0] * 50, [50.0, 1e6], [False, False])
    assert nearest_neighbors(in_line, 2).targets[:4].tolist() == [1, 2, 0, 2]


@pytest.mark.parametrize("n_neighbors", [1, 6, 70])
def test_crowds_and_loners_in_one_box(n_neighbors):
    rng = np.random.default_rng(0)
    positions = np.concatenate([rng.random((90, 2)) * 0.01, rng.random((10, 2)) * 50])
    configuration = Configuration(positions, np.zeros(100, int), [50.0, 50.0])
    pairs = nearest_neighbors(configuration, n_neighbors)
    vectors = positions[None] - positions[:, None]
    lengths = np.linalg.norm(vectors - 50 * np.round(vectors / 50), axis=2)
    np.fill_diagonal(lengths, np.inf)
    expected = np.sort(lengths, axis=1)[:, :n_neighbors]
    np.testing.assert_allclose(pairs.distances.reshape(100, -1), expected, rtol=1e-9)


@pytest.mark.parametrize("search", [pairs_within, pairs_one_way])
@pytest.mark.parametrize("r_max", [0.005, 20.0])
def test_pairs_of_a_crowd_are_all_found(search, r_max):
    """Far more of them than from the mean density."""
    rng = np.random.default_rng(0)
    positions = rng.random((200, 2)) * 0.01 + 25
    crowd = Configuration(positions, np.zeros(200, int), [50.0, 50.0])
    tree = cKDTree(positions)
    pairs = search(crowd, r_max)
    found = {tuple(sorted(pair)) for pair in zip(pairs.sources.tolist(), pairs.targets.tolist())}
    assert found == tree.query_pairs(r_max)
    assert len(pairs.sources) == (2 if search is pairs_within else 1) * len(found)
    steps = positions[pairs.targets] - positions[pairs.sources]
    np.testing.assert_allclose(pairs.vectors, steps, atol=1e-12)
    if search is pairs_within:
        order = np.lexsort((pairs.targets, pairs.distances, pairs.sources))
        np.testing.assert_array_equal(order, np.arange(len(order)))


def test_a_radius_far_beyond_an_open_box_takes_no_more_places_than_pairs():
    few = Configuration(np.random.default_rng(0).random((50, 3)), [0] * 50, [1.0] * 3, [False] * 3)
    pairs = pairs_within(few, 1000.0)
    assert len(pairs.sources) == 50 * 49
    assert pairs.distances.base is None or pairs.distances.base.size <= 50 * 50 + 1
    assert len(pairs_within(few, 1e200).sources) == 50 * 49


@pytest.mark.parametrize("search", [pairs_within, pairs_one_way])
@pytest.mark.parametrize("box", [[1.0, 1.0, 1.0], [140.0, 140.0, 1e-4]])
def test_boxes_that_do_not_hold_their_particles_take_no_memory(search, box):
    """The density of the box says nothing of that of the particles."""
    positions = np.random.default_rng(0).uniform(0, 140, (5000, 3))
    layer = Configuration(positions, np.zeros(5000, int), box, [False] * 3)
    tracemalloc.start()
    pairs = search(layer, 10.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    n_pairs = len(cKDTree(positions).query_pairs(10.0))
    assert len(pairs.sources) == n_pairs * (2 if search is pairs_within else 1)
    assert peak < 20e6
    arrays = pairs.targets, pairs.vectors, pairs.distances
    assert sum((a if a.base is None else a.base).nbytes for a in arrays) < 1.4 * sum(
        a.nbytes for a in arrays
    )


@pytest.mark.parametrize("periodic", [False, True])
def test_one_that_has_left_does_not_slow_down_the_others(periodic):
    """Work is proportional to the number of particles, in however empty a box."""
    rng = np.random.default_rng(0)
    n = 20_000
    crowd = np.concatenate([rng.random((n, 2)), [[5e4, 5e4]]])
    configuration = Configuration(crowd, np.zeros(n + 1, int), [1e5, 1e5], periodic)
    pairs = nearest_neighbors(configuration, 6)
    distances, _ = cKDTree(crowd).query(crowd, 7)
    np.testing.assert_allclose(pairs.distances.reshape(n + 1, 6), distances[:, 1:], rtol=1e-9)
    within = pairs_within(configuration, 0.01)
    assert len(within.sources) == 2 * len(cKDTree(crowd).query_pairs(0.01))


@pytest.mark.parametrize("search", [nearest_neighbors, pairs_within, pairs_one_way])
def test_only_a_configuration_is_searched(search):
    one = noisy_lattice(0.1)
    with pytest.raises(TypeError, match=r"must be a Configuration, such as X\[0\] of a set, got"):
        search(Configurations([one]), 1)
    with pytest.raises(TypeError, match="must be a Configuration.*got tuple"):
        search((one.positions, one.types, one.box), 1)
    with pytest.raises(ValueError, match="must be a positive"):
        search(one, True)


def test_a_radius_in_another_unit_is_refused_before_it_takes_the_memory():
    message = r"r_max=1e\+06 spans .* images of the box.*in one unit"
    with pytest.raises(ValueError, match=message):
        pairs_within(noisy_lattice(0.1), 1e6)
    with pytest.raises(ValueError, match="configuration 0: r_max=1e"):
        RDFFeaturizer(r_max=1e6).fit_transform([noisy_lattice(0.1)])


@pytest.mark.parametrize("distance", [1e3, 1e9])
def test_one_far_out_along_an_open_direction_finds_its_neighbours(distance):
    """Without the images of the box that reach as far."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 20, (400, 2))
    positions[[3, 7], 1] += [distance, distance + 4]
    pairs = nearest_neighbors(
        Configuration(positions, np.zeros(400, int), [20, 20], [True, False]), 6
    )
    found = pairs.distances.reshape(400, 6)
    vectors = positions[:, None] - positions
    vectors[..., 0] -= 20 * np.round(vectors[..., 0] / 20)
    expected = np.sort(np.linalg.norm(vectors, axis=2), axis=1)[:, 1:7]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert pairs.targets.reshape(400, 6)[[3, 7], 0].tolist() == [7, 3]


@pytest.mark.parametrize("distance", [1e19, 1e90])
def test_no_distance_is_too_far_for_the_grid(distance):
    positions = [[0.0, 0.0], [1.0, 0.0], [distance, 0.0]]
    one = Configuration(positions, [0, 0, 0], [5.0, 5.0], periodic=False)
    assert pairs_within(one, 2.0).targets.tolist() == [1, 0]
    # To the last one both others are equally far, as far as numbers tell.
    assert nearest_neighbors(one, 2).targets.tolist() == [1, 2, 0, 2, 0, 1]
