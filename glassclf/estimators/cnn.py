"""Convolutional networks as scikit-learn estimators."""

import warnings
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_y, check_consistent_length, validate_data

from glassclf.configurations import FieldPoints, Lattices
from glassclf.configurations.packing import PackedSet
from glassclf.estimators.augmentation import augmentation_of
from glassclf.estimators.batching import ArraySamples
from glassclf.estimators.documentation import document
from glassclf.estimators.lazy_samples import LazyArraySamples
from glassclf.estimators.targets import NetworkClassifier, NetworkRegressor
from glassclf.featurizers import LazyImages
from glassclf.featurizers.base import Number
from glassclf.networks import ConvolutionalNetwork, LayeredNetwork, PyramidNetwork
from glassclf.networks.geometry import trace_layers
from glassclf.networks.layered import ARCHITECTURES, spatial_layers

# (n, H, W) is read as profiles with H channels; more than this many were hardly meant.
MANY_CHANNELS = 16

COUNT = Number(Integral, 1, None, closed="left")
PADDINGS = ("circular", "zeros")

FACTS = {
    "max_epochs": "40",
    "batch_size": "8",
    "network": "ConvolutionalNetwork",
    "facts": "``in_channels``, ``n_spatial``, ``n_outputs``",
    "features": "Number of channels.",
}


