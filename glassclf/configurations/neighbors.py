"""Neighbour search: pairs within a radius, or a fixed number of nearest particles."""

import numbers
from typing import NamedTuple

import numpy as np

from glassclf.configurations import neighbor_kernels as kernels
from glassclf.configurations.box import fractional, plane_distances, volume, wrap
from glassclf.configurations.compilation import compiled


class Pairs(NamedTuple):
    """Directed pairs of particles, sorted by source, then distance, then target.

    Attributes
    ----------
    sources : ndarray of int64 of shape (n_pairs,)
        Index of the particle the pair starts from.
    targets : ndarray of int64 of shape (n_pairs,)
        Index of its neighbour.
    vectors : ndarray of float64 of shape (n_pairs, n_dims)
        From the source to the image of the target.
    distances : ndarray of float64 of shape (n_pairs,)
        Lengths of the vectors.

    Examples
    --------
    >>> from glassclf.configurations import Configuration, pairs_within
    >>> configuration = Configuration([[0.5, 0.5], [3.5, 0.5]], types=[0, 0], box=[4.0, 4.0])
    >>> pairs = pairs_within(configuration, r_max=1.5)
    >>> pairs.sources.tolist(), pairs.targets.tolist()
    ([0, 1], [1, 0])
    >>> pairs.distances.tolist()
    [1.0, 1.0]
    """

    sources: np.ndarray
    targets: np.ndarray
    vectors: np.ndarray
    distances: np.ndarray


def pairs_within(configuration, r_max):
    """Every pair of particles whose distance is at most ``r_max``.

    Periodic images count: where ``r_max`` exceeds half the box a pair appears once for each image
    in reach, and where it reaches the length of the box particles are neighbours of themselves.

    Parameters
    ----------
    configuration : Configuration
        In 2 or 3 dimensions, in any box; positions may be unwrapped.
    r_max : float
        Largest distance, inclusive, in the unit of the positions.

    Returns
    -------
    pairs : Pairs
        Both directions of every pair, with opposite vectors.

    Raises
    ------
    ValueError
        If ``r_max`` is not a positive finite number.

    Examples
    --------
    >>> from glassclf.configurations import Configuration, pairs_within
    >>> configuration = Configuration([[0.1, 0.5], [3.9, 0.5]], [0, 0], [4.0, 4.0])
    >>> pairs = pairs_within(configuration, r_max=1.0)
    >>> pairs.sources.tolist(), pairs.targets.tolist(), pairs.distances.round(6).tolist()
    ([0, 1], [1, 0], [0.2, 0.2])
    """
    return _pairs(configuration, r_max, both=True)


def pairs_one_way(configuration, r_max):
    """Find what :func:`pairs_within` finds, each pair in one direction only and in no order.

    Several times faster, for whatever only counts pairs.

    Parameters
    ----------
    configuration : Configuration
        In 2 or 3 dimensions, in any box; positions may be unwrapped.
    r_max : float
        Largest distance, inclusive, in the unit of the positions.

    Returns
    -------
    pairs : Pairs
        Of the two directions of a pair one or the other.

    Raises
    ------
    ValueError
        If ``r_max`` is not a positive finite number.

    Examples
    --------
    >>> from glassclf.configurations import Configuration, pairs_one_way
    >>> configuration = Configuration([[0.1, 0.5], [3.9, 0.5]], [0, 0], [4.0, 4.0])
    >>> pairs_one_way(configuration, r_max=1.0).distances.round(6).tolist()
    [0.2]
    """
    return _pairs(configuration, r_max, both=False)


def nearest_neighbors(configuration, n_neighbors):
    """Find the ``n_neighbors`` nearest other particles of every particle.

    A neighbour is another particle at its nearest image; no particle is its own neighbour or
    counted twice. Among exactly equal distances the lower index comes first, so that the order of
    the particles matters only there.

    Parameters
    ----------
    configuration : Configuration
        In 2 or 3 dimensions, in any box; positions may be unwrapped.
    n_neighbors : int
        Neighbours of each particle, smaller than the number of particles.

    Returns
    -------
    pairs : Pairs
        ``n_particles * n_neighbors`` pairs: row ``i * n_neighbors + k`` is the k-th neighbour of
        particle ``i``.

    Raises
    ------
    ValueError
        If ``n_neighbors`` is not a positive integer smaller than the number of particles.

    Examples
    --------
    >>> from glassclf.configurations import Configuration, nearest_neighbors
    >>> configuration = Configuration(
    ...     [[0.1, 0.5], [1.0, 0.5], [3.9, 0.5]], [0, 0, 1], [4.0, 4.0]
    ... )
    >>> nearest_neighbors(configuration, n_neighbors=1).targets.tolist()
    [2, 0, 0]
    """
    if not isinstance(n_neighbors, numbers.Integral) or n_neighbors < 1:
        raise ValueError(f"n_neighbors must be a positive integer, got {n_neighbors!r}")
    n_particles = configuration.n_particles
    if n_neighbors >= n_particles:
        raise ValueError(
            f"n_neighbors must be smaller than the number of particles, got "
            f"n_neighbors={n_neighbors} for {n_particles} particles"
        )
    return _nearest(configuration, int(n_neighbors))


