"""The torch modules, against symmetries and slow plain twins."""

import math

import numpy as np
import pytest
import torch

from glassclf.networks import (
    AttentionPooling,
    ConvolutionalNetwork,
    GaussianBasis,
    GraphBatch,
    MeanPooling,
    MessagePassingNetwork,
    SafeBatchNorm,
)


def random_batch(n_nodes=(4, 6), n_neighbors=3, seed=0, fixed=True):
    """A batch of random graphs with a fixed number of neighbours; or the same, not told so."""
    rng = np.random.default_rng(seed)
    neighbors, first = [], 0
    for n in n_nodes:
        rows = [rng.permutation(np.delete(np.arange(n), i))[:n_neighbors] for i in range(n)]
        neighbors.append(np.concatenate(rows) + first)
        first += n
    vectors = torch.from_numpy(rng.standard_normal((first * n_neighbors, 2))).float()
    return GraphBatch(
        types=torch.from_numpy(rng.integers(0, 2, first)),
        graph=torch.from_numpy(np.repeat(np.arange(len(n_nodes)), n_nodes)),
        n_nodes=torch.tensor(n_nodes),
        sources=torch.from_numpy(np.repeat(np.arange(first), n_neighbors)),
        neighbors=torch.from_numpy(np.concatenate(neighbors)),
        vectors=vectors,
        distances=vectors.norm(dim=1),
        n_neighbors=n_neighbors if fixed else None,
    )


def message_passing(seed=0, **kwargs):
    torch.manual_seed(seed)
    network = MessagePassingNetwork(
        n_types=2, n_outputs=3, r_min=0.2, r_max=2.0, hidden_size=8, n_radial=5, **kwargs
    )
    return network.eval()


def test_batch_norm_equals_torch():
    torch.manual_seed(0)
    x = torch.randn(6, 3, 5)
    ours, theirs = SafeBatchNorm(3), torch.nn.BatchNorm1d(3)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_batch_norm_of_a_single_value_uses_running_statistics():
    norm = SafeBatchNorm(3)
    before = norm.running_mean.clone()
    x = torch.ones(1, 3)
    torch.testing.assert_close(norm(x), norm.eval()(x))
    torch.testing.assert_close(norm.running_mean, before)


@pytest.mark.parametrize("n_spatial", [0, 1, 2, 3])
def test_cnn_in_every_dimension(n_spatial):
    network = ConvolutionalNetwork(in_channels=2, n_outputs=4, n_spatial=n_spatial)
    x = torch.rand(3, 2, *[9] * n_spatial)
    assert network.embed(x).shape == (3, 64)
    assert network(x).shape == (3, 4)


def test_cnn_keeps_a_periodic_picture_whole():
    torch.manual_seed(0)
    x = torch.rand(2, 1, 16, 16)
    shifted = torch.roll(x, (4, 8), dims=(2, 3))
    for padding, invariant in (("circular", True), ("zeros", False)):
        network = ConvolutionalNetwork(1, 2, n_spatial=2, padding=padding).eval()
        assert torch.allclose(network(shifted), network(x), atol=1e-6) is invariant


def test_gaussian_basis():
    basis = GaussianBasis(n_radial=4, r_min=1.0, r_max=2.5)
    r = torch.tensor([1.0, 1.7])
    expected = [[math.exp(-((x - c) ** 2) / (2 * 0.5**2)) for c in (1, 1.5, 2, 2.5)] for x in r]
    torch.testing.assert_close(basis(r), torch.tensor(expected))
    assert torch.isfinite(GaussianBasis(n_radial=1, r_min=1.0, r_max=1.0)(r)).all()


def test_sums_over_edges_equal_a_loop():
    for fixed in (True, False):
        batch = random_batch(fixed=fixed)
        values = torch.rand(len(batch.sources), 2)
        expected = torch.zeros(10, 2)
        for source, value in zip(batch.sources, values):
            expected[source] += value
        torch.testing.assert_close(batch.sum_edges(values), expected)


