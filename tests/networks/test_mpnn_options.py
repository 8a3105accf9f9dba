"""The global node and the update of edges: slow twins, symmetries, no trace where they are off."""

from dataclasses import replace

import pytest
import torch

from glassclf.networks import EdgeUpdate, GlobalNode, GraphBatch, MessagePassingNetwork

GLOBAL, EDGES = {"global_node": True}, {"edge_update": True}
OPTIONS = [{}, GLOBAL, EDGES, {**GLOBAL, **EDGES}]
NAMES = ["plain", "global", "edges", "both"]
all_options = pytest.mark.parametrize("options", OPTIONS, ids=NAMES)


def make_batch(n_nodes, seed=0, share=0.5):
    """Random graphs of any degrees; a share of all pairs are bonds, in either direction."""
    generator = torch.Generator().manual_seed(seed)
    graph = torch.repeat_interleave(torch.arange(len(n_nodes)), torch.tensor(n_nodes))
    same = graph[:, None] == graph[None]
    same.fill_diagonal_(False)
    bonded = same & (torch.rand(same.shape, generator=generator) < share)
    sources, neighbors = torch.nonzero(bonded, as_tuple=True)
    vectors = torch.randn(len(sources), 2, generator=generator)
    return GraphBatch(
        types=torch.randint(2, (len(graph),), generator=generator),
        graph=graph,
        n_nodes=torch.tensor(n_nodes),
        sources=sources,
        neighbors=neighbors,
        vectors=vectors,
        distances=vectors.norm(dim=1),
    )


def one_by_one(batch):
    """Each graph of a batch as a batch of its own."""
    for number in range(len(batch)):
        nodes, edges = batch.graph == number, batch.graph[batch.sources] == number
        first = int(torch.nonzero(nodes)[0])
        yield GraphBatch(
            types=batch.types[nodes],
            graph=torch.zeros_like(batch.graph[nodes]),
            n_nodes=batch.n_nodes[number : number + 1],
            sources=batch.sources[edges] - first,
            neighbors=batch.neighbors[edges] - first,
            vectors=batch.vectors[edges],
            distances=batch.distances[edges],
        )


def make_network(seed=0, n_layers=3, **options):
    torch.manual_seed(seed)
    network = MessagePassingNetwork(
        n_types=2,
        n_outputs=3,
        r_min=0.2,
        r_max=2.0,
        hidden_size=8,
        n_layers=n_layers,
        n_radial=5,
        **options,
    )
    return network.eval()


@all_options
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_a_graph_sees_itself_alone(options, pooling):
    network = make_network(pooling=pooling, **options)
    # Of different sizes, one of them a single particle.
    batch = make_batch([5, 1, 8])
    expected = torch.cat([network(graph) for graph in one_by_one(batch)])
    torch.testing.assert_close(network(batch), expected)


@all_options
def test_particles_may_be_renumbered(options):
    network, batch = make_network(**options), make_batch([4, 7])
    order = torch.cat([torch.tensor([2, 0, 3, 1]), 4 + torch.randperm(7)])
    number = torch.argsort(order)
    sources = number[batch.sources]
    edges = torch.argsort(sources, stable=True)
    renumbered = replace(
        batch,
        types=batch.types[order],
        sources=sources[edges],
        neighbors=number[batch.neighbors][edges],
        vectors=batch.vectors[edges],
        distances=batch.distances[edges],
    )
    torch.testing.assert_close(network.embed_nodes(renumbered), network.embed_nodes(batch)[order])
    torch.testing.assert_close(network(renumbered), network(batch))


@all_options
def test_twice_the_system_gives_the_same(options):
    network, batch = make_network(**options), make_batch([6])
    twice = GraphBatch(
        types=torch.cat([batch.types] * 2),
        graph=torch.zeros(12, dtype=torch.int64),
        n_nodes=torch.tensor([12]),
        sources=torch.cat([batch.sources, batch.sources + 6]),
        neighbors=torch.cat([batch.neighbors, batch.neighbors + 6]),
        vectors=torch.cat([batch.vectors] * 2),
        distances=torch.cat([batch.distances] * 2),
    )
    torch.testing.assert_close(network(twice), network(batch))


