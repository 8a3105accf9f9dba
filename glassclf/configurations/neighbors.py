"""Neighbour search: pairs within a radius, or a fixed number of nearest particles."""

import numbers
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from glassclf.configurations.box import (
    fractional,
    is_rectangular,
    minimum_image,
    plane_distances,
    volume,
    wrap,
)

# SciPy's tree is as fast here as the compiled neighbour lists (a box of 4320 particles in a few
# milliseconds) and, unlike vesin, does not import torch into every worker process.


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
    return _both_directions(pairs_one_way(configuration, r_max), configuration.n_particles)


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
    if not isinstance(r_max, numbers.Real) or not 0 < r_max < np.inf:
        raise ValueError(f"r_max must be a positive number, got {r_max!r}")
    cell, periodic = configuration.cell, configuration.periodic
    positions = wrap(configuration.positions, cell, periodic)
    if is_rectangular(cell) and (2 * r_max < np.diag(cell))[periodic].all():
        sources, targets, vectors = _one_image(positions, cell, periodic, r_max)
    else:
        sources, targets, vectors = _all_images(positions, cell, periodic, r_max)
    distances = np.sqrt(np.einsum("pi,pi->p", vectors, vectors))
    return Pairs(sources, targets, vectors, distances)


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
    if is_rectangular(configuration.cell):
        return _nearest_rectangular(configuration, int(n_neighbors))
    return _nearest_by_radius(configuration, int(n_neighbors))


def _one_image(positions, cell, periodic, r_max):
    """Pairs, one direction, where no pair has two images in reach."""
    tree = _periodic_tree(positions, cell, periodic)
    sources, targets = tree.query_pairs(r_max, output_type="ndarray").T
    vectors = minimum_image(positions[targets] - positions[sources], cell, periodic)
    return sources, targets, vectors


def _all_images(positions, cell, periodic, r_max):
    """Pairs, one direction, with every periodic image in reach written out as a point."""
    images, owners, shifts = _images_in_reach(positions, cell, periodic, r_max)
    found = cKDTree(positions).sparse_distance_matrix(cKDTree(images), r_max, output_type="ndarray")
    sources, points = found["i"], found["j"]
    targets = owners[points]
    # One direction only, so that the two directions of a pair are found together and have exactly
    # opposite vectors; of the images of a particle itself those in the upper half space.
    upper = _in_upper_half(shifts)[points]
    chosen = (sources < targets) | ((sources == targets) & upper)
    sources, points, targets = sources[chosen], points[chosen], targets[chosen]
    return sources, targets, images[points] - positions[sources]


def _images_in_reach(positions, cell, periodic, r_max):
    """Points within r_max of the box: its particles and their periodic images."""
    reach = r_max / plane_distances(cell) * (1 + 1e-9)
    fractions = fractional(positions, cell)
    images, owners = positions, np.arange(len(positions))
    shifts = np.zeros(positions.shape, dtype=np.int64)
    for axis in np.flatnonzero(periodic):
        kept = []
        steps = int(reach[axis]) + 1
        for step in range(-steps, steps + 1):
            moved = fractions[owners, axis] + step
            inside = (moved >= -reach[axis]) & (moved <= 1 + reach[axis])
            kept.append((np.flatnonzero(inside), step))
        rows = np.concatenate([rows for rows, _ in kept])
        steps = np.concatenate([np.full(len(rows), step) for rows, step in kept])
        images, owners, shifts = images[rows], owners[rows], shifts[rows]
        images = images + steps[:, None] * cell[axis]
        shifts[:, axis] = steps
    return images, owners, shifts


def _in_upper_half(shifts):
    """Whether the first nonzero component of each shift is positive."""
    first = np.argmax(shifts != 0, axis=1)
    return shifts[np.arange(len(shifts)), first] > 0


