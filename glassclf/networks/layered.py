"""Convolutional networks written down layer by layer, as those for tumbling rates were."""

from typing import NamedTuple

from torch import nn

from glassclf.networks.cnn import convolution_layer
from glassclf.networks.geometry import SpatialLayer
from glassclf.networks.normalization import SafeBatchNorm
from glassclf.networks.periodic import memory_format, spatial_mean

MAX_POOLINGS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


class Layer(NamedTuple):
    """One convolution, ReLU and what comes with them.

    Attributes
    ----------
    n_filters, kernel_size : int
    stride : int, default=1
    normalized : bool, default=False
        Whether a batch normalisation stands before the ReLU.
    pool : int, default=1
        Side of the maximum pooling after it; 1 is none.
    """

    n_filters: int
    kernel_size: int
    stride: int = 1
    normalized: bool = False
    pool: int = 1


# Layers, and the widths of the dense layers after them.
ARCHITECTURES = {
    "one": ((Layer(5, 7, stride=4),), ()),
    "pairs": (
        (
            Layer(8, 3, normalized=True),
            Layer(8, 3, normalized=True, pool=2),
            Layer(16, 3, normalized=True),
            Layer(16, 3, normalized=True, pool=2),
        ),
        (),
    ),
    "three": ((Layer(3, 3), Layer(4, 5), Layer(6, 5)), (128,)),
    "strided": (
        (
            # Without normalisation: a lattice at one rate is alike everywhere, and the statistics
            # of a small batch tell which rates happen to be in it.
            Layer(16, 5, stride=2),
            Layer(32, 3, stride=2),
            Layer(64, 3, stride=2),
            Layer(64, 3, stride=2),
        ),
        (),
    ),
}


class LayeredNetwork(nn.Module):
    """Convolutions one after the other, averaged over space, and dense layers.

    Averaging over all positions makes it take lattices of any size.

    Parameters
    ----------
    in_channels : int
        Number of input channels.
    n_outputs : int
        Number of outputs.
    n_spatial : int
        Number of spatial axes, 1 to 3.
    architecture : {"one", "pairs", "three", "strided"}, default="strided"
        "one": a single convolution, 5 filters of side 7 at every fourth site. "pairs": two pairs of
        convolutions with batch normalisation, each pair followed by pooling. "three": convolutions
        of 3, 4 and 6 filters and a dense layer of 128. "strided": four convolutions, each at
        every second site of the one before.
    padding : {"circular", "zeros"}, default="circular"
        What lies beyond the border.
    dropout : float, default=0.0
        Share of the embedding that is dropped in training.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import LayeredNetwork
    >>> network = LayeredNetwork(in_channels=1, n_outputs=1, n_spatial=2, architecture="three")
    >>> network(torch.zeros(5, 1, 32, 32)).shape, network.embed(torch.zeros(5, 1, 16, 16)).shape
    (torch.Size([5, 1]), torch.Size([5, 128]))
    """

    def __init__(
        self,
        in_channels,
        n_outputs,
        n_spatial,
        architecture="strided",
        padding="circular",
        dropout=0.0,
    ):
        super().__init__()
        layers, hidden = ARCHITECTURES[architecture]
        self.layers, self.padding = layers, padding
        self.input_norm = SafeBatchNorm(in_channels, momentum=None, affine=False)
        steps, width = [], in_channels
        for layer in layers:
            steps.append(
                convolution_layer(
                    width,
                    layer.n_filters,
                    n_spatial,
                    layer.kernel_size,
                    padding,
                    stride=layer.stride,
                    bias=not layer.normalized,
                )
            )
            width = layer.n_filters
            if layer.normalized:
                steps.append(SafeBatchNorm(width))
            steps.append(nn.ReLU())
            if layer.pool > 1:
                steps.append(MAX_POOLINGS[n_spatial](layer.pool))
        self.convolutions = nn.Sequential(*steps)
        dense = []
        for size in hidden:
            dense += [nn.Linear(width, size), nn.ReLU()]
            width = size
        self.dense = nn.Sequential(*dense)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_outputs))

    def embed(self, x):
        """Embedding of shape (n, width) of an input of shape (n, in_channels, ...)."""
        x = self.input_norm(x).contiguous(memory_format=memory_format(x))
        x = self.convolutions(x)
        return self.dense(spatial_mean(x))

    def forward(self, x):
        """Outputs of shape (n, n_outputs) of an input of shape (n, in_channels, ...)."""
        return self.head(self.embed(x))

    def spatial_layers(self):
        """Convolutions and poolings, in the order in which they act, as a list of SpatialLayer."""
        return spatial_layers(self.layers)


def spatial_layers(layers):
    """What layers do to the extent of an image.

    Parameters
    ----------
    layers : sequence of Layer

    Returns
    -------
    spatial : list of SpatialLayer
    """
    spatial = []
    for number, (_, kernel, stride, _, pool) in enumerate(layers):
        spatial.append(SpatialLayer(f"convolution {number}", kernel, stride, kernel // 2))
        if pool > 1:
            spatial.append(SpatialLayer(f"pooling {number}", pool, pool, 0))
    return spatial
