"""The persistent exclusion process: exact cases, a plain twin, symmetry, and bad input."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.estimators import QuarterTurns
from glassclf.featurizers import LatticeFeaturizer
from glassclf.simulation import PersistentExclusion, random_lattice
from glassclf.simulation.lattice_kernel import TUMBLE_BITS

STEPS = {1: (1, 0), 2: (0, 1), 3: (-1, 0), 4: (0, -1)}
MASK = 2**64 - 1


def splitmix(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    bits = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return state, bits ^ (bits >> 31)


def plain_run(sites, rate, state, n_sweeps):
    """The rules, word by word: particles as places and orientations, sites as a dict."""
    rows, columns = sites.shape
    order = [tuple(place) for place in np.argwhere(sites)]
    lattice = {place: int(sites[place]) for place in order}
    for _ in range(n_sweeps):
        for number in range(len(order)):
            state, bits = splitmix(state)
            chosen = number + (((bits >> 32) * (len(order) - number)) >> 32)
            order[number], order[chosen] = order[chosen], order[number]
            place = order[number]
            orientation = lattice.pop(place)
            step = STEPS[orientation]
            ahead = (place[0] + step[0]) % rows, (place[1] + step[1]) % columns
            if ahead not in lattice:
                place = ahead
            if (bits & (2**TUMBLE_BITS - 1)) < round(rate * 2**TUMBLE_BITS):
                orientation = (orientation - 1 + ((bits >> TUMBLE_BITS) & 3)) % 4 + 1
            lattice[place], order[number] = orientation, place
    result = np.zeros_like(sites)
    for place, orientation in lattice.items():
        result[place] = orientation
    return result


@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(1, 6), st.integers(2, 6)),
    density=st.floats(0.2, 0.8),
    rate=st.floats(1e-6, 1.0),
)
@settings(max_examples=40, deadline=None)
def test_the_compiled_loop_follows_the_rules(seed, shape, density, rate):
    n = int(np.prod(shape))
    density = min(max(density, 1.01 / n), (n - 1) / n)
    sites = random_lattice(density, shape, seed)
    simulation = PersistentExclusion(sites, rate, random_state=seed)
    expected = plain_run(sites, rate, int(simulation._state), 7)
    assert np.array_equal(simulation.run(7).sites, expected)
    assert (expected > 0).sum() == (sites > 0).sum()


def single_particle(rate, n_sweeps, seed):
    """Unwrapped path of one particle, ndarray of shape (n_sweeps + 1, 2)."""
    side = 16
    sites = np.zeros((side, side), np.uint8)
    sites[0, 0] = 1
    simulation = PersistentExclusion(sites, rate, random_state=seed)
    path = np.array([np.argwhere(simulation.run(1).sites)[0] for _ in range(n_sweeps)])
    steps = np.diff(path, axis=0, prepend=0)
    return np.cumsum((steps + side // 2) % side - side // 2, axis=0)


def test_a_single_particle_moves_as_far_as_theory_says():
    rate = 0.2
    path = single_particle(rate, 60_000, seed=1)
    a = 1 - rate
    for n in (1, 2, 5, 20):
        found = ((path[n:] - path[:-n]) ** 2).sum(axis=1).mean()
        expected = n * (1 + a) / (1 - a) - 2 * a * (1 - a**n) / (1 - a) ** 2
        assert found == pytest.approx(expected, rel=0.06), n


def occupations(rate, n_samples, every, seed):
    """How often each of the 84 occupations of three particles on 3 x 3 sites is seen."""
    sites = np.zeros((3, 3), np.uint8)
    sites[0] = 1
    simulation = PersistentExclusion(sites, rate, random_state=seed)
    number = {occupied: place for place, occupied in enumerate(combinations(range(9), 3))}
    counts = np.zeros(len(number), int)
    for _ in range(n_samples):
        counts[number[tuple(np.flatnonzero(simulation.run(every).sites))]] += 1
    return counts


def test_all_occupations_are_equally_likely_without_persistence():
    counts = occupations(1.0, 40_000, every=6, seed=0)
    expected = counts.sum() / 84
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < 150  # 83 on average, with a standard deviation of 13


def test_persistent_particles_block_each_other():
    counts = occupations(0.05, 40_000, every=6, seed=0)
    expected = counts.sum() / 84
    assert ((counts - expected) ** 2 / expected).sum() > 500


def quarter_turn(sites):
    """Take axis 0 to axis 1, and every orientation to the next one."""
    return np.where(sites > 0, sites % 4 + 1, 0).astype(np.uint8).T[::-1]


def test_the_simulation_of_a_turned_start_is_the_turned_simulation():
    sites = random_lattice(0.4, (9, 9), random_state=3)
    turned = quarter_turn(sites)
    simulation = PersistentExclusion(sites, 0.3, random_state=5)
    other = PersistentExclusion(turned, 0.3, random_state=5)
    # Particles in the order of their originals.
    places = [(8 - column) * 9 + row for row, column in np.argwhere(sites)]
    other._particles = np.array([4 * p + turned.flat[p] - 1 for p in places], np.int32)
    assert np.array_equal(other.run(20).sites, quarter_turn(simulation.run(20).sites))


def test_augmentation_turns_orientations_as_the_simulation_does():
    torch.manual_seed(0)
    sites = random_lattice(0.4, (6, 6), random_state=0)
    turns = [sites]
    for _ in range(3):
        turns.append(quarter_turn(turns[-1]))
    for channels, names in (
        ("orientation", {"orientation_channels": (0, 1, 2, 3)}),
        ("vector", {"vector_channels": (0, 1)}),
        ("occupancy", {}),
    ):
        expected = LatticeFeaturizer(channels, lazy=False).fit_transform(turns)
        batch = torch.from_numpy(expected[:1]).repeat(40, 1, 1, 1)
        drawn = QuarterTurns(**names)(batch).numpy()
        same = (drawn[:, None] == expected[None]).all(axis=(2, 3, 4))
        assert (same.sum(axis=1) == 1).all()
        assert same.any(axis=0).all()


def test_equal_seeds_run_alike_in_whatever_pieces():
    start = random_lattice(0.2, (12, 10), random_state=0)
    whole = PersistentExclusion(start, 0.1, random_state=7).run(50)
    pieces = PersistentExclusion(start, 0.1, random_state=7).run(20).run(30)
    assert np.array_equal(whole.sites, pieces.sites)
    assert pieces.n_sweeps == 50
    other = PersistentExclusion(start, 0.1, random_state=8).run(50)
    assert not np.array_equal(whole.sites, other.sites)
    assert np.array_equal(start, random_lattice(0.2, (12, 10), random_state=0))


@pytest.mark.parametrize("rate", [0, -0.1, 1.5, np.nan, "0.1", True])
def test_rates_that_are_no_probability_are_refused(rate):
    with pytest.raises(ValueError, match=r"tumbling_rate must be in \(0, 1\], got"):
        PersistentExclusion(random_lattice(0.2, (5, 5)), rate)


@pytest.mark.parametrize("density", [0, 1, 1.2, -1, np.nan, "half"])
def test_densities_that_leave_nothing_to_move_are_refused(density):
    with pytest.raises(ValueError, match="density must lie strictly between 0 and 1, got"):
        random_lattice(density)


def test_lattices_that_cannot_move_are_refused():
    with pytest.raises(ValueError, match="makes 0 particles on 16 sites"):
        random_lattice(0.01, (4, 4))
    with pytest.raises(ValueError, match="shape must be two positive integers, got"):
        random_lattice(0.5, (4, 0))
    for sites, words in ((np.zeros((3, 3)), "0 of 9"), (np.ones((3, 3)), "9 of 9")):
        with pytest.raises(ValueError, match=f"needs particles and free sites, {words} sites"):
            PersistentExclusion(sites, 0.1)
    with pytest.raises(ValueError, match="got 7 at site"):
        PersistentExclusion([[0, 7]], 0.1)
    with pytest.raises(ValueError, match=r"shape \(n_rows, n_columns\), got \(1, 1, 2\)"):
        PersistentExclusion([[[0, 1]]], 0.1)


@pytest.mark.parametrize("n_sweeps", [-1, 2.9, np.nan, "a", None, True])
def test_sweeps_are_counted(n_sweeps):
    simulation = PersistentExclusion([[0, 1]], 0.1)
    with pytest.raises(ValueError, match="n_sweeps must be an integer of at least 0, got"):
        simulation.run(n_sweeps)
    assert simulation.n_sweeps == 0


def test_particles_are_counted_without_rounding_errors():
    for density, shape, n in ((0.15, (20, 20), 60), (0.29, (10, 10), 29), (0.159, (10, 10), 15)):
        assert (random_lattice(density, shape, 0) > 0).sum() == n
