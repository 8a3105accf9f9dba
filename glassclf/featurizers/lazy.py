"""Features that are computed when they are used, batch by batch."""

import copy
import hashlib
import json

import numpy as np

from glassclf.configurations.digests import present_types
from glassclf.configurations.packing import PackedSet
from glassclf.featurizers.cache import SHARD_SIZE, FeatureCache
from glassclf.featurizers.graphs import Graphs

# Parameters on which no feature depends.
HOW_NOT_WHAT = ("cache", "lazy", "n_jobs")
# Arrays of Graphs that a shard of the cache holds: one row for each node, or for each edge.
OF_NODES, OF_EDGES = ("types", "degrees"), ("neighbors", "vectors", "distances")


class LazySequence(PackedSet):
    """Base of the sequences: configurations, and the featurizer that is applied to some of them.

    Parameters
    ----------
    X : Configurations
    featurizer : transformer
        Fitted.
    """

    def __init__(self, X, featurizer):
        self._X = X
        # A copy: the featurizer may be fitted again.
        self._featurizer = copy.deepcopy(featurizer)
        self._cache = None

    def __len__(self):
        return len(self._X)

    @property
    def info(self):
        """One value for each configuration under each name, dict of ndarray of shape (n, ...)."""
        return self._X.info

    @info.setter
    def info(self, values):
        # A set of its own, so that the one that was given to transform keeps its info.
        self._X = self._X[:]
        self._X.info = values

    @property
    def n_dims(self):
        """Number of spatial dimensions."""
        return self._X.n_dims

    def fingerprint(self):
        """Tell sequences apart without computing them.

        Returns
        -------
        fingerprint : str
            64 hexadecimal digits, made of those of the configurations and of the parameters and
            the fitted attributes of the featurizer that its features depend on.
        """
        return _hash([type(self).__name__, self._X.fingerprint(), self._settings()])

    def compute(self, indices):
        """Compute the features of some configurations.

        Parameters
        ----------
        indices : array-like of int of shape (m,)

        Returns
        -------
        features : ndarray of shape (m, ...) or Graphs
            In the order of the indices.
        """
        indices = self._chosen(indices)
        if self._featurizer.cache is None:
            pieces = self._featurized(self._X, indices)
        else:
            pieces = self._cached(indices)
        return self._join(pieces, indices)

    def present_types(self):
        """Particle types that occur, as few configurations being read as will do.

        Returns
        -------
        types : ndarray of shape (n_types,)
            Sorted; out of those that the featurizer knows.
        """
        return present_types(self._X, known=self._featurizer.types_)

    def _settings(self):
        featurizer = self._featurizer
        values = featurizer.get_params(deep=False)
        # Only what fit has learned: scikit-learn keeps things of its own there, too.
        values |= {n: v for n, v in vars(featurizer).items() if n.endswith("_") and n[0] != "_"}
        ignored = {*HOW_NOT_WHAT, *featurizer._of_no_effect}
        return {name: value for name, value in values.items() if name not in ignored}

    def _featurized(self, X, rows):
        for row in rows.tolist():
            try:
                yield self._featurizer._featurize(X._one(row))
            except ValueError as error:
                raise ValueError(f"configuration {row}: {error}") from error

    def _cached(self, indices):
        whole, rows = self._X._whole_and_rows()
        if self._cache is None:
            key = _hash([whole.fingerprint(), self._settings()])
            self._cache = FeatureCache(self._featurizer.cache, key)
        for row in rows[indices].tolist():
            number, place = divmod(row, SHARD_SIZE)
            shard = self._cache.read(number)
            if shard is None:
                first = number * SHARD_SIZE
                members = np.arange(first, min(first + SHARD_SIZE, len(whole)))
                arrays = self._pack(self._featurized(whole, members), len(members))
                shard = self._cache.write(number, arrays)
            yield self._unpack(shard, place)

    def _some(self, chosen):
        new = copy.copy(self)
        new._X, new._cache = self._X[chosen], None
        return new


