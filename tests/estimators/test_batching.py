import numpy as np
import pytest
import torch

from glassclf.estimators.batching import GraphSamples
from glassclf.featurizers import Graphs


def random_graphs(seed, degrees):
    rng = np.random.default_rng(seed)
    n_nodes = rng.integers(1, 9, 30)
    degrees = np.broadcast_to(degrees(rng, n_nodes.sum()), n_nodes.sum())
    firsts = np.cumsum(n_nodes) - n_nodes
    n_edges = np.add.reduceat(degrees, firsts)
    return Graphs(
        n_nodes,
        types=rng.choice([2, 5, 7], n_nodes.sum()),
        degrees=degrees,
        neighbors=rng.integers(0, np.repeat(n_nodes, n_edges)),
        vectors=rng.standard_normal((n_edges.sum(), 2)),
    )


@pytest.mark.parametrize("irregular", [True, False])
def test_batch_of_graphs_is_what_the_set_says_graph_by_graph(irregular):
    graphs = random_graphs(0, lambda rng, n: rng.integers(0, 4, n) if irregular else 3)
    chosen = np.array([4, 4, 29, 0, 11])
    batch = GraphSamples(graphs, np.array([2, 5, 7])).batch(chosen)
    known = torch.tensor([2, 5, 7])
    node = edge = 0
    for place, index in enumerate(chosen):
        one = graphs[int(index)]
        nodes, edges = slice(node, node + one.n_nodes[0]), slice(edge, edge + one.n_edges[0])
        assert known[batch.types[nodes]].tolist() == one.types.tolist()
        assert set(batch.graph[nodes].tolist()) == {place}
        assert (batch.sources[edges] - node).tolist() == one.sources.tolist()
        assert (batch.neighbors[edges] - node).tolist() == one.neighbors.tolist()
        assert np.array_equal(batch.vectors[edges], one.vectors)
        assert np.array_equal(batch.distances[edges], one.distances)
        node, edge = nodes.stop, edges.stop
    assert (node, edge) == (len(batch.types), len(batch.sources))
    assert batch.n_nodes.tolist() == graphs.n_nodes[chosen].tolist()
    assert batch.n_neighbors == (None if irregular else 3)