@dataclass(kw_only=True, repr=False, eq=False)
class ArrayInput:
    """Arrays as samples: the dimension of the network is read from X."""

    n_filters: tuple = (16, 32, 64)
    kernel_size: int = 3
    padding: object = "circular"
    architecture: str = "blocks"
    n_levels: int = 1
    n_scalars: int = 0

    _network_constraints = {
        "n_filters": ["array-like"],
        "kernel_size": [Number(Integral, 1, None, closed="left")],
        "padding": [StrOptions(set(PADDINGS)), list, tuple],
        "architecture": [StrOptions({"blocks", "pyramid", *ARCHITECTURES})],
        "n_levels": [COUNT],
        "n_scalars": [Number(Integral, 0, None, closed="left")],
    }
    # Up to four blocks of kernels of 5 fit images from 9 pixels on, and see nearly all of 64.
    _network_search_space = {
        "n_filters": (
            "choice",
            ((16, 32), (8, 16, 32), (16, 32, 64), (32, 64, 128), (16, 32, 64, 128)),
        ),
        "kernel_size": ("choice", (3, 5)),
    }

    @property
    def _default_module(self):
        others = {"blocks": ConvolutionalNetwork, "pyramid": PyramidNetwork}
        return others.get(self.architecture, LayeredNetwork)

    def _get_search_space(self):
        space = super()._get_search_space()
        if self.architecture != "blocks":
            # Its layers are its own, or must suit the size of the cubes.
            for name in ("n_filters", "kernel_size"):
                space.pop(name, None)
        return space

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _read_samples(self, X, y, reset):
        self._check_network_parameters()
        X = self._as_array(X, reset)
        of_y = {"multi_output": self._multi_output, "y_numeric": self._multi_output}
        if isinstance(X, LazyImages):
            X = self._as_lazy_images(X, reset)
            y = _check_y(y, **of_y, estimator=self)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, dtype=np.float32, allow_nd=True, reset=reset, **of_y)
        if reset:
            self._n_spatial = X.ndim - 2
            if self._n_spatial == 0 and self.architecture != "blocks":
                raise ValueError(
                    f"architecture={self.architecture!r} needs spatial axes, got X of shape "
                    f"{X.shape}"
                )
            if self._n_spatial > 3:
                raise ValueError(f"X must have at most 3 spatial axes, got shape {X.shape}")
            if self._n_spatial == 1 and X.shape[1] > MANY_CHANNELS:
                warnings.warn(
                    f"X of shape {X.shape} is read as profiles with {X.shape[1]} channels; "
                    "for images with one channel pass X[:, None]",
                    stacklevel=5,
                )
        self._check_channels(X)
        self._check_extent(X.shape)
        self._direction_channels = getattr(X, "direction_channels", None)
        augmentation = augmentation_of(self)
        if augmentation is not None:
            if isinstance(X, LazyImages):
                augmentation.warn_of_pixels(X.pixel_size)
            extent = augmentation.extent_after(X.shape[2:])
            if extent is not None:
                self._check_extent((*X.shape[:2], *extent), "augmented X")
        return _samples(X), y

    def _check_samples(self, X):
        X = self._as_array(X, reset=False)
        if isinstance(X, LazyImages):
            X = self._as_lazy_images(X, reset=False)
        else:
            X = validate_data(self, X, dtype=np.float32, allow_nd=True, reset=False)
        self._check_extent(X.shape)
        return _samples(X)

    def _as_lazy_images(self, X, reset):
        if len(X) == 0:
            raise ValueError("X is empty: expected at least one image")
        return validate_data(self, X, reset=reset, skip_check_array=True)

    def _check_channels(self, X):
        n_maps = X.shape[1] - self.n_scalars
        if n_maps < 1 or n_maps % self.n_levels:
            raise ValueError(
                f"X has {X.shape[1]} channels: without n_scalars={self.n_scalars} of them they "
                f"must be some for each of n_levels={self.n_levels}"
            )
        names = ["n_scalars"] + ["n_levels"] * (self.architecture == "pyramid")
        for name in names:
            known = getattr(X, name, getattr(self, name))
            if known != getattr(self, name):
                raise ValueError(
                    f"X was made with {name}={known}, got {name}={getattr(self, name)}"
                )
        if not self.n_scalars or not self._n_spatial:
            return
        # A look at one sample: a wrong number would make scalars of maps.
        scalars = np.asarray(X[0])[n_maps:].reshape(self.n_scalars, -1)
        if np.ptp(scalars, axis=1).any():
            raise ValueError(
                f"the last n_scalars={self.n_scalars} channels of X must be equal everywhere in a "
                "sample, those of sample 0 are not"
            )

    def _check_extent(self, shape, what="X"):
        extent = shape[2:]
        if not all(extent):
            raise ValueError(f"X must have no empty axis, got shape {shape}")
        if self.module is not None or not extent:
            return
        if self.architecture == "pyramid":
            n_layers = len(self.n_filters)
            needed = n_layers * (self.kernel_size - 1) + 1
            if set(extent) != {needed}:
                raise ValueError(
                    f"{n_layers} layers of kernel_size={self.kernel_size} in n_filters take cubes "
                    f"of side {needed}, got {what} of shape {tuple(shape)}"
                )
            return
        if self.architecture != "blocks":
            for side in extent:
                try:
                    trace_layers(spatial_layers(ARCHITECTURES[self.architecture][0]), side)
                except ValueError as error:
                    raise ValueError(
                        f"{what} of shape {tuple(shape)} is too small for "
                        f"architecture={self.architecture!r}: {error}"
                    ) from error
            return
        # Each block but the last halves the extent; a pad must not wrap around twice.
        needed = 2 ** (len(self.n_filters) - 1) * (self.kernel_size // 2 - 1) + 1
        for side, padding in zip(extent, self._padding_of_axes(len(extent))):
            if padding == "circular" and side < needed:
                raise ValueError(
                    f"kernel_size={self.kernel_size} in {len(self.n_filters)} circular blocks "
                    f"needs at least {needed} pixels along each circular axis, got {what} of shape "
                    f"{tuple(shape)}"
                )

    def _padding_of_axes(self, n_spatial):
        if isinstance(self.padding, str):
            return [self.padding] * n_spatial
        if len(self.padding) != n_spatial:
            raise ValueError(
                f"padding must have one entry for each of the {n_spatial} spatial axes of X, got "
                f"{self.padding!r}"
            )
        return list(self.padding)

    def _as_array(self, X, reset):
        name = type(self).__name__
        if isinstance(X, PackedSet) and not isinstance(X, LazyImages):
            makers = {Lattices: "LatticeFeaturizer", FieldPoints: "NeighborhoodFeaturizer"}
            maker = makers.get(type(X), "ImageFeaturizer")
            raise TypeError(
                f"{name} takes arrays, got {type(X).__name__}: put a featurizer before it, "
                f"make_pipeline({maker}(), {name}())"
            )
        if isinstance(X, (list, tuple)):
            X = np.asarray(X)
        shape = getattr(X, "shape", ())
        if reset or len(shape) < 2:
            return X
        if len(shape) - 2 != self._n_spatial:
            raise ValueError(
                f"X has {len(shape) - 2} spatial axes, {name} was fitted on {self._n_spatial}; "
                f"expected shape {('n', self.n_features_in_) + ('...',) * self._n_spatial}"
            )
        if self._n_spatial and shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {shape[1]} channels, {name} was fitted on {self.n_features_in_}"
            )
        return X

    def _check_network_parameters(self):
        filters = list(self.n_filters)
        if not filters or not all(COUNT.is_satisfied_by(n) for n in filters):
            raise ValueError(f"n_filters must hold at least one positive int, got {filters}")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {self.kernel_size}")
        known = isinstance(self.padding, str) or all(mode in PADDINGS for mode in self.padding)
        if not known:
            raise ValueError(
                f"padding must be 'circular' or 'zeros' for each spatial axis, got {self.padding!r}"
            )
        if self.architecture in ARCHITECTURES and self.n_scalars:
            raise ValueError(
                f"n_scalars needs architecture 'blocks' or 'pyramid', got {self.architecture!r}"
            )
        if self.architecture != "pyramid" and self.n_levels > 1:
            raise ValueError(
                f"n_levels={self.n_levels} needs architecture='pyramid', got {self.architecture!r}"
            )
        if self.architecture != "blocks" and not isinstance(self.padding, str):
            raise ValueError(
                f"architecture={self.architecture!r} takes one padding for all axes, got "
                f"{self.padding!r}"
            )

    def _module_facts(self):
        return {"in_channels": self.n_features_in_, "n_spatial": self._n_spatial}

    @property
    def _evaluation_dtype(self):
        # Without spatial extent double precision costs nothing, and a prediction does not depend
        # on the samples that stand beside it in the batch, down to the last digit shown.
        return torch.float32 if self._n_spatial else torch.float64