def _both_directions(pairs, n_particles):
    """Add the opposite of every pair, and sort."""
    by_distance = np.argsort(pairs.distances)
    sources, targets, vectors, distances = (values[by_distance] for values in pairs)
    distances = np.repeat(distances, 2)
    both_sources = np.column_stack([sources, targets]).ravel()
    both_targets = np.column_stack([targets, sources]).ravel()
    both_vectors = np.stack([vectors, -vectors], axis=1).reshape(-1, vectors.shape[1])
    # NumPy sorts 16-bit integers by radix, several times faster than 64-bit ones.
    keys = both_sources.astype(np.uint16) if n_particles <= 2**16 else both_sources
    order = np.argsort(keys, kind="stable")
    tied = (np.diff(distances[order]) == 0) & (np.diff(both_sources[order]) == 0)
    if tied.any():
        order = np.lexsort((both_targets, distances, both_sources))
    return Pairs(
        both_sources[order].astype(np.int64, copy=False),
        both_targets[order].astype(np.int64, copy=False),
        both_vectors[order],
        distances[order],
    )


def _nearest_rectangular(configuration, n_neighbors):
    cell, periodic = configuration.cell, configuration.periodic
    positions = wrap(configuration.positions, cell, periodic)
    n_particles = len(positions)
    tree = _periodic_tree(positions, cell, periodic)
    # One for the particle itself, and more until the next one is clearly farther than the last
    # neighbour: the tree breaks ties in its own order.
    n_points = n_neighbors + 2
    while True:
        n_points = min(n_points, n_particles)
        reached, points = tree.query(positions, n_points)
        complete = reached[:, -1] > reached[:, n_neighbors] * (1 + 1e-12)
        if n_points == n_particles or complete.all():
            break
        n_points *= 2
    others = points != np.arange(n_particles)[:, None]
    targets = points[others].reshape(n_particles, n_points - 1)
    vectors = positions.take(targets, axis=0) - positions[:, None]
    vectors = minimum_image(vectors.reshape(-1, len(cell)), cell, periodic)
    distances = np.sqrt(np.einsum("pi,pi->p", vectors, vectors)).reshape(targets.shape)
    vectors = vectors.reshape(*targets.shape, len(cell))
    # Nearly always the tree has them in order.
    if (np.diff(distances, axis=1) <= 0).any():
        order = np.lexsort((targets, distances), axis=1)
        targets, distances = (np.take_along_axis(a, order, axis=1) for a in (targets, distances))
        vectors = np.take_along_axis(vectors, order[:, :, None], axis=1)
    return Pairs(
        np.repeat(np.arange(n_particles), n_neighbors),
        targets[:, :n_neighbors].ravel(),
        vectors[:, :n_neighbors].reshape(-1, len(cell)),
        distances[:, :n_neighbors].ravel(),
    )


def _nearest_by_radius(configuration, n_neighbors):
    """Search a growing radius until every particle has enough distinct neighbours."""
    n_particles, n_dims = configuration.positions.shape
    occupied = _occupied_volume(configuration)
    r_max = (2 * (n_neighbors + 1) * occupied / n_particles) ** (1 / n_dims) / 1.5
    while True:
        pairs = pairs_within(configuration, r_max)
        # The first image of each pair is the nearest one, as pairs are sorted by distance.
        _, first = np.unique(pairs.sources * n_particles + pairs.targets, return_index=True)
        first = np.sort(first[pairs.sources[first] != pairs.targets[first]])
        counts = np.bincount(pairs.sources[first], minlength=n_particles)
        if counts.min() >= n_neighbors:
            break
        r_max *= 1.3
    starts = np.cumsum(counts) - counts
    rows = first[(starts[:, None] + np.arange(n_neighbors)).ravel()]
    return Pairs(*(values[rows] for values in pairs))


def _occupied_volume(configuration):
    """Volume of the part of the box that the particles span, at least a thin slice of it."""
    fractions = fractional(configuration.positions, configuration.cell)
    spans = np.where(configuration.periodic, 1.0, np.clip(np.ptp(fractions, axis=0), 1e-3, None))
    return volume(configuration.cell) * np.prod(spans)


def _periodic_tree(positions, cell, periodic):
    # A length of 0 marks a direction that does not repeat.
    return cKDTree(positions, boxsize=np.where(periodic, np.diag(cell), 0.0))