def test_means_over_nodes_equal_a_loop():
    batch = random_batch()
    values = torch.rand(10, 2)
    expected = torch.stack([values[:4].mean(0), values[4:].mean(0)])
    torch.testing.assert_close(batch.mean_nodes(values), expected)
    torch.testing.assert_close(MeanPooling(2)(values, batch), expected)
    assert len(batch) == 2


def test_attention_weights_of_a_graph_sum_to_one():
    torch.manual_seed(0)
    batch, nodes = random_batch(), torch.randn(10, 6) * 50
    pooling = AttentionPooling(6)
    weights = pooling.weights(nodes, batch)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights[:4].sum(), torch.tensor(1.0))
    torch.testing.assert_close(weights[4:].sum(), torch.tensor(1.0))
    expected = torch.softmax(pooling.score(nodes)[:4, 0], dim=0) @ nodes[:4]
    torch.testing.assert_close(pooling(nodes, batch)[0], expected)


@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_mpnn_of_a_batch_equals_its_graphs_one_by_one(pooling):
    network = message_passing(pooling=pooling)
    together = random_batch((4, 6))
    cut = 4 * 3
    apart = [
        GraphBatch(
            types=together.types[nodes],
            graph=torch.zeros_like(together.graph[nodes]),
            n_nodes=together.n_nodes[i : i + 1],
            sources=together.sources[edges] - first,
            neighbors=together.neighbors[edges] - first,
            vectors=together.vectors[edges],
            distances=together.distances[edges],
            n_neighbors=3,
        )
        for i, nodes, edges, first in (
            (0, slice(4), slice(cut), 0),
            (1, slice(4, None), slice(cut, None), 4),
        )
    ]
    expected = torch.cat([network(graph) for graph in apart])
    torch.testing.assert_close(network(together), expected)


def test_mpnn_does_not_care_how_degrees_are_told():
    network = message_passing()
    fixed, variable = random_batch(), random_batch(fixed=False)
    torch.testing.assert_close(network(fixed), network(variable))


def test_mpnn_equals_a_slow_twin():
    network, batch = message_passing(n_layers=2), random_batch()
    n, radial = len(batch.types), network.basis(batch.distances)
    density = torch.zeros(n, 2, 5)
    for edge, (i, j) in enumerate(zip(batch.sources, batch.neighbors)):
        density[i, batch.types[j]] += radial[edge]
    kinds = torch.nn.functional.one_hot(batch.types, 2).float()
    first = network.first(torch.cat([kinds, density.flatten(1)], dim=1))
    layer = network.interactions[0]
    received = torch.zeros(n, layer.filter.out_features)
    for edge, (i, j) in enumerate(zip(batch.sources, batch.neighbors)):
        received[i] += layer.value(first[j]) * layer.filter(radial[edge])
    second = first + layer.update(torch.cat([first, layer.norm(received)], dim=1))
    states = torch.cat([first, second], dim=1)
    pooled = torch.stack([states[:4].mean(0), states[4:].mean(0)])
    torch.testing.assert_close(network.embed(batch), pooled)
    torch.testing.assert_close(network(batch), network.head(pooled))


def test_first_layer_averages_to_the_partial_densities():
    # The density that the first layer sees is, averaged, a smoothed partial RDF.
    batch = random_batch(n_nodes=(8,))
    seen = []
    network = message_passing(n_layers=1)
    network.first.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    network(batch)
    radial = network.basis(batch.distances)
    for kind in (0, 1):
        expected = radial[batch.types[batch.neighbors] == kind].sum(0) / 8
        columns = slice(2 + 5 * kind, 7 + 5 * kind)
        torch.testing.assert_close(seen[0][:, columns].mean(0), expected)


def test_batch_moves_between_devices():
    batch = random_batch().to("cpu")
    assert batch.n_neighbors == 3
    assert batch.types.device.type == "cpu"
