"""Graphs of the particles and the bonds between neighbours."""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from glassclf.configurations import minimum_image, nearest_neighbors, pairs_within
from glassclf.configurations.neighbors import Pairs
from glassclf.featurizers.base import (
    ConfigurationFeaturizer,
    LazyMixin,
    NoTableMixin,
    Number,
    featurize_all,
    warn_of_other_units,
)
from glassclf.featurizers.graph_packing import bond_nearest, bond_within
from glassclf.featurizers.graphs import Graphs
from glassclf.featurizers.lazy import LazyGraphs

# Reaches r = 2.3 in the two-dimensional Kob-Andersen glass, the second shell of neighbours. A
# number serves every density, and makes sums over neighbours several times faster than a radius.
DEFAULT_N_NEIGHBORS = 20


class GraphFeaturizer(LazyMixin, NoTableMixin, ConfigurationFeaturizer):
    """Bond each particle to its neighbours.

    Parameters
    ----------
    n_neighbors : int, default=None
        Bond each particle to this many nearest others. These bonds have a direction: a particle
        may be the neighbour of one that is not among its own.
    r_max : float, default=None
        Bond all particles up to this distance, in units of the input positions. All periodic
        images count: in a box shorter than ``2 * r_max`` two particles may have several bonds.
        With ``n_neighbors`` also given, only that many nearest of them (or fewer, where there are
        no more). With neither given, each particle is bonded to its 20 nearest others (to all
        others in smaller configurations, so that a single particle has no bond).
    connect : bool, default=False
        Whether to add the shortest bonds, in both directions, that join the parts of a graph that
        would otherwise not hang together.
    lazy : bool, default=False
        Whether ``transform`` returns :class:`LazyGraphs`, computed when they are used, instead of
        :class:`Graphs`. For sets larger than the memory; ``n_jobs`` is then not used.
    cache : str or path-like, default=None
        With ``lazy``, a folder in which features are kept once they are computed.
    n_jobs : int, default=None
        Number of threads over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.

    See Also
    --------
    Graphs : What ``transform`` returns. It carries the ``info`` of X.

    Examples
    --------
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> X = [([[0.5, 0.5], [1.5, 0.5], [3.0, 0.5]], [0, 0, 1], [8.0, 8.0])]
    >>> graphs = GraphFeaturizer(n_neighbors=1).fit_transform(X)
    >>> graphs.neighbors.tolist(), graphs.distances.tolist()
    ([1, 0, 1], [1.0, 1.0, 1.5])
    """

    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        **LazyMixin._lazy_constraints,
        "n_neighbors": [Number(Integral, 1, None, closed="left"), None],
        "r_max": [Number(Real, 0, None, closed="neither"), None],
        "connect": ["boolean"],
    }
    # From the first shell of neighbours to the second of a liquid in three dimensions, or nearly.
    _search_space = {"n_neighbors": ("int", 6, 40, "log"), "r_max": ("float", 1.3, 3.0)}
    _prefers = "threads"
    _invariances = ("translation",)
    _sequence = LazyGraphs
    _of_no_effect = ()

    def __init__(
        self,
        n_neighbors=None,
        r_max=None,
        *,
        connect=False,
        lazy=False,
        cache=None,
        n_jobs=None,
    ):
        self.n_neighbors = n_neighbors
        self.r_max = r_max
        self.connect = connect
        self.lazy = lazy
        self.cache = cache
        self.n_jobs = n_jobs

    def _get_search_space(self):
        # Each cuts off what the other lets through: both are searched only where both are given.
        space = dict(self._search_space)
        if self.r_max is None:
            space.pop("r_max", None)
        elif self.n_neighbors is None:
            space.pop("n_neighbors", None)
        return space

    def _n_bytes(self, X):
        # Of a radius the number of neighbours is unknown.
        n_neighbors = self.n_neighbors or DEFAULT_N_NEIGHBORS
        return X.n_particles * n_neighbors * 4 * (self.n_dims_ + 2)

    def _featurize(self, configuration):
        pairs = self._bonds(configuration)
        if self.connect:
            pairs = _connect(configuration, pairs)
        degrees = np.bincount(pairs.sources, minlength=configuration.n_particles)
        return Graphs.from_arrays(
            node_offsets=np.array([0, configuration.n_particles]),
            types=configuration.types,
            edge_offsets=np.array([0, len(pairs.targets)]),
            degrees=degrees.astype(np.int32),
            neighbors=pairs.targets.astype(np.int32),
            vectors=pairs.vectors.astype(np.float32),
            distances=pairs.distances.astype(np.float32),
        )

    def _bonds(self, configuration):
        if self.r_max is None:
            if self.n_neighbors is not None:
                return nearest_neighbors(configuration, self.n_neighbors)
            if configuration.n_particles == 1:
                return _no_bonds(configuration.n_dims)
            wanted = min(DEFAULT_N_NEIGHBORS, configuration.n_particles - 1)
            return nearest_neighbors(configuration, wanted)
        pairs = pairs_within(configuration, self.r_max)
        if self.n_neighbors is None:
            return pairs
        degrees = np.bincount(pairs.sources, minlength=configuration.n_particles)
        rank = np.arange(len(pairs.sources)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
        return Pairs(*(values[rank < self.n_neighbors] for values in pairs))

    def _each(self, X):
        if self.connect or (self.n_neighbors is not None and self.r_max is not None):
            return super()._each(X)
        if self.r_max is not None:
            return [bond_within(X, self.r_max, self.n_jobs)]
        if self.n_neighbors is None:
            wanted = np.minimum(DEFAULT_N_NEIGHBORS, X.n_particles - 1)
        else:
            wanted = np.full(len(X), int(self.n_neighbors))
        return [bond_nearest(X, wanted, self.n_jobs)]

    def _warn(self, X):
        if self.lazy and self.r_max is not None:
            # Mostly the first graph has bonds, and no other is made.
            bonded = any(len(graph.neighbors) for graph in featurize_all(self, X, 0))
            if not bonded and X.n_particles.max() > 1:
                warn_of_other_units(self.r_max)

    def _stack(self, pieces, X):
        pieces = list(pieces)
        graphs = Graphs.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        graphs.info = X.info
        if self.r_max is not None and len(graphs.neighbors) == 0 and graphs.n_nodes.max() > 1:
            warn_of_other_units(self.r_max)
        return graphs


def _no_bonds(n_dims):
    nodes = np.empty(0, dtype=np.int64)
    return Pairs(nodes, nodes, np.empty((0, n_dims)), np.empty(0))


def _connect(configuration, pairs):
    """Add the shortest bonds that join the parts: a minimum spanning tree of the parts."""
    n = configuration.n_particles
    ones = np.ones(len(pairs.sources), dtype=np.int8)
    adjacency = csr_array((ones, (pairs.sources, pairs.targets)), shape=(n, n))
    n_parts, parts = connected_components(adjacency, directed=False)
    added = []
    # The shortest bond out of any one part belongs to the tree (Prim); the smallest part is the
    # cheapest to look from.
    for _ in range(n_parts - 1):
        sizes = np.bincount(parts)
        smallest = np.argmin(np.where(sizes > 0, sizes, n + 1))
        source, target, vector = _shortest_way_out(configuration, parts == smallest)
        added += [(source, target, vector), (target, source, -vector)]
        parts[parts == smallest] = parts[target]
    if not added:
        return pairs
    sources, targets, vectors = (np.array(values) for values in zip(*added))
    sources = np.concatenate([pairs.sources, sources])
    distances = np.concatenate([pairs.distances, np.linalg.norm(vectors, axis=1)])
    order = np.lexsort((distances, sources))
    return Pairs(
        sources[order],
        np.concatenate([pairs.targets, targets])[order],
        np.concatenate([pairs.vectors, vectors])[order],
        distances[order],
    )


def _shortest_way_out(configuration, part):
    """Shortest bond from the particles of a part to one outside it."""
    positions, outside = configuration.positions, np.flatnonzero(~part)
    best = (np.inf, None)
    for source in np.flatnonzero(part):
        vectors = minimum_image(
            positions[outside] - positions[source], configuration.cell, configuration.periodic
        )
        squares = np.einsum("pi,pi->p", vectors, vectors)
        nearest = np.argmin(squares)
        if squares[nearest] < best[0]:
            best = (squares[nearest], (source, outside[nearest], vectors[nearest]))
    return best[1]
