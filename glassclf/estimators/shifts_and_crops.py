"""Periodic shifts and random crops."""

from dataclasses import replace
from numbers import Integral, Real

import torch

from glassclf.estimators.augmentation_base import Augmentation
from glassclf.featurizers.base import Number


class Shifts(Augmentation):
    """Shift each sample by a random number of whole pixels, around the periodic border.

    Parameters
    ----------
    axes : sequence of int, default=None
        Spatial axes along which the samples are periodic and are shifted; None: all. A film that
        lies on a substrate is shifted along it only, ``axes=(0,)``.

    Notes
    -----
    A network that pads circularly gives nearly the same output for a shifted image: it differs only
    because pooling keeps one place out of several. Graphs have no origin; they cannot be shifted.

    Examples
    --------
    >>> import torch
    >>> from glassclf.estimators import Shifts
    >>> _ = torch.manual_seed(0)
    >>> profile = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    >>> Shifts()(profile.repeat(3, 1, 1))[:, 0]
    tensor([[1., 2., 3., 4.],
            [4., 1., 2., 3.],
            [2., 3., 4., 1.]])
    """

    _parameter_constraints = {"axes": [Integral, "array-like", None]}

    def __init__(self, *, axes=None):
        self.axes = axes

    def _check_for_graphs(self):
        raise ValueError(
            "Shifts has nothing to do on graphs: they hold differences of positions, which a shift "
            "leaves as they are; leave it out of augment"
        )

    def _augment_graphs(self, graphs):
        return self._check_for_graphs()

    def _augment_images(self, images):
        extent = images.shape[2:]
        pixels = [torch.arange(n)[None] for n in extent]
        for axis in self._chosen_axes(len(extent)):
            first = torch.randint(extent[axis], (len(images), 1))
            pixels[axis] = (first + pixels[axis]) % extent[axis]
        return _take_pixels(images, pixels)


class Crops(Augmentation):
    """Cut a random window out of each sample.

    Of images, fields and profiles, a window that spans ``share`` of each side. Of graphs, a random
    particle and all within so many bonds of it that ``share ** n_dims`` of the particles are
    reached, with the bonds among them.

    Parameters
    ----------
    share : float, default=0.5
        Share of each side, in (0, 1].
    axes : sequence of int, default=None
        Spatial axes along which images are cut; None: all. Not for graphs.

    Notes
    -----
    Crops suit targets that a part has in common with the whole: a phase, a temperature, an energy
    per particle; not a number of particles. A crop has a border where the sample had none: a
    convolution that pads circularly joins its opposite edges, and particles at the border of a
    cropped graph have lost neighbours. The network meets both in training only, which can make it
    worse; compare. Windows do not reach across the periodic border of the image; put
    ``"shifts"`` before ``"crops"`` where they should.

    The shares count sides, so that a window of images and a crop of graphs hold about as many
    particles. Where bonds do not reach enough particles, as in a gas, further random particles
    and what is bonded to them are added.

    Examples
    --------
    >>> import torch
    >>> from glassclf.estimators import Crops
    >>> _ = torch.manual_seed(0)
    >>> Crops(share=0.75)(torch.rand(8, 2, 64, 64)).shape
    torch.Size([8, 2, 48, 48])
    """

    _parameter_constraints = {
        "share": [Number(Real, 0, 1, closed="right")],
        "axes": [Integral, "array-like", None],
    }

    def __init__(self, *, share=0.5, axes=None):
        self.share = share
        self.axes = axes

    def extent_after(self, extent):
        """Spatial extent of the windows of images of some extent."""
        window = list(extent)
        for axis in self._chosen_axes(len(extent)):
            window[axis] = round(self.share * extent[axis])
            if window[axis] < 1:
                raise ValueError(
                    f"share={self.share} of Crops leaves no pixel of the {extent[axis]} along "
                    f"spatial axis {axis} of X: raise share"
                )
        return tuple(window)

    def _check_for_graphs(self):
        if self.axes is not None:
            raise ValueError("axes of Crops belongs to images: graphs are cropped by bonds")

    def _augment_images(self, images):
        extent = tuple(images.shape[2:])
        pixels = []
        for side, length in zip(extent, self.extent_after(extent)):
            first = torch.randint(side - length + 1, (len(images), 1))
            pixels.append(first + torch.arange(length)[None])
        return _take_pixels(images, pixels)

    def _augment_graphs(self, graphs):
        share = self.share ** graphs.vectors.shape[1]
        # Rounding must not ask for one more than, say, 0.1 ** 2 of 100.
        needed = torch.ceil(share * graphs.n_nodes.double() - 1e-9).clamp(min=1).to(torch.int64)
        return _keep_particles(graphs, _grow(graphs, needed))


