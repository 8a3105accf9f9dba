"""Cubes around points of fields, read when they are used and never written."""

from numbers import Integral

import joblib
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glassclf.featurizers.base import NoTableMixin, Number
from glassclf.featurizers.field_base import FieldFeaturizer
from glassclf.featurizers.lazy import LazyImages
from glassclf.featurizers.settings import settings_digest
from glassclf.featurizers.shell_average import check_radii, shell_averages

# Points whose cubes are gathered at once: they stay in the processor's cache.
CHUNK = 64
COUNT = Number(Integral, 1, None, closed="left")


class NeighborhoodFeaturizer(NoTableMixin, FieldFeaturizer):
    """Show a network the cube (in two dimensions the square) around each point of fields.

    Parameters
    ----------
    size : int, default=9
        Side of the cubes in samples, odd, with the point in the middle.
    strides : sequence of int, default=(1,)
        Cells between the samples of each level of resolution, odd. A level with stride s samples
        the fields averaged over s cells along each axis: ``(1, 3, 5)`` sees 45 cells wide with 9
        samples a level.
    radii : sequence of float, default=()
        Outer radii of spherical shells whose averages stand beside the cubes as scalars, see
        :class:`ShellAverageFeaturizer`.
    scalars : sequence of str, default=()
        Names of values in ``X.info`` that stand beside the cubes, such as ``("redshift",)``.
    lazy : bool, default=True
        Whether ``transform`` returns a sequence that makes the cubes of each batch, instead of an
        array, which for two fields takes 24 GB for a million points of 9 x 9 x 9 and three levels.

    Attributes
    ----------
    n_fields_ : int
        Number of fields.
    n_dims_ : int
        Number of spatial dimensions.
    n_scalars_ : int
        Scalars beside the cubes: what the network has to be told as ``n_scalars``.
    pixel_size_ : ndarray of shape (n_dims,)
        1: a pixel is a cell.

    See Also
    --------
    ShellAverageFeaturizer : A small table that sees all directions alike.
    glassclf.estimators.CNNRegressor : ``architecture="pyramid"`` keeps the levels apart.

    Notes
    -----
    The output is float32 of shape ``(n, len(strides) * n_fields + n_scalars_, size, size[, size])``
    : level by level the fields, then a channel for each scalar, equal everywhere. Turns and mirror
    images of the cubes, which suit most physics, are up to the network
    (``augment=["quarter_turns", "mirrors"]``).

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> from glassclf.featurizers import NeighborhoodFeaturizer
    >>> fields = np.random.default_rng(0).random((2, 32, 32, 32))
    >>> X = FieldPoints(fields, [[0, 0, 0], [5, 31, 7]])
    >>> cubes = NeighborhoodFeaturizer(size=5, strides=(1, 3)).fit_transform(X)
    >>> cubes
    LazyNeighborhoods(shape=(2, 4, 5, 5, 5), info=[])
    >>> bool(cubes[1][0, 2, 2, 2] == np.float32(fields[0, 5, 31, 7]))
    True
    """

    _parameter_constraints = {
        "size": [COUNT],
        "strides": ["array-like"],
        "radii": ["array-like"],
        "scalars": ["array-like"],
        "lazy": ["boolean"],
    }
    # A pyramid network takes cubes of one size: that of its layers.
    _search_space = {}
    # Cubes are gathered faster than files are read.
    cache = None
    _of_no_effect = ("pixel_size_",)

    def __init__(self, size=9, strides=(1,), *, radii=(), scalars=(), lazy=True):
        self.size = size
        self.strides = strides
        self.radii = radii
        self.scalars = scalars
        self.lazy = lazy

    def transform(self, X):
        """Make cubes, or the sequence that makes them.

        Parameters
        ----------
        X : FieldPoints
            Of any extent that the cubes fit into.

        Returns
        -------
        cubes : LazyNeighborhoods or ndarray of shape (n, n_channels, size, ...), float32
        """
        X = self._checked(X)
        table = self._table(X)
        if table.shape[1] != self.n_scalars_:
            raise ValueError(
                f"X has {table.shape[1]} scalars a point, NeighborhoodFeaturizer was fitted on "
                f"{self.n_scalars_}"
            )
        cubes = LazyNeighborhoods(X, self, table)
        return cubes if self.lazy else np.asarray(cubes)

    @property
    def _reach(self):
        of_cubes = max((self.size // 2) * stride + stride // 2 for stride in self.strides)
        return max([of_cubes, *(int(np.floor(radius)) for radius in self.radii)])

    def _learn(self, X):
        self.n_scalars_ = self._table(X[:1]).shape[1]
        self.pixel_size_ = np.ones(X.n_dims)

    def _check(self, X):
        if not len(self.strides):
            raise ValueError("strides must hold at least one stride, got none")
        odd = [value % 2 for value in (self.size, *self.strides) if COUNT.is_satisfied_by(value)]
        if len(odd) < 1 + len(self.strides) or not all(odd):
            raise ValueError(
                "size and strides must be odd integers, so that a point is in the middle, got "
                f"size={self.size}, strides={tuple(self.strides)}"
            )
        widest = self.size * max(self.strides)
        if widest > min(X.field_shape):
            raise ValueError(
                f"cubes of size={self.size} at stride {max(self.strides)} are {widest} cells wide, "
                f"more than fields of shape {X.field_shape}"
            )
        if len(self.radii):
            check_radii(self.radii, X)
        for name in self.scalars:
            if name not in X.info:
                raise ValueError(f"scalars: X.info has no {name!r}, it has {sorted(X.info)}")

    def _table(self, X):
        """Scalars of each point, float32 of shape (n, n_scalars)."""
        columns = [np.empty((len(X), 0))]
        if len(self.radii):
            columns.append(shell_averages(X, self.radii))
        for name in self.scalars:
            values = np.asarray(X.info[name])
            if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
                raise ValueError(f"scalars: X.info[{name!r}] must hold finite numbers")
            columns.append(values.reshape(len(X), -1))
        return np.concatenate(columns, axis=1).astype(np.float32)


class LazyNeighborhoods(LazyImages):
    """Cubes that are gathered when they are used: what ``NeighborhoodFeaturizer`` gives.

    Parameters
    ----------
    X : FieldPoints
    featurizer : NeighborhoodFeaturizer
        Fitted.
    table : ndarray of shape (n, n_scalars), float32
        Scalars of each point.

    Attributes
    ----------
    points, field_shape, periodic : ndarray, tuple, bool
        Those of the points.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> from glassclf.featurizers import NeighborhoodFeaturizer
    >>> X = FieldPoints([np.eye(16)], [[0, 0], [5, 5], [5, 6]])
    >>> cubes = NeighborhoodFeaturizer(size=3).fit_transform(X)
    >>> cubes[1:], cubes[1:].points.tolist()
    (LazyNeighborhoods(shape=(2, 1, 3, 3), info=[]), [[5, 5], [5, 6]])
    >>> cubes.compute([2])[0, 0].tolist()
    [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(self, X, featurizer, table):
        super().__init__(X, featurizer)
        self._table = table

    @property
    def points(self):
        """Cell of each cube, ndarray of int of shape (n, n_dims)."""
        return self._X.points

    @property
    def n_levels(self):
        """Levels of resolution among the channels."""
        return len(self._featurizer.strides)

    @property
    def n_scalars(self):
        """Last channels, which are equal everywhere in a cube."""
        return self._featurizer.n_scalars_

    @property
    def field_shape(self):
        """Cells of the fields along each axis."""
        return self._X.field_shape

    @property
    def periodic(self):
        """Whether the fields go on beyond their borders."""
        return self._X.periodic

    @property
    def shape(self):
        """Shape of the cubes as one array."""
        featurizer = self._featurizer
        n_channels = len(featurizer.strides) * featurizer.n_fields_ + featurizer.n_scalars_
        return (len(self), n_channels, *(featurizer.size,) * featurizer.n_dims_)

    def fingerprint(self):
        """Tell sequences apart without computing them: as the base, and by the scalars."""
        return settings_digest([super().fingerprint(), joblib.hash(self._table)])

    def compute(self, indices):
        """Gather some cubes.

        Parameters
        ----------
        indices : array-like of int of shape (m,)

        Returns
        -------
        cubes : ndarray of shape (m, n_channels, size, ...), float32
            In the order of the indices.
        """
        indices = self._chosen(indices)
        featurizer = self._featurizer
        cubes = np.empty((len(indices), *self.shape[1:]), dtype=self.dtype)
        n_gathered = cubes.shape[1] - featurizer.n_scalars_
        spread = (..., *(None,) * featurizer.n_dims_)
        cubes[:, n_gathered:] = self._table[indices][spread]
        half = featurizer.size // 2
        for first in range(0, len(indices), CHUNK):
            rows = slice(first, first + CHUNK)
            points, channel = self.points[indices[rows]], 0
            for stride in featurizer.strides:
                for field in self._X.coarse(stride, half * stride):
                    if stride == 1:
                        cut = _cut_at_borders(field, points, half, self.periodic)
                    else:
                        cut = _cut(field, points, half, stride)
                    cubes[rows, channel] = cut
                    channel += 1
        return cubes

    def _some(self, chosen):
        new = super()._some(chosen)
        new._table = self._table[chosen]
        return new

    def __repr__(self):
        return f"LazyNeighborhoods(shape={self.shape}, info={sorted(self.info)})"


def _cut(field, points, half, stride):
    """Cubes of a field that has a margin as wide as half of them."""
    n_dims = field.ndim
    windows = sliding_window_view(field, (2 * half * stride + 1,) * n_dims)
    # Whole cubes are copied at a time, which is much faster than cell by cell.
    return windows[(..., *(slice(None, None, stride),) * n_dims)][tuple(points.T)]


def _cut_at_borders(field, points, half, periodic):
    """Cubes of a field without a margin, at stride 1: no copy of it is needed."""
    n_dims, shape = field.ndim, np.array(field.shape)
    cubes = np.empty((len(points), *(2 * half + 1,) * n_dims), dtype=np.float32)
    within = ((points >= half) & (points < shape - half)).all(axis=1)
    cubes[within] = _cut(field, points[within] - half, half, 1)
    steps = np.arange(-half, half + 1)
    for place in np.flatnonzero(~within):
        cells = [points[place, axis] + steps for axis in range(n_dims)]
        cubes[place] = field[np.ix_(*(along % n for along, n in zip(cells, shape)))]
        if not periodic:
            for axis, (along, n) in enumerate(zip(cells, shape)):
                outside = (along < 0) | (along >= n)
                np.moveaxis(cubes[place], axis, 0)[outside] = 0
    return cubes
