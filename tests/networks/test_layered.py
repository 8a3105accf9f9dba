"""Named architectures, and what their layers see of an image."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNRegressor
from glassclf.inspection import receptive_field
from glassclf.networks import ConvolutionalNetwork, LayeredNetwork
from glassclf.networks.geometry import SpatialLayer, trace_layers
from glassclf.networks.layered import ARCHITECTURES

IMAGES = np.random.default_rng(0).random((6, 2, 24, 24)).astype(np.float32)
TARGETS = IMAGES.mean(axis=(1, 2, 3))


@given(
    extent=st.integers(8, 40),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
)
def test_output_sizes_are_those_of_torch(extent, kernel, stride, padding):
    layer = torch.nn.Conv1d(1, 1, kernel, stride=stride, padding=padding)
    size = trace_layers([SpatialLayer("one", kernel, stride, padding)], extent)[0]
    assert size.output_size == layer(torch.zeros(1, 1, extent)).shape[-1]
    last_seen = (size.output_size - 1) * stride + kernel - 1 - padding
    assert size.dropped == max(0, extent - 1 - last_seen)


def field_by_gradient(module, extent):
    """Sites that the middle output of the last layer depends on, along axis 0."""
    x = torch.rand(1, 2, extent, extent, requires_grad=True)
    captured = []
    last = [step for step in module.modules() if isinstance(step, torch.nn.Conv2d)][-1]
    last.register_forward_hook(lambda *args: captured.append(args[-1]))
    module.eval()(x)
    middle = captured[0].shape[-1] // 2
    captured[0][0, :, middle, middle].sum().backward()
    seen = torch.nonzero(x.grad[0].abs().sum(dim=(0, 2)) > 0)
    return int(seen.max() - seen.min() + 1)


@pytest.mark.parametrize("architecture", ["blocks", "one", "three", "strided"])
def test_receptive_field_is_what_the_gradient_reaches(architecture):
    torch.manual_seed(0)
    model = CNNRegressor(architecture=architecture, max_epochs=1, random_state=0)
    model.fit(IMAGES, TARGETS)
    result = receptive_field(model, 96)
    assert field_by_gradient(model.net_.module_, 96) == result.receptive_field[-1]
    assert not result.wraps
    small = receptive_field(model, 16)
    assert small.receptive_field.max() <= 16


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_output_sizes_are_those_of_the_network(architecture):
    module = LayeredNetwork(2, 1, 2, architecture)
    sizes = trace_layers(module.spatial_layers(), 50)
    found = module.eval().convolutions(torch.zeros(1, 2, 50, 50))
    assert found.shape[2:] == (sizes[-1].output_size,) * 2
    profile = LayeredNetwork(2, 1, 1, architecture, padding="zeros")
    assert profile(torch.zeros(3, 2, 50)).shape == (3, 1)


@given(n_blocks=st.integers(1, 4), kernel=st.sampled_from([3, 5]), extent=st.integers(20, 60))
def test_output_sizes_of_blocks(n_blocks, kernel, extent):
    network = ConvolutionalNetwork(1, 1, 1, n_filters=(2,) * n_blocks, kernel_size=kernel)
    captured = []
    network.blocks[-1].register_forward_hook(lambda *args: captured.append(args[-1].shape[-1]))
    network.eval()(torch.zeros(1, 1, extent))
    assert trace_layers(network.spatial_layers(), extent)[-1].output_size == captured[0]


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_estimators_take_them_by_name(architecture):
    labels = np.where(TARGETS > np.median(TARGETS), "dense", "dilute")
    model = CNNClassifier(architecture=architecture, max_epochs=2, random_state=0)
    assert model.fit(IMAGES, labels).predict(IMAGES[:, :, :20]).shape == (6,)
    assert isinstance(model.net_.module_, LayeredNetwork)


def test_what_does_not_suit_an_architecture_is_refused():
    def strided(**kwargs):
        return CNNRegressor(architecture="strided", max_epochs=1, **kwargs)

    with pytest.raises(ValueError, match="too small for architecture='strided': convolution 0"):
        strided().fit(IMAGES[..., :1], TARGETS)
    with pytest.raises(ValueError, match="takes one padding for all axes, got"):
        strided(padding=("circular", "zeros")).fit(IMAGES, TARGETS)
    with pytest.raises(ValueError, match="needs spatial axes, got X of shape"):
        strided().fit(IMAGES[:, :, 0, 0], TARGETS)
    with pytest.raises(ValueError, match="The 'architecture' parameter of CNNRegressor must be"):
        CNNRegressor(architecture="deep").fit(IMAGES, TARGETS)
    model = strided(random_state=0).fit(IMAGES, TARGETS)
    with pytest.raises(ValueError, match="convolution 0 of side 5 has 1 sites: too few"):
        receptive_field(model, 1)
    with pytest.raises(TypeError, match="receptive_field needs a network of glassclf.estimators"):
        receptive_field(object(), 8)
    with pytest.raises(ValueError, match="few"):
        trace_layers([SpatialLayer("wide", 9, 1, 0)], 4)
    assert not hasattr(MPNNRegressor(), "architecture")
