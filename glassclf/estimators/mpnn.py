"""Message-passing networks as scikit-learn estimators."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_y, check_consistent_length

from glassclf.estimators.batching import GraphSamples
from glassclf.estimators.documentation import document
from glassclf.estimators.lazy_samples import LazyGraphSamples
from glassclf.estimators.targets import NetworkClassifier, NetworkRegressor
from glassclf.featurizers import Graphs, LazyGraphs
from glassclf.featurizers.base import Number
from glassclf.networks import MessagePassingNetwork

# The radial functions span the distances of the training graphs but for this share at either end,
# so that one close pair or one lone particle does not spread them thin.
DISTANCE_TAIL = 1e-3
# Graphs, and distances of each, that this is learned from: all only where there are no more.
N_GRAPHS_LOOKED_AT, N_DISTANCES_LOOKED_AT = 100, 2**16

FACTS = {
    "max_epochs": "20",
    "batch_size": "4",
    "network": "MessagePassingNetwork",
    "facts": "``n_types``, ``n_dims``, ``r_min``, ``r_max``, ``n_outputs``",
    "features": "Number of particle types.",
}


@dataclass(kw_only=True, repr=False, eq=False)
class GraphInput:
    """Graphs as samples: types and range of distances are learned from X."""

    hidden_size: int = 64
    n_layers: int = 3
    n_radial: int = 16
    pooling: str = "mean"
    global_node: bool = False
    edge_update: bool = False
    # Graphs are large samples: smaller batches stay in the processor's cache.
    max_epochs: int = 20
    batch_size: int = 4

    _network_constraints = {
        "hidden_size": [Number(Integral, 1, None, closed="left")],
        "n_layers": [Number(Integral, 1, None, closed="left")],
        "n_radial": [Number(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"mean", "attention"})],
        "global_node": ["boolean"],
        "edge_update": ["boolean"],
    }
    _network_search_space = {
        "hidden_size": ("int", 16, 128, "log"),
        "n_layers": ("int", 1, 5),
        "batch_size": ("int", 2, 16, "log"),
    }
    _default_module = MessagePassingNetwork
    _evaluation_dtype = torch.float32

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _read_samples(self, X, y, reset):
        self._refuse_other_than_graphs(X)
        y = _check_y(
            y, multi_output=self._multi_output, y_numeric=self._multi_output, estimator=self
        )
        check_consistent_length(X, y)
        if reset:
            self.types_ = _types_of(X)
            self.n_features_in_ = len(self.types_)
            self._n_dims = X.n_dims
            self._distance_range = _distance_range(X)
            return self._samples(X), y
        return self._check_samples(X), y

    def _check_samples(self, X):
        self._refuse_other_than_graphs(X)
        if X.n_dims != self._n_dims:
            raise ValueError(
                f"X holds {X.n_dims}D graphs, {type(self).__name__} was fitted on {self._n_dims}D"
            )
        unknown = np.setdiff1d(_types_of(X), self.types_)
        if len(unknown):
            raise ValueError(
                f"{_first_with(X, unknown[0])} has particles of type {unknown[0]}, which fit never "
                f"saw; known types: {self.types_.tolist()}"
            )
        return self._samples(X)

    def _samples(self, X):
        kind = LazyGraphSamples if isinstance(X, LazyGraphs) else GraphSamples
        return kind(X, self.types_)

    def _refuse_other_than_graphs(self, X):
        name = type(self).__name__
        if not isinstance(X, (Graphs, LazyGraphs)):
            raise TypeError(
                f"{name} takes Graphs, got {type(X).__name__}: put a GraphFeaturizer before it, "
                f"make_pipeline(GraphFeaturizer(), {name}())"
            )
        if len(X) == 0:
            raise ValueError("X is empty: expected at least one graph")

    def _module_facts(self):
        r_min, r_max = self._distance_range
        return {
            "n_types": self.n_features_in_,
            "n_dims": self._n_dims,
            "r_min": r_min,
            "r_max": r_max,
        }


def _types_of(X):
    return X.present_types() if isinstance(X, LazyGraphs) else np.unique(X.types)


def _first_with(X, kind):
    if isinstance(X, LazyGraphs):
        return "X"
    first = np.flatnonzero(X.types == kind)[0]
    return f"sample {np.searchsorted(X.node_offsets, first, side='right') - 1}"


def _distance_range(X):
    # Evenly spaced: a set often stands in the order of its temperatures. One by one: graphs that
    # are computed may be large.
    rows = np.unique(np.linspace(0, len(X) - 1, N_GRAPHS_LOOKED_AT).astype(int))
    distances = np.concatenate([_some_of(X[int(row)].distances) for row in rows])
    if len(distances) == 0:
        return 0.0, 1.0
    low, high = np.quantile(distances, [DISTANCE_TAIL, 1 - DISTANCE_TAIL])
    return float(low), float(max(high, low + 1e-6))


def _some_of(distances):
    if len(distances) <= N_DISTANCES_LOOKED_AT:
        return distances
    return distances[np.random.default_rng(0).integers(len(distances), size=N_DISTANCES_LOOKED_AT)]


@document(**FACTS)
@dataclass(kw_only=True, repr=False, eq=False)
class MPNNClassifier(GraphInput, NetworkClassifier):
    """Message-passing classifier of particle configurations.

    It takes the :class:`~glassclf.featurizers.Graphs` that a
    :class:`~glassclf.featurizers.GraphFeaturizer` makes, of any number of particles. Its output
    does not change when a configuration is shifted, turned or renumbered. What lies beyond the
    neighbours that the featurizer gives it, it cannot learn, but for what ``global_node`` tells.

    Parameters
    ----------
    hidden_size : int, default=64
        Length of the state of a particle.
    n_layers : int, default=3
        Number of layers; a particle sees as many shells of neighbours.
    n_radial : int, default=16
        Number of radial functions that encode a distance.
    pooling : {"mean", "attention"}, default="mean"
        From particles to configurations.
    global_node : bool, default=False
        Whether each particle is told, before each layer but the first, the mean state of all
        particles of the configuration, however far away. It needs two layers or more.
    edge_update : bool, default=False
        Whether bonds have a state that learns, layer by layer, from the particles at both ends. It
        starts as the radial functions, and needs two layers or more.
    <parameters>

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in fit, sorted.
    <attributes>

    See Also
    --------
    glassclf.featurizers.GraphFeaturizer : Joins neighbouring particles to graphs.
    CNNClassifier : Works on images.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import MPNNClassifier
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> rng = np.random.default_rng(0)
    >>> X = [(rng.random((30, 2)) * size, np.zeros(30, int), [size, size])
    ...      for size in [4.0] * 8 + [6.0] * 8]
    >>> y = ["dense"] * 8 + ["dilute"] * 8
    >>> model = make_pipeline(GraphFeaturizer(n_neighbors=6),
    ...                       MPNNClassifier(max_epochs=10, random_state=0)).fit(X, y)
    >>> model.predict(X[::15]).tolist()
    ['dense', 'dilute']
    """

    _parameter_constraints = {
        **NetworkClassifier._parameter_constraints,
        **GraphInput._network_constraints,
    }
    _search_space = {**NetworkClassifier._search_space, **GraphInput._network_search_space}


@document(**FACTS)
@dataclass(kw_only=True, repr=False, eq=False)
class MPNNRegressor(GraphInput, NetworkRegressor):
    """Message-passing regressor of particle configurations.

    It takes the :class:`~glassclf.featurizers.Graphs` that a
    :class:`~glassclf.featurizers.GraphFeaturizer` makes, of any number of particles, and predicts
    intensive quantities, such as an energy per particle. Its output does not change when a
    configuration is shifted, turned or renumbered.

    Parameters
    ----------
    hidden_size : int, default=64
        Length of the state of a particle.
    n_layers : int, default=3
        Number of layers; a particle sees as many shells of neighbours.
    n_radial : int, default=16
        Number of radial functions that encode a distance.
    pooling : {"mean", "attention"}, default="mean"
        From particles to configurations.
    global_node : bool, default=False
        Whether each particle is told, before each layer but the first, the mean state of all
        particles of the configuration, however far away. It needs two layers or more.
    edge_update : bool, default=False
        Whether bonds have a state that learns, layer by layer, from the particles at both ends. It
        starts as the radial functions, and needs two layers or more.
    <parameters>

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in fit, sorted.
    <attributes>

    See Also
    --------
    glassclf.featurizers.GraphFeaturizer : Joins neighbouring particles to graphs.
    CNNRegressor : Works on images.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import MPNNRegressor
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> rng = np.random.default_rng(0)
    >>> sizes = np.linspace(4, 6, 16)
    >>> X = [(rng.random((30, 2)) * size, np.zeros(30, int), [size, size]) for size in sizes]
    >>> model = make_pipeline(GraphFeaturizer(n_neighbors=6),
    ...                       MPNNRegressor(max_epochs=10, random_state=0)).fit(X, sizes)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    _parameter_constraints = {
        **NetworkRegressor._parameter_constraints,
        **GraphInput._network_constraints,
    }
    _search_space = {**NetworkRegressor._search_space, **GraphInput._network_search_space}
