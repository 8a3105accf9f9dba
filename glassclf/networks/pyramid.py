"""A network on cubes around a point at several resolutions, which can be slid over whole fields."""

import torch
from torch import nn

from glassclf.networks.cnn import CONVOLUTIONS
from glassclf.networks.normalization import SafeBatchNorm

HIDDEN = (64, 64)


class PyramidNetwork(nn.Module):
    """Convolutions of each level of resolution down to its middle, joined there by dense layers.

    Nothing is padded and levels are kept apart up to the middle, so that a whole field can be
    evaluated by the same kernels, spread out by the stride of the level: no cube is formed.

    Parameters
    ----------
    in_channels : int
        Number of input channels: level by level, then the scalars.
    n_outputs : int
        Number of outputs.
    n_spatial : int
        Number of spatial axes, 1 to 3.
    n_levels : int, default=1
        Levels of resolution, of as many channels each.
    n_scalars : int, default=0
        Last channels, each equal everywhere in a sample; they join in the middle.
    n_filters : sequence of int, default=(16, 32, 64)
        Channels of each convolution. Cubes must have a side of
        ``len(n_filters) * (kernel_size - 1) + 1``.
    kernel_size : int, default=3
        Side of the convolution kernel, odd.
    dropout : float, default=0.0
        Share of the embedding that is dropped in training.

    Notes
    -----
    Convolutions that are spread out to evaluate a network everywhere at once: A. Giusti et al.,
    arXiv:1302.1700; F. Yu and V. Koltun, arXiv:1511.07122.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import PyramidNetwork
    >>> network = PyramidNetwork(4, 1, n_spatial=3, n_levels=2, n_filters=(4, 8))
    >>> network(torch.zeros(6, 4, 5, 5, 5)).shape
    torch.Size([6, 1])
    """

    def __init__(
        self,
        in_channels,
        n_outputs,
        n_spatial,
        n_levels=1,
        n_scalars=0,
        n_filters=(16, 32, 64),
        kernel_size=3,
        dropout=0.0,
    ):
        super().__init__()
        self.n_levels, self.n_scalars = n_levels, n_scalars
        self.n_fields = (in_channels - n_scalars) // n_levels
        self.kernel_size = kernel_size
        self.input_norm = SafeBatchNorm(in_channels, momentum=None, affine=False)
        self.convolution = CONVOLUTIONS[n_spatial]
        self.stacks = nn.ModuleList(
            self._stack([self.n_fields, *n_filters]) for _ in range(n_levels)
        )
        dense, width = [], n_levels * n_filters[-1] + n_scalars
        for size in HIDDEN:
            dense += [nn.Linear(width, size, bias=False), SafeBatchNorm(size), nn.ReLU()]
            width = size
        self.dense = nn.Sequential(*dense)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_outputs))

    def _stack(self, widths):
        layers = []
        for n_in, n_out in zip(widths[:-1], widths[1:]):
            layers.append(self.convolution(n_in, n_out, self.kernel_size, bias=False))
            # The normalisation has a shift of its own, so the convolution needs no bias.
            layers += [SafeBatchNorm(n_out), nn.ReLU()]
        return nn.Sequential(*layers)

    def embed(self, x):
        """Embedding of shape (n, width) of cubes of shape (n, in_channels, side, ...)."""
        x = self.input_norm(x)
        joined = []
        for number, stack in enumerate(self.stacks):
            joined.append(stack(x[:, self._channels(number)]).flatten(1))
        joined.append(x[:, x.shape[1] - self.n_scalars :].flatten(2)[:, :, 0])
        return self.dense(torch.cat(joined, dim=1))

    def forward(self, x):
        """Outputs of shape (n, n_outputs) of cubes of shape (n, in_channels, side, ...)."""
        return self.head(self.embed(x))

    def evaluate_fields(self, levels, strides, scalars):
        """Outputs at every cell of a field, as of the cubes around it.

        Parameters
        ----------
        levels : sequence of tensor of shape (n_fields, ...)
            Fields of each level of resolution, at every cell, wider than the output by the half
            cubes on each side.
        strides : sequence of int
            Cells between the samples of the cubes of each level.
        scalars : tensor of shape (n_cells, n_scalars)

        Returns
        -------
        outputs : tensor of shape (n_cells, n_outputs)
        """
        norm, joined = self.input_norm, []
        for number, (x, stride, stack) in enumerate(zip(levels, strides, self.stacks)):
            x = _normalized(x[None], norm, self._channels(number))
            for layer in stack:
                if isinstance(layer, self.convolution):
                    convolve = getattr(nn.functional, f"conv{x.dim() - 2}d")
                    x = convolve(x, layer.weight, dilation=stride)
                else:
                    x = layer(x)
            joined.append(x[0].flatten(1).T)
        last = slice(self.n_levels * self.n_fields, None)
        joined.append(_normalized(scalars, norm, last))
        return self.head(self.dense(torch.cat(joined, dim=1)))

    def _channels(self, level):
        return slice(level * self.n_fields, (level + 1) * self.n_fields)


def _normalized(x, norm, channels):
    mean, variance = norm.running_mean[channels], norm.running_var[channels]
    return nn.functional.batch_norm(x, mean, variance, eps=norm.eps)
