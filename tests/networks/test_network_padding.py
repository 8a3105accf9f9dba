"""Padding of convolutions, one for each spatial axis."""

import pytest
import torch
from torch import nn

from glassclf.networks import ConvolutionalNetwork
from glassclf.networks.periodic import CircularPad, memory_format, spatial_mean

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def make_network(padding, n_spatial=2, **settings):
    torch.manual_seed(0)
    return ConvolutionalNetwork(2, 3, n_spatial, padding=padding, **settings).eval()


def test_settings_without_axes_keep_the_names_of_their_weights():
    """Networks that were saved before there was a choice for each axis can still be loaded."""
    assert "blocks.0.0.weight" in make_network("circular").state_dict()
    assert "blocks.0.0.weight" in make_network("zeros").state_dict()


@pytest.mark.parametrize("n_spatial", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("mode", ["circular", "zeros"])
def test_equal_padding_of_all_axes_is_that_of_torch(mode, kernel_size, n_spatial):
    x = torch.rand(2, 2, *[12] * n_spatial)
    settings = {"n_spatial": n_spatial, "kernel_size": kernel_size}
    alike, each = make_network(mode, **settings), make_network([mode] * n_spatial, **settings)
    assert torch.equal(alike(x), each(x))


@pytest.mark.parametrize("n_spatial", [2, 3])
@pytest.mark.parametrize("circular", [0, 1])
def test_mixed_padding_is_that_of_torch_on_a_padded_input(n_spatial, circular):
    """Pad by hand along the circular axis, let torch pad with zeros along the others."""
    padding = ["zeros"] * n_spatial
    padding[circular] = "circular"
    block = make_network(padding, n_spatial, n_filters=(4,), kernel_size=5).blocks[0]
    x = torch.rand(2, 2, *[6, 7, 8][:n_spatial])
    axis = circular + 2
    wrapped = torch.cat([x.narrow(axis, x.shape[axis] - 2, 2), x, x.narrow(axis, 0, 2)], axis)
    (weight,) = (p for p in block.parameters() if p.dim() > 1)
    layer = CONVOLUTIONS[n_spatial](2, 4, 5, padding=2, bias=False)
    layer.weight = weight
    middle = layer(wrapped).narrow(axis, 2, x.shape[axis])
    torch.testing.assert_close(block(x), block[2:](middle))


@pytest.mark.parametrize("axis", [0, 1])
def test_mixed_padding_is_invariant_to_shifts_along_its_circular_axis_only(axis):
    padding = ["zeros", "zeros"]
    padding[axis] = "circular"
    network, x = make_network(padding), torch.rand(3, 2, 16, 16)
    out = network(x)
    torch.testing.assert_close(network(x.roll(4, axis + 2)), out)
    assert (network(x.roll(4, 3 - axis)) - out).abs().max() > 1e-4


@pytest.mark.parametrize("n_spatial", [1, 2, 3])
def test_pad_and_its_gradient_are_those_of_torch(n_spatial):
    widths = (1, 2, 3)[:n_spatial]
    x = torch.rand(3, 2, *(4, 5, 3)[:n_spatial], dtype=torch.float64, requires_grad=True)
    sides = [side for width in reversed(widths) for side in (width, width)]
    expected = nn.functional.pad(x, sides, mode="circular")
    padded = CircularPad(widths)(x)
    assert torch.equal(padded, expected)
    weights = torch.rand_like(expected)
    gradients = [torch.autograd.grad((out * weights).sum(), x)[0] for out in (padded, expected)]
    torch.testing.assert_close(*gradients)
    assert torch.autograd.gradcheck(CircularPad(widths), x)


@pytest.mark.parametrize("n_spatial", [2, 3])
def test_images_stay_in_the_order_that_suits_them(n_spatial):
    """Else convolutions copy them from one order to the other, there and back."""
    network = make_network("circular", n_spatial)
    seen = []
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            layer.register_forward_hook(lambda layer, inputs, output: seen.append(output))
            layer.register_full_backward_hook(lambda layer, into, out: seen.append(out[0]))
    x = torch.rand(2, 2, *[8] * n_spatial, requires_grad=True)
    network.train()(x).sum().backward()
    assert len(seen) == 6
    assert all(one.is_contiguous(memory_format=memory_format(one)) for one in seen)


def test_image_narrower_than_its_border_is_refused():
    message = r"an image of \(2, 2\) pixels cannot be continued by \(3, 3\) pixels"
    with pytest.raises(ValueError, match=message):
        make_network("circular", kernel_size=7, n_filters=(4,))(torch.rand(1, 2, 2, 2))


@pytest.mark.parametrize("n_spatial", [1, 2, 3])
def test_mean_over_space_and_its_gradient(n_spatial):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 3, *[4] * n_spatial, dtype=torch.float64, generator=generator)
    x = x.contiguous(memory_format=memory_format(x)).requires_grad_()
    means = spatial_mean(x)
    torch.testing.assert_close(means, x.flatten(2).mean(2))
    assert torch.autograd.gradcheck(spatial_mean, x)
    assert torch.autograd.gradgradcheck(spatial_mean, x)
    (gradient,) = torch.autograd.grad(means.sum(), x)
    assert gradient.is_contiguous(memory_format=memory_format(x))
