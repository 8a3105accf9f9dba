"""Quarter turns and mirror images: symmetries of the square and the cube."""

import math
from dataclasses import replace
from functools import lru_cache
from itertools import permutations, product
from numbers import Integral

import torch

from glassclf.estimators.augmentation_base import Augmentation
from glassclf.featurizers.base import warn_user
from glassclf.featurizers.image import SCALE_TOLERANCE


class LatticeSymmetry(Augmentation):
    """Base of turns and mirror images.

    Each is a signed permutation of the axes: along axis ``a`` of the result lies axis ``order[a]``
    of the original, reversed where ``signs[a]`` is -1. It acts alike on pixels and on vectors.
    """

    _parameter_constraints = {
        "axes": [Integral, "array-like", None],
        "vector_channels": ["array-like"],
        "orientation_channels": ["array-like"],
    }

    def __init__(self, *, axes=None, vector_channels=(), orientation_channels=()):
        self.axes = axes
        self.vector_channels = vector_channels
        self.orientation_channels = orientation_channels

    def _check_for_images(self, n_spatial):
        super()._check_for_images(n_spatial)
        self._channel_groups(n_spatial)

    def _check_for_graphs(self):
        for name in ("vector_channels", "orientation_channels"):
            if len(getattr(self, name)):
                raise ValueError(
                    f"{name} of {type(self).__name__} belongs to images: graphs have no channels"
                )

    def _augment_images(self, images):
        extent = tuple(images.shape[2:])
        elements = self._elements(self._chosen_axes(len(extent)), extent)
        groups = self._channel_groups(len(extent), images.shape[1])
        drawn = torch.randint(len(elements), (len(images),))
        out = torch.empty_like(images)
        for number in drawn.unique().tolist():
            rows = torch.nonzero(drawn == number)[:, 0].to(images.device)
            out[rows] = _turn_images(images[rows], *elements[number], *groups)
        return out

    def _augment_graphs(self, graphs):
        n_dims = graphs.vectors.shape[1]
        # Graphs have no box that would have to map onto itself.
        elements = self._elements(self._chosen_axes(n_dims), (1,) * n_dims)
        drawn = torch.randint(len(elements), (len(graphs),)).to(graphs.vectors.device)
        of_edge = drawn[graphs.graph[graphs.sources]]
        order, signs = (torch.tensor(part, device=drawn.device) for part in zip(*elements))
        vectors = graphs.vectors.gather(1, order[of_edge]) * signs[of_edge]
        return replace(graphs, vectors=vectors)

    def _channel_groups(self, n_spatial, n_channels=math.inf):
        """Groups of channels that hold vectors, and groups that hold directions."""
        vectors = self._groups("vector_channels", n_spatial, n_spatial, n_channels)
        directions = self._groups("orientation_channels", 2 * n_spatial, n_spatial, n_channels)
        used = [channel for group in vectors + directions for channel in group]
        if len(set(used)) < len(used):
            raise ValueError(f"{type(self).__name__} was given a channel twice, in {sorted(used)}")
        return vectors, directions

    def _groups(self, name, size, n_spatial, n_channels):
        given = list(getattr(self, name))
        # One group may be given without a list around it.
        groups = [given] if given and isinstance(given[0], Integral) else given
        for group in groups:
            if len(group) != size or not all(isinstance(channel, Integral) for channel in group):
                raise ValueError(
                    f"{name} of {type(self).__name__} must be groups of {size} channels each, as X "
                    f"has {n_spatial} spatial axes; got {group!r}"
                )
            if not all(0 <= channel < n_channels for channel in group):
                raise ValueError(
                    f"{name} of {type(self).__name__} must number channels from 0"
                    + (f" to {n_channels - 1}" if n_channels < math.inf else "")
                    + f", got {group!r}"
                )
        return [tuple(int(channel) for channel in group) for group in groups]


