"""A convolutional network for profiles, images and fields with periodic borders."""

import torch
from torch import nn

from glassclf.networks.fused_block import norm_relu_pool, pays_at_once
from glassclf.networks.geometry import SpatialLayer
from glassclf.networks.normalization import SafeBatchNorm
from glassclf.networks.periodic import (
    PERIODIC_CONVOLUTIONS,
    CircularPad,
    memory_format,
    spatial_mean,
)

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLINGS = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}


class ConvolutionalNetwork(nn.Module):
    """Blocks of convolution, normalisation, ReLU and pooling, averaged over space.

    Each block but the last halves the resolution. Averaging over all positions at the end makes
    the network accept any spatial extent. Along axes where the padding is circular and the extent a
    multiple of the total stride, it is invariant to periodic shifts by that stride.

    Parameters
    ----------
    in_channels : int
        Number of input channels.
    n_outputs : int
        Number of outputs.
    n_spatial : int
        Number of spatial axes, 0 to 3. Without any, the blocks are those of a plain multilayer
        perceptron.
    n_filters : sequence of int, default=(16, 32, 64)
        Channels of each block.
    kernel_size : int, default=3
        Side of the convolution kernel, odd.
    padding : {"circular", "zeros"} or sequence of these, default="circular"
        What lies beyond the border; a sequence has one for each spatial axis.
    n_scalars : int, default=0
        Last channels, each equal everywhere in a sample: they join the averages, before a dense
        layer.
    dropout : float, default=0.0
        Share of the embedding that is dropped in training.

    Notes
    -----
    Global average pooling: Lin, Chen and Yan, arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import ConvolutionalNetwork
    >>> network = ConvolutionalNetwork(in_channels=2, n_outputs=3, n_spatial=2)
    >>> network(torch.zeros(5, 2, 32, 32)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        in_channels,
        n_outputs,
        n_spatial,
        n_filters=(16, 32, 64),
        kernel_size=3,
        padding="circular",
        n_scalars=0,
        dropout=0.0,
    ):
        super().__init__()
        self.n_maps = in_channels - n_scalars
        widths = [self.n_maps, *n_filters]
        self.kernel_size, self.padding = kernel_size, padding
        self.input_norm = SafeBatchNorm(in_channels, momentum=None, affine=False)
        self.blocks = nn.ModuleList(
            _block(n_in, n_out, n_spatial, kernel_size, padding)
            for n_in, n_out in zip(widths[:-1], widths[1:])
        )
        self.pool = POOLINGS[n_spatial](2, ceil_mode=True) if n_spatial else nn.Identity()
        # Behind it scalars and averages can act on each other.
        self.join = nn.Sequential()
        if n_scalars:
            self.join.append(nn.Linear(widths[-1] + n_scalars, widths[-1])).append(nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(widths[-1], n_outputs))

    def embed(self, x):
        """Embedding of shape (n, n_filters[-1]) of an input of shape (n, in_channels, ...)."""
        x = self.input_norm(x)
        scalars = x[:, self.n_maps :]
        x = x[:, : self.n_maps].contiguous(memory_format=memory_format(x))
        for number, block in enumerate(self.blocks, start=1):
            halved = number < len(self.blocks)
            if pays_at_once(x, block, self.pool):
                *layers, norm, _ = block
                for layer in layers:
                    x = layer(x)
                x = norm_relu_pool(x, norm, step=2 if halved else 1)
            else:
                x = self.pool(block(x)) if halved else block(x)
        if x.dim() > 2:
            x, scalars = spatial_mean(x), scalars.flatten(2)[:, :, 0]
        return self.join(torch.cat([x, scalars], dim=1))

    def forward(self, x):
        """Outputs of shape (n, n_outputs) of an input of shape (n, in_channels, ...)."""
        return self.head(self.embed(x))

    def spatial_layers(self):
        """Convolutions and poolings, in the order in which they act, as a list of SpatialLayer."""
        return spatial_layers(len(self.blocks), self.kernel_size)


def spatial_layers(n_blocks, kernel_size):
    """What blocks do to the extent of an image.

    Parameters
    ----------
    n_blocks, kernel_size : int

    Returns
    -------
    spatial : list of SpatialLayer
    """
    pooling = [SpatialLayer("pooling", 2, 2, 0, rounds_up=True)]
    spatial = []
    for number in range(n_blocks):
        spatial += pooling if number else []
        spatial.append(SpatialLayer(f"convolution {number}", kernel_size, 1, kernel_size // 2))
    return spatial


def convolution_layer(n_in, n_out, n_spatial, kernel_size, padding, **settings):
    """Convolution that leaves the extent of its input as it is, at stride 1.

    Parameters
    ----------
    n_in, n_out, n_spatial, kernel_size : int
    padding : {"circular", "zeros"}
        What lies beyond the border, on all axes.
    **settings : dict
        Of the convolution.

    Returns
    -------
    layer : torch.nn.Module
    """
    if padding == "circular":
        return PERIODIC_CONVOLUTIONS[n_spatial](n_in, n_out, kernel_size, **settings)
    settings["padding"] = kernel_size // 2
    return CONVOLUTIONS[n_spatial](n_in, n_out, kernel_size, **settings)


def _block(n_in, n_out, n_spatial, kernel_size, padding):
    # The normalisation has a shift of its own, so the layer needs no bias.
    after = [SafeBatchNorm(n_out), nn.ReLU(inplace=True)]
    if n_spatial == 0:
        return nn.Sequential(nn.Linear(n_in, n_out, bias=False), *after)
    if isinstance(padding, str):
        layer = convolution_layer(n_in, n_out, n_spatial, kernel_size, padding, bias=False)
        return nn.Sequential(layer, *after)
    width = kernel_size // 2
    zeros = tuple(width if mode == "zeros" else 0 for mode in padding)
    layer = CONVOLUTIONS[n_spatial](n_in, n_out, kernel_size, padding=zeros, bias=False)
    return nn.Sequential(CircularPad([width - zero for zero in zeros]), layer, *after)
