"""Windows hold what a plain loop over all particles and images puts into them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import Configuration, Configurations, cut_windows
from glassclf.testing import noisy_lattice, two_phases


def plain_windows(configuration, side, corners):
    """Sorted positions, from the corner, of each window: all particles and images tried."""
    windows = []
    for corner in corners:
        inside = []
        for position in configuration.positions:
            images = [
                [x + n * length for n in ((0, 1) if periodic else (0,))]
                for x, length, periodic in zip(position, configuration.box, configuration.periodic)
            ]
            for image in product(*images):
                relative = np.array(image) - corner
                ends = np.where(
                    ~configuration.periodic & (corner + side >= configuration.box), np.inf, side
                )
                if (relative >= 0).all() and (relative < ends).all():
                    inside.append(relative)
        windows.append(inside)
    return [np.array(sorted(map(tuple, inside))) for inside in windows if inside]


@given(
    seed=st.integers(0, 10**6),
    n_dims=st.sampled_from([2, 3]),
    percent=st.integers(30, 100),
    n_windows=st.sampled_from([None, 5]),
    data=st.data(),
)
def test_windows_are_those_of_a_plain_loop(seed, n_dims, percent, n_windows, data):
    rng = np.random.default_rng(seed)
    box = rng.uniform(2, 4, n_dims)
    periodic = np.array(data.draw(st.lists(st.booleans(), min_size=n_dims, max_size=n_dims)))
    # Unwrapped, and in an open direction within the box.
    turns = np.where(periodic, rng.integers(-1, 2, (40, n_dims)), 0)
    positions = (rng.random((40, n_dims)) + turns) * box
    configuration = Configuration(positions, rng.integers(0, 2, 40), box, periodic)
    wrapped = Configuration(positions - turns * box, configuration.types, box, periodic)
    # Large enough to hold a few particles, and never larger than the box.
    side = max(percent / 100 * box.min(), 1.5 * (np.prod(box) / 40) ** (1 / n_dims))
    windows = cut_windows([configuration], side, n_windows=n_windows, random_state=0)
    if n_windows is None:
        counts = np.ceil(box / side).astype(int)
        steps = [
            np.arange(n) * (length / n if repeats else (length - side) / max(n - 1, 1))
            for n, length, repeats in zip(counts, box, periodic)
        ]
        corners = np.array(list(product(*steps)))
        assert len(windows.corners) <= len(corners)
    else:
        corners = windows.corners
    expected = plain_windows(wrapped, side, corners)
    assert len(windows.X) == len(expected)
    for window, positions in zip(windows.X, expected):
        found = np.array(sorted(map(tuple, window.positions)))
        assert np.allclose(found, positions)
        assert not window.periodic.any()
        assert np.allclose(window.box, side)


@pytest.mark.parametrize("periodic", [True, False])
def test_grid_puts_every_particle_into_one_window_where_the_side_divides_the_box(periodic):
    configuration = noisy_lattice(0.05, n_cells=(6, 6), periodic=periodic)
    windows = cut_windows([configuration], side=2.0)
    assert len(windows.X) == 9
    assert windows.X.n_particles.sum() == 36
    together = windows.X.positions + np.repeat(windows.corners, windows.X.n_particles, axis=0)
    order, expected = (
        sorted(map(tuple, np.round(p, 9))) for p in (together, configuration.positions)
    )
    assert order == expected


def test_grid_covers_the_box_where_the_side_does_not_divide_it():
    configuration = noisy_lattice(0.05, n_cells=(7, 5))
    windows = cut_windows([configuration], side=2.0)
    assert len(windows.X) == 4 * 3
    together = windows.X.positions + np.repeat(windows.corners, windows.X.n_particles, axis=0)
    together %= configuration.box
    assert {tuple(p) for p in np.round(configuration.positions, 9)} == {
        tuple(p) for p in np.round(together, 9)
    }


def test_window_across_the_border_goes_on_there():
    configuration = Configuration([[3.9, 0.5], [0.1, 0.5]], [0, 1], [4.0, 4.0])
    windows = cut_windows([configuration], 4.0, n_windows=20, random_state=0)
    for window, corner in zip(windows.X, windows.corners):
        vector = window.positions[1] - window.positions[0]
        split = 3.9 < corner[0] or corner[0] < 0.1
        assert np.isclose(vector[0], 0.2) == (not split)


def test_windows_carry_types_info_and_parent():
    X, _, _ = two_phases(n_runs=3)
    windows = cut_windows(X, 2.0)
    assert windows.parents.tolist() == sorted(windows.parents)
    assert windows.X.info["run"].tolist() == X.info["run"][windows.parents].tolist()
    for number in range(len(X)):
        own = windows.X[windows.parents == number]
        inside = np.bincount(own.types, minlength=2)
        assert (inside >= np.bincount(X[number].types, minlength=2)).all()


def test_particle_number_sets_the_side_by_the_density_of_each():
    dense = noisy_lattice(0.1, n_cells=(20, 20))
    dilute = Configuration(2 * dense.positions, dense.types, 2 * dense.box)
    windows = cut_windows([dense, dilute], n_particles=16)
    sides = windows.X.cells[:, 0, 0]
    assert np.allclose(sides, np.where(windows.parents == 0, 4.0, 8.0))
    assert windows.X.n_particles.mean() == pytest.approx(16)


def test_all_particles_in_one_window_of_the_whole_box():
    configuration = noisy_lattice(0.1, n_cells=(4, 4))
    windows = cut_windows([configuration], n_particles=16)
    assert len(windows.X) == 1
    assert np.allclose(windows.X[0].positions, configuration.positions % configuration.box)


def test_random_places_depend_on_the_seed_alone():
    X, _, _ = two_phases(n_runs=2)
    one, same, other = (
        cut_windows(X, 3.0, n_windows=4, random_state=seed).corners for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_random_windows_stay_within_an_open_direction():
    configuration = noisy_lattice(0.0, n_cells=(6, 6), periodic=[True, False])
    corners = cut_windows([configuration], 2.0, n_windows=200, random_state=0).corners
    assert corners[:, 0].max() > 5.5
    assert 3.8 < corners[:, 1].max() <= 4.0


def test_empty_windows_are_left_out():
    configuration = Configuration([[0.5, 0.5]] * 4, [0] * 4, [4.0, 4.0])
    windows = cut_windows([configuration], 2.0)
    assert windows.corners.tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match="configuration 1: none of its windows holds a particle"):
        cut_windows(
            [noisy_lattice(0.1, n_cells=(4, 4), types=(0,)), configuration],
            2.0,
            n_windows=1,
            random_state=0,
        )


def test_what_is_passed_in_stays_as_it_is():
    X, _, _ = two_phases(n_runs=1)
    before = X.positions.copy()
    windows = cut_windows(X, 6.0)
    windows.X.positions[:] = 0
    assert np.array_equal(X.positions, before)


def test_windows_of_a_set_on_disk(tmp_path):
    X, _, _ = two_phases(n_runs=3)
    X.save(tmp_path / "set.safetensors")
    opened = Configurations.open(tmp_path / "set.safetensors")[2:]
    windows, expected = cut_windows(opened, 3.0), cut_windows(X[2:], 3.0)
    assert np.array_equal(windows.X.positions, expected.X.positions)
    assert np.array_equal(windows.X.types, expected.X.types)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give exactly one of side and n_particles, got neither"),
        ({"side": 2, "n_particles": 5}, "got side=2 and n_particles=5"),
        ({"side": -1.0}, "side must be a positive number, got -1.0"),
        ({"side": True}, "side must be a positive number, got True"),
        ({"n_particles": 0.5}, "n_particles must be an integer of at least 1, got 0.5"),
        (
            {"side": 2.0, "n_windows": 0},
            "n_windows must be an integer of at least 1 or None, got 0",
        ),
        (
            {"side": 6.5},
            "configuration 0: windows of side 6.5 are larger than the box, which is 6 long in "
            "direction 0",
        ),
        (
            {"side": 0.1},
            "configuration 0: windows of side 0.1 hold 0.01 particles on average: choose a side "
            "of at least 1, better one that holds some ten",
        ),
        ({"n_particles": 43}, "configuration 0: windows of side 6.557 are larger than the box"),
    ],
)
def test_bad_windows_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        cut_windows([noisy_lattice(0.1)], **arguments)


def test_boxes_that_are_not_rectangular_are_refused():
    skewed = Configuration([[0.5, 0.5]], [0], [[2.0, 0.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="windows are cut from rectangular boxes, got lattice"):
        cut_windows([skewed], 1.0)


def test_an_empty_set_is_refused():
    X, _, _ = two_phases(n_runs=1)
    with pytest.raises(ValueError, match="X must hold at least one configuration, got an empty"):
        cut_windows(X[:0], 1.0)


def test_particles_outside_an_open_box_are_refused():
    outside = Configuration([[0.5, 5.0]], [0], [2.0, 2.0], periodic=[True, False])
    with pytest.raises(ValueError, match="configuration 0: particle 0 at .* lies outside the box"):
        cut_windows([outside], 2.0)
