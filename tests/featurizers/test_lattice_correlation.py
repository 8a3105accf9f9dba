"""Pair correlation of lattices, against pairs that are counted one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassclf.featurizers import LatticeCorrelationFeaturizer

SITES = hnp.arrays(np.uint8, st.just((2, 5, 6)), elements=st.integers(0, 4))


def counted(occupied, vector):
    """Pairs at a vector and its images, over those expected at random, one by one."""
    a, b = vector
    n, size = int(occupied.sum()), occupied.size
    if n < 2:
        return 0.0
    images = [(a, b), (a, -b), (b, a), (b, -a)]
    pairs = 0
    for row, column in np.argwhere(occupied):
        for first, second in images:
            other = (row + first) % occupied.shape[0], (column + second) % occupied.shape[1]
            pairs += bool(occupied[other])
    return pairs / len(images) / size / (n * (n - 1) / (size * (size - 1)))


@given(sites=SITES)
def test_correlations_are_counted_pairs(sites):
    correlation = LatticeCorrelationFeaturizer(n_sites=3)
    found = correlation.fit_transform(sites)
    expected = [[counted(one > 0, vector) for vector in correlation.vectors_] for one in sites]
    assert found == pytest.approx(np.array(expected), abs=1e-9)


@given(sites=SITES, shift=st.tuples(st.integers(0, 4), st.integers(0, 5)))
def test_shifts_turns_and_mirrors_change_nothing(sites, shift):
    correlation = LatticeCorrelationFeaturizer(n_sites=2).fit(sites)
    expected = pytest.approx(correlation.transform(sites))
    for moved in (np.roll(sites, shift, (1, 2)), sites[:, ::-1], sites.transpose(0, 2, 1)):
        assert correlation.transform(moved) == expected


def test_random_places_have_no_correlation():
    sites = np.random.default_rng(0).random((600, 40, 30)) < 0.2
    found = LatticeCorrelationFeaturizer().fit_transform(sites)
    assert found.mean(axis=0) == pytest.approx(np.ones(found.shape[1]), abs=0.02)
    # More than are transformed at once.
    assert found[-1] == pytest.approx(LatticeCorrelationFeaturizer().fit_transform(sites[-1:])[0])


def test_vectors_longer_than_the_lattice_are_refused():
    with pytest.raises(ValueError, match=r"n_sites=8 must be smaller than .* shape \(9, 8\)"):
        LatticeCorrelationFeaturizer().fit(np.zeros((1, 9, 8)))
    with pytest.raises(ValueError, match="'n_sites' parameter of LatticeCorrelationFeaturizer"):
        LatticeCorrelationFeaturizer(0).fit(np.zeros((1, 9, 9)))
