"""Digests of configurations: equal particles in equal boxes have equal ones."""

import hashlib

import numpy as np

# Two different configurations out of a billion share 16 bytes with a chance below 1e-20.
DIGEST_SIZE = 16
# What is read at once of a set that may be larger than the memory: 2 MB of types.
CHUNK = 2**18


def chunk_slices(offsets, n_particles=CHUNK):
    """Cut a set into slices of about so many particles, each of at least one configuration.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,)
        Of the particles of each configuration.
    n_particles : int, default=2**18
        Particles of a slice.

    Yields
    ------
    rows : slice
        Consecutive configurations.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.digests import chunk_slices
    >>> list(chunk_slices(np.array([0, 2, 4, 9]), n_particles=4))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    start, n = 0, len(offsets) - 1
    while start < n:
        end = np.searchsorted(offsets, offsets[start] + n_particles, side="right") - 1
        stop = max(start + 1, int(end))
        yield slice(start, stop)
        start = stop


def present_types(X, known=None):
    """Particle types of a set that may be larger than the memory.

    Parameters
    ----------
    X : Configurations
    known : ndarray, default=None
        All types that can be there: when all have been found, no more is read.

    Returns
    -------
    types : ndarray of int64 of shape (n_types,)
        Sorted.
    """
    present = np.empty(0, dtype=np.int64)
    for rows in chunk_slices(X.offsets):
        present = np.union1d(present, np.unique(X[rows].types))
        if known is not None and np.isin(known, present).all():
            break
    return present


def particle_digests(X):
    """Digest of each configuration: positions, types, box and directions that repeat.

    Parameters
    ----------
    X : Configurations
        Read in parts, so that it may be larger than the memory.

    Returns
    -------
    digests : ndarray of uint8 of shape (n, 16)
    """
    digests = np.empty((len(X), DIGEST_SIZE), dtype=np.uint8)
    for rows in chunk_slices(X.offsets):
        part = X[rows]
        # What is added makes 0.0 of -0.0, which is equal to it but other bytes.
        positions, types = _as_stored(part.positions + 0.0, "<f8"), _as_stored(part.types, "<i8")
        cells, periodic = _as_stored(part.cells + 0.0, "<f8"), _as_stored(part.periodic, "|b1")
        offsets = part.offsets.tolist()
        for index, (first, last) in enumerate(zip(offsets[:-1], offsets[1:])):
            digest = hashlib.sha256(f"{X.n_dims} {last - first} ".encode())
            for array in (positions[first:last], types[first:last], cells[index], periodic[index]):
                digest.update(array.data)
            short = digest.digest()[:DIGEST_SIZE]
            digests[rows.start + index] = np.frombuffer(short, dtype=np.uint8)
    return digests


def combined_digest(digests):
    """Fingerprint of a set, made of the digests of its members in order.

    Parameters
    ----------
    digests : ndarray of uint8 of shape (n, 16)

    Returns
    -------
    fingerprint : str
        64 hexadecimal digits.
    """
    return hashlib.sha256(np.ascontiguousarray(digests).data).hexdigest()


def _as_stored(array, dtype):
    return np.ascontiguousarray(array, dtype=dtype)