@all_options
@pytest.mark.parametrize("n_neighbors", [None, 0])
def test_no_bonds_at_all(options, n_neighbors):
    network = make_network(**options).train()
    batch = replace(make_batch([3, 1], share=0.0), n_neighbors=n_neighbors)
    assert len(batch.sources) == 0
    outputs = network(batch)
    assert torch.isfinite(outputs).all()
    outputs.sum().backward()


def test_without_bonds_only_the_global_node_joins_particles():
    batch = make_batch([4], share=0.0)
    other = replace(batch, types=torch.cat([batch.types[:3], 1 - batch.types[3:]]))
    for options in OPTIONS:
        network = make_network(**options)
        before, after = network.embed_nodes(batch), network.embed_nodes(other)
        # All but the last particle are as they were, and so is what they know by themselves.
        assert torch.equal(before[:3], after[:3]) is ("global_node" not in options)


def test_global_node_equals_a_slow_twin():
    torch.manual_seed(0)
    node, batch, states = GlobalNode(6), make_batch([3, 5]), torch.randn(8, 6)
    expected = states.clone()
    for first, last in ((0, 3), (3, 8)):
        mean = sum(states[first:last]) / (last - first)
        for particle in range(first, last):
            expected[particle] += node.update(mean)
    torch.testing.assert_close(node(states, batch), expected)


def test_edge_update_equals_a_slow_twin():
    torch.manual_seed(0)
    update, batch = EdgeUpdate(6, 4), make_batch([3, 5])
    states, edges = torch.randn(8, 6), torch.randn(len(batch.sources), 4)
    weights = [update.source.weight, update.neighbor.weight, update.edge.weight]
    first = torch.nn.Linear(16, 3)
    with torch.no_grad():
        first.weight.copy_(torch.cat(weights, dim=1))
        first.bias.copy_(update.source.bias)
    expected = torch.stack(
        [
            edge
            + update.last(torch.nn.functional.silu(first(torch.cat([states[i], states[j], edge]))))
            for edge, i, j in zip(edges, batch.sources, batch.neighbors)
        ]
    )
    torch.testing.assert_close(update(edges, states, batch), expected)


def test_layers_follow_each_other_as_documented():
    network, batch = make_network(n_layers=3, **GLOBAL, **EDGES), make_batch([4, 6])
    edges = network.basis(batch.distances)
    states = network.embed_nodes(batch).split(8, dim=1)
    for number in (0, 1):
        heard = network.global_nodes[number](states[number], batch)
        edges = network.edge_updates[number](edges, heard, batch)
        expected = network.interactions[number](heard, edges, batch)
        torch.testing.assert_close(states[number + 1], expected)


def test_options_that_are_off_leave_no_trace():
    # Names of weights that saved models have.
    plain = make_network(n_layers=2)
    layer = [f"interactions.0.{name}" for name in ("filter", "value", "update.0", "update.2")]
    linear = [*layer, "head.1"]
    expected = {f"{name}.{kind}" for name in linear for kind in ("weight", "bias")}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    for norm in ("first.0", "first.2", "interactions.0.norm"):
        expected |= {f"{norm}.{name}" for name in statistics}
    expected |= {
        f"{norm}.{kind}"
        for norm in ("first.2", "interactions.0.norm")
        for kind in ("weight", "bias")
    }
    expected |= {"basis.centers", "basis.width", "first.1.weight"}
    assert set(plain.state_dict()) == expected
    off = make_network(n_layers=2, global_node=False, edge_update=False)
    batch = make_batch([4, 6])
    assert torch.equal(off(batch), plain(batch))


@all_options
def test_one_layer_has_nothing_to_pass_on(options):
    plain, network = make_network(n_layers=1), make_network(n_layers=1, **options)
    assert network.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(network(make_batch([5])), plain(make_batch([5])))


@all_options
def test_every_weight_learns(options):
    network = make_network(**options).train()
    network(make_batch([5, 7, 6])).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


@all_options
def test_half_precision(options):
    network, batch = make_network(**options), make_batch([6, 9])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(batch)
    torch.testing.assert_close(half.float(), network(batch), rtol=0.1, atol=0.1)


@all_options
def test_double_precision(options):
    network, batch = make_network(**options), make_batch([6, 9])
    single = network(batch)
    double = network.double()(
        replace(batch, vectors=batch.vectors.double(), distances=batch.distances.double())
    )
    assert double.dtype is torch.float64
    torch.testing.assert_close(double.float(), single)
