"""Snapshots of particles on a square lattice, packed as one byte a site."""

import hashlib

import numpy as np

from glassclf.configurations.packing import PackedSet
from glassclf.configurations.sample_info import SampleInfo

# Steps along axes 0 and 1 that the orientations 1 to 4 stand for: +0, +1, -0, -1.
DIRECTIONS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
N_ORIENTATIONS = len(DIRECTIONS)


class Lattices(PackedSet):
    """A set of lattice snapshots, indexed as scikit-learn asks of ``X``.

    A smaller set (``X[rows]``) holds the numbers of its rows, not a copy of their sites. Arrays
    that are mapped from files stay there until they are used, so that a set may be larger than the
    memory.

    Parameters
    ----------
    sites : array-like of shape (n, n_rows, n_columns), or list of such ndarrays
        0 where a site is empty, else the orientation of the particle there: 1 to 4 for the
        directions +0, +1, -0, -1 along the axes of the lattice. Without orientations, bools or 1
        will do. Several arrays are joined, without a copy where they hold bytes: do not change
        them afterwards.
    info : dict of array-like of shape (n, ...), default=None
        One value for each snapshot ("tumbling_rate", "run", ...).

    Attributes
    ----------
    info : dict of ndarray of shape (n, ...)
        Follows every indexing.

    Raises
    ------
    ValueError
        If a site holds something else, snapshots have several shapes, or there are none.

    Examples
    --------
    >>> from glassclf.configurations import Lattices
    >>> X = Lattices([[[0, 1], [3, 0]], [[0, 0], [2, 0]]], info={"run": ["a", "b"]})
    >>> X
    Lattices(n=2, shape=(2, 2), info=['run'])
    >>> X.density.tolist(), X[1].tolist(), X[:1].info["run"].tolist()
    ([0.5, 0.25], [[0, 0], [2, 0]], ['a'])
    """

    def __init__(self, sites, info=None):
        several = (
            isinstance(sites, (list, tuple)) and getattr(next(iter(sites), None), "ndim", 0) == 3
        )
        parts, first = [], 0
        for part in sites if several else [sites]:
            parts.append(_checked(part, first))
            first += len(part)
        self._take(parts, np.arange(first), info)

    @classmethod
    def from_parts(cls, parts, info=None):
        """Join arrays that are known to be right, without reading them.

        Parameters
        ----------
        parts : list of ndarray of uint8 of shape (n, n_rows, n_columns)
        info : dict of array-like, default=None

        Returns
        -------
        lattices : Lattices
        """
        new = cls.__new__(cls)
        new._take(list(parts), np.arange(sum(len(part) for part in parts)), info)
        return new

    @classmethod
    def concatenate(cls, sets):
        """Join several sets into one, in order; of ``info``, what all of them have.

        Parameters
        ----------
        sets : iterable of Lattices

        Returns
        -------
        lattices : Lattices
        """
        sets = [as_lattices(each) for each in sets]
        if not sets:
            raise ValueError("a set needs at least one snapshot, got none")
        names = [name for name in sets[0].info if all(name in each.info for each in sets)]
        info = {name: np.concatenate([each.info[name] for each in sets]) for name in names}
        parts = [part for each in sets for part in each._chosen_parts()]
        _check_extents(parts)
        return cls.from_parts(parts, info)

    def _take(self, parts, rows, info):
        _check_extents(parts)
        self._parts, self._rows = parts, rows
        self._first = np.cumsum([0] + [len(part) for part in parts])
        self.info = info

    def _chosen_parts(self):
        whole = np.array_equal(self._rows, np.arange(self._first[-1]))
        return self._parts if whole else [self.sites]

    @property
    def info(self):
        """One value for each snapshot under each name, dict of ndarray of shape (n, ...)."""
        return self.__dict__["info"]

    @info.setter
    def info(self, values):
        self.__dict__["info"] = SampleInfo(len(self), values)

    @property
    def lattice_shape(self):
        """``(n_rows, n_columns)`` of all snapshots."""
        return self._parts[0].shape[1:]

    @property
    def n_dims(self):
        """Number of spatial dimensions, 2."""
        return 2

    @property
    def sites(self):
        """All snapshots as one array of uint8 of shape (n, n_rows, n_columns), a copy."""
        return self.read(np.arange(len(self)))

    @property
    def density(self):
        """Share of the sites that hold a particle, ndarray of shape (n,)."""
        counts = [np.count_nonzero(self._one(index)) for index in range(len(self))]
        return np.array(counts, dtype=float) / np.prod(self.lattice_shape)

    def read(self, indices):
        """Read some snapshots.

        Parameters
        ----------
        indices : array-like of int of shape (m,)

        Returns
        -------
        sites : ndarray of uint8 of shape (m, n_rows, n_columns)
            In the order of the indices.
        """
        indices = self._chosen(indices)
        sites = np.empty((len(indices), *self.lattice_shape), dtype=np.uint8)
        for place, index in enumerate(indices.tolist()):
            sites[place] = self._one(index)
        return sites

    def fingerprint(self):
        """Tell sets apart without comparing them: a hash of all sites.

        Returns
        -------
        fingerprint : str
            64 hexadecimal digits, equal for equal snapshots in the same order.
        """
        digest = hashlib.sha256(repr(self.lattice_shape).encode())
        for index in range(len(self)):
            digest.update(np.ascontiguousarray(self._one(index)))
        return digest.hexdigest()

    def __len__(self):
        return len(self._rows)

    def _one(self, index):
        row = self._rows[index]
        part = int(np.searchsorted(self._first, row, side="right")) - 1
        return self._parts[part][row - self._first[part]]

    def _some(self, chosen):
        new = type(self).__new__(type(self))
        info = {name: np.asarray(values)[chosen] for name, values in self.info.items()}
        new._take(self._parts, self._rows[chosen], info)
        return new

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("snapshots are read, which is a copy")
        return self.sites.astype(dtype or np.uint8, copy=False)

    def __repr__(self):
        return f"Lattices(n={len(self)}, shape={self.lattice_shape}, info={sorted(self.info)})"


