"""Batch normalisation: plain averages, and statistics that span processes."""

import copy

import pytest
import torch

from glassclf.networks import AttentionPooling, GraphBatch, MeanPooling, SafeBatchNorm
from glassclf.networks.normalization import share_statistics


@pytest.fixture
def process_group():
    """A group of this process alone: real communication, though with nobody else."""
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("n_samples", [20, 21, 22])  # the last batch: five, one, two samples
@pytest.mark.parametrize("shape", [(), (4,)], ids=["vectors", "sequences"])
def test_statistics_without_momentum_are_those_of_all_samples(n_samples, shape):
    x = torch.randn(n_samples, 3, *shape, generator=torch.manual_seed(0)).add(2)
    x[-1] += 10
    norm = SafeBatchNorm(3, momentum=None)
    for batch in x.split(5):
        norm(batch)
    axes = [axis for axis in range(x.dim()) if axis != 1]
    torch.testing.assert_close(norm.running_mean, x.mean(axes))
    torch.testing.assert_close(norm.running_var, x.var(axes))
    assert norm.num_batches_tracked == x.numel() // 3


def test_statistics_without_momentum_go_on_from_a_saved_state():
    batches = torch.randn(23, 3, generator=torch.manual_seed(0)).split(5)
    whole, first, second = (SafeBatchNorm(3, momentum=None) for _ in range(3))
    for batch in batches:
        whole(batch)
    for batch in batches[:2]:
        first(batch)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for batch in batches[2:]:
        second(batch)
    torch.testing.assert_close(whole.state_dict(), second.state_dict(), rtol=0, atol=0)


def test_statistics_without_momentum_of_very_many_values():
    norm = SafeBatchNorm(3, momentum=None)
    norm(torch.randn(8, 3, generator=torch.manual_seed(0)))
    before = copy.deepcopy(norm.state_dict())
    norm.num_batches_tracked.fill_(2**24)  # from here float32 no longer counts by one
    norm(torch.full((1, 3), 2.0))
    assert norm.num_batches_tracked == 2**24 + 1
    torch.testing.assert_close(norm.running_mean, before["running_mean"], rtol=0, atol=1e-6)


def test_a_single_value_leaves_the_variance_as_it_is():
    norm = SafeBatchNorm(3, momentum=None)
    norm(torch.full((1, 3), 2.0))
    torch.testing.assert_close(norm.running_mean, torch.full((3,), 2.0))
    torch.testing.assert_close(norm.running_var, torch.ones(3))


@pytest.mark.parametrize("momentum", [0.1, None])
def test_statistics_across_processes(process_group, momentum):
    torch.manual_seed(0)
    alone = SafeBatchNorm(3, momentum=momentum)
    torch.nn.init.normal_(alone.weight)
    together = copy.deepcopy(alone)
    share_statistics(torch.nn.Sequential(together), True)
    gradients = []
    for norm in (alone, together):
        x = torch.randn(6, 3, 5, generator=torch.manual_seed(1)).add(20).requires_grad_()
        (norm(x) ** 3).sum().backward()
        gradients.append([x.grad, norm.weight.grad, norm.bias.grad])
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(dict(alone.named_buffers()), dict(together.named_buffers()))
    share_statistics(together, False)
    torch.testing.assert_close(alone(x), together(x))


def test_statistics_across_processes_in_half_precision(process_group):
    torch.manual_seed(0)
    x = torch.randn(64, 3) + 4
    norm = SafeBatchNorm(3)
    share_statistics(norm, True)
    out = norm(x.bfloat16())
    assert out.dtype is torch.bfloat16
    torch.testing.assert_close(out.float(), torch.nn.BatchNorm1d(3)(x), rtol=0, atol=0.05)


@pytest.mark.parametrize("pooling", [MeanPooling, AttentionPooling])
def test_half_precision_can_average_thousands_of_particles(pooling):
    n = 5000
    bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    batch = GraphBatch(
        types=torch.zeros(n), graph=torch.zeros(n, dtype=int), n_nodes=torch.tensor([n]), **bonds
    )
    nodes = torch.full((n, 2), 1.5)
    pooled = pooling(2).bfloat16()(nodes.bfloat16(), batch)
    torch.testing.assert_close(pooled.float(), torch.full((1, 2), 1.5), rtol=1e-3, atol=0)
