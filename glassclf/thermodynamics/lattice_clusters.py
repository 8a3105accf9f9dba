"""Clusters of occupied sites on periodic lattices."""

import numpy as np
from scipy.ndimage import label
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.utils import Bunch

from glassclf.configurations import as_lattices


def label_clusters(X):
    """Number the clusters of each snapshot.

    Particles on neighbouring sites are of one cluster, also across the periodic border.

    Parameters
    ----------
    X : Lattices or array-like of shape (n, n_rows, n_columns)

    Returns
    -------
    labels : ndarray of int32 of shape (n, n_rows, n_columns)
        0 where a site is empty, else the number of the cluster, from 1 on.

    See Also
    --------
    cluster_measures : Sizes, and whether a cluster spans the lattice.

    Examples
    --------
    >>> from glassclf.thermodynamics import label_clusters
    >>> label_clusters([[[1, 0, 0, 2], [0, 0, 3, 0]]])[0]
    array([[1, 0, 0, 1],
           [0, 0, 2, 0]], dtype=int32)
    """
    X = as_lattices(X)
    labels = np.empty((len(X), *X.lattice_shape), dtype=np.int32)
    for index in range(len(X)):
        labels[index] = _label(X[index] > 0)
    return labels


def cluster_measures(X):
    r"""Measure the clusters of each snapshot.

    Parameters
    ----------
    X : Lattices or array-like of shape (n, n_rows, n_columns)

    Returns
    -------
    measures : sklearn.utils.Bunch
        ``sizes`` : list of ndarray of int, the particles of each cluster, largest first;
        ``n_clusters`` : ndarray of int of shape (n,);
        ``largest`` : ndarray of shape (n,), share of the particles in the largest cluster;
        ``weighted_mean`` : ndarray of shape (n,), mean size of the cluster of a particle,
        :math:`\sum s^2 / \sum s`;
        ``percolates`` : ndarray of bool of shape (n,), whether a cluster joins itself around the
        periodic border, along either axis.

    See Also
    --------
    steady_state : From where on such a measure has stopped to drift.

    Notes
    -----
    The weighted mean is that of D. Stauffer and A. Aharony, Introduction to Percolation Theory
    (1994), section 2.2, with all clusters.

    A cluster winds around the lattice if, on two lattices side by side, it joins its own copy: on a
    torus a closed path that does not cross itself winds around the axes by numbers without a common
    divisor, of which one is odd.

    Examples
    --------
    >>> from glassclf.thermodynamics import cluster_measures
    >>> sites = [[1, 1, 1, 1], [0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]]
    >>> measures = cluster_measures([sites])
    >>> measures.sizes[0].tolist(), measures.weighted_mean.tolist(), measures.percolates.tolist()
    ([4, 1], [3.4], [True])
    """
    X = as_lattices(X)
    sizes = [_sizes(sites) for sites in X]
    percolates = [any(_winds(sites > 0, axis) for axis in (0, 1)) for sites in X]
    totals = np.array([max(each.sum(), 1) for each in sizes])
    return Bunch(
        sizes=sizes,
        n_clusters=np.array([len(each) for each in sizes]),
        largest=np.array([each.max(initial=0) for each in sizes]) / totals,
        weighted_mean=np.array([(each**2).sum() for each in sizes]) / totals,
        percolates=np.array(percolates, dtype=bool),
    )


def size_distribution(X):
    """Count the clusters of each size in all snapshots together.

    Parameters
    ----------
    X : Lattices or array-like of shape (n, n_rows, n_columns)

    Returns
    -------
    distribution : sklearn.utils.Bunch
        ``size`` : ndarray of int of shape (n_sizes,), sizes that occur, rising;
        ``number`` : ndarray of shape (n_sizes,), clusters of the size per site of a lattice. Its
        sum with the sizes is the density.

    Examples
    --------
    >>> from glassclf.thermodynamics import size_distribution
    >>> distribution = size_distribution([[[1, 1, 0, 0], [0, 0, 0, 0]]])
    >>> distribution.size.tolist(), distribution.number.tolist()
    ([2], [0.125])
    """
    X = as_lattices(X)
    sizes = np.concatenate([np.empty(0, dtype=int), *(_sizes(sites) for sites in X)])
    size, counts = np.unique(sizes, return_counts=True)
    return Bunch(size=size, number=counts / max(1, len(X) * np.prod(X.lattice_shape)))


def _sizes(sites):
    return np.sort(np.bincount(_label(sites > 0).ravel())[1:])[::-1]


def _label(occupied):
    """Clusters of one snapshot: those of an open lattice, joined across its border."""
    labels, n = label(occupied)
    ends = [(labels[0], labels[-1]), (labels[:, 0], labels[:, -1])]
    first, last = (np.concatenate(side) for side in zip(*ends))
    both = (first > 0) & (last > 0)
    joined = csr_array((np.ones(both.sum()), (first[both], last[both])), shape=(n + 1, n + 1))
    _, numbers = connected_components(joined, directed=False)
    # The empty sites, alone in their component, have the number 0.
    return numbers[labels]


def _winds(occupied, axis):
    labels = _label(np.concatenate([occupied, occupied], axis=axis))
    first, second = np.split(labels, 2, axis=axis)
    return bool((first[occupied] == second[occupied]).any())