class QuarterTurns(LatticeSymmetry):
    """Turn each sample by a random multiple of 90 degrees.

    Images and fields are turned by permuting and reversing axes, which is exact; graphs by turning
    the vectors of their bonds. Profiles cannot be turned.

    Parameters
    ----------
    axes : sequence of int, default=None
        Spatial axes that may be turned into each other, at least two; None: all. With three, each
        sample is turned by one of the 24 rotations of a cube.
    vector_channels : sequence of tuple, default=()
        Channels that hold the components of vectors along the spatial axes, such as
        ``[(2, 3)]``: they are turned with the pixels.
    orientation_channels : sequence of tuple, default=()
        Channels that are each 1 where a direction along an axis is taken, else 0. In two dimensions
        four, for the directions +x, +y, -x, -y; in three six, for +x, +y, +z, -x, -y, -z. x is
        spatial axis 0, the first one after the channels. They are permuted.

    See Also
    --------
    Mirrors : The other half of the symmetries of a square or cube.

    Notes
    -----
    Only turns that map the image onto itself are drawn: where two sides have different numbers of
    pixels, half turns in their plane, no quarter turns. Turns suit samples that look alike in every
    direction; films that grow along one axis do not.

    :class:`~glassclf.featurizers.ImageFeaturizer` makes as many pixels along each side, whatever
    the box. Where the box is no square or cube, its pixels are none, and a quarter turn deforms
    what they show. :class:`Mirrors` and :class:`Shifts` stay exact there, and two mirror images in
    one are a half turn. Graphs can be turned in any box.

    Examples
    --------
    >>> import torch
    >>> from glassclf.estimators import QuarterTurns
    >>> _ = torch.manual_seed(0)
    >>> image = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    >>> turned = QuarterTurns()(image.repeat(100, 1, 1, 1))
    >>> turned.mean(0)[0] > 0.1
    tensor([[True, True],
            [True, True]])
    """

    def _check_for_images(self, n_spatial):
        super()._check_for_images(n_spatial)
        self._require_a_plane(self._chosen_axes(n_spatial))

    def warn_of_pixels(self, sizes):
        """Warn if pixels of these widths along the spatial axes would be deformed."""
        sizes = [float(sizes[axis]) for axis in self._chosen_axes(len(sizes))]
        if max(sizes) > (1 + SCALE_TOLERANCE) * min(sizes):
            warn_user(
                f"quarter turns deform images whose pixels are {min(sizes):.3g} wide along one "
                f"axis and {max(sizes):.3g} along another, because the box is not square: use "
                '"mirrors" and "shifts", which are exact'
            )

    def _require_a_plane(self, axes):
        if len(axes) < 2:
            raise ValueError(
                f"QuarterTurns turns one axis into another and needs two of them, got {axes}; "
                "along a single axis use Mirrors"
            )

    def _elements(self, axes, extent):
        self._require_a_plane(axes)
        return _signed_permutations(axes, extent, turns=True)


class Mirrors(LatticeSymmetry):
    """Reverse each sample along each axis with probability one half.

    Exact, for images, fields and profiles of any extent; of graphs, the vectors of the bonds are
    mirrored.

    Parameters
    ----------
    axes : sequence of int, default=None
        Spatial axes that may be reversed; None: all. A film that grows along axis 1 may be mirrored
        along axis 0 only, ``axes=(0,)``.
    vector_channels : sequence of tuple, default=()
        Channels that hold the components of vectors along the spatial axes, such as
        ``[(2, 3)]``: they are mirrored with the pixels.
    orientation_channels : sequence of tuple, default=()
        Channels that are each 1 where a direction along an axis is taken, in the order of
        :class:`QuarterTurns`. They are permuted.

    See Also
    --------
    QuarterTurns : Turns by multiples of 90 degrees.

    Examples
    --------
    >>> import torch
    >>> from glassclf.estimators import Mirrors
    >>> _ = torch.manual_seed(0)
    >>> profile = torch.tensor([[[1.0, 2.0, 3.0]]])
    >>> Mirrors()(profile.repeat(4, 1, 1))[:, 0]
    tensor([[1., 2., 3.],
            [3., 2., 1.],
            [3., 2., 1.],
            [1., 2., 3.]])
    """

    def _elements(self, axes, extent):
        return _signed_permutations(axes, extent, turns=False)


@lru_cache(maxsize=64)
def _signed_permutations(axes, extent, turns):
    """List the turns, or the mirror images, along these axes that keep the extent."""
    everything = tuple(range(len(extent)))
    elements = []
    for permuted in permutations(axes) if turns else [axes]:
        order = list(everything)
        for axis, origin in zip(axes, permuted):
            order[axis] = origin
        if any(extent[origin] != extent[axis] for axis, origin in enumerate(order)):
            continue
        for reversals in product((1, -1), repeat=len(axes)):
            signs = [1] * len(extent)
            for axis, sign in zip(axes, reversals):
                signs[axis] = sign
            if not turns or _determinant(order, signs) == 1:
                elements.append((tuple(order), tuple(signs)))
    return elements


def _determinant(order, signs):
    n_swapped = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
    return math.prod(signs) * (-1) ** n_swapped


def _turn_images(images, order, signs, vectors, directions):
    n_dims = len(order)
    origins, factors = list(range(images.shape[1])), [1] * images.shape[1]
    for group in vectors:
        for axis in range(n_dims):
            origins[group[axis]] = group[order[axis]]
            factors[group[axis]] = signs[axis]
    for group in directions:
        for axis in range(n_dims):
            positive, negative = group[order[axis]], group[order[axis] + n_dims]
            if signs[axis] < 0:
                positive, negative = negative, positive
            origins[group[axis]], origins[group[axis + n_dims]] = positive, negative
    if vectors or directions:
        images = images[:, origins]
        shape = (-1, *[1] * n_dims)
        images = images * torch.tensor(factors, device=images.device).reshape(shape)
    reversed_axes = [axis + 2 for axis in range(n_dims) if signs[axis] < 0]
    return images.permute(0, 1, *[axis + 2 for axis in order]).flip(reversed_axes)
