"""Classical measures of structure, particle by particle and as means over each type."""

import numpy as np

from glassclf.configurations import as_configurations, nearest_neighbors, voronoi_cells
from glassclf.featurizers.bond_order import N_NEIGHBORS_3D, hexatic_orders, steinhardt_orders

ORDERS_2D, ORDERS_3D = (3, 4, 5, 6), (4, 6)
N_TETRAHEDRON = 4


def particle_measures(X):
    r"""Measure the structure around every particle.

    Parameters
    ----------
    X : Configurations, or what :func:`~glassclf.configurations.as_configurations` takes
        In two or three dimensions, each of at least 7 particles, 13 in three dimensions.

    Returns
    -------
    measures : dict of str to list of ndarray of shape (n_particles,)
        ``coordination``, the number of Voronoi neighbours, and for each type t of ``X``
        ``coordination_t``, those of that type among them;
        ``area``, in 3D ``volume``, of the Voronoi cell;
        in 2D ``psi3`` to ``psi6``, the absolute bond order over as many nearest neighbours;
        in 3D ``Q4`` and ``Q6`` over the 12 nearest neighbours, and ``tetrahedrality``.

        A particle whose cell is not closed, at the end of an open direction, has NaN for the
        measures of the cell.

    Raises
    ------
    ValueError
        If there is no configuration, or one holds too few particles, or two at one place.

    See Also
    --------
    mean_measures : One number for each configuration.
    attribution, activations : What a network says of each particle, to be correlated with these.

    Notes
    -----
    Tetrahedrality is that of J. R. Errington and P. G. Debenedetti, Nature 409, 318 (2001),
    equation 1, over the four nearest neighbours,

    .. math:: q = 1 - \frac{3}{8} \sum_{j=1}^{3} \sum_{k=j+1}^{4}
       \left( \cos \theta_{jk} + \frac{1}{3} \right)^2 ,

    1 in the lattice of diamond and 0 on average for neighbours at random. For the others see
    :class:`~glassclf.featurizers.BondOrderFeaturizer` and
    :func:`~glassclf.configurations.voronoi_cells`.

    Examples
    --------
    >>> from glassclf.inspection import particle_measures
    >>> from glassclf.testing import noisy_lattice
    >>> measures = particle_measures([noisy_lattice(0.0), noisy_lattice(0.1)])
    >>> list(measures)[:4]
    ['coordination', 'coordination_0', 'coordination_1', 'area']
    >>> measures["psi4"][0].min().round(3), measures["psi4"][1].shape
    (np.float64(1.0), (42,))
    """
    X = as_configurations(X)
    if len(X) == 0:
        raise ValueError("X holds no configuration to measure")
    types = np.unique(X.types)
    rows = []
    for index in range(len(X)):
        try:
            rows.append(_measure(X[index], types))
        except ValueError as error:
            raise ValueError(f"configuration {index}: {error}") from error
    return {name: [row[name] for row in rows] for name in rows[0]}


def mean_measures(X):
    """Average the measures of single particles over the particles of each type.

    Parameters
    ----------
    X : Configurations, or what :func:`~glassclf.configurations.as_configurations` takes

    Returns
    -------
    measures : dict of str to ndarray of shape (n,)
        For each measure of :func:`particle_measures` its mean over each type, named by the type:
        ``psi6_0``, ``area_1``; ``coordination_0_1`` is the partial coordination number, the mean
        number of neighbours of type 1 around a particle of type 0. NaN where a configuration has no
        such particle, or none with a closed cell.

    Raises
    ------
    ValueError
        As :func:`particle_measures`.

    See Also
    --------
    compare_measures : Which of them separates two classes.
    glassclf.featurizers.LocalStructureFeaturizer : Histograms instead of means, in a pipeline.

    Examples
    --------
    >>> from glassclf.inspection import mean_measures
    >>> from glassclf.testing import noisy_lattice
    >>> measures = mean_measures([noisy_lattice(0.0), noisy_lattice(0.1)])
    >>> list(measures)[:4]
    ['coordination_0', 'coordination_1', 'coordination_0_0', 'coordination_1_0']
    >>> measures["psi4_0"].round(2).tolist()
    [1.0, 0.81]
    """
    X = as_configurations(X)
    of_particles = particle_measures(X)
    means = {}
    for name, values in of_particles.items():
        measure, *of_neighbors = name.split("_")
        for kind in np.unique(X.types):
            full_name = "_".join([measure, str(kind), *of_neighbors])
            means[full_name] = np.array(
                [_mean(row[X[index].types == kind]) for index, row in enumerate(values)]
            )
    return means


def _measure(configuration, types):
    n, n_dims = configuration.n_particles, configuration.n_dims
    needed = max(ORDERS_2D) if n_dims == 2 else N_NEIGHBORS_3D
    if n <= needed:
        raise ValueError(f"bond order over {needed} neighbours needs more particles, got {n}")
    cells = voronoi_cells(configuration)
    kinds = configuration.types[cells.targets]
    counts = {"coordination": np.bincount(cells.sources, minlength=n)}
    for kind in types:
        counts[f"coordination_{kind}"] = np.bincount(cells.sources, kinds == kind, minlength=n)
    measures = {name: np.where(cells.closed, count, np.nan) for name, count in counts.items()}
    measures["area" if n_dims == 2 else "volume"] = cells.volumes
    pairs = nearest_neighbors(configuration, needed)
    if n_dims == 2:
        orders = hexatic_orders(pairs, n, ORDERS_2D)
        return measures | {f"psi{order}": row for order, row in zip(ORDERS_2D, orders)}
    orders = steinhardt_orders(pairs, n, ORDERS_3D)
    measures |= {f"Q{order}": row for order, row in zip(ORDERS_3D, orders)}
    return measures | {"tetrahedrality": _tetrahedrality(configuration)}


def _tetrahedrality(configuration):
    pairs = nearest_neighbors(configuration, N_TETRAHEDRON)
    lengths = np.maximum(pairs.distances, np.finfo(float).tiny)
    bonds = (pairs.vectors / lengths[:, None]).reshape(-1, N_TETRAHEDRON, 3)
    cosines = (bonds @ bonds.transpose(0, 2, 1))[:, *np.triu_indices(N_TETRAHEDRON, 1)]
    return 1 - 3 / 8 * ((cosines + 1 / 3) ** 2).sum(axis=1)


def _mean(values):
    known = values[np.isfinite(values)]
    return known.mean() if len(known) else np.nan