def _samples(X):
    return LazyArraySamples(X) if isinstance(X, LazyImages) else ArraySamples(X)


@document(**FACTS)
@dataclass(kw_only=True, repr=False, eq=False)
class CNNClassifier(ArrayInput, NetworkClassifier):
    """Convolutional classifier of images, fields and profiles.

    The network reads its dimension from X: images ``(n, C, H, W)``, fields ``(n, C, D, H, W)``,
    profiles ``(n, C, L)``; a plain table ``(n, p)`` gives a multilayer perceptron of the same
    blocks. As it pools over space, ``predict`` accepts another spatial extent than ``fit`` saw.

    Parameters
    ----------
    n_filters : sequence of int, default=(16, 32, 64)
        Channels of each block of convolution, normalisation and ReLU.
    kernel_size : int, default=3
        Side of the convolution kernel, odd.
    padding : {"circular", "zeros"} or sequence of these, default="circular"
        What lies beyond the border: "circular" where the box is periodic, "zeros" where it ends. A
        sequence has one for each spatial axis: ``("circular", "zeros")`` suits images of films that
        are periodic along their first axis only.
    architecture : {"blocks", "pyramid", "one", "pairs", "three", "strided"}, default="blocks"
        "blocks" and "pyramid" are of ``n_filters`` and ``kernel_size``; "pyramid" takes the cubes
        of :class:`~glassclf.featurizers.NeighborhoodFeaturizer`, of one size and without padding,
        see :class:`~glassclf.networks.PyramidNetwork`. The others, which have layers of their own,
        are those of :class:`~glassclf.networks.LayeredNetwork`: "one", "pairs" and "three" are
        from the literature of tumbling rates, "strided" is fast on large lattices.
    n_levels : int, default=1
        Levels of resolution among the channels of X, for "pyramid".
    n_scalars : int, default=0
        Last channels of X that are scalars of the sample, such as a time or a redshift, each equal
        everywhere. They join what the convolutions have found, before the head.
    <parameters>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    glassclf.featurizers.ImageFeaturizer : Draws configurations as images.
    MPNNClassifier : Works on the particles themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.estimators import CNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((40, 1, 8, 8))
    >>> X[20:] *= 2
    >>> y = ["dilute"] * 20 + ["dense"] * 20
    >>> classifier = CNNClassifier(n_filters=(4,), random_state=0).fit(X, y)
    >>> classifier.predict(X[[0, -1]]).tolist()
    ['dilute', 'dense']
    """

    _parameter_constraints = {
        **NetworkClassifier._parameter_constraints,
        **ArrayInput._network_constraints,
    }
    _search_space = {**NetworkClassifier._search_space, **ArrayInput._network_search_space}


