"""Small correct classes that pass every check; the broken ones differ from them in one place."""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted

from glassclf.configurations import as_configurations, minimum_image
from glassclf.featurizers import ConfigurationFeaturizer

R_MAX = 2.2


def pair_histogram(configuration, types, n_bins):
    """Pairs a particle, by type of both and distance."""
    positions = configuration.positions
    first, second = np.triu_indices(len(positions), k=1)
    vectors = minimum_image(
        positions[second] - positions[first], configuration.cell, configuration.periodic
    )
    distances = np.linalg.norm(vectors, axis=1)
    codes = np.sort(np.searchsorted(types, configuration.types[[first, second]]), axis=0)
    pairs = codes[0] * len(types) + codes[1]
    bins = [np.arange(len(types) ** 2 + 1) - 0.5, np.linspace(0, R_MAX, n_bins + 1)]
    return np.histogram2d(pairs, distances, bins)[0].ravel() / len(positions)


class Toy(BaseEstimator):
    _parameter_constraints = {
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(self, n_bins=8, *, n_jobs=None, random_state=None):
        self.n_bins = n_bins
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _accept(self, X):
        X = as_configurations(X)
        if len(X) == 0:
            raise ValueError("X must hold at least one configuration")
        return X

    def _learn(self, X):
        self.types_ = np.unique(X.types)
        self.n_dims_ = X.n_dims

    def _assert_fitted(self):
        check_is_fitted(self)

    def _check_dimension(self, X):
        if X.n_dims != self.n_dims_:
            raise ValueError(f"X is {X.n_dims}-dimensional, fit saw {self.n_dims_}")

    def _check_types(self, X):
        for index, one in enumerate(X):
            unseen = np.setdiff1d(one.types, self.types_)
            if len(unseen):
                raise ValueError(f"configuration {index} has a type {unseen[0]} unseen in fit")

    def _accept_after_fit(self, X):
        self._assert_fitted()
        X = self._accept(X)
        self._check_dimension(X)
        self._check_types(X)
        return X

    def _measure(self, X):
        rows = Parallel(n_jobs=self.n_jobs)(
            delayed(pair_histogram)(one, self.types_, self.n_bins) for one in X
        )
        return np.array(rows)


class ToyFeaturizer(TransformerMixin, Toy):
    _invariances = ("translation", "rotation90", "rotation", "permutation")

    def fit(self, X, y=None):
        self._validate_params()
        X = self._accept(X)
        self._learn(X)
        return self

    def transform(self, X):
        return self._measure(self._accept_after_fit(X))

    def get_feature_names_out(self, input_features=None):
        self._assert_fitted()
        n_features = len(self.types_) ** 2 * self.n_bins
        return np.array([f"pairs_{index}" for index in range(n_features)], dtype=object)


class ToyEstimator(Toy):
    """A linear model on random mixtures of the pair histogram."""

    _parameter_constraints = {
        **Toy._parameter_constraints,
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "callbacks": [list, None],
    }
    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        n_bins=8,
        *,
        validation_fraction=None,
        max_epochs=3,
        callbacks=None,
        n_jobs=None,
        random_state=None,
    ):
        super().__init__(n_bins, n_jobs=n_jobs, random_state=random_state)
        self.validation_fraction = validation_fraction
        self.max_epochs = max_epochs
        self.callbacks = callbacks

    def fit(self, X, y, *, groups=None, sample_weight=None):
        self._validate_params()
        X = self._accept(X)
        if y is None:
            raise ValueError("y must be given")
        y = self._check_targets(y)
        check_consistent_length(X, y)
        sample_weight = _check_sample_weight(sample_weight, np.zeros((len(X), 1)))
        train = self._training_part(X, X.info.get("run") if groups is None else groups)
        self._tell_callbacks(train, np.setdiff1d(np.arange(len(X)), train))
        self._learn(X)
        features = self._measure(X)
        rng = check_random_state(self.random_state)
        self.mixture_ = rng.normal(size=(features.shape[1], 2 * features.shape[1]))
        mixed = features @ self.mixture_
        self.model_ = self._model().fit(mixed[train], y[train], sample_weight[train])
        self.n_iter_ = self.max_epochs
        self.history_ = {"train_loss": np.zeros(self.max_epochs)}
        return self

    def _training_part(self, X, groups):
        everything = np.arange(len(X))
        if groups is None:
            return everything
        if len(groups) != len(X):
            raise ValueError(f"groups must have length {len(X)}, got {len(groups)}")
        if self.validation_fraction is None:
            return everything
        if len(np.unique(groups)) < 2:
            raise ValueError("a validation part needs at least 2 groups, got 1")
        return everything[np.asarray(groups) != groups[0]]

    def _tell_callbacks(self, train, valid):
        parts = {
            "dataset_train": SimpleNamespace(chosen=train),
            "dataset_valid": SimpleNamespace(chosen=valid),
        }
        for callback in self.callbacks or []:
            callback.on_epoch_begin(None, **parts)

    def _mixed(self, X):
        return self._measure(self._accept_after_fit(X)) @ self.mixture_


class ToyClassifier(ClassifierMixin, ToyEstimator):
    def _check_targets(self, y):
        y = column_or_1d(y)
        check_classification_targets(y)
        return y

    def _model(self):
        return LogisticRegression(C=1e3, max_iter=1000)

    @property
    def classes_(self):
        return self.model_.classes_

    def predict_proba(self, X):
        mixed = self._mixed(X)
        return self.model_.predict_proba(mixed)

    def predict(self, X):
        mixed = self._mixed(X)
        return self.model_.predict(mixed)


class ToyRegressor(RegressorMixin, ToyEstimator):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_targets(self, y):
        return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")

    def _model(self):
        return Ridge(alpha=1e-3)

    def predict(self, X):
        mixed = self._mixed(X)
        return self.model_.predict(mixed)


class MinimalFeaturizer(ConfigurationFeaturizer):
    """As little as a featurizer may consist of."""

    def _featurize(self, configuration):
        return [np.mean(configuration.types == kind) for kind in self.types_]


class OwnParameterFeaturizer(ConfigurationFeaturizer):
    """A parameter of its own, and no n_jobs."""

    _parameter_constraints = {"scale": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, scale=1.0):
        self.scale = scale

    def _featurize(self, configuration):
        return self.scale * configuration.n_particles
