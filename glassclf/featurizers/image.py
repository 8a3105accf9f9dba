"""Images: particles of each type counted on a grid."""

import math
from numbers import Integral, Real

import numpy as np
from scipy.ndimage import gaussian_filter

from glassclf._compilation import compiled
from glassclf.configurations.box import fractions_in_box
from glassclf.featurizers.base import (
    ConfigurationFeaturizer,
    LazyMixin,
    NoTableMixin,
    Number,
    warn_user,
)
from glassclf.featurizers.lazy import LazyImages

# Boxes whose size fluctuates, as at constant pressure, stay well within this.
SCALE_TOLERANCE = 0.05


class ImageFeaturizer(LazyMixin, NoTableMixin, ConfigurationFeaturizer):
    """Count the particles of each type on a grid that spans the box.

    Parameters
    ----------
    n_pixels : int, default=64
        Number of pixels along each direction of the box.
    blur : float, default=0.2
        Standard deviation of the Gaussian by which each particle is smeared, in units of the input
        positions (the default suits particles of diameter 1); 0 counts points. With pixels no wider
        than twice the blur, an image tells positions finer than its pixels. The blur wraps around
        along periodic directions of the box and is reflected at the ends of the others, so no part
        of a particle is lost.
    lazy : bool, default=False
        Whether ``transform`` returns :class:`LazyImages`, computed when they are used, instead of
        an array. For sets larger than the memory; ``n_jobs`` is then not used.
    cache : str or path-like, default=None
        With ``lazy``, a folder in which features are kept once they are computed.
    n_jobs : int, default=None
        Number of threads over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted; channel ``c`` shows ``types_[c]``.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.
    pixel_size_ : ndarray of shape (n_dims,)
        Mean width of the pixels of the configurations seen in ``fit``, along each lattice vector,
        in units of the input positions.

    Notes
    -----
    Images have shape ``(n, n_types, n_pixels, n_pixels)``, in 3D with one axis more, and are
    float32. In ``images[i, c, a, b]``, ``a`` counts along box direction 0 and ``b`` along
    direction 1. The pixels divide the lattice vectors evenly: in a triclinic box they are
    parallelograms, and the blur has its width along each lattice vector. Each image of a
    configuration sums to its particle number, at any blur.

    Since the grid spans the box, pixels are wider in a larger box. To a convolutional network,
    whose filters span a fixed number of pixels, that is another scale: trained in one box, it may
    fail in another without a sign. ``transform`` therefore warns where pixels differ from
    ``pixel_size_`` by more than 5 %, also when ``fit`` saw boxes of several sizes. To compare boxes
    of two sizes, cut windows of one size out of both, or make the images of each with ``n_pixels``
    in proportion to its box.

    Examples
    --------
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> X = [([[0.5, 0.5], [1.5, 0.5]], [0, 0], [2.0, 2.0])]
    >>> ImageFeaturizer(n_pixels=2, blur=0).fit_transform(X)
    array([[[[1., 0.],
             [1., 0.]]]], dtype=float32)
    """

    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        **LazyMixin._lazy_constraints,
        "n_pixels": [Number(Integral, 1, None, closed="left")],
        "blur": [Number(Real, 0, None, closed="left")],
    }
    # Multiples of 16, which the halvings of a CNN divide evenly; more would take too long in three
    # dimensions. A wider blur would merge neighbours, which stand about 1.1 apart.
    _search_space = {
        "n_pixels": ("choice", (32, 48, 64, 96)),
        "blur": ("float", 0.1, 0.5),
    }
    _prefers = "threads"
    _invariances = ("permutation",)
    _sequence = LazyImages
    _of_no_effect = ("pixel_size_",)

    def __init__(self, n_pixels=64, *, blur=0.2, lazy=False, cache=None, n_jobs=None):
        self.n_pixels = n_pixels
        self.blur = blur
        self.lazy = lazy
        self.cache = cache
        self.n_jobs = n_jobs

    def _learn(self, X):
        super()._learn(X)
        self.pixel_size_ = self._pixel_sizes(X).mean(axis=0)

    def _pixel_sizes(self, X):
        """Width of the pixels along each lattice vector, ndarray of shape (n, n_dims)."""
        return np.linalg.norm(X.cells, axis=2) / self.n_pixels

    def _warn(self, X):
        sizes = self._pixel_sizes(X)
        other = np.argwhere(np.abs(sizes / self.pixel_size_ - 1) > SCALE_TOLERANCE)
        if len(other):
            index, direction = other[0]
            warn_user(
                f"pixels of configuration {index} are {sizes[index, direction]:.3g} wide along "
                f"direction {direction}, those of fit were {self.pixel_size_[direction]:.3g}: to a "
                "CNN that is another scale; choose n_pixels in proportion to the box"
            )

    def _n_bytes(self, X):
        return np.full(len(X), 4 * len(self.types_) * self.n_pixels**self.n_dims_)

    def _featurize(self, configuration):
        shape = self._shape()
        pixels, shares = self._shares(configuration, smooth=self.blur > 0)
        image = np.bincount(pixels.ravel(), shares.ravel(), minlength=math.prod(shape))
        return self._blurred(image.reshape(shape), configuration).astype(np.float32)

    def _shape(self):
        return (len(self.types_), *[self.n_pixels] * self.n_dims_)

    def _read_back(self, values, configuration):
        """Sum values over the pixels that show each particle, by its share of them.

        The transpose of making an image: the product of an image with ``values`` is the sum of what
        is returned, for ``values`` of the shape of an image.
        """
        values = self._blurred(values, configuration).ravel()
        pixels, shares = self._shares(configuration, smooth=self.blur > 0)
        return (values[pixels] * shares).sum(axis=1)

    def _pixel_of(self, configuration):
        """Pixel that each particle lies in, ndarray of int of shape (n_particles, n_dims)."""
        (pixels,) = self._shares(configuration, smooth=False)[0].T
        return np.column_stack(np.unravel_index(pixels, self._shape())[1:])

    def _shares(self, configuration, smooth):
        """Pixels, numbered through all channels, and the share that they get of each particle.

        Two ndarrays of shape (n_particles, n_corners).
        """
        fractions = fractions_in_box(
            configuration.positions, configuration.cell, configuration.periodic
        )
        channels = np.searchsorted(self.types_, configuration.types)
        n_corners = 2**self.n_dims_ if smooth else 1
        pixels = np.empty((len(fractions), n_corners), dtype=np.int64)
        shares = np.empty(pixels.shape)
        compiled(divide)(
            fractions, channels, self.n_pixels, configuration.periodic, smooth, pixels, shares
        )
        return pixels, shares

    def _blurred(self, image, configuration):
        if self.blur == 0:
            return image
        pixel_sizes = np.linalg.norm(configuration.cell, axis=1) / self.n_pixels
        # scipy's "reflect" repeats the edge pixel, which keeps the sum.
        modes = ["wrap" if periodic else "reflect" for periodic in configuration.periodic]
        widths = [0, *self.blur / pixel_sizes]
        return gaussian_filter(image, widths, mode=["nearest", *modes])


