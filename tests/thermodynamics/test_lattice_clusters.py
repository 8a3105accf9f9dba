"""Clusters on periodic lattices, against a flood fill that knows nothing of labels."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassclf.thermodynamics import cluster_measures, label_clusters, size_distribution

OCCUPIED = hnp.arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))


def flood_fill(occupied):
    """Clusters as sets of sites, and whether one of them meets itself around the border."""
    rows, columns = occupied.shape
    left, clusters, winds = set(map(tuple, np.argwhere(occupied).tolist())), [], False
    while left:
        start = left.pop()
        # Unwrapped places: a site that is reached at two of them lies on a path around the torus.
        places, queue = {start: start}, deque([start])
        while queue:
            row, column = queue.popleft()
            for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                there = row + a, column + b
                site = there[0] % rows, there[1] % columns
                if not occupied[site]:
                    continue
                if site in places:
                    winds |= places[site] != there
                else:
                    places[site] = there
                    queue.append(there)
        left -= set(places)
        clusters.append(frozenset(places))
    return clusters, winds


@given(occupied=OCCUPIED)
def test_clusters_are_those_of_a_flood_fill(occupied):
    clusters, winds = flood_fill(occupied)
    labels = label_clusters(occupied[None])[0]
    assert np.array_equal(labels > 0, occupied)
    found = [
        frozenset(map(tuple, np.argwhere(labels == number).tolist()))
        for number in range(1, labels.max() + 1)
    ]
    assert set(found) == set(clusters)
    assert len(found) == len(clusters)
    measures = cluster_measures(occupied[None])
    sizes = sorted(map(len, clusters), reverse=True)
    assert measures.sizes[0].tolist() == sizes
    assert measures.n_clusters[0] == len(clusters)
    assert measures.percolates[0] == winds
    n = max(sum(sizes), 1)
    assert measures.weighted_mean[0] == pytest.approx(sum(s * s for s in sizes) / n)
    assert measures.largest[0] == pytest.approx(max(sizes, default=0) / n)


def test_a_path_that_winds_twice_along_one_axis_percolates():
    # Once around axis 1 on two rows: it closes after two turns.
    sites = np.zeros((4, 8), int)
    for column in range(8):
        sites[(column // 2) % 4, column] = 1
        sites[(column // 2 + (column % 2)) % 4, column] = 1
    _, winds = flood_fill(sites > 0)
    assert cluster_measures(sites[None]).percolates[0] == winds
    assert winds


def test_sizes_and_numbers_give_the_density():
    rng = np.random.default_rng(0)
    X = rng.random((5, 20, 20)) < 0.3
    distribution = size_distribution(X)
    assert (distribution.size * distribution.number).sum() == pytest.approx(X.mean())
    # A lone particle: (density)(1 - density)^4 on average.
    assert distribution.number[0] == pytest.approx(0.3 * 0.7**4, rel=0.15)


def test_random_percolation_winds_as_often_as_is_known():
    # R^(e) of Newman and Ziff (2000), table I: 0.690 at the threshold on any large torus.
    sites = np.random.default_rng(0).random((1000, 64, 64)) < 0.592746
    share = cluster_measures(sites).percolates.mean()
    assert abs(share - 0.690) < 3 * np.sqrt(0.69 * 0.31 / 1000)
