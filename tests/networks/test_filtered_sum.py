"""Messages summed in pieces, against all of them at once."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad

from glassclf.networks import filtered_sum
from glassclf.networks.filtered_sum import FilteredSum, pays_in_pieces
from glassclf.networks.graph_batch import GraphBatch


def random_batch(n_nodes, n_neighbors=None):
    """Random edges, a number of each node or, without one, anything from none to six."""
    generator = torch.Generator().manual_seed(0)
    degrees = torch.randint(0, 7, (n_nodes,), generator=generator)
    if n_neighbors is not None:
        degrees = torch.full((n_nodes,), n_neighbors)
    sources = torch.repeat_interleave(torch.arange(n_nodes), degrees)
    n_edges = len(sources)
    return GraphBatch(
        types=torch.randint(0, 3, (n_nodes,), generator=generator),
        graph=torch.zeros(n_nodes, dtype=torch.int64),
        n_nodes=torch.tensor([n_nodes]),
        sources=sources,
        neighbors=torch.randint(0, n_nodes, (n_edges,), generator=generator),
        vectors=torch.zeros(n_edges, 2),
        distances=torch.rand(n_edges, generator=generator),
        n_neighbors=n_neighbors,
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_neighbors", [None, 4])
def test_sums_and_gradients_are_those_of_all_messages_at_once(monkeypatch, n_neighbors, bias):
    monkeypatch.setattr(filtered_sum, "CHUNK", 3)
    batch = random_batch(11, n_neighbors)
    torch.manual_seed(0)
    filters = nn.Linear(5, 2, bias=bias).double()
    values = torch.rand(11, 2, dtype=torch.float64, requires_grad=True)
    edges = torch.rand(len(batch.sources), 5, dtype=torch.float64, requires_grad=True)
    sums = batch.sum_messages(values, filters, edges)
    plain = batch.sum_edges(values[batch.neighbors] * filters(edges))
    torch.testing.assert_close(sums, plain)
    given = [values, edges, *filters.parameters()]
    weights = torch.rand_like(sums)
    for ours, theirs in zip(
        torch.autograd.grad((sums * weights).sum(), given),
        torch.autograd.grad((plain * weights).sum(), given),
    ):
        torch.testing.assert_close(ours, theirs)
    indices = batch.neighbors, batch.sources, n_neighbors
    weight, shift = filters.weight, filters.bias
    assert torch.autograd.gradcheck(
        lambda *given: FilteredSum.apply(*given, *indices), (values, weight, shift, edges)
    )


def test_half_precision_goes_the_plain_way():
    batch = random_batch(11, 4)
    filters, edges = nn.Linear(5, 2), torch.rand(44, 5)
    values = torch.rand(11, 2)
    assert pays_in_pieces(values, edges)
    assert not pays_in_pieces(values.bfloat16(), edges)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not pays_in_pieces(values, edges)
        half = batch.sum_messages(values, filters, edges)
    torch.testing.assert_close(
        half.float(), batch.sum_messages(values, filters, edges), atol=0.05, rtol=0.05
    )


def test_sum_by_type_is_that_of_one_hot_types():
    batch = random_batch(11)
    values = torch.rand(len(batch.sources), 5)
    kinds = nn.functional.one_hot(batch.types, 3).float()[batch.neighbors]
    plain = batch.sum_edges((kinds[:, :, None] * values[:, None, :]).flatten(1))
    torch.testing.assert_close(batch.sum_edges_by_type(values, 3), plain)
    with_gradient = batch.sum_edges_by_type(values.requires_grad_(), 3)
    torch.testing.assert_close(with_gradient, plain)
    with_gradient.sum().backward()
    assert torch.equal(values.grad, torch.ones_like(values))


def misdirect(batch, wrong):
    """Let an edge join nodes that are not there."""
    if wrong == "sources":
        batch.sources[-1] = len(batch.types)
    else:
        batch.neighbors[100] = -1 if wrong == "negative" else len(batch.types)


@pytest.mark.parametrize("wrong", ["neighbors", "negative", "sources", "types"])
def test_sums_by_type_of_unknown_nodes_or_types_are_refused(wrong):
    batch = random_batch(200, 4)
    if wrong == "types":
        batch.types[:] = 3
    else:
        misdirect(batch, wrong)
    message = "must be numbers of nodes, and types must be below n_types=3"
    with pytest.raises(IndexError, match=message):
        batch.sum_edges_by_type(torch.rand(800, 5), 3)


@pytest.mark.parametrize("n_neighbors", [None, 4])
@pytest.mark.parametrize("wrong", ["neighbors", "negative", "sources", "values"])
def test_edges_between_unknown_nodes_are_refused(n_neighbors, wrong):
    batch, values = random_batch(200, n_neighbors), torch.rand(200, 8)
    if wrong == "values":
        values = values[:100]
    else:
        misdirect(batch, wrong)
    filters, edges = nn.Linear(5, 8), torch.rand(len(batch.sources), 5)
    with pytest.raises(IndexError, match="must be numbers of nodes"):
        batch.sum_messages(values, filters, edges)


def test_sums_by_type_have_no_forward_derivative():
    """It would be a zero that is wrong."""
    batch = random_batch(11)
    with forward_ad.dual_level():
        values = torch.rand(len(batch.sources), 5)
        dual = forward_ad.make_dual(values, torch.ones_like(values))
        with pytest.raises(RuntimeError, match="forward mode AD"):
            batch.sum_edges_by_type(dual, 3)


@pytest.mark.parametrize("gradient", [False, True])
def test_rows_that_are_not_edges_are_refused(gradient):
    batch = random_batch(11)
    values = torch.rand(len(batch.sources) - 1, 5, requires_grad=gradient)
    with pytest.raises(RuntimeError, match="should (be equal to|have the same)"):
        batch.sum_edges_by_type(values, 3)


@pytest.mark.parametrize(("width", "n_edges"), [(40, 44), (8, 43)])
def test_messages_of_other_shapes_are_refused(width, n_edges):
    batch = random_batch(11, 4)
    with pytest.raises(RuntimeError, match="must match"):
        batch.sum_messages(torch.rand(11, width), nn.Linear(5, 8), torch.rand(n_edges, 5))


def test_no_edges_at_all():
    batch = random_batch(3, 0)
    filters = nn.Linear(5, 2)
    sums = batch.sum_messages(torch.rand(3, 2), filters, torch.rand(0, 5))
    assert torch.equal(sums, torch.zeros(3, 2))
