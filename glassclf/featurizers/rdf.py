"""Radial distribution functions, by pair of types."""

from functools import lru_cache
from itertools import combinations_with_replacement, product
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations import is_rectangular, volume
from glassclf.configurations.neighbors import count_by_distance
from glassclf.featurizers.base import ConfigurationFeaturizer, Number, warn_of_other_units

# Nodes of each angle in a quadrant: a share of 1e-5 is then right everywhere, and half a percent
# where r passes the sides of an open box and hardly any pairs are left.
N_ANGLES = {2: 128, 3: 32}


class RDFFeaturizer(ConfigurationFeaturizer):
    r"""Radial distribution function of each pair of types.

    How many pairs of particles stand at each distance, over the number expected of particles
    without any order (an ideal gas) in the same box:

    .. math:: g_{ab}(r) = \frac{\text{pairs } (i \in a, j \in b, j \ne i) \text{ in the bin of } r}
       {\frac{N_a (N_b - \delta_{ab})}{V} \int_\text{bin} \gamma(\mathbf h)\, d\mathbf h},
       \qquad \gamma(\mathbf h) = \prod_{d \text{ not periodic}} \max(0, 1 - |h_d| / L_d)

    Parameters
    ----------
    r_max : float, default=2.5
        Largest distance, in units of the input positions (the default suits particles of diameter
        about 1). It may exceed half the box: all periodic images are counted.
    n_bins : int, default=100
        Number of bins between 0 and ``r_max``.
    partial : bool, default=True
        Whether each pair of types has its own function; else all particles count as one type.
    n_jobs : int, default=None
        Number of threads over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    r_ : ndarray of shape (n_bins,)
        Centres of the bins.
    r_max_ : float
        Upper end of the last bin.
    partial_ : bool
        Whether each pair of types has its own function.
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.

    Notes
    -----
    The output is float64 of shape ``(n, n_pairs * n_bins)``: all bins of the first pair of types,
    then those of the next, in the order (0, 0), (0, 1), ..., (1, 1), ... of ``types_``.

    In a direction that is not periodic, pairs across the end of the box are missing. The factor
    :math:`\gamma`, the set covariance of the box over its volume [1]_, is the share of them that
    is left, so an ideal gas has 1 in every box; :math:`h_d / L_d` are fractional coordinates.

    The images of a particle itself stand at fixed distances and are not counted. Where a
    configuration holds no pair of two types, their function is 0.

    References
    ----------
    .. [1] S. N. Chiu, D. Stoyan, W. S. Kendall, J. Mecke, *Stochastic Geometry and its
       Applications*, 3rd ed., Wiley (2013): set covariance of a window, and its use in the edge
       correction of the pair correlation function (translation correction).

    Examples
    --------
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> X = [([[1.0, 1.0], [2.0, 1.0]], [0, 1], [8.0, 8.0])]
    >>> rdf = RDFFeaturizer(r_max=2.0, n_bins=4).fit(X)
    >>> rdf.transform(X).round(2)
    array([[ 0. ,  0. ,  0. ,  0. ,  0. ,  0. , 16.3,  0. ,  0. ,  0. ,  0. ,
             0. ]])
    >>> rdf.get_feature_names_out()[6]
    'rdf_0_1_1.25'
    """

    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        "r_max": [Number(Real, 0, None, closed="neither")],
        "n_bins": [Number(Integral, 1, None, closed="left")],
        "partial": ["boolean"],
    }
    # Diameters are about 1: from the first shell of neighbours to the fourth or so.
    _search_space = {"r_max": ("float", 1.5, 5.0), "n_bins": ("int", 20, 200, "log")}
    _prefers = "threads"
    _invariances = ("translation", "rotation90", "permutation")

    def __init__(self, r_max=2.5, n_bins=100, *, partial=True, n_jobs=None):
        self.r_max = r_max
        self.n_bins = n_bins
        self.partial = partial
        self.n_jobs = n_jobs

    def _learn(self, X):
        self.r_ = (np.arange(self.n_bins) + 0.5) * (self.r_max / self.n_bins)
        self.r_max_, self.partial_ = float(self.r_max), bool(self.partial)

    def get_feature_names_out(self, input_features=None):
        """Names of the features: ``rdf_<type>_<type>_<r>``, or ``rdf_<r>`` without types.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self)
        pairs = combinations_with_replacement(self.types_, 2) if self.partial_ else [()]
        names = [
            "_".join(["rdf", *map(str, pair), f"{r:.10g}"]) for pair, r in product(pairs, self.r_)
        ]
        return np.array(names, dtype=object)

    def _stack(self, pieces, X):
        rdf = super()._stack(pieces, X)
        if not rdf.any() and X.n_particles.max() > 1:
            warn_of_other_units(self.r_max_)
        return rdf

    def _featurize(self, configuration):
        r_max, n_bins = self.r_max_, len(self.r_)
        n_types = len(self.types_) if self.partial_ else 1
        kinds = np.zeros(configuration.n_particles, dtype=np.int64)
        if self.partial_:
            kinds = np.searchsorted(self.types_, configuration.types)
        first, second, numbers = _pairs_of_types(n_types)
        counts = np.zeros((len(first), n_bins), dtype=np.int64)
        count_by_distance(configuration, r_max, kinds, numbers, counts)
        n_of = np.bincount(kinds, minlength=n_types)
        same = first == second
        n_pairs = np.where(same, n_of[first] * (n_of[first] - 1) / 2, n_of[first] * n_of[second])
        covariance = _covariance_of_bins(
            tuple(map(tuple, configuration.cell)),
            tuple(configuration.periodic),
            r_max,
            n_bins,
        )
        expected = np.outer(n_pairs / volume(configuration.cell), covariance)
        rdf = np.divide(counts, expected, out=np.zeros(expected.shape), where=expected > 0)
        return rdf.ravel()


@lru_cache(maxsize=16)
def _pairs_of_types(n_types):
    """Types of each pair a <= b, and the number of each pair, either way round."""
    first, second = np.triu_indices(n_types)
    numbers = np.empty((n_types, n_types), dtype=np.int64)
    numbers[first, second] = numbers[second, first] = np.arange(len(first))
    return first, second, numbers


@lru_cache(maxsize=256)
def _covariance_of_bins(cell, periodic, r_max, n_bins):
    """Integral of the set covariance, over the volume of the box, in the shell of each bin."""
    cell, open_ends = np.array(cell), ~np.array(periodic)
    n_dims = len(cell)
    edges = np.linspace(0.0, r_max, n_bins + 1)
    if not open_ends.any():
        return np.diff(np.pi * edges**2 if n_dims == 2 else 4 / 3 * np.pi * edges**3)
    # The integrand is a polynomial in r of degree 2 * n_dims - 1 (until r reaches the end of the
    # box), which three nodes a bin integrate exactly.
    nodes, node_weights = np.polynomial.legendre.leggauss(3)
    widths = np.diff(edges)
    r = edges[:-1, None] + widths[:, None] * (nodes + 1) / 2
    directions, weights = _directions(n_dims, mirrored=not is_rectangular(cell))
    reach = np.abs(directions @ np.linalg.inv(cell))[:, open_ends]
    left = np.ones((n_bins * 3, len(directions)))
    for along in reach.T:
        left *= np.clip(1 - np.outer(r.ravel(), along), 0, None)
    covariance = (left @ weights).reshape(r.shape)
    sphere = 2 * np.pi * r if n_dims == 2 else 4 * np.pi * r**2
    return (covariance * sphere) @ (node_weights / 2) * widths


def _directions(n_dims, mirrored):
    """Make unit vectors and weights that average over all directions, up to their sign.

    Those of the first quadrant or octant, which do for a rectangular box, or with ``mirrored``
    those of half the circle or sphere.
    """
    n_nodes = N_ANGLES[n_dims]
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    nodes, weights = (nodes + 1) / 2, weights / 2
    angles = np.pi / 2 * nodes
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    if n_dims == 3:
        heights = np.repeat(nodes, n_nodes)
        directions = np.tile(directions, (n_nodes, 1)) * np.sqrt(1 - heights**2)[:, None]
        directions = np.column_stack([directions, heights])
        weights = np.outer(weights, weights).ravel()
    if not mirrored:
        return directions, weights
    signs = [np.array((1, *signs)) for signs in product((1, -1), repeat=n_dims - 1)]
    return (
        np.concatenate([directions * sign for sign in signs]),
        np.tile(weights, len(signs)) / len(signs),
    )
