"""Averages of fields over spherical shells: the plain baseline for values of a field."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations.spheres import SphericalAverages
from glassclf.featurizers.field_base import FieldFeaturizer

# Share of the largest value below which an average is rounding.
NOISE = 1e-11
# Radii in cells: one cell, then shells that grow with the distance.
RADII = (0, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20)


class ShellAverageFeaturizer(FieldFeaturizer):
    """Average each field over spherical shells around each point.

    It sees all directions alike. A boosted tree on it is the baseline that a network on cubes has
    to beat.

    Parameters
    ----------
    radii : sequence of float, default=(0, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20)
        Outer radius of each shell in cells, rising; a shell begins where the one before ends. The
        first is a whole sphere: radius 0 is the cell itself.

    Attributes
    ----------
    n_fields_ : int
        Number of fields.
    n_dims_ : int
        Number of spatial dimensions.

    See Also
    --------
    NeighborhoodFeaturizer : The neighbourhood itself, as cubes.

    Notes
    -----
    The averages of all cells are made by the fast Fourier transform, one shell at a time, and read
    at the points: the time hardly depends on their number. Beyond a border that is not periodic
    nothing is averaged. The output is float64, rounded to single precision, of shape
    ``(n, n_fields * n_shells)``, field by field.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> from glassclf.featurizers import ShellAverageFeaturizer
    >>> field = np.zeros((5, 5, 5))
    >>> field[2, 2, 1] = 6
    >>> shells = ShellAverageFeaturizer(radii=(0, 1))
    >>> shells.fit_transform(FieldPoints([field], [[2, 2, 1], [2, 2, 2]])).round(6) + 0
    array([[6., 0.],
           [0., 1.]])
    >>> shells.get_feature_names_out().tolist()
    ['field0_r0', 'field0_r1']
    """

    _parameter_constraints = {"radii": ["array-like"]}
    _search_space = {"radii": ("choice", ((0, 1, 2, 4, 8), (0, 2, 5, 10, 15, 20), RADII))}

    def __init__(self, radii=RADII):
        self.radii = radii

    def transform(self, X):
        """Average around each point.

        Parameters
        ----------
        X : FieldPoints

        Returns
        -------
        features : ndarray of shape (n, n_fields * n_shells)
        """
        return shell_averages(self._checked(X), self.radii)

    def get_feature_names_out(self, input_features=None):
        """Names of the features, such as ``field0_r3``.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self)
        fields = range(self.n_fields_)
        return np.array([f"field{c}_r{r:g}" for c in fields for r in self.radii], dtype=object)

    @property
    def _reach(self):
        return int(np.floor(max(self.radii)))

    def _check(self, X):
        check_radii(self.radii, X)


def shell_averages(X, radii):
    """Averages over shells around each point, checked before.

    Parameters
    ----------
    X : FieldPoints
    radii : sequence of float

    Returns
    -------
    averages : ndarray of shape (n, n_fields * n_shells)
    """
    features = np.empty((len(X), len(X.fields), len(radii)))
    cells = tuple(X.points.T)
    # Double precision: trees ask on which side of a number a feature lies.
    doubled = (field.astype(np.float64) for field in X.fields)
    averages = SphericalAverages(doubled, max(radii), X.periodic)
    inner = -1.0
    for place, outer in enumerate(radii):
        for number, average in enumerate(averages.over(outer, inner)):
            features[:, number, place] = average[cells]
        inner = outer
    for number, field in enumerate(X.fields):
        # What rounding makes of nothing is nothing.
        features[:, number][np.abs(features[:, number]) < NOISE * np.abs(field).max()] = 0
    # Equal averages stay equal, in a part of the field as well: trees must not split what only
    # rounding has told apart.
    features = features.astype(np.float32).astype(np.float64)
    return features.reshape(len(X), -1)


def check_radii(radii, X):
    """Refuse radii that do not rise or do not fit into the fields.

    Parameters
    ----------
    radii : sequence of float
    X : FieldPoints

    Raises
    ------
    ValueError
    """
    values = np.asarray(radii, dtype=float)
    rising = values.ndim == 1 and len(values) and values[0] >= 0 and (np.diff(values) > 0).all()
    if not rising or not np.isfinite(values).all():
        raise ValueError(f"radii must rise from at least 0, got {list(radii)}")
    # A sphere must not meet itself across a periodic border.
    largest = (min(X.field_shape) - 1) / 2 if X.periodic else min(X.field_shape) - 1
    if values[-1] > largest:
        raise ValueError(
            f"radii reach to {values[-1]:g} cells, fields of shape {X.field_shape} have room for "
            f"{largest:g}"
        )
    squares = steps = np.arange(int(values[-1]) + 1) ** 2
    for _ in range(X.n_dims - 1):
        squares = np.unique(squares[:, None] + steps)
    counts = np.searchsorted(squares, values**2, side="right")
    for inner, outer, empty in zip(values[:-1], values[1:], np.diff(counts) == 0):
        if empty:
            raise ValueError(
                f"radii: no cell lies between {inner:g} and {outer:g} cells, so that there is "
                "nothing to average"
            )
