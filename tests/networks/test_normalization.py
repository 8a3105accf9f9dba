"""Batch normalisation: plain averages, and statistics that span processes."""

import copy
import subprocess
import sys

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


def test_a_batch_of_one_image_is_normalised_by_itself():
    image = torch.randn(1, 3, 5, generator=torch.manual_seed(0)) + 4
    for momentum in (0.1, None):
        out = SafeBatchNorm(3, momentum=momentum)(image)
        torch.testing.assert_close(out, torch.nn.BatchNorm1d(3)(image))


HALF_OF_A_BATCH = """
import sys, torch
from glassclf.networks import SafeBatchNorm
from glassclf.networks.normalization import share_statistics

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
meeting = f"file://{folder}/meeting"
torch.distributed.init_process_group("gloo", meeting, rank=rank, world_size=2)
norm = SafeBatchNorm(3, momentum=None)
share_statistics(norm, True)
x = torch.load(f"{folder}/batch")
out = norm(x[:4] if rank == 0 else x[4:])
torch.save((out.detach(), norm.state_dict()), f"{folder}/{rank}")
torch.distributed.destroy_process_group()
"""


def test_processes_whose_shares_differ_normalise_as_one(tmp_path):
    x = torch.randn(6, 3, 5, generator=torch.manual_seed(0))
    x[4:] += 10  # the share of the second process
    torch.save(x, tmp_path / "batch")
    command = [sys.executable, "-c", HALF_OF_A_BATCH]
    processes = [subprocess.Popen([*command, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    outputs, states = zip(*(torch.load(tmp_path / str(rank)) for rank in range(2)))
    norm = SafeBatchNorm(3, momentum=None)
    torch.testing.assert_close(torch.cat(outputs), norm(x).detach())
    for state in states:
        torch.testing.assert_close(dict(state), dict(norm.state_dict()))


def test_attention_to_scores_whose_exponential_overflows():
    pooling = AttentionPooling(2)
    with torch.no_grad():
        for parameter in pooling.parameters():
            parameter.fill_(100.0)
    bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    batch = GraphBatch(
        types=torch.zeros(3), graph=torch.tensor([0, 0, 1]), n_nodes=torch.tensor([2, 1]), **bonds
    )
    nodes = torch.ones(3, 2, requires_grad=True)
    weights = pooling.weights(nodes, batch)
    assert pooling.score(nodes).min() > 90  # exp(89) is more than single precision holds
    torch.testing.assert_close(weights, torch.tensor([0.5, 0.5, 1.0]))
    pooling(nodes, batch).sum().backward()
    assert torch.isfinite(nodes.grad).all()


def test_means_of_double_precision_stay_double():
    bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    batch = GraphBatch(
        types=torch.zeros(2), graph=torch.tensor([0, 0]), n_nodes=torch.tensor([2]), **bonds
    )
    nodes = torch.tensor([[1.0], [1.0 + 1e-12]], dtype=torch.float64)
    mean = MeanPooling(1)(nodes, batch)
    assert mean.dtype is torch.float64
    assert mean.item() > 1.0


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
