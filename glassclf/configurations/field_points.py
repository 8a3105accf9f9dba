"""Points of a stack of fields: samples whose neighbourhoods are read when they are used."""

import hashlib

import numpy as np
from scipy.ndimage import uniform_filter

from glassclf.configurations.packing import PackedSet
from glassclf.configurations.sample_info import SampleInfo


class FieldPoints(PackedSet):
    """Cells of a stack of fields, indexed as scikit-learn asks of ``X``.

    A smaller set (``X[rows]``) shares the fields, of which there is one copy however many points
    and splits there are.

    Parameters
    ----------
    fields : array-like of shape (n_fields, n_0, n_1[, n_2]), or list of arrays of one shape
        Such as a density and the sources in it, in two or three dimensions. Arrays in C order are
        kept without a copy: do not change them afterwards. Those that are mapped from files stay
        there.
    points : array-like of int of shape (n, n_dims)
        Cell of each sample.
    periodic : bool, default=True
        Whether the fields go on beyond their borders. If not, they are 0 there.
    info : dict of array-like of shape (n, ...), default=None
        One value for each point, such as "redshift".

    Attributes
    ----------
    info : dict of ndarray of shape (n, ...)
        Follows every indexing.
    fields : tuple of ndarray of shape (n_0, n_1[, n_2])
    points : ndarray of int of shape (n, n_dims)
    periodic : bool

    Raises
    ------
    ValueError
        If the fields have several shapes or a value that is not finite, or a point lies outside.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> density, sources = np.ones((8, 8, 8)), np.zeros((8, 8, 8))
    >>> X = FieldPoints([density, sources], [[0, 0, 0], [4, 5, 7]], info={"redshift": [7.0, 7.0]})
    >>> X
    FieldPoints(n=2, n_fields=2, shape=(8, 8, 8), info=['redshift'])
    >>> X[1:].points.tolist()
    [[4, 5, 7]]
    """

    def __init__(self, fields, points, periodic=True, info=None):
        fields = tuple(_checked_field(field, number) for number, field in enumerate(fields))
        if not fields:
            raise ValueError("fields must hold at least one field, got none")
        for number, field in enumerate(fields):
            if field.shape != fields[0].shape:
                raise ValueError(
                    f"all fields must have one shape, got {fields[0].shape} for field 0 and "
                    f"{field.shape} for field {number}"
                )
        if not isinstance(periodic, (bool, np.bool_)):
            raise TypeError(f"periodic must be True or False, got {periodic!r}")
        self._take(fields, _checked_points(points, fields[0].shape), bool(periodic), {}, info)

    def _take(self, fields, points, periodic, shared, info):
        self.fields, self.points, self.periodic = fields, points, periodic
        # What is worked out of the fields, once for all smaller sets.
        self._shared = shared
        self.info = info

    @property
    def info(self):
        """One value for each point under each name, dict of ndarray of shape (n, ...)."""
        return self.__dict__["info"]

    @info.setter
    def info(self, values):
        self.__dict__["info"] = SampleInfo(len(self), values)

    @property
    def n_dims(self):
        """Number of spatial dimensions."""
        return self.fields[0].ndim

    @property
    def field_shape(self):
        """Cells of the fields along each axis."""
        return self.fields[0].shape

    def coarse(self, stride, margin=0):
        """Fields that are averaged over cubes around every cell, made once and kept.

        Parameters
        ----------
        stride : int
            Side of the cubes in cells, odd; 1 gives the fields themselves.
        margin : int, default=0
            Cells beyond each border that are added, for ``stride`` above 1.

        Returns
        -------
        fields : tuple of ndarray
            Of the shape of the fields and the margins. float32 but for ``stride=1``. Beyond a
            border that is not periodic, 0 is averaged.
        """
        if stride == 1:
            return self.fields
        kept = self._shared.setdefault("coarse", {})
        if (stride, margin) not in kept:
            kept[stride, margin] = tuple(
                self._average(field, stride, margin) for field in self.fields
            )
        return kept[stride, margin]

    def _average(self, field, stride, margin):
        if self.periodic:
            average = uniform_filter(field, stride, output=np.float32, mode="wrap")
            return np.pad(average, margin, mode="wrap")
        # A cube whose middle lies beyond the border may still hold cells of the field.
        return uniform_filter(np.pad(field, margin), stride, output=np.float32, mode="constant")

    def fingerprint(self):
        """Tell sets apart without comparing them: a hash of fields and points.

        Returns
        -------
        fingerprint : str
            64 hexadecimal digits, equal for equal fields and points in the same order.
        """
        if "digest" not in self._shared:
            digest = hashlib.sha256(repr((self.field_shape, self.periodic)).encode())
            for field in self.fields:
                for plane in field:
                    digest.update(np.ascontiguousarray(plane, dtype=np.float64))
            self._shared["digest"] = digest.hexdigest()
        own = hashlib.sha256(self._shared["digest"].encode())
        own.update(np.ascontiguousarray(self.points, dtype=np.int64))
        return own.hexdigest()

    def __len__(self):
        return len(self.points)

    def _one(self, index):
        return self._some(np.array([index]))

    def _some(self, chosen):
        new = type(self).__new__(type(self))
        info = {name: np.asarray(values)[chosen] for name, values in self.info.items()}
        new._take(self.fields, self.points[chosen], self.periodic, self._shared, info)
        return new

    def __getstate__(self):
        return vars(self) | {"_shared": {}}

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "FieldPoints are no table: put a NeighborhoodFeaturizer or a ShellAverageFeaturizer "
            "before the estimator"
        )

    def __repr__(self):
        return (
            f"FieldPoints(n={len(self)}, n_fields={len(self.fields)}, shape={self.field_shape}, "
            f"info={sorted(self.info)})"
        )


