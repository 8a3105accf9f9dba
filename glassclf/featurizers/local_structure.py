"""Local structure: who surrounds a particle, how much room it has, how even its neighbours are."""

from numbers import Integral

import numpy as np
from scipy.special import sph_harm_y
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations import voronoi_cells
from glassclf.featurizers.base import ConfigurationFeaturizer, Number, featurize_all

ORDER = 6
# Cells that are as small or as large as this share of all fall into the first and the last bin.
TAIL = 0.005


class LocalStructureFeaturizer(ConfigurationFeaturizer):
    r"""Histograms of the Voronoi cells around the particles of each type.

    For each type of the central particle: the share of particles with each number of neighbours and
    number of the last type among them; histograms of the area (in 3D the volume) of the cells; and
    histograms of the bond order over the neighbours,

    .. math:: |\psi_6| = \Big| \frac{1}{n} \sum_{j=1}^{n} e^{6 i \theta_j} \Big|, \qquad
       Q_6 = \Big( \frac{4 \pi}{13} \sum_{m=-6}^{6}
       \Big| \frac{1}{n} \sum_{j=1}^{n} Y_{6m}(\hat r_j) \Big|^2 \Big)^{1/2}

    in two and three dimensions. Neighbours are the particles that share a face of the cells.

    Parameters
    ----------
    n_bins : int, default=10
        Number of bins of the area, and of the bond order, which lies between 0 and 1.
    n_jobs : int, default=None
        Number of processes over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    counts_ : ndarray of int of shape (n_counts, 2)
        Numbers of neighbours, and of the last type among them, that ``fit`` saw, sorted. In other
        configurations what is not among them counts nowhere.
    area_edges_ : ndarray of shape (n_types, n_bins + 1)
        Edges of the bins of the area, in units of the input length to the power of ``n_dims_``. The
        first and the last bin are open outwards.
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.

    See Also
    --------
    glassclf.configurations.voronoi_cells : The cells by themselves.
    BondOrderFeaturizer : Orders over a fixed number of nearest neighbours.

    Notes
    -----
    The output is float64 of shape ``(n, n_types * (n_counts + 2 * n_bins))``: for each central type
    the counts, the areas, and the orders, each of which sums to 1 (at most: see ``counts_``).
    Particles at the end of an open direction have no closed cell and count nowhere; a type without
    any closed cell gives 0.

    References
    ----------
    .. [1] P. J. Steinhardt, D. R. Nelson and M. Ronchetti, Phys. Rev. B 28, 784 (1983), eq. 1.4,
       for :math:`Q_6`; D. R. Nelson and B. I. Halperin, Phys. Rev. B 19, 2457 (1979), for
       :math:`\psi_6`.

    Examples
    --------
    >>> from glassclf.featurizers import LocalStructureFeaturizer
    >>> from glassclf.testing import noisy_lattice
    >>> X = [noisy_lattice(0.1, random_state=seed) for seed in range(3)]
    >>> local = LocalStructureFeaturizer(n_bins=4).fit(X)
    >>> local.counts_[0].tolist(), local.transform(X).shape[1] == 2 * (len(local.counts_) + 8)
    ([4, 0], True)
    >>> local.get_feature_names_out()[[0, -1]].tolist()
    ['neighbors_0_4_0', 'psi6_1_0.875']
    """

    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        "n_bins": [Number(Integral, 1, None, closed="left")],
    }
    _search_space = {"n_bins": ("int", 4, 40, "log")}
    _invariances = ("translation", "rotation90", "rotation", "permutation")

    def __init__(self, *, n_bins=10, n_jobs=None):
        self.n_bins = n_bins
        self.n_jobs = n_jobs

    def get_feature_names_out(self, input_features=None):
        """Names of the features.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects
            Such as ``neighbors_0_6_2`` (type 0 with 6 neighbours, 2 of them of the last type),
            ``area_0_0.85`` (``volume`` in 3D) and ``psi6_0_0.95`` (``Q6``), with centres of bins.
        """
        check_is_fitted(self)
        size, order = ("area", "psi6") if self.n_dims_ == 2 else ("volume", "Q6")
        orders = (np.arange(self.n_bins) + 0.5) / self.n_bins
        names = []
        for kind, edges in zip(self.types_, self.area_edges_):
            names += [f"neighbors_{kind}_{n}_{among}" for n, among in self.counts_]
            names += [f"{size}_{kind}_{area:.4g}" for area in (edges[1:] + edges[:-1]) / 2]
            names += [f"{order}_{kind}_{center:.4g}" for center in orders]
        return np.array(names, dtype=object)

    def _learn(self, X):
        types = np.unique(X.types)
        locals_ = list(featurize_all(_Measures(types[-1]), X, 0))
        kinds = X.types
        counts, areas, _ = map(np.concatenate, zip(*locals_))
        closed = np.isfinite(areas)
        if not closed.any():
            raise ValueError("no particle of X has a closed Voronoi cell: all are at open borders")
        self.counts_ = np.unique(counts[closed], axis=0)
        self.area_edges_ = np.array(
            [_edges(areas[closed & (kinds == kind)], self.n_bins) for kind in types]
        )

    def _featurize(self, configuration):
        counts, areas, orders = measure_cells(configuration, self.types_[-1])
        closed, pieces = np.isfinite(areas), []
        for kind, edges in zip(self.types_, self.area_edges_):
            mine = closed & (configuration.types == kind)
            n = max(mine.sum(), 1)
            same = (counts[mine][:, None] == self.counts_).all(axis=2)
            areas_in = np.clip(np.searchsorted(edges, areas[mine]) - 1, 0, self.n_bins - 1)
            orders_in = np.minimum((orders[mine] * self.n_bins).astype(int), self.n_bins - 1)
            pieces.append(same.sum(axis=0) / n)
            pieces += [
                np.bincount(bins, minlength=self.n_bins) / n for bins in (areas_in, orders_in)
            ]
        return np.concatenate(pieces)


