"""Neighbour search: pairs within a radius, or a fixed number of nearest particles."""

import numbers
from typing import NamedTuple

import numpy as np

from glassclf._compilation import compiled
from glassclf.configurations import neighbor_kernels as kernels
from glassclf.configurations.box import minimum_image, volume
from glassclf.configurations.cells import Cells, count_images, occupied_volume
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.room import Room, places


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
        Largest distance, inclusive, in the unit of the positions. On the sites of a lattice take
        one between two distances: at one of them rounding decides.

    Returns
    -------
    pairs : Pairs
        Both directions of every pair, with opposite vectors.

    Raises
    ------
    TypeError
        If ``configuration`` is none.
    ValueError
        If ``r_max`` is not a positive finite number, or spans too many images of the box.

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

    Faster, for whatever only counts pairs.

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
    TypeError
        If ``configuration`` is none.
    ValueError
        If ``r_max`` is not a positive finite number, or spans too many images of the box.

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
    TypeError
        If ``configuration`` is none.
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
    _check_configuration(configuration)
    whole = isinstance(n_neighbors, numbers.Integral) and not isinstance(n_neighbors, bool)
    if not whole or n_neighbors < 1:
        raise ValueError(f"n_neighbors must be a positive integer, got {n_neighbors!r}")
    n_particles = configuration.n_particles
    if n_neighbors >= n_particles:
        raise ValueError(too_many(n_neighbors, n_particles))
    n_neighbors = int(n_neighbors)
    found = places(n_particles * n_neighbors, len(configuration.cell))
    write_nearest(configuration, n_neighbors, *found)
    return Pairs(np.repeat(np.arange(n_particles), n_neighbors), *found)


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
    cells = Cells.within(configuration, r_max)
    arrays = cells.positions, cells.points, cells.owners, cells.shifts
    arrays += cells.starts, cells.shape, cells.bounds
    compiled(kernels.count_distances)(*arrays, r_max, kinds, pair_numbers, counts)


def _pairs(configuration, r_max, both):
    _check_configuration(configuration)
    room = Room(places(0, configuration.n_dims))
    degrees = find_within(configuration, r_max, room, both=both)
    return Pairs(np.repeat(np.arange(len(degrees)), degrees), *room.filled())


def find_within(configuration, r_max, room, *, both=True):
    """Find what :func:`pairs_within` finds, and put it behind what a room holds already.

    Parameters
    ----------
    configuration : Configuration
    r_max : float
    room : Room
    both : bool, default=True
        Whether to find both directions of a pair.

    Returns
    -------
    degrees : ndarray of int64 of shape (n_particles,)
        Pairs that start from each particle.
    """
    real = isinstance(r_max, numbers.Real) and not isinstance(r_max, bool)
    if not real or not 0 < r_max < np.inf:
        raise ValueError(f"r_max must be a positive number, got {r_max!r}")
    left, n_dims, r_max = np.arange(configuration.n_particles), configuration.n_dims, float(r_max)
    cells = Cells.within(configuration, r_max)
    # Enough where the density is even; more are made where it is not.
    n_most = compiled(kernels.count_candidates)(cells.starts, cells.shape, cells.bounds)
    with np.errstate(over="ignore", invalid="ignore"):
        n_around = len(left) * unit_ball(n_dims) * np.float64(r_max) ** n_dims
        n_expected = len(left) * (1 + 1.1 * n_around / volume(configuration.cell))
    # Of the two the first stays where the other is not a number.
    n_expected = 1 + int(min(n_most, n_expected / (1 if both else 2)))
    room.reserve(n_expected)
    degrees = []
    while len(left):
        degrees.append(cells.find(left, r_max, room.free(), both=both))
        room.n_filled += degrees[-1].sum()
        left = left[len(degrees[-1]) :]
        if len(left):
            room.reserve(len(room.free()[0]) + n_expected)
    return np.concatenate(degrees)


def unit_ball(n_dims):
    """Volume of a ball of radius 1, in two dimensions the area of a circle."""
    return np.pi if n_dims == 2 else 4 / 3 * np.pi


def _check_configuration(configuration):
    if not isinstance(configuration, Configuration):
        raise TypeError(
            "configuration must be a Configuration, such as X[0] of a set, got "
            f"{type(configuration).__name__}"
        )


def too_many(n_neighbors, n_particles):
    """Words of the error where a number of neighbours is larger than there are others.

    Parameters
    ----------
    n_neighbors, n_particles : int

    Returns
    -------
    message : str
    """
    return (
        f"n_neighbors must be smaller than the number of particles, got n_neighbors={n_neighbors} "
        f"for {n_particles} particles"
    )


def write_nearest(configuration, n_neighbors, targets, vectors, distances):
    """Write what :func:`nearest_neighbors` finds into arrays, of any precision.

    Parameters
    ----------
    configuration : Configuration
    n_neighbors : int
        Smaller than the number of particles.
    targets : ndarray of int of shape (n_particles * n_neighbors,)
    vectors : ndarray of float of shape (n_particles * n_neighbors, n_dims)
    distances : ndarray of float of shape (n_particles * n_neighbors,)
    """
    n_particles, n_dims = configuration.positions.shape
    # With some more than wanted on average nearly all have enough.
    wanted = n_neighbors + 1
    share = (wanted + 2.5 * np.sqrt(wanted)) / n_particles
    r_max = float((share * occupied_volume(configuration) / unit_ball(n_dims)) ** (1 / n_dims))
    left, found = np.arange(n_particles), (targets, vectors, distances)
    while len(left):
        if count_images(configuration, r_max) > len(left):
            # Those that are left may be far from all others. There would be more images than
            # distances to look at.
            for particle in left:
                own = slice(particle * n_neighbors, (particle + 1) * n_neighbors)
                nearest = _nearest_of(configuration, particle, n_neighbors)
                targets[own], vectors[own], distances[own] = nearest
            return
        cells = Cells.within(configuration, r_max)
        if len(left) < n_particles:
            # Of the same precision: places that stay free hold anything, which would be rounded.
            found = places(len(left) * n_neighbors, n_dims, targets.dtype, vectors.dtype)
        degrees = cells.find(left, r_max, found, n_most=n_neighbors)
        if len(left) < n_particles:
            for values, some in zip((targets, vectors, distances), found):
                by_particle = values.reshape(n_particles, n_neighbors, *values.shape[1:])
                by_particle[left] = some.reshape(len(left), *by_particle.shape[1:])
        left = left[degrees < n_neighbors]
        r_max *= 1.5


def _nearest_of(configuration, particle, n_neighbors):
    """Nearest others of one particle, out of all."""
    positions = configuration.positions
    vectors = minimum_image(
        positions - positions[particle], configuration.cell, configuration.periodic
    )
    distances = np.linalg.norm(vectors, axis=1)
    distances[particle] = np.inf
    nearest = np.argsort(distances, kind="stable")[:n_neighbors]
    return nearest, vectors[nearest], distances[nearest]
