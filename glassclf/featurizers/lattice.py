"""Lattice snapshots as images: where particles are, and which way they face."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations.lattices import DIRECTIONS, N_ORIENTATIONS, as_lattices
from glassclf.featurizers.base import NoTableMixin
from glassclf.featurizers.lazy import LazyImages

# Values of a site that is empty or holds a particle of orientation 1 to 4, in each channel.
CODES = {
    "occupancy": np.array([[0, 1, 1, 1, 1]], np.float32),
    "orientation": np.eye(N_ORIENTATIONS, N_ORIENTATIONS + 1, 1, np.float32),
    "vector": np.concatenate([[[0, 0]], DIRECTIONS]).T.astype(np.float32),
    "grey": np.arange(N_ORIENTATIONS + 1, dtype=np.float32)[None] / N_ORIENTATIONS,
}

# What turns and mirror images have to know of the channels.
DIRECTIONS_OF = {
    "orientation": {"orientation_channels": ((0, 1, 2, 3),)},
    "vector": {"vector_channels": ((0, 1),)},
    # Numbers would stay as they are.
    "grey": {},
}


class LatticeFeaturizer(NoTableMixin, TransformerMixin, BaseEstimator):
    """Turn lattice snapshots into images for a convolutional network.

    Parameters
    ----------
    channels : {"occupancy", "orientation", "vector", "grey"}, default="occupancy"
        What the network is shown:

        - "occupancy": one channel, 1 where a particle is: what an experiment sees.
        - "orientation": four channels, 1 where a particle faces +0, +1, -0, -1 along the axes.
        - "vector": two channels, the unit vector along which a particle faces; 0 where none is.
        - "grey": one channel, a quarter of the orientation's number, as in a grey picture.
    lazy : bool, default=True
        Whether ``transform`` returns :class:`LazyImages`, made batch by batch from one byte a site,
        instead of an array, which takes four bytes a site and channel and carries no runs.

    Attributes
    ----------
    n_dims_ : int
        Number of spatial dimensions, 2.
    pixel_size_ : ndarray of shape (2,)
        1: a pixel is a site.

    See Also
    --------
    glassclf.estimators.Shifts, glassclf.estimators.QuarterTurns, glassclf.estimators.Mirrors :
        Symmetries of the lattice, drawn anew for each batch. From lazy images turns and mirrors
        know what the channels are; for an array tell them, ``orientation_channels=(0, 1, 2, 3)`` or
        ``vector_channels=(0, 1)``.

    Notes
    -----
    Images have shape ``(n, n_channels, n_rows, n_columns)`` and are float32. A "grey" picture must
    be neither turned nor mirrored: its numbers would stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.featurizers import LatticeFeaturizer
    >>> X = [[[0, 1], [3, 0]]]
    >>> LatticeFeaturizer().fit_transform(X)
    LazyImages(shape=(1, 1, 2, 2), info=[])
    >>> LatticeFeaturizer("vector", lazy=False).fit_transform(X)[0, 0]
    array([[ 0.,  1.],
           [-1.,  0.]], dtype=float32)
    """

    _parameter_constraints = {"channels": [StrOptions(set(CODES))], "lazy": ["boolean"]}
    _search_space = {"channels": ("choice", ("occupancy", "orientation", "vector"))}
    # For lazy images: they are made faster than they are read, and depend on channels only.
    cache = None
    _of_no_effect = ("pixel_size_",)

    def __init__(self, channels="occupancy", *, lazy=True):
        self.channels = channels
        self.lazy = lazy

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the lattices; there is nothing to learn from them.

        Parameters
        ----------
        X : Lattices or array-like of shape (n, n_rows, n_columns)
        y : ignored

        Returns
        -------
        self : object
        """
        as_lattices(X)
        self.n_dims_ = 2
        self.pixel_size_ = np.ones(2)
        return self

    def transform(self, X):
        """Make images, or the sequence that makes them.

        Parameters
        ----------
        X : Lattices or array-like of shape (n, n_rows, n_columns)
            Of any shape: a network that averages over the lattice takes another size as well.

        Returns
        -------
        images : LazyImages or ndarray of shape (n, n_channels, n_rows, n_columns), float32
        """
        check_is_fitted(self)
        images = LatticeImages(as_lattices(X), self)
        return images if self.lazy else np.asarray(images)

    def _featurize(self, sites):
        # Four times as fast as indexing, at every batch of a training.
        return np.take(CODES[self.channels], sites, axis=1)


class LatticeImages(LazyImages):
    """Images of lattices that are made when they are used.

    Parameters
    ----------
    X : Lattices
    featurizer : LatticeFeaturizer
        Fitted.
    """

    @property
    def direction_channels(self):
        """Channels that hold directions, as parameters of turns and mirrors; None: there are none.

        Empty where they can be neither turned nor mirrored.
        """
        return DIRECTIONS_OF.get(self._featurizer.channels)

    @property
    def shape(self):
        """Shape of the images as one array."""
        return (len(self), len(CODES[self._featurizer.channels]), *self._X.lattice_shape)