def as_lattices(X):
    """Make a set of lattice snapshots of an array.

    Parameters
    ----------
    X : Lattices or array-like of shape (n, n_rows, n_columns)

    Returns
    -------
    lattices : Lattices
        ``X`` itself, if it is one.

    Examples
    --------
    >>> from glassclf.configurations import as_lattices
    >>> as_lattices([[[0, 1], [3, 0]]])
    Lattices(n=1, shape=(2, 2), info=[])
    """
    return X if isinstance(X, Lattices) else Lattices(X)


def _checked(sites, first):
    try:
        given = np.asarray(sites)
    except ValueError as error:
        raise ValueError("sites must be lattices of one shape, got lists of several") from error
    if given.ndim != 3 or 0 in given.shape[1:]:
        one = "; for one snapshot write sites[None]" if given.ndim == 2 else ""
        raise ValueError(f"sites must have shape (n, n_rows, n_columns), got {given.shape}{one}")
    if given.dtype.kind not in "biuf":
        raise ValueError(f"sites must be numbers, got {given.dtype}")
    # NaN is not equal to itself.
    fits = (given >= 0) & (given <= N_ORIENTATIONS) & (given == np.floor(given))
    if not fits.all():
        sample, row, column = (int(part) for part in np.argwhere(~fits)[0])
        raise ValueError(
            f"sites must be 0 (empty) or an orientation, 1 to {N_ORIENTATIONS}, got "
            f"{given[sample, row, column]} at site ({row}, {column}) of snapshot {first + sample}"
        )
    checked = given.astype(np.uint8, copy=False).view()
    # A snapshot that is handed out is a view: what was checked must not change by it.
    checked.flags.writeable = False
    return checked


def _check_extents(parts):
    if not parts:
        raise ValueError("a set needs at least one snapshot, got none")
    for part in parts:
        if part.shape[1:] != parts[0].shape[1:]:
            raise ValueError(
                "all snapshots of a set must have one shape, got "
                f"{parts[0].shape[1:]} and {part.shape[1:]}"
            )
