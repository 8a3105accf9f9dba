"""Bond-orientational order: how evenly the neighbours of a particle stand around it."""

import math
from numbers import Integral

import numpy as np
from scipy.special import eval_legendre
from sklearn.utils.validation import check_is_fitted

from glassclf._compilation import compiled
from glassclf.configurations import nearest_neighbors
from glassclf.featurizers.base import ConfigurationFeaturizer

# Neighbours in a close-packed crystal, for which published values of Q_l are given.
N_NEIGHBORS_3D = 12
QUANTILES = (0.1, 0.5, 0.9)
STATISTICS = ("mean", "std", *(f"q{round(100 * quantile)}" for quantile in QUANTILES))


class BondOrderFeaturizer(ConfigurationFeaturizer):
    r"""Bond-orientational order of the particles of each type.

    In two dimensions, :math:`|\psi_k|` of each particle over its ``k`` nearest neighbours; in
    three, the Steinhardt parameter :math:`Q_l` over its 12 nearest neighbours:

    .. math:: |\psi_k| = \Big| \frac{1}{k} \sum_{j=1}^{k} e^{i k \theta_j} \Big|, \qquad
       Q_l = \Big( \frac{4 \pi}{2 l + 1} \sum_{m=-l}^{l}
       \Big| \frac{1}{12} \sum_{j=1}^{12} Y_{lm}(\hat r_j) \Big|^2 \Big)^{1/2}

    Both lie between 0 and 1. :math:`\psi_4 = 1` in a square lattice, :math:`\psi_6 = 1` in a
    triangular one; :math:`Q_6 = 0.575` in a face-centred cubic crystal.

    Parameters
    ----------
    orders : sequence of int, default=(4, 5, 6)
        The orders ``k``, or ``l`` in three dimensions, each once.
    n_jobs : int, default=None
        Number of threads over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    orders_ : tuple of int
        The orders.
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.

    Notes
    -----
    The output is float64 of shape ``(n, n_orders * n_types * 5)``: for each order and each type,
    the mean over particles, the standard deviation, and the quantiles 0.1, 0.5 and 0.9. All
    particles count as neighbours, whatever their type. A type that a configuration lacks gives 0.

    References
    ----------
    .. [1] D. R. Nelson and B. I. Halperin, Phys. Rev. B 19, 2457 (1979), for :math:`\psi_6`.
    .. [2] P. J. Steinhardt, D. R. Nelson and M. Ronchetti, Phys. Rev. B 28, 784 (1983), eq. 1.4.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.featurizers import BondOrderFeaturizer
    >>> square = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), axis=-1).reshape(-1, 2)
    >>> order = BondOrderFeaturizer(orders=(4,)).fit([(square, np.zeros(16, int), [4.0, 4.0])])
    >>> order.transform([(square, np.zeros(16, int), [4.0, 4.0])]).round(6)
    array([[1., 0., 1., 1., 1.]])
    >>> order.get_feature_names_out().tolist()
    ['psi4_0_mean', 'psi4_0_std', 'psi4_0_q10', 'psi4_0_q50', 'psi4_0_q90']
    """

    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        "orders": ["array-like"],
    }
    _search_space = {
        "orders": ("choice", ((6,), (4, 6), (4, 5, 6), (4, 6, 8), (2, 3, 4, 5, 6, 7, 8))),
    }
    _prefers = "threads"
    _invariances = ("translation", "rotation90", "rotation", "permutation")

    def __init__(self, orders=(4, 5, 6), *, n_jobs=None):
        self.orders = orders
        self.n_jobs = n_jobs

    def get_feature_names_out(self, input_features=None):
        """Names of the features, such as ``psi6_0_mean`` or, in three dimensions, ``Q6_0_mean``.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self)
        symbol = "psi" if self.n_dims_ == 2 else "Q"
        names = [
            f"{symbol}{order}_{kind}_{statistic}"
            for order in self.orders_
            for kind in self.types_
            for statistic in STATISTICS
        ]
        return np.array(names, dtype=object)

    def _learn(self, X):
        for order in self.orders:
            if not isinstance(order, Integral) or isinstance(order, bool) or order < 1:
                raise ValueError(f"orders must be integers of at least 1, got {order!r} among them")
        if len(self.orders) == 0:
            raise ValueError("orders must hold at least one order, got none")
        self.orders_ = tuple(int(order) for order in self.orders)
        if len(set(self.orders_)) < len(self.orders_):
            raise ValueError(f"orders must differ from each other, got {self.orders_}")

    def _featurize(self, configuration):
        needed = max(self.orders_) if self.n_dims_ == 2 else N_NEIGHBORS_3D
        if configuration.n_particles <= needed:
            raise ValueError(
                f"bond order over {needed} neighbours needs more than {needed} particles, got "
                f"{configuration.n_particles}"
            )
        pairs = nearest_neighbors(configuration, needed)
        measure = hexatic_orders if self.n_dims_ == 2 else steinhardt_orders
        by_order = measure(pairs, configuration.n_particles, self.orders_)
        of_types = [
            _statistics(by_order.compress(configuration.types == kind, axis=1))
            for kind in self.types_
        ]
        return np.stack(of_types, axis=1).ravel()


def hexatic_orders(pairs, n_particles, orders):
    """Absolute value of psi_k for each order k, ndarray of shape (n_orders, n_particles)."""
    by_order = np.empty((len(orders), n_particles))
    compiled(sum_powers)(pairs.vectors, pairs.distances, np.array(orders), by_order)
    return by_order


def sum_powers(vectors, distances, orders, by_order):
    """Absolute mean of powers of unit vectors as complex numbers, to be compiled.

    Parameters
    ----------
    vectors : ndarray of shape (n_particles * n_neighbors, 2)
        To the nearest neighbours of each particle, one after the other.
    distances : ndarray of shape (n_particles * n_neighbors,)
        Their lengths. A vector of no length counts as the number 1.
    orders : ndarray of int of shape (n_orders,)
        Powers, and over how many neighbours the mean is taken; all different.
    by_order : ndarray of shape (n_orders, n_particles)
        Written to.
    """
    n_orders, n_particles = by_order.shape
    n_neighbors = len(distances) // n_particles
    rows = np.full(n_neighbors + 1, -1)
    for row in range(n_orders):
        rows[orders[row]] = row
    totals = np.empty((n_orders, 2))
    for i in range(n_particles):
        totals[:] = 0.0
        for k in range(n_neighbors):
            bond = i * n_neighbors + k
            x, y = 1.0, 0.0
            if distances[bond] > 0:
                x, y = vectors[bond, 0] / distances[bond], vectors[bond, 1] / distances[bond]
            # Real numbers: products of complex ones look for infinities, and take thrice as long.
            real, imaginary = 1.0, 0.0
            for order in range(1, n_neighbors + 1):
                real, imaginary = real * x - imaginary * y, real * y + imaginary * x
                if rows[order] >= 0 and k < order:
                    totals[rows[order], 0] += real
                    totals[rows[order], 1] += imaginary
        for row in range(n_orders):
            real, imaginary = totals[row]
            by_order[row, i] = math.sqrt(real * real + imaginary * imaginary) / orders[row]


def steinhardt_orders(pairs, n_particles, orders):
    """Q_l for each order l, ndarray of shape (n_orders, n_particles).

    By the addition theorem of spherical harmonics the sum over m is a Legendre polynomial of the
    angle between two bonds: Q_l^2 is the mean of P_l over all pairs of bonds of a particle.
    """
    # freud's Steinhardt recomputes the bond vectors in single precision from a box of its own and
    # ignores those of the neighbour list; this is exact in every box, and three times faster.
    lengths = np.maximum(pairs.distances, np.finfo(float).tiny)
    bonds = (pairs.vectors / lengths[:, None]).reshape(n_particles, N_NEIGHBORS_3D, 3)
    cosines = bonds @ bonds.transpose(0, 2, 1)
    squares = [eval_legendre(order, cosines).mean(axis=(1, 2)) for order in orders]
    return np.sqrt(np.maximum(squares, 0.0))


def _statistics(by_order):
    """Statistics over particles, ndarray of shape (n_orders, n_statistics)."""
    if by_order.shape[1] == 0:
        return np.zeros((len(by_order), len(STATISTICS)))
    quantiles = np.quantile(by_order, QUANTILES, axis=1)
    return np.column_stack([by_order.mean(axis=1), by_order.std(axis=1), *quantiles])
