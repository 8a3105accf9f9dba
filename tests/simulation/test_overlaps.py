import numpy as np
import pytest
from scipy.optimize import approx_fprime

from glassclf.configurations import Configuration, pairs_one_way
from glassclf.simulation.overlaps import RANGE, push_apart
from glassclf.simulation.potentials import get_potential

POTENTIAL = get_potential("kob-andersen-2d")
SIGMA, EPSILON = POTENTIAL.sigma, POTENTIAL.epsilon
LENGTH = 10.0


def _points(n_points=100, seed=0):
    random = np.random.default_rng(seed)
    return random.random((n_points, 2)) * LENGTH, (random.random(n_points) < 0.35).astype(int)


def _energy(positions, types):
    """Sum of eq. 4 of Weeks, Chandler and Andersen over all pairs."""
    one, other = np.triu_indices(len(positions), 1)
    vectors = positions[one] - positions[other]
    distances = np.linalg.norm(vectors - LENGTH * np.round(vectors / LENGTH), axis=1)
    sigma, epsilon = SIGMA[types[one], types[other]], EPSILON[types[one], types[other]]
    within = distances < RANGE * sigma
    ratio = (sigma / distances)[within] ** 6
    return (4 * epsilon[within] * (ratio**2 - ratio) + epsilon[within]).sum()


def _closest(positions, types):
    pairs = pairs_one_way(Configuration(positions, types, [LENGTH, LENGTH]), 2.0)
    return (pairs.distances / SIGMA[types[pairs.sources], types[pairs.targets]]).min()


def test_points_end_at_a_minimum():
    positions, types = _points(120)
    moved, closest = push_apart(positions, types, LENGTH, SIGMA, EPSILON)
    # At this density all are pushed: the minimum is no place without forces.
    assert _energy(moved, types) > 1
    slopes = approx_fprime(moved.ravel(), lambda x: _energy(x.reshape(-1, 2), types), 1e-7)
    assert np.abs(slopes).max() < 0.5
    assert closest.min() == pytest.approx(_closest(moved, types))
    assert closest.min() > 0.95


def test_no_energy_is_left_where_there_is_room():
    positions, types = _points(60)
    moved, closest = push_apart(positions, types, LENGTH, SIGMA, EPSILON)
    assert _energy(moved, types) < 1e-2
    assert closest.min() > 1.1


def test_fixed_points_and_the_input_stay():
    positions, types = _points()
    before = positions.copy()
    moved, closest = push_apart(positions, types, LENGTH, SIGMA, EPSILON, n_fixed=2)
    np.testing.assert_array_equal(positions, before)
    np.testing.assert_array_equal(moved[:2], before[:2])
    assert (moved[2:] != before[2:]).any(axis=1).mean() > 0.5
    # Two fixed points on one place are no matter of the others.
    positions[1] = positions[0]
    _, closest = push_apart(positions, types, LENGTH, SIGMA, EPSILON, n_fixed=2)
    assert closest.min() > 0.9


def test_obstacles_of_any_size():
    positions, types = _points()
    sigma, epsilon = np.full((3, 3), 2.0), np.ones((3, 3))
    sigma[:2, :2], epsilon[:2, :2] = SIGMA, EPSILON
    types[0] = 2
    moved, closest = push_apart(positions, types, LENGTH, sigma, epsilon, n_fixed=1, n_obstacles=1)
    vectors = moved[1:] - moved[0]
    distances = np.linalg.norm(vectors - LENGTH * np.round(vectors / LENGTH), axis=1)
    assert closest[0] == pytest.approx(distances.min() / 2.0)
    assert distances.min() > 0.95 * 2.0
    assert _closest(moved[1:], types[1:]) > 0.95


def test_points_that_have_no_room_stay_close():
    positions, types = _points(300)
    _, closest = push_apart(positions, types, LENGTH, SIGMA, EPSILON)
    assert np.median(closest) < 0.7
