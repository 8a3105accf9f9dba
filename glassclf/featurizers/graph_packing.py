"""Bonds of a whole set of configurations, in threads, written where they stay."""

import contextlib

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from glassclf.configurations.neighbors import find_within, too_many, unit_ball, write_nearest
from glassclf.configurations.room import Room, places
from glassclf.featurizers.base import chunks_for, featurize_all
from glassclf.featurizers.graphs import Graphs

# Places over bonds that are expected.
SPARE = 1.1


def bond_nearest(X, n_neighbors, n_jobs):
    """Bond each particle to its nearest others.

    Parameters
    ----------
    X : Configurations
    n_neighbors : ndarray of int of shape (len(X),)
        Bonds of each particle, by configuration.
    n_jobs : int or None

    Returns
    -------
    graphs : Graphs

    Raises
    ------
    ValueError
        If a configuration has too few particles.
    """
    few = np.flatnonzero(X.n_particles <= n_neighbors)
    if len(few):
        message = too_many(int(n_neighbors[few[0]]), X.n_particles[few[0]])
        raise ValueError(f"configuration {few[0]}: {message}")
    ends = np.append(0, np.cumsum(X.n_particles * n_neighbors))
    found = places(ends[-1], X.n_dims, np.int32, np.float32)

    def write(start, stop):
        for index, configuration in enumerate(X[start:stop], start=start):
            if n_neighbors[index]:
                own = (values[ends[index] : ends[index + 1]] for values in found)
                write_nearest(configuration, int(n_neighbors[index]), *own)

    Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(write)(*bounds) for bounds in chunks_for(n_jobs, len(X))
    )
    return _packed(X, np.repeat(n_neighbors, X.n_particles), found)


def bond_within(X, r_max, n_jobs):
    """Bond particles up to a distance.

    Parameters
    ----------
    X : Configurations
    r_max : float
    n_jobs : int or None

    Returns
    -------
    graphs : Graphs
    """
    room = Room(places(0, X.n_dims, np.int32, np.float32))
    if effective_n_jobs(n_jobs) == 1 or len(X) == 1:
        return _packed(X, _search(X, 0, r_max, room, looks_ahead=True), room.filled())
    _search(X[:1], 0, r_max, room)
    n_expected = _expect(X, r_max, room.n_filled)
    room = Room(places(0, X.n_dims, np.int32, np.float32))
    with contextlib.suppress(MemoryError):  # the parts make room of their own
        room.reserve(n_expected)
    chunks = chunks_for(n_jobs, len(X))
    rooms = room.divide(np.diff(X.offsets[[0, *(stop for _, stop in chunks)]]) / len(X.types))
    degrees = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(_search)(X[start:stop], start, r_max, own)
        for (start, stop), own in zip(chunks, rooms)
    )
    room.gather(rooms)
    return _packed(X, np.concatenate(degrees), room.filled())


def _search(X, first, r_max, room, looks_ahead=False):
    """Bonds of each particle; ``first`` is the number of X[0] in errors."""
    degrees = []
    for found in featurize_all(_Search(r_max, room), X, first):
        degrees.append(found)
        if looks_ahead and len(degrees) == 1:
            # More than there is may be expected; each configuration makes room for what it needs.
            with contextlib.suppress(MemoryError):
                room.reserve(_expect(X, r_max, room.n_filled) - room.n_filled)
    return np.concatenate(degrees)


class _Search:
    """What ``featurize_all`` asks of a featurizer: bonds, which are kept in one room."""

    def __init__(self, r_max, room):
        self.r_max, self.room = r_max, room

    def _featurize(self, configuration):
        return find_within(configuration, self.r_max, self.room)


def _expect(X, r_max, n_first):
    """Bonds of a set whose first configuration has ``n_first``, with some to spare.

    By the density, or as many as in the first one where that is less: the density tells nothing
    where particles stand outside the box, and the first one may be a crowd.
    """
    n, volumes = X.n_particles, np.abs(np.linalg.det(X.cells))
    with np.errstate(over="ignore"):
        n_around = n * unit_ball(X.n_dims) * np.float64(r_max) ** X.n_dims / volumes
    return int(SPARE * (n * np.minimum(1 + n_around, n_first / n[0])).sum())


def _packed(X, degrees, found):
    neighbors, vectors, distances = found
    return Graphs.from_arrays(
        node_offsets=np.array(X.offsets),
        types=np.array(X.types, dtype=np.int64),
        edge_offsets=np.append(0, np.cumsum(degrees))[X.offsets],
        degrees=degrees.astype(np.int32),
        neighbors=neighbors,
        vectors=vectors,
        distances=distances,
    )