def _take_pixels(images, pixels):
    """Choose pixels, for each sample its own.

    Parameters
    ----------
    images : tensor of shape (n, n_channels, *extent)
    pixels : list of tensor of int64 of shape (n, length) or (1, length)
        Pixels chosen along each spatial axis.

    Returns
    -------
    chosen : tensor of shape (n, n_channels, *lengths)
    """
    n, n_channels, *extent = images.shape
    lengths = [along.shape[1] for along in pixels]
    # One index into the flattened pixels: several times faster than one gather for each axis.
    flat = torch.zeros((n, *[1] * len(extent)), dtype=torch.int64)
    for axis, along in enumerate(pixels):
        shape = [1] * len(extent)
        shape[axis] = lengths[axis]
        flat = flat * extent[axis] + along.reshape(-1, *shape)
    flat = flat.flatten(1)[:, None].to(images.device).expand(-1, n_channels, -1)
    chosen = images.flatten(2).gather(2, flat)
    return chosen.reshape(n, n_channels, *lengths)


def _grow(graphs, needed):
    """Particles within the fewest bonds of a random one that are at least so many in each graph.

    Parameters
    ----------
    graphs : GraphBatch
    needed : tensor of int64 of shape (n_graphs,)

    Returns
    -------
    reached : tensor of bool of shape (n_nodes,)
    """
    reached = torch.zeros_like(graphs.graph, dtype=torch.bool)
    graph_of_edge = graphs.graph[graphs.sources]
    n_reached, n_drawn = torch.zeros_like(needed), torch.zeros_like(needed)
    n_before = n_reached
    # In every second step at least one particle is added.
    for _ in range(2 * int(graphs.n_nodes.max())):
        growing = n_reached < needed
        if not growing.any():
            break
        # Neighbours need not be mutual; a bond is walked from either end.
        spreads = (reached[graphs.sources] | reached[graphs.neighbors]) & growing[graph_of_edge]
        # Where bonds lead no further, as many as should do by what was reached from the earlier
        # ones; at most so many again, as those may have been exceptions.
        wanted = (needed - n_reached) * n_drawn // n_reached.clamp(min=1)
        wanted = torch.maximum(torch.minimum(wanted, n_drawn), torch.ones_like(wanted))
        wanted = wanted * (growing & (n_reached == n_before))
        reached = reached | _random_particles(graphs, ~reached, wanted)
        n_drawn = n_drawn + wanted
        reached[graphs.sources[spreads]] = True
        reached[graphs.neighbors[spreads]] = True
        n_before = n_reached
        n_reached = torch.zeros_like(needed).index_add(0, graphs.graph, reached.to(torch.int64))
    return reached


def _random_particles(graphs, candidates, wanted):
    """Mark so many random candidates in each graph, or all that it has."""
    chosen = torch.zeros_like(candidates)
    rows = torch.nonzero(candidates & (wanted > 0)[graphs.graph])[:, 0]
    rows = rows[torch.randperm(len(rows)).to(rows.device)]
    rows = rows[torch.argsort(graphs.graph[rows], stable=True)]
    of_graph = graphs.graph[rows]
    counts = torch.zeros_like(wanted).index_add(0, of_graph, torch.ones_like(of_graph))
    place = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[of_graph]
    chosen[rows[place < wanted[of_graph]]] = True
    return chosen


def _keep_particles(graphs, kept):
    """Graphs of some of the particles and the bonds among them."""
    if kept.all():
        return graphs
    bonds = kept[graphs.sources] & kept[graphs.neighbors]
    number = torch.cumsum(kept, 0) - 1
    of_graph = graphs.graph[kept]
    return replace(
        graphs,
        types=graphs.types[kept],
        graph=of_graph,
        n_nodes=torch.zeros_like(graphs.n_nodes).index_add(0, of_graph, torch.ones_like(of_graph)),
        sources=number[graphs.sources[bonds]],
        neighbors=number[graphs.neighbors[bonds]],
        vectors=graphs.vectors[bonds],
        distances=graphs.distances[bonds],
        n_neighbors=None,
    )
