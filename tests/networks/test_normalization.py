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


def test_running_statistics_without_momentum_are_a_plain_average():
    torch.manual_seed(0)
    ours = SafeBatchNorm(3, momentum=None)
    theirs = torch.nn.BatchNorm1d(3, momentum=None)
    for n_samples in (6, 4, 9):
        x = torch.randn(n_samples, 3, 5) + 2
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)


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