def as_field_points(X):
    """Refuse what is no set of points in fields.

    Parameters
    ----------
    X : FieldPoints

    Returns
    -------
    X : FieldPoints

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it holds no point.
    """
    if not isinstance(X, FieldPoints):
        raise TypeError(
            f"X must be FieldPoints(fields, points), got {type(X).__name__}: points alone do not "
            "tell in which fields they lie"
        )
    if len(X) == 0:
        raise ValueError("X must hold at least one point, got an empty set")
    return X


def _checked_field(field, number):
    # asanyarray keeps the class of what is mapped from a file.
    field = np.asanyarray(field)
    if field.ndim not in (2, 3) or 0 in field.shape:
        raise ValueError(
            f"fields must be a stack of 2D or 3D fields, got shape {field.shape} for field "
            f"{number}; for a single field write [field]"
        )
    if field.dtype.kind not in "biuf":
        raise ValueError(f"fields must be numbers, got {field.dtype} for field {number}")
    if not field.flags.c_contiguous:
        field = np.ascontiguousarray(field)
    if field.dtype.kind == "f":
        # Plane by plane, so that a mapped field never stands in memory whole.
        for place, plane in enumerate(field):
            good = np.isfinite(plane)
            if not good.all():
                cell = (place, *(int(part) for part in np.argwhere(~good)[0]))
                raise ValueError(
                    f"fields must be finite, got {field[cell]} at cell {cell} of field {number}"
                )
    return field


def _checked_points(points, shape):
    points = np.asarray(points)
    if points.size == 0:
        points = points.reshape(0, len(shape)).astype(np.int64)
    if points.ndim != 2 or points.shape[1] != len(shape):
        raise ValueError(
            f"points must have shape (n, {len(shape)}) as the fields have {len(shape)} axes, got "
            f"{points.shape}; a single field of {points.shape[-1]} axes is written [field]"
        )
    if points.dtype.kind not in "iu":
        raise ValueError(f"points must be cells, integers, got {points.dtype}")
    inside = ((points >= 0) & (points < shape)).all(axis=1)
    if not inside.all():
        first = int(np.argmin(inside))
        raise ValueError(
            f"point {first} is {points[first].tolist()}, outside the fields of shape {shape}"
        )
    # Steps are taken from them, also down from 0.
    return points.astype(np.int64, copy=False)
