"""Metrics of the graph of bonds, all of them or those that a network looks at most."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.utils import Bunch

from glassclf.featurizers import Graphs


def bond_metrics(graphs, scores=None, *, quantile=0.9, kind=None):
    """Count how the particles of the rarer type hang together.

    Parameters
    ----------
    graphs : Graphs
        As a :class:`~glassclf.featurizers.GraphFeaturizer` makes them.
    scores : list of ndarray of shape (n_edges,), default=None
        For each bond, such as ``attention(...).bonds`` or ``attribution(...).bonds``. Bonds above
        ``quantile`` of the scores of their configuration count. None: all bonds do.
    quantile : float, default=0.9
        Between 0 and 1.
    kind : int, default=None
        The type called B here; all others are called A. None: the last of two types.

    Returns
    -------
    metrics : sklearn.utils.Bunch of ndarray of int of shape (n,)
        ``n_subgraphs`` : connected parts of the graph of the bonds that touch a B particle;
        ``n_bb_bonds`` : bonds between two B particles;
        ``n_isolated_a`` : A particles with no bond to a B particle;
        ``n_isolated_b`` : B particles without any bond.

    Raises
    ------
    TypeError
        If ``graphs`` are something else.
    ValueError
        If there are more than two types and no ``kind``, if scores do not belong to the bonds or
        are not finite, or ``quantile`` is not between 0 and 1.

    Notes
    -----
    The metrics that K. Swanson, S. Trivedi, J. Lequieu, K. Swanson and R. Kondor, arXiv:1909.04648,
    compare with the score of their network; the code of that study takes all bonds. A bond counts
    once, whichever of its two particles names the other a neighbour, and also if only one of its
    two scores is above the quantile.

    Examples
    --------
    Three particles in a row, A - B - B, and an A far from all:

    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.inspection import bond_metrics
    >>> X = [([[1, 1], [2, 1], [3, 1], [8, 8]], [0, 1, 1, 0], [20.0, 20.0])]
    >>> graphs = GraphFeaturizer(r_max=1.5).fit_transform(X)
    >>> {name: values.tolist() for name, values in bond_metrics(graphs).items()}
    {'n_subgraphs': [1], 'n_bb_bonds': [1], 'n_isolated_a': [1], 'n_isolated_b': [0]}
    """
    if not isinstance(graphs, Graphs):
        hint = (
            ": graphs.compute(range(len(graphs))) makes them" if hasattr(graphs, "compute") else ""
        )
        raise TypeError(f"graphs must be Graphs, got {type(graphs).__name__}{hint}")
    kind = _kind(graphs, kind)
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile must be between 0 and 1, got {quantile!r}")
    if scores is not None:
        given = [len(values) for values in scores]
        if given != graphs.n_edges.tolist():
            raise ValueError(
                "scores must have one array for each graph, with a value for each bond: expected "
                f"lengths {graphs.n_edges.tolist()}, got {given}"
            )
    rows = []
    for index in range(len(graphs)):
        own = None if scores is None else np.asarray(scores[index])
        if own is not None and not np.isfinite(own).all():
            raise ValueError(f"scores of graph {index} must be finite")
        rows.append(_count(graphs[index], own, quantile, kind))
    names = ("n_subgraphs", "n_bb_bonds", "n_isolated_a", "n_isolated_b")
    return Bunch(**dict(zip(names, np.array(rows, dtype=int).reshape(-1, len(names)).T)))


def _kind(graphs, kind):
    types = np.unique(graphs.types).tolist()
    if len(graphs) == 0:
        return kind
    if kind is None:
        if len(types) > 2:
            raise ValueError(f"give kind, the type called B, one of {types}")
        return types[-1]
    if kind not in types:
        raise ValueError(f"kind must be one of the types {types}, got {kind!r}")
    return kind


def _count(graph, scores, quantile, kind):
    n, is_b = len(graph.types), graph.types == kind
    bonds = np.stack([np.repeat(np.arange(n), graph.degrees), graph.neighbors], axis=1)
    if scores is not None and len(scores):
        bonds = bonds[scores > np.quantile(scores, quantile)]
    # Each once, and none of a particle with an image of itself.
    bonds = np.unique(np.sort(bonds[bonds[:, 0] != bonds[:, 1]], axis=1), axis=0)
    n_b = is_b[bonds].sum(axis=1)
    touching = bonds[n_b > 0]
    ones = np.ones(len(touching), dtype=np.int8)
    adjacency = csr_array((ones, (touching[:, 0], touching[:, 1])), shape=(n, n))
    _, parts = connected_components(adjacency, directed=False)
    in_graph = np.zeros(n, dtype=bool)
    in_graph[touching.ravel()] = True
    return (
        len(np.unique(parts[in_graph])),
        (n_b == 2).sum(),
        (~is_b & ~in_graph).sum(),
        (is_b & ~in_graph).sum(),
    )
