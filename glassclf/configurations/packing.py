"""Sets of samples packed into flat arrays, with the indexing that scikit-learn asks of X."""

import numbers

import numpy as np


class PackedSet:
    """Base of the containers of samples: how they are indexed.

    scikit-learn indexes anything that has a ``shape`` as ``X[key, ...]``, with ints, slices, lists,
    integer arrays and boolean masks. A subclass says what one sample is (``_one``) and how to pick
    several (``_some``), and defines ``__len__``.
    """

    @property
    def shape(self):
        """``(n,)``: scikit-learn then indexes the set as an array."""
        return (len(self),)

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __getitem__(self, key):
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]
        if isinstance(key, numbers.Integral) and not isinstance(key, (bool, np.bool_)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"sample {key} of a set of {len(self)}")
            return self._one(int(key) % len(self))
        if isinstance(key, slice):
            return self._some(np.arange(len(self))[key])
        return self._some(self._chosen(key))

    def _chosen(self, key):
        expected = "samples are indexed by integers, slices or masks"
        if isinstance(key, str):
            raise IndexError(f"{expected}, got {key!r}; for values of info write X.info[{key!r}]")
        if np.ndim(key) == 0:
            raise IndexError(f"{expected}, got {key!r}")
        if isinstance(key, tuple):
            raise IndexError(f"{expected}, got the tuple {key!r}; for two samples write X[[0, 1]]")
        key = np.asarray(key)
        if key.ndim != 1:
            raise IndexError(f"a set of samples has one axis, got an index with {key.ndim}")
        if key.dtype == bool:
            if len(key) != len(self):
                raise IndexError(f"boolean index has {len(key)} values for {len(self)} samples")
            return np.flatnonzero(key)
        if key.size == 0:
            return np.empty(0, dtype=np.int64)
        if not np.issubdtype(key.dtype, np.integer):
            raise IndexError(f"{expected}, got an array of {key.dtype}")
        return np.arange(len(self))[key]


def packed_rows(offsets, chosen):
    """Rows of the chosen members of a packed array.

    Parameters
    ----------
    offsets : ndarray of shape (n + 1,)
        Member ``i`` is rows ``offsets[i]`` to ``offsets[i + 1]``.
    chosen : ndarray of int of shape (m,)
        Members to take, in order.

    Returns
    -------
    rows : slice or ndarray of int
        A slice, and so a view of the array, where the members follow each other.
    new_offsets : ndarray of shape (m + 1,)
        Offsets of the taken members among themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.packing import packed_rows
    >>> rows, new_offsets = packed_rows(np.array([0, 2, 5]), np.array([1, 0]))
    >>> rows.tolist(), new_offsets.tolist()
    ([2, 3, 4, 0, 1], [0, 3, 5])
    """
    lengths = np.diff(offsets)[chosen]
    new_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if len(chosen) and (np.diff(chosen) == 1).all():
        return slice(offsets[chosen[0]], offsets[chosen[-1] + 1]), new_offsets
    shifts = np.asarray(offsets)[:-1][chosen] - new_offsets[:-1]
    return np.arange(new_offsets[-1]) + np.repeat(shifts, lengths), new_offsets
