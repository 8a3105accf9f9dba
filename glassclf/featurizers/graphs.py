"""Graphs of particles and bonds, packed into flat arrays."""

from copy import deepcopy

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from glassclf.configurations.packing import PackedSet, packed_rows
from glassclf.configurations.sample_info import SampleInfo


class Graphs(PackedSet):
    """A set of graphs: particles are nodes, bonds are edges with a vector and a length.

    All arrays of the set lie end to end. Edges are directed, from a source to a neighbour, and
    sorted by source, so ``degrees`` tells the source of each. Indexing follows scikit-learn:
    ``graphs[3]`` is a set of one, anything else (slice, list, array, mask) a smaller set.

    Parameters
    ----------
    n_nodes : array-like of int of shape (n,)
        Number of nodes of each graph, at least 1.
    types : array-like of int of shape (n_nodes_total,)
        Particle types.
    degrees : array-like of int of shape (n_nodes_total,)
        Number of edges that leave each node.
    neighbors : array-like of int of shape (n_edges_total,)
        Target of each edge, numbered within its graph.
    vectors : array-like of shape (n_edges_total, n_dims)
        From the source of each edge to its target, in units of the input positions.
    info : dict of array-like of shape (n, ...), default=None
        Facts about each graph, such as its temperature and run.

    Attributes
    ----------
    types : ndarray of shape (n_nodes_total,), int64
    node_offsets : ndarray of shape (n + 1,), int64
        Nodes of graph ``i`` are rows ``node_offsets[i]`` to ``node_offsets[i + 1]``.
    degrees : ndarray of shape (n_nodes_total,), int32
    edge_offsets : ndarray of shape (n + 1,), int64
        Edges of graph ``i`` are rows ``edge_offsets[i]`` to ``edge_offsets[i + 1]``.
    neighbors : ndarray of shape (n_edges_total,), int32
    vectors : ndarray of shape (n_edges_total, n_dims), float32
    distances : ndarray of shape (n_edges_total,), float32
        Lengths of the vectors.
    info : dict of ndarray of shape (n, ...)
        Follows every indexing. Setting a value of another length is an error.

    Raises
    ------
    ValueError
        If lengths disagree, a graph has no nodes, a target does not exist, or a vector is not
        finite.

    Examples
    --------
    >>> from glassclf.featurizers import Graphs
    >>> graphs = Graphs([2, 1], types=[0, 1, 0], degrees=[1, 1, 0], neighbors=[1, 0],
    ...                 vectors=[[1.0, 0.0], [-1.0, 0.0]])
    >>> graphs
    Graphs(n=2, n_dims=2, n_nodes=1 to 2, n_edges=0 to 2, types=[0, 1], info=[])
    >>> graphs[0].n_neighbors
    1
    >>> graphs.n_isolated.tolist()
    [0, 1]
    """

    def __init__(self, n_nodes, types, degrees, neighbors, vectors, info=None):
        n_nodes = _integers("n_nodes", n_nodes, np.int64)
        self.node_offsets = _offsets(n_nodes)
        self.types = _integers("types", types, np.int64)
        self.degrees = _integers("degrees", degrees, np.int32)
        self.neighbors = _integers("neighbors", neighbors, np.int32)
        self.vectors = np.array(vectors, dtype=np.float32)
        self.info = deepcopy(info)
        self._check()
        self.edge_offsets = _edge_offsets(self.node_offsets, self.degrees)
        too_large = self.neighbors >= np.repeat(n_nodes, self.n_edges)
        if too_large.any():
            edge = int(np.argmax(too_large))
            raise ValueError(
                f"neighbors must be nodes of their own graph, got {self.neighbors[edge]} for edge "
                f"{edge}"
            )
        self.distances = np.linalg.norm(self.vectors, axis=1)

    def _check(self):
        if not self.n_nodes.all():
            empty = int(np.argmin(self.n_nodes))
            raise ValueError(f"n_nodes must be 1 or larger, got 0 for graph {empty}")
        n_nodes_total, n_edges_total = int(self.node_offsets[-1]), int(self.degrees.sum())
        for name, expected in (("types", n_nodes_total), ("degrees", n_nodes_total)):
            if len(getattr(self, name)) != expected:
                raise ValueError(
                    f"{name} must have length {expected}, the sum of n_nodes, "
                    f"got {len(getattr(self, name))}"
                )
        for name in ("neighbors", "vectors"):
            if len(getattr(self, name)) != n_edges_total:
                raise ValueError(
                    f"{name} must have length {n_edges_total}, the sum of degrees, "
                    f"got {len(getattr(self, name))}"
                )
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
            raise ValueError(
                "vectors must be finite and of shape (n_edges_total, n_dims), got shape "
                f"{self.vectors.shape}"
            )

    @classmethod
    def from_arrays(
        cls,
        node_offsets,
        types,
        edge_offsets,
        degrees,
        neighbors,
        vectors,
        distances,
        info=None,
    ):
        """Build a set from packed arrays, without a copy and without checking them.

        Only the lengths of ``info`` are checked.

        Parameters
        ----------
        node_offsets, types, edge_offsets, degrees, neighbors, vectors, distances, info
            As the attributes of the same names.

        Returns
        -------
        graphs : Graphs
        """
        new = cls.__new__(cls)
        new.node_offsets, new.types = node_offsets, types
        new.edge_offsets, new.degrees = edge_offsets, degrees
        new.neighbors, new.vectors, new.distances = neighbors, vectors, distances
        new.info = info
        return new

    @classmethod
    def concatenate(cls, sets):
        """Join several sets into one, in order.

        Parameters
        ----------
        sets : iterable of Graphs
            All in one number of dimensions and with the same names in ``info``.

        Returns
        -------
        graphs : Graphs
        """
        sets = list(sets)
        if not sets:
            raise ValueError("a set of graphs needs at least one part, got none")
        for index, one in enumerate(sets):
            if one.n_dims != sets[0].n_dims or one.info.keys() != sets[0].info.keys():
                raise ValueError(
                    "parts of a set must agree in n_dims and in the names of info: part 0 is "
                    f"{sets[0]!r}, part {index} is {one!r}"
                )
        joined = {
            name: np.concatenate([getattr(one, name) for one in sets])
            for name in ("types", "degrees", "neighbors", "vectors", "distances")
        }
        return cls.from_arrays(
            node_offsets=_offsets(np.concatenate([one.n_nodes for one in sets])),
            edge_offsets=_offsets(np.concatenate([one.n_edges for one in sets])),
            info={name: _joined(name, [one.info[name] for one in sets]) for name in sets[0].info},
            **joined,
        )

    @property
    def info(self):
        # Under its own name, where those look who walk over the attributes of a set.
        return self.__dict__["info"]

    @info.setter
    def info(self, values):
        self.__dict__["info"] = SampleInfo(len(self), values)

    # A set of one graph is a set again: asked for its axes, numpy would unpack it for ever.
    ndim = 1

    @property
    def n_nodes(self):
        """Number of nodes of each graph, ndarray of shape (n,)."""
        return np.diff(self.node_offsets)

    @property
    def n_edges(self):
        """Number of directed edges of each graph, ndarray of shape (n,)."""
        return np.diff(self.edge_offsets)

    @property
    def n_dims(self):
        """Number of spatial dimensions."""
        return self.vectors.shape[1]

    @property
    def n_neighbors(self):
        """Number of edges that leave each node, where it is one and not 0, else None."""
        if len(self.neighbors) == 0 or self.degrees.min() != self.degrees.max():
            return None
        return int(self.degrees[0])

    @property
    def sources(self):
        """Source of each edge, numbered within its graph, ndarray of shape (n_edges_total,)."""
        starts = np.repeat(self.node_offsets[:-1], self.n_nodes)
        nodes = np.arange(len(self.degrees)) - starts
        return np.repeat(nodes.astype(np.int32), self.degrees)

    @property
    def n_components(self):
        """Number of parts of each graph that no edge joins, ndarray of shape (n,)."""
        firsts, _ = self._components()
        return self._count_by_graph(firsts)

    @property
    def n_isolated(self):
        """Number of nodes of each graph that no edge joins to another, ndarray of shape (n,)."""
        firsts, sizes = self._components()
        return self._count_by_graph(firsts[sizes == 1])

    def _components(self):
        """First node and size of each connected component of the whole set."""
        starts = np.repeat(self.node_offsets[:-1], self.n_edges)
        pointers = np.concatenate([[0], np.cumsum(self.degrees, dtype=np.int64)])
        n = len(self.degrees)
        ones = np.ones(len(self.neighbors), dtype=np.int8)
        adjacency = csr_array((ones, self.neighbors + starts, pointers), shape=(n, n))
        _, labels = connected_components(adjacency, directed=False)
        _, firsts, sizes = np.unique(labels, return_index=True, return_counts=True)
        return firsts, sizes

    def _count_by_graph(self, nodes):
        graphs = np.searchsorted(self.node_offsets, nodes, side="right") - 1
        return np.bincount(graphs, minlength=len(self))

    def __array__(self, dtype=None, copy=None):
        # Estimators of tables ask for an array; numpy would try to unpack the set, and say nothing
        # of what to do.
        raise TypeError(
            "Graphs are for MPNNClassifier and MPNNRegressor, and make no array: put "
            "RDFFeaturizer or BondOrderFeaturizer before estimators of tables"
        )

    def __len__(self):
        return len(self.node_offsets) - 1

    def _one(self, index):
        return self._some(np.array([index]))

    def _some(self, chosen):
        nodes, node_offsets = packed_rows(self.node_offsets, chosen)
        edges, edge_offsets = packed_rows(self.edge_offsets, chosen)
        return type(self).from_arrays(
            node_offsets,
            self.types[nodes],
            edge_offsets,
            self.degrees[nodes],
            self.neighbors[edges],
            self.vectors[edges],
            self.distances[edges],
            {name: np.asarray(values)[chosen] for name, values in self.info.items()},
        )

    def __repr__(self):
        if len(self) == 0:
            return f"Graphs(n=0, n_dims={self.n_dims})"
        return (
            f"Graphs(n={len(self)}, n_dims={self.n_dims}, n_nodes={_span(self.n_nodes)}, "
            f"n_edges={_span(self.n_edges)}, types={np.unique(self.types).tolist()}, "
            f"info={sorted(self.info)})"
        )


def _integers(name, values, dtype):
    values = np.asarray(values)
    if values.ndim != 1 or not (np.issubdtype(values.dtype, np.integer) or values.size == 0):
        raise ValueError(
            f"{name} must be a 1-dimensional array of integers, got {values.dtype} of shape "
            f"{values.shape}"
        )
    if values.size and values.min() < 0:
        raise ValueError(f"{name} must be 0 or larger, got {values.min()}")
    return values.astype(dtype)


def _joined(name, parts):
    # NumPy would turn numbers beside strings into strings.
    if len({values.dtype.kind in "US" for values in parts}) > 1:
        raise ValueError(
            f"parts of a set must agree in the kind of info[{name!r}], got "
            f"{[str(values.dtype) for values in parts]}"
        )
    return np.concatenate(parts)


def _offsets(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _edge_offsets(node_offsets, degrees):
    return _offsets(degrees)[node_offsets]


def _span(counts):
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"