@document(**FACTS)
@dataclass(kw_only=True, repr=False, eq=False)
class CNNRegressor(ArrayInput, NetworkRegressor):
    """Convolutional regressor of images, fields and profiles.

    The network reads its dimension from X: images ``(n, C, H, W)``, fields ``(n, C, D, H, W)``,
    profiles ``(n, C, L)``; a plain table ``(n, p)`` gives a multilayer perceptron of the same
    blocks. As it pools over space, ``predict`` accepts another spatial extent than ``fit`` saw.

    Parameters
    ----------
    n_filters : sequence of int, default=(16, 32, 64)
        Channels of each block of convolution, normalisation and ReLU.
    kernel_size : int, default=3
        Side of the convolution kernel, odd.
    padding : {"circular", "zeros"} or sequence of these, default="circular"
        What lies beyond the border: "circular" where the box is periodic, "zeros" where it ends. A
        sequence has one for each spatial axis: ``("circular", "zeros")`` suits images of films that
        are periodic along their first axis only.
    architecture : {"blocks", "pyramid", "one", "pairs", "three", "strided"}, default="blocks"
        "blocks" and "pyramid" are of ``n_filters`` and ``kernel_size``; "pyramid" takes the cubes
        of :class:`~glassclf.featurizers.NeighborhoodFeaturizer`, of one size and without padding,
        see :class:`~glassclf.networks.PyramidNetwork`. The others, which have layers of their own,
        are those of :class:`~glassclf.networks.LayeredNetwork`: "one", "pairs" and "three" are
        from the literature of tumbling rates, "strided" is fast on large lattices.
    n_levels : int, default=1
        Levels of resolution among the channels of X, for "pyramid".
    n_scalars : int, default=0
        Last channels of X that are scalars of the sample, such as a time or a redshift, each equal
        everywhere. They join what the convolutions have found, before the head.
    <parameters>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    glassclf.featurizers.ImageFeaturizer : Draws configurations as images.
    MPNNRegressor : Works on the particles themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.estimators import CNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((40, 1, 8, 8)) * rng.random((40, 1, 1, 1))
    >>> y = X.mean(axis=(1, 2, 3))
    >>> regressor = CNNRegressor(n_filters=(4,), random_state=0).fit(X, y)
    >>> regressor.predict(X[:5]).shape
    (5,)
    """

    _parameter_constraints = {
        **NetworkRegressor._parameter_constraints,
        **ArrayInput._network_constraints,
    }
    _search_space = {**NetworkRegressor._search_space, **ArrayInput._network_search_space}