class LazyImages(LazySequence):
    """Images that are computed when they are used: what ``ImageFeaturizer(lazy=True)`` gives.

    It stands where an array of images does: scikit-learn splits it, and
    :class:`~glassclf.estimators.CNNClassifier` computes the images of each batch when it comes to
    it. An int gives one image, every other index a sequence again, of which nothing is computed.

    Parameters
    ----------
    X : Configurations
        Of an opened store the particles are read when they are used.
    featurizer : ImageFeaturizer
        Fitted.

    Attributes
    ----------
    shape : tuple
        ``(n, n_types, n_pixels, n_pixels[, n_pixels])``.
    ndim : int
    dtype : dtype
        float32.
    info : dict of ndarray of shape (n, ...)
        That of the configurations.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> images = ImageFeaturizer(n_pixels=8, lazy=True).fit_transform(X)
    >>> images[4:8]
    LazyImages(shape=(4, 2, 8, 8), info=['run', 'temperature'])
    >>> images[4:8].compute([0, 3]).shape, np.asarray(images).shape
    ((2, 2, 8, 8), (16, 2, 8, 8))
    """

    dtype = np.dtype(np.float32)

    @property
    def shape(self):
        """Shape of the images as one array."""
        featurizer = self._featurizer
        extent = (featurizer.n_pixels,) * featurizer.n_dims_
        return (len(self), len(featurizer.types_), *extent)

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    def _one(self, index):
        return self.compute([index])[0]

    def _join(self, pieces, indices):
        images = np.empty((len(indices), *self.shape[1:]), dtype=self.dtype)
        for place, image in enumerate(pieces):
            images[place] = image
        return images

    def _pack(self, pieces, n):
        return {"images": self._join(pieces, range(n))}

    def _unpack(self, shard, place):
        return shard.rows("images", place, place + 1)[0]

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("lazy images are computed, which is a copy")
        return self.compute(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    def __repr__(self):
        return f"LazyImages(shape={self.shape}, info={sorted(self.info)})"


class LazyGraphs(LazySequence):
    """Graphs that are computed when they are used: what ``GraphFeaturizer(lazy=True)`` gives.

    It stands where :class:`Graphs` do: scikit-learn splits it, and
    :class:`~glassclf.estimators.MPNNClassifier` computes the graphs of each batch when it comes to
    it. An int gives :class:`Graphs` of one, every other index a sequence again, of which nothing
    is computed.

    Parameters
    ----------
    X : Configurations
        Of an opened store the particles are read when they are used.
    featurizer : GraphFeaturizer
        Fitted.

    Attributes
    ----------
    shape : tuple
        ``(n,)``.
    info : dict of ndarray of shape (n, ...)
        That of the configurations.

    Examples
    --------
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> graphs = GraphFeaturizer(n_neighbors=6, lazy=True).fit_transform(X)
    >>> graphs[4:8]
    LazyGraphs(n=4, n_dims=2, info=['run', 'temperature'])
    >>> graphs[4:8].compute([0, 3]).n_edges.tolist()
    [252, 252]
    """

    ndim = 1

    def _one(self, index):
        return self.compute([index])

    def _join(self, pieces, indices):
        graphs = Graphs.concatenate(list(pieces) or [_no_graphs(self.n_dims)])
        graphs.info = {name: np.asarray(v)[indices] for name, v in self.info.items()}
        return graphs

    def _pack(self, pieces, n):
        graphs = Graphs.concatenate(pieces)
        names = ("node_offsets", "edge_offsets", *OF_NODES, *OF_EDGES)
        return {name: getattr(graphs, name) for name in names}

    def _unpack(self, shard, place):
        offsets = {}
        arrays = {}
        for unit, names in (("node_offsets", OF_NODES), ("edge_offsets", OF_EDGES)):
            first, last = shard.whole(unit)[place : place + 2].tolist()
            offsets[unit] = np.array([0, last - first])
            arrays |= {name: shard.rows(name, first, last) for name in names}
        return Graphs.from_arrays(**offsets, **arrays)

    # As that of Graphs: estimators of tables are told what to do.
    __array__ = Graphs.__array__

    def __repr__(self):
        return f"LazyGraphs(n={len(self)}, n_dims={self.n_dims}, info={sorted(self.info)})"


def _no_graphs(n_dims):
    return Graphs([], [], [], [], np.empty((0, n_dims)))


def _hash(values):
    text = json.dumps(values, sort_keys=True, default=lambda value: np.asarray(value).tolist())
    return hashlib.sha256(text.encode()).hexdigest()