def divide(fractions, channels, n_pixels, periodic, smooth, pixels, shares):
    """Divide particles among pixels, to be compiled.

    What is to be blurred is divided linearly among the nearest two along each axis, so that the
    image moves with a particle also by less than a pixel.

    Parameters
    ----------
    fractions : ndarray of shape (n_particles, n_dims)
        Positions in units of the lattice vectors.
    channels : ndarray of int of shape (n_particles,)
    n_pixels : int
        Along each axis.
    periodic : ndarray of bool of shape (n_dims,)
    smooth : bool
        Whether to divide; else a particle belongs to the pixel that it lies in.
    pixels : ndarray of int of shape (n_particles, n_corners)
        Written to: numbers of the pixels, through all channels.
    shares : ndarray of shape (n_particles, n_corners)
        Written to.
    """
    n_particles, n_dims = fractions.shape
    for i in range(n_particles):
        for corner in range(pixels.shape[1]):
            number, share = channels[i], 1.0
            for axis in range(n_dims):
                along = n_pixels * fractions[i, axis] - (0.5 if smooth else 0.0)
                pixel = int(math.floor(along))
                if smooth:
                    upper, beyond = (corner >> axis) & 1, along - pixel
                    share *= beyond if upper else 1 - beyond
                    pixel += upper
                # The upper end of an open direction belongs to its last pixel.
                pixel = pixel % n_pixels if periodic[axis] else min(max(pixel, 0), n_pixels - 1)
                number = number * n_pixels + pixel
            pixels[i, corner], shares[i, corner] = number, share