class _Measures:
    """What ``featurize_all`` asks of a featurizer: the measures of single particles."""

    def __init__(self, kind):
        self.kind = kind

    def _featurize(self, configuration):
        return measure_cells(configuration, self.kind)


def measure_cells(configuration, kind):
    r"""Measure the surroundings of each particle.

    Parameters
    ----------
    configuration : Configuration
    kind : int
        Type that is counted among the neighbours.

    Returns
    -------
    counts : ndarray of int of shape (n_particles, 2)
        Number of neighbours, and of those of that type among them.
    areas : ndarray of shape (n_particles,)
        Area of the cell, in 3D its volume; NaN for a cell that is not closed.
    orders : ndarray of shape (n_particles,)
        :math:`|\psi_6|` over the neighbours, in 3D :math:`Q_6`; 0 without neighbours.

    Examples
    --------
    >>> from glassclf.featurizers.local_structure import measure_cells
    >>> from glassclf.testing import noisy_lattice
    >>> counts, areas, orders = measure_cells(noisy_lattice(0.1), kind=1)
    >>> counts.mean(axis=0).round(2).tolist(), areas.mean().round(6), orders.shape
    ([6.0, 2.05], np.float64(1.0), (42,))
    """
    cells, n = voronoi_cells(configuration), configuration.n_particles
    n_neighbors = np.bincount(cells.sources, minlength=n)
    among = np.bincount(cells.sources, configuration.types[cells.targets] == kind, minlength=n)
    if configuration.n_dims == 2:
        angles = np.arctan2(cells.vectors[:, 1], cells.vectors[:, 0])
        waves = np.exp(1j * ORDER * angles)[None]
    else:
        x, y, z = cells.vectors.T
        polar = np.arccos(z / np.linalg.norm(cells.vectors, axis=1))
        m = np.arange(-ORDER, ORDER + 1)[:, None]
        waves = sph_harm_y(ORDER, m, polar, np.arctan2(y, x)) * np.sqrt(4 * np.pi / 13)
    sums = [
        np.bincount(cells.sources, wave.real, minlength=n)
        + 1j * np.bincount(cells.sources, wave.imag, minlength=n)
        for wave in waves
    ]
    orders = np.linalg.norm(sums, axis=0) / np.maximum(n_neighbors, 1)
    counts = np.column_stack([n_neighbors, among.astype(int)])
    return counts, cells.volumes, np.minimum(orders, 1.0)


def _edges(areas, n_bins):
    if len(areas) == 0:
        return np.linspace(0.0, 1.0, n_bins + 1)
    low, high = np.quantile(areas, [TAIL, 1 - TAIL])
    return np.linspace(low, max(high, low * (1 + 1e-6)), n_bins + 1)
