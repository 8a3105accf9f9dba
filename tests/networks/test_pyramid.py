"""The network on cubes at several resolutions, and scalars beside convolutions."""

import pytest
import torch

from glassclf.networks import ConvolutionalNetwork, PyramidNetwork


def settled(network, *inputs):
    """After some training steps' worth of statistics, so that normalisation does something."""
    network.train()
    for x in inputs:
        network(x)
    return network.eval()


@pytest.mark.parametrize("n_spatial", [1, 2, 3])
def test_levels_meet_in_the_middle_alone(n_spatial):
    torch.manual_seed(0)
    side = (5,) * n_spatial
    network = PyramidNetwork(5, 2, n_spatial, n_levels=2, n_scalars=1, n_filters=(3, 4))
    x = torch.randn(6, 5, *side)
    settled(network, x)
    assert network(x).shape == (6, 2)
    assert network.embed(x).shape == (6, 64)
    # A scalar is read in one place: the rest of its channel is of no effect.
    other = x.clone()
    other[:, 4].flatten(1)[:, 1:] += 1
    assert torch.equal(network(other), network(x))
    other[:, 4] += 1
    assert not torch.allclose(network(other), network(x))


def test_no_layer_before_a_normalisation_has_a_bias():
    network = PyramidNetwork(2, 1, 3, n_filters=(3, 4))
    biased = [part for part in network.modules() if getattr(part, "bias", None) is not None]
    kinds = {type(part).__name__ for part in biased}
    assert kinds == {"SafeBatchNorm", "Linear"}
    assert [part for part in biased if type(part).__name__ == "Linear"] == [network.head[1]]


def test_whole_fields_give_what_cubes_give():
    torch.manual_seed(0)
    network = PyramidNetwork(3, 2, 2, n_levels=2, n_scalars=1, n_filters=(3, 4))
    settled(network, torch.randn(20, 3, 5, 5))
    field, scalars = torch.randn(30, 31), torch.randn(18 * 19, 1)
    # Level 0 at every cell, level 1 at every third: reaches of 2 and 6 cells.
    levels = [field[None, 4:-4, 4:-4], field[None]]
    with torch.no_grad():
        found = network.evaluate_fields(levels, (1, 3), scalars)
        for row, (a, b) in enumerate([(a, b) for a in range(18) for b in range(19)]):
            if row % 37:
                continue
            near = field[a + 4 : a + 9, b + 4 : b + 9]
            far = field[a : a + 13 : 3, b : b + 13 : 3]
            cube = torch.stack([near, far, scalars[row].expand(5, 5)])
            torch.testing.assert_close(found[row], network(cube[None])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("extent", [(), (8,), (8, 8)])
def test_scalars_join_the_averages_of_blocks(extent):
    torch.manual_seed(0)
    network = ConvolutionalNetwork(3, 1, len(extent), n_filters=(4,), n_scalars=2)
    x = torch.randn(10, 3, *extent)
    x[:, 1:] = torch.randn(10, 2, *[1] * len(extent))
    settled(network, x)
    assert network(x).shape == (10, 1)
    other = x.clone()
    other[:, 2] += 1
    assert not torch.allclose(network(other), network(x))
    # The convolutions see the first channel alone.
    assert network.blocks[0][0].weight.shape[1] == 1


def test_a_network_without_scalars_has_the_weights_of_before():
    names = set(ConvolutionalNetwork(1, 1, 2, n_filters=(4,)).state_dict())
    assert not any(name.startswith("join") for name in names)
