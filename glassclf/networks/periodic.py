"""Convolutions across periodic borders, and the order of images in memory that suits them."""

import torch
from torch import nn

# Channels of a pixel side by side in memory: convolutions, normalisation and pooling on the CPU are
# then up to three times as fast. For profiles there is no such order.
MEMORY_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def memory_format(x):
    """Order in memory that suits a tensor of shape (n, n_channels, ...).

    Parameters
    ----------
    x : tensor

    Returns
    -------
    format : torch.memory_format
    """
    return MEMORY_FORMATS.get(x.dim(), torch.contiguous_format)


def spatial_mean(x):
    """Average over all spatial axes.

    As a product, whose gradient is a product, too, in the order in memory of ``x``. That of a mean
    has no such order, and the layer before would read it number by number.

    Parameters
    ----------
    x : tensor of shape (n, n_channels, ...)

    Returns
    -------
    means : tensor of shape (n, n_channels)
    """
    pixels = x.flatten(2)
    n_pixels = pixels.shape[2]
    if x.dim() == 3:
        return (pixels @ pixels.new_ones(n_pixels, 1))[:, :, 0] / n_pixels
    return (pixels.new_ones(1, n_pixels) @ pixels.transpose(1, 2))[:, 0] / n_pixels


class CircularPad(nn.Module):
    """Continue images across their periodic borders.

    As ``torch.nn.CircularPad2d``, but images and gradients keep the order in memory that
    :func:`memory_format` names, and nothing is copied for it.

    Parameters
    ----------
    widths : sequence of int
        Pixels that are added at both ends of each spatial axis.
    """

    def __init__(self, widths):
        super().__init__()
        self.widths = tuple(widths)

    def forward(self, x):
        """Pad ``x`` of shape (n, n_channels, ...)."""
        return _padded(x, self.widths)


class _Periodic:
    """Convolution that continues its input across the borders."""

    def __init__(self, n_in, n_out, kernel_size, **settings):
        super().__init__(n_in, n_out, kernel_size, **settings)
        self.widths = (kernel_size // 2,) * len(self.kernel_size)

    def forward(self, x):
        """Convolve ``x`` of shape (n, n_in, ...)."""
        return super().forward(_padded(x, self.widths))


class PeriodicConv1d(_Periodic, nn.Conv1d):
    """Convolution of profiles with periodic ends."""


class PeriodicConv2d(_Periodic, nn.Conv2d):
    """Convolution of images with periodic borders."""


class PeriodicConv3d(_Periodic, nn.Conv3d):
    """Convolution of fields with periodic borders."""


PERIODIC_CONVOLUTIONS = {1: PeriodicConv1d, 2: PeriodicConv2d, 3: PeriodicConv3d}


def _padded(x, widths):
    return _Pad.apply(x, widths) if any(widths) else x


class _Pad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, widths):
        ctx.widths = widths
        sizes = x.shape[2:]
        if any(width > n for width, n in zip(widths, sizes)):
            raise ValueError(
                f"an image of {tuple(sizes)} pixels cannot be continued by {widths} pixels: take "
                "larger images, fewer layers or a smaller kernel_size"
            )
        shape = [*x.shape[:2], *(n + 2 * width for n, width in zip(sizes, widths))]
        padded = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=memory_format(x))
        _inner(padded, widths).copy_(x)
        # From the last axis to the first: those behind it are complete, and corners come along.
        for axis, (n, width) in reversed(list(enumerate(zip(sizes, widths)))):
            part = _inner(padded, widths[:axis])
            part.narrow(axis + 2, 0, width).copy_(part.narrow(axis + 2, n, width))
            part.narrow(axis + 2, width + n, width).copy_(part.narrow(axis + 2, width, width))
        return padded

    @staticmethod
    def backward(ctx, gradient):
        return _fold(gradient, ctx.widths), None


def _inner(padded, widths):
    """View without the borders along the first spatial axes."""
    for axis, width in enumerate(widths, start=2):
        padded = padded.narrow(axis, width, padded.shape[axis] - 2 * width)
    return padded


def _fold(padded, widths):
    """Copy of what is within the borders, to which the borders are added across the box."""
    if not widths:
        return padded.clone(memory_format=memory_format(padded))
    axis, width, rest = len(widths) + 1, widths[-1], widths[:-1]
    n = padded.shape[axis] - 2 * width
    folded = _fold(padded.narrow(axis, width, n), rest)
    if width:
        folded.narrow(axis, n - width, width).add_(_fold(padded.narrow(axis, 0, width), rest))
        folded.narrow(axis, 0, width).add_(_fold(padded.narrow(axis, width + n, width), rest))
    return folded
