"""The end of a block in one pass, against its three layers one after the other."""

import copy

import pytest
import torch

from glassclf.estimators.threads import torch_threads
from glassclf.networks import ConvolutionalNetwork, cnn
from glassclf.networks.fused_block import norm_relu_pool
from glassclf.networks.normalization import SafeBatchNorm


@pytest.fixture(autouse=True)
def single_thread():
    with torch_threads(1):
        yield


def make_network():
    torch.manual_seed(0)
    network = ConvolutionalNetwork(2, 3, n_spatial=2)
    for norm in (block[1] for block in network.blocks):
        torch.nn.init.uniform_(norm.weight, -1.0, 1.0)
        torch.nn.init.uniform_(norm.bias, -1.0, 1.0)
    return network


def images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 + 3


def outcome(network, x, weights):
    """Output, gradients, statistics, and the output in prediction."""
    x = x.clone().requires_grad_()
    output = network.train()(x)
    (output * weights).sum().backward()
    gradients = [x.grad, *(parameter.grad for parameter in network.parameters())]
    statistics = [block[1].running_var for block in network.blocks]
    with torch.no_grad():
        predicted = network.eval()(x)
    return [output.detach(), predicted, *gradients, *statistics]


@pytest.fixture
def calls(monkeypatch):
    """Steps of the blocks that were evaluated in one pass."""
    steps, plain = [], cnn.norm_relu_pool

    def counted(x, norm, step):
        steps.append(step)
        return plain(x, norm, step)

    monkeypatch.setattr(cnn, "norm_relu_pool", counted)
    return steps


@pytest.mark.parametrize("size", [(16, 16), (13, 9), (1, 5), (40, 8)])
def test_one_pass_is_as_good_as_three_layers(size, calls):
    x, weights = images(5, 2, *size), torch.linspace(-1, 1, 15).view(5, 3)
    network = make_network()
    exact = outcome(copy.deepcopy(network).double(), x.double(), weights.double())
    assert calls == []  # double precision goes layer by layer
    found = outcome(network, x, weights)
    assert calls == [2, 2, 1] * 2
    for ours, theirs in zip(found, exact):
        scale = theirs.abs().max()
        torch.testing.assert_close(ours.double() / scale, theirs / scale, atol=2e-4, rtol=0)


def test_statistics_are_tracked_as_layer_by_layer(monkeypatch, calls):
    x, network = images(5, 2, 16, 16), make_network()
    other = copy.deepcopy(network)
    for _ in range(3):
        network(x)
    monkeypatch.setattr(cnn, "pays_at_once", lambda *_: False)
    for _ in range(3):
        other(x)
    assert len(calls) == 9
    for name, values in network.state_dict().items():
        torch.testing.assert_close(values, other.state_dict()[name], atol=1e-5, rtol=1e-5)


def test_what_is_not_a_number_stays():
    network = make_network().eval()
    x = images(2, 2, 16, 16)
    x[0, 0, 3, 3] = torch.nan
    with torch.no_grad():
        assert network(x).isnan().any(dim=1).tolist() == [True, False]


def test_hooks_and_gradients_in_prediction_go_layer_by_layer(calls):
    network = make_network().eval()
    x = images(2, 2, 16, 16).requires_grad_()
    network(x).sum().backward()
    seen = []
    network.blocks[1][2].register_forward_hook(lambda *_: seen.append("ReLU"))
    with torch.no_grad():
        network(x)
    assert seen == ["ReLU"]
    assert calls == [2, 1]  # the blocks without a hook


def replaced(network):
    for block in network.blocks:
        block[2] = torch.nn.GELU()


def pooled_by_maximum(network):
    network.pool = torch.nn.MaxPool2d(2)


def watched(network):
    for block in network.blocks:
        block.register_forward_hook(lambda *_: None)


def watched_backwards(network):
    network.pool.register_full_backward_pre_hook(lambda *_: None)


def without_weights(network):
    for block in network.blocks:
        block[1] = SafeBatchNorm(block[1].num_features, affine=False)


@pytest.mark.parametrize(
    "change", [replaced, pooled_by_maximum, watched, watched_backwards, without_weights]
)
def test_what_a_user_puts_in_is_used(change, calls):
    x, network = images(3, 2, 16, 16), make_network()
    change(network)
    outputs = network(x)
    assert calls == []
    with torch_threads(2):
        torch.testing.assert_close(outputs, network(x), atol=1e-5, rtol=1e-5)


def test_gradients_of_gradients():
    x, network = images(3, 2, 8, 8).requires_grad_(), make_network()

    def penalty():
        (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
        network.zero_grad()
        (slope**2).sum().backward()
        return network.blocks[0][0].weight.grad.clone()

    found = penalty()
    with torch_threads(2):
        torch.testing.assert_close(found, penalty(), atol=1e-4, rtol=1e-3)


def test_a_large_mean_leaves_the_variance_alone():
    x = torch.randn(16, 1, 16, 16, generator=torch.Generator().manual_seed(0)) + 1e4
    norm = SafeBatchNorm(1, momentum=None)
    found = norm_relu_pool(x, norm, 1)
    exact = x.double()
    assert norm.running_var.item() == pytest.approx(exact.var().item(), rel=1e-5)
    exact = ((exact - exact.mean()) / (exact.var(correction=0) + norm.eps).sqrt()).relu()
    torch.testing.assert_close(found.double(), exact, atol=2e-3, rtol=0)


def test_more_threads_are_left_to_pytorch(calls):
    with torch_threads(2):
        make_network()(images(2, 2, 16, 16))
    assert calls == []


def test_transforms_of_functions_and_tracing():
    network = ConvolutionalNetwork(2, 3, 2, padding="zeros").eval()
    x = images(2, 2, 8, 8)
    jacobian = torch.func.jacrev(network)(x)
    assert jacobian.shape == (2, 3, 2, 2, 8, 8)
    with torch.no_grad():
        traced = torch.jit.trace(network, x)
        torch.testing.assert_close(traced(x), network(x))
