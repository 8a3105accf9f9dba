"""Pair correlation of lattice snapshots: what the radial distribution function is off a lattice."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations.lattices import as_lattices
from glassclf.featurizers.base import Number

# Snapshots that are transformed at once.
CHUNK = 256


class LatticeCorrelationFeaturizer(TransformerMixin, BaseEstimator):
    r"""Pair correlation of the occupied sites of a periodic lattice, at each distance vector.

    .. math:: g(a, b) = \frac{\langle n(x, y) \, n(x + a, y + b) \rangle}
       {N (N - 1) / (V (V - 1))}

    for N particles on V sites: 1 wherever places are independent. It is averaged over the turns and
    mirror images of the vector. A linear model of it is the baseline that a network on the lattice
    has to beat.

    Parameters
    ----------
    n_sites : int, default=8
        Largest difference along an axis.

    Attributes
    ----------
    vectors_ : ndarray of int of shape (n_vectors, 2)
        Difference of the sites, (a, b) with 0 <= a <= b and b > 0.

    See Also
    --------
    LatticeFeaturizer : The snapshot itself, as an image.
    RDFFeaturizer : The same for particles off a lattice.

    Notes
    -----
    By the fast Fourier transform (Wiener and Khinchin). The output is float64 of shape
    ``(n, n_vectors)``. A snapshot with less than two particles gives 0.

    Examples
    --------
    >>> from glassclf.featurizers import LatticeCorrelationFeaturizer
    >>> correlation = LatticeCorrelationFeaturizer(n_sites=1)
    >>> correlation.fit_transform([[[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]]).round(2)
    array([[2.75, 0.  ]])
    >>> correlation.get_feature_names_out().tolist()
    ['g_0_1', 'g_1_1']
    """

    _parameter_constraints = {"n_sites": [Number(Integral, 1, None, closed="left")]}
    _search_space = {"n_sites": ("int", 2, 20, "log")}

    def __init__(self, n_sites=8):
        self.n_sites = n_sites

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the lattice.

        Parameters
        ----------
        X : Lattices or array-like of shape (n, n_rows, n_columns)
        y : ignored

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a side of the lattice is not larger than ``n_sites``.
        """
        self._check(as_lattices(X))
        self.vectors_ = np.array(
            [(a, b) for a in range(self.n_sites + 1) for b in range(max(a, 1), self.n_sites + 1)]
        )
        return self

    def transform(self, X):
        """Correlate the sites of each snapshot.

        Parameters
        ----------
        X : Lattices or array-like of shape (n, n_rows, n_columns)
            Of any shape that ``n_sites`` fits into.

        Returns
        -------
        features : ndarray of shape (n, n_vectors)
        """
        check_is_fitted(self)
        X = as_lattices(X)
        self._check(X)
        features = np.empty((len(X), len(self.vectors_)))
        for first in range(0, len(X), CHUNK):
            rows = slice(first, first + CHUNK)
            features[rows] = _correlate(X[rows].sites > 0, self.vectors_)
        return features

    def get_feature_names_out(self, input_features=None):
        """Names of the features, such as ``g_0_1``.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self)
        return np.array([f"g_{a}_{b}" for a, b in self.vectors_], dtype=object)

    def _check(self, X):
        if self.n_sites >= min(X.lattice_shape):
            raise ValueError(
                f"n_sites={self.n_sites} must be smaller than both sides of the lattice, got shape "
                f"{X.lattice_shape}"
            )


def _correlate(occupied, vectors):
    n_sites = occupied[0].size
    n = occupied.sum(axis=(1, 2)).astype(float)
    spectrum = np.abs(np.fft.rfft2(occupied.astype(float))) ** 2
    together = np.fft.irfft2(spectrum, s=occupied.shape[1:]) / n_sites
    a, b = vectors.T
    images = [(a, b), (a, -b), (b, a), (b, -a)]
    mean = np.mean([together[:, first, second] for first, second in images], axis=0)
    expected = n * (n - 1) / (n_sites * (n_sites - 1))
    return np.divide(mean, expected[:, None], out=np.zeros_like(mean), where=expected[:, None] > 0)
