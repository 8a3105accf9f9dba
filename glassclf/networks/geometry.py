"""How far convolutional layers see, and what they leave of an image."""

import math
from typing import NamedTuple


class SpatialLayer(NamedTuple):
    """A convolution or pooling, by what it does along one axis.

    Attributes
    ----------
    name : str
    kernel_size, stride, padding : int
        Sites that it sees, sites between its outputs, and sites added at either border.
    rounds_up : bool, default=False
        Whether an incomplete last step gives an output too.
    """

    name: str
    kernel_size: int
    stride: int
    padding: int
    rounds_up: bool = False


class LayerSize(NamedTuple):
    """What one layer leaves of an axis.

    Attributes
    ----------
    name : str
    output_size : int
        Sites behind it.
    receptive_field : int
        Sites of the input that one of its outputs depends on.
    step : int
        Sites of the input between two of its outputs.
    dropped : int
        Sites at the upper border of its own input that it does not see.
    """

    name: str
    output_size: int
    receptive_field: int
    step: int
    dropped: int


def trace_layers(layers, extent):
    """Follow an axis through layers.

    Parameters
    ----------
    layers : sequence of SpatialLayer
    extent : int
        Sites of the input.

    Returns
    -------
    sizes : list of LayerSize

    Raises
    ------
    ValueError
        If a layer has too few sites: less than its kernel, or than it pads with.

    Notes
    -----
    With kernel k, stride S and padding P, V sites become floor((V - k + 2 P) / S) + 1, and a
    receptive field grows by (k - 1) times the product of all strides before: V. Dumoulin and
    F. Visin, arXiv:1603.07285, relationship 6; A. Araujo, W. Norris and J. Sim, Distill (2019),
    equation 2.

    Examples
    --------
    >>> from glassclf.networks.geometry import SpatialLayer, trace_layers
    >>> trace_layers([SpatialLayer("first", 5, 2, 2), SpatialLayer("second", 3, 2, 1)], 128)[-1]
    LayerSize(name='second', output_size=32, receptive_field=9, step=4, dropped=0)
    """
    sizes, field, step = [], 1, 1
    for layer in layers:
        room = extent - layer.kernel_size + 2 * layer.padding
        if room < 0 or layer.padding > extent:
            raise ValueError(
                f"{layer.name} of side {layer.kernel_size} has {extent} sites: too few"
            )
        rounded = math.ceil if layer.rounds_up else math.floor
        field += (layer.kernel_size - 1) * step
        step *= layer.stride
        # The padding is left out first.
        dropped = 0 if layer.rounds_up else max(0, room % layer.stride - layer.padding)
        extent = rounded(room / layer.stride) + 1
        sizes.append(LayerSize(layer.name, extent, field, step, dropped))
    return sizes
