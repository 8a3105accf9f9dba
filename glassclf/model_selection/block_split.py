"""Cross-validation in space: test points in blocks, training points at a distance from them."""

from numbers import Integral, Real

import numpy as np
from scipy.spatial import cKDTree
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length, check_random_state


class BlockSplit(BaseCrossValidator):
    """Hold out whole blocks of space, and leave out what lies close to them.

    Neighbouring cells of a field are alike, and cubes around them overlap: a split at random tests
    a model on what it was trained on. It goes wherever scikit-learn takes ``cv=``.

    Parameters
    ----------
    n_splits : int, default=5
        Number of parts that the blocks are dealt out to, at random.
    block : float, default=32
        Approximate side of the blocks in cells: a whole number of them fills each axis.
    gap : float, default=8
        Training points are at least so far from every test point: the largest difference along an
        axis, across periodic borders. In cells.
    box : sequence of float, default=None
        Extent of the space, for points that are given as ``groups``; else X knows it.
    periodic : bool, default=True
        Whether space goes on beyond the borders of ``box``; else X knows it.
    random_state : int, RandomState instance or None, default=None
        Seed of the dealing. With an int every call gives the same splits.

    See Also
    --------
    glassclf.plotting.BlockSplitDisplay : Draws the parts.

    Notes
    -----
    Points come from X (:class:`~glassclf.configurations.FieldPoints`, or the cubes of
    :class:`~glassclf.featurizers.NeighborhoodFeaturizer`), or as ``groups``, an array of shape
    ``(n_samples, n_dims)``; ``box`` is then needed. Points of the blocks around the test part are
    in neither part: the larger ``gap`` is beside ``block``, the more are left out. ``gap`` leaves
    wide cubes overlapping; none does where it is as large as the cubes.

    Spatial blocks with a buffer: D. R. Roberts et al., Ecography 40, 913 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> from glassclf.model_selection import BlockSplit
    >>> cells = np.argwhere(np.ones((16, 16)))
    >>> X = FieldPoints([np.zeros((16, 16))], cells)
    >>> train, test = next(BlockSplit(4, block=8, gap=3, random_state=0).split(X))
    >>> len(train), len(test), len(X)
    (112, 64, 256)
    """

    # With metadata routing, points given as groups are handed on.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, block=32, gap=8, box=None, periodic=True, random_state=None):
        self.n_splits = n_splits
        self.block = block
        self.gap = gap
        self.box = box
        self.periodic = periodic
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of splits.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Split the points.

        Parameters
        ----------
        X : FieldPoints, LazyNeighborhoods, or anything where ``groups`` are given
        y : ignored
        groups : array-like of shape (n_samples, n_dims), default=None
            Point of each sample.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If points are not known or lie outside the box, there are fewer blocks than splits, or
            nothing is left to train on.
        """
        points, box, periodic = self._space(X, groups)
        part = self._parts(points, box)
        for number in range(self.n_splits):
            test = np.flatnonzero(part == number)
            rest = np.flatnonzero(part != number)
            train = rest[self._far(points[rest], points[test], box if periodic else None)]
            if not len(train):
                raise ValueError(
                    f"gap={self.gap} around blocks of {self.block} cells leaves nothing to train "
                    f"on in split {number}: take a smaller gap, or more splits"
                )
            yield train, test

    def _far(self, points, test, box):
        tree = cKDTree(test, boxsize=box)
        # Only within the gap is there anything to find.
        nearest, _ = tree.query(points, p=np.inf, distance_upper_bound=self.gap)
        return nearest >= self.gap

    def _space(self, X, groups):
        good = isinstance(self.n_splits, Integral) and self.n_splits >= 2
        if not good:
            raise ValueError(f"n_splits must be an integer of at least 2, got {self.n_splits!r}")
        if not isinstance(self.block, Real) or not self.block > 0:
            raise ValueError(f"block must be positive, got {self.block!r}")
        if not isinstance(self.gap, Real) or not self.gap >= 0:
            raise ValueError(f"gap must be at least 0, got {self.gap!r}")
        if not isinstance(self.periodic, (bool, np.bool_)):
            raise ValueError(f"periodic must be True or False, got {self.periodic!r}")
        if hasattr(X, "field_shape"):
            return X.points.astype(float), np.array(X.field_shape, dtype=float), X.periodic
        if groups is None or self.box is None:
            raise ValueError(
                "BlockSplit needs to know where samples are: X as FieldPoints, or points of shape "
                "(n_samples, n_dims) as groups and the extent of the space as box"
            )
        points, box = np.asarray(groups, dtype=float), np.asarray(self.box, dtype=float)
        if X is not None:
            check_consistent_length(X, points)
        if points.ndim != 2 or box.shape != points.shape[1:]:
            raise ValueError(
                f"groups must be points of shape (n_samples, n_dims) with a box of n_dims, got "
                f"shapes {points.shape} and {box.shape}"
            )
        inside = ((points >= 0) & (points < box)).all(axis=1)
        if not inside.all():
            first = int(np.argmin(inside))
            raise ValueError(
                f"point {first} is {points[first].tolist()}, outside the box {box.tolist()}"
            )
        return points, box, self.periodic

    def _parts(self, points, box):
        """Part that each point is tested in."""
        n_blocks = np.maximum(1, np.rint(box / self.block)).astype(int)
        place = np.minimum((points / box * n_blocks).astype(int), n_blocks - 1)
        block = np.ravel_multi_index(tuple(place.T), n_blocks)
        occupied, block = np.unique(block, return_inverse=True)
        if len(occupied) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} needs as many blocks with points, block={self.block} "
                f"makes {len(occupied)} in a box of {box.tolist()}: take smaller blocks"
            )
        dealt = np.arange(len(occupied)) % self.n_splits
        return check_random_state(self.random_state).permutation(dealt)[block]