def count_by_distance(configuration, r_max, kinds, pair_numbers, counts):
    """Count pairs of different particles by their types and their distance.

    As from :func:`pairs_one_way`, but pairs are not kept.

    Parameters
    ----------
    configuration : Configuration
    r_max : float
        Upper end of the last bin.
    kinds : ndarray of int of shape (n_particles,)
        Type of each particle, numbered from 0.
    pair_numbers : ndarray of int of shape (n_types, n_types)
        Row of ``counts`` for each two types.
    counts : ndarray of int64 of shape (n_pairs, n_bins)
        Increased in place.
    """
    cells = _Cells.within(configuration, r_max)._asdict()
    del cells["upper"]
    compiled(kernels.count_distances)(*cells.values(), r_max, kinds, pair_numbers, counts)


def _pairs(configuration, r_max, both):
    if not isinstance(r_max, numbers.Real) or not 0 < r_max < np.inf:
        raise ValueError(f"r_max must be a positive number, got {r_max!r}")
    everyone = np.arange(configuration.n_particles)
    degrees, *found = _search(configuration, float(r_max), everyone, both=both)
    return Pairs(np.repeat(everyone, degrees), *found)


def _nearest(configuration, n_neighbors):
    """Search a growing radius until every particle has enough distinct neighbours."""
    n_particles, n_dims = configuration.positions.shape
    # With some more than wanted on average nearly all have enough.
    wanted = n_neighbors + 1
    share = (wanted + 2 * np.sqrt(wanted)) / n_particles
    ball = np.pi if n_dims == 2 else 4 / 3 * np.pi
    r_max = float((share * _occupied_volume(configuration) / ball) ** (1 / n_dims))
    sources = np.repeat(np.arange(n_particles), n_neighbors)
    left = np.arange(n_particles)
    degrees, *found = _search(configuration, r_max, left, n_most=n_neighbors)
    if (degrees == n_neighbors).all():
        return Pairs(sources, *found)
    shape = n_particles, n_neighbors
    whole = [np.empty((*shape, *values.shape[1:]), values.dtype) for values in found]
    while len(left):
        enough = degrees == n_neighbors
        for all_of_them, values in zip(whole, found):
            rows = values[np.repeat(enough, degrees)]
            all_of_them[left[enough]] = rows.reshape(-1, *all_of_them.shape[1:])
        left = left[~enough]
        if len(left):
            r_max *= 1.3
            degrees, *found = _search(configuration, r_max, left, n_most=n_neighbors)
    return Pairs(sources, *(values.reshape(-1, *values.shape[2:]) for values in whole))


def _search(configuration, r_max, chosen, both=True, n_most=None):
    """Degrees, targets, vectors and distances of the pairs of some particles.

    With ``n_most`` every other particle counts once, at its nearest image.
    """
    cells = _Cells.within(configuration, r_max)
    count_near, find_near = compiled(kernels.count_near), compiled(kernels.find_near)
    counts = count_near(
        cells.positions, cells.points, cells.starts, cells.shape, cells.bounds, chosen, r_max
    )
    distinct = n_most is not None
    # Two images of a particle are in reach of a third one only where the box is short.
    period = plane_distances(configuration.cell)[configuration.periodic]
    repeated = distinct and bool((2 * r_max > period * (1 - 1e-9)).any())
    n_most = n_most if distinct else int(counts.max())
    n_dims = len(configuration.cell)
    return find_near(*cells, chosen, r_max, both, n_most, distinct, repeated, n_dims, counts)


class _Cells(NamedTuple):
    """Particles and their images in reach, sorted into square cells, as the kernels take them."""

    positions: np.ndarray
    points: np.ndarray
    owners: np.ndarray
    shifts: np.ndarray
    upper: np.ndarray
    starts: np.ndarray
    shape: np.ndarray
    bounds: np.ndarray

    @classmethod
    def within(cls, configuration, r_max):
        """Everything that is within ``r_max`` of the box."""
        cell, periodic = configuration.cell, configuration.periodic
        positions = wrap(configuration.positions, cell, periodic)
        reach = r_max / plane_distances(cell) * (1 + 1e-9) + 1e-12
        fractions = fractional(positions, cell)
        # In two dimensions a first one is added, in which nothing happens.
        n_more = 3 - len(cell)
        whole = np.eye(3)
        whole[n_more:, n_more:] = cell
        positions, fractions = (
            np.pad(vectors, ((0, 0), (n_more, 0))) for vectors in (positions, fractions)
        )
        periodic, reach = np.pad(periodic, (n_more, 0)), np.pad(reach, (n_more, 0))
        filled = compiled(kernels.fill_cells)(positions, fractions, whole, periodic, reach, r_max)
        return cls(positions, *filled)


def _occupied_volume(configuration):
    """Volume of the part of the box that the particles span, at least a thin slice of it."""
    fractions = fractional(configuration.positions, configuration.cell)
    spans = np.where(configuration.periodic, 1.0, np.clip(np.ptp(fractions, axis=0), 1e-3, None))
    return volume(configuration.cell) * np.prod(spans)
