"""Features that are computed when they are used, batch by batch."""

import copy

import numpy as np

from glassclf.configurations.digests import present_types
from glassclf.configurations.packing import PackedSet
from glassclf.featurizers.cache import FeatureCache, cache_folder
from glassclf.featurizers.graphs import Graphs
from glassclf.featurizers.settings import settings_digest

# Parameters on which no feature depends.
HOW_NOT_WHAT = ("cache", "lazy", "n_jobs")
# Arrays of Graphs that a shard of the cache holds: one row for each node, or for each edge.
OF_NODES, OF_EDGES = ("types", "degrees"), ("neighbors", "vectors", "distances")
# Where the features of each configuration of a shard are among those that it holds.
PLACES, LEFT_OUT = "places", -1


class LazySequence(PackedSet):
    """Base of the sequences: configurations, and the featurizer that is applied to some of them.

    Parameters
    ----------
    X : Configurations
    featurizer : transformer
        Fitted.
    """

    def __init__(self, X, featurizer):
        # A copy: the featurizer may be fitted again.
        self._featurizer = copy.deepcopy(featurizer)
        self._cache = self._folder = None
        if featurizer.cache is not None:
            self._folder = cache_folder(featurizer.cache)
            # What stands on disk must be the features of what the key was made from.
            X = X._unchanging()
        self._X = X

    def __getstate__(self):
        # Neither open files nor what was verified on another machine.
        return vars(self) | {"_cache": None}

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
            64 hexadecimal digits, made of those of the configurations, the name of the class of the
            featurizer, and those of its parameters and fitted attributes that its features depend
            on.
        """
        return settings_digest([self._X.fingerprint(), self._settings()])

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
        if self._folder is None:
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
        values |= {name: v for name, v in vars(featurizer).items() if name.endswith("_")}
        ignored = {*HOW_NOT_WHAT, *featurizer._of_no_effect}
        values = {name: value for name, value in values.items() if name not in ignored}
        return [type(featurizer), values]

    def _featurized(self, X, rows):
        for row in rows.tolist():
            try:
                yield self._featurizer._featurize(X._one(row))
            except ValueError as error:
                raise ValueError(f"configuration {row}: {error}") from error

    def _cached(self, indices):
        whole, rows = self._X._whole_and_rows()
        if self._cache is None:
            key = settings_digest([whole.fingerprint(), self._settings()])
            self._cache = FeatureCache(self._folder, key, self._featurizer._n_bytes(whole))
        for index in indices.tolist():
            number, member = self._cache.locate(int(rows[index]))
            shard = self._cache.read(number)
            if shard is None:
                shard = self._cache.write(number, self._shard(whole, self._cache.members(number)))
            place = int(shard.whole(PLACES)[member])
            if place == LEFT_OUT:
                yield from self._featurized(self._X, np.array([index]))
            else:
                yield self._unpack(shard, place)

    def _shard(self, whole, members):
        """Arrays of the features of all configurations that a shard is of."""
        pieces, places = [], np.full(len(members), LEFT_OUT)
        for member, row in enumerate(members.tolist()):
            try:
                piece = self._featurizer._featurize(whole._one(row))
            except (MemoryError, OSError):
                raise
            except Exception:
                # It may be none that was asked for. If it is, it fails again then.
                continue
            places[member] = len(pieces)
            pieces.append(piece)
        return {PLACES: places, **self._pack(pieces)}

    def _some(self, chosen):
        new = copy.copy(self)
        new._X = self._X[chosen]
        return new


class LazyImages(LazySequence):
    """Images that are computed when they are used: what ``ImageFeaturizer(lazy=True)`` gives.

    :class:`~glassclf.featurizers.LatticeFeaturizer` makes such images of lattices. It stands where
    an array of images does: scikit-learn splits it, and
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
    pixel_size : ndarray of shape (n_dims,)
        Width of the pixels along each lattice vector, in the configurations of fit.
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
    def pixel_size(self):
        """Width of the pixels along each lattice vector, in the configurations of fit."""
        return self._featurizer.pixel_size_

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

    def _pack(self, pieces):
        return {"images": self._join(pieces, range(len(pieces)))}

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

    @property
    def n_nodes(self):
        """Number of nodes of each graph, ndarray of shape (n,)."""
        return self._X.n_particles

    def _one(self, index):
        return self.compute([index])

    def _join(self, pieces, indices):
        graphs = self._concatenated(pieces)
        graphs.info = {name: np.asarray(v)[indices] for name, v in self.info.items()}
        return graphs

    def _concatenated(self, pieces):
        none = Graphs([], [], [], [], np.empty((0, self.n_dims)))
        return Graphs.concatenate(list(pieces) or [none])

    def _pack(self, pieces):
        graphs = self._concatenated(pieces)
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
