"""Windowed estimators: labels, groups and weights of the windows, and how they are pooled."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import glassclf
from glassclf.configurations import cut_windows
from glassclf.estimators import (
    MPNNClassifier,
    MPNNRegressor,
    WindowedClassifier,
    WindowedRegressor,
)
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.testing import graded_disorder, noisy_lattice, two_phases


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on; the probability of the second class grows with the count."""

    def fit(self, X, y, groups=None, sample_weight=None):
        self.X_, self.y_, self.groups_, self.weight_ = X, y, groups, sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        second = X.n_particles / 50
        return np.column_stack([1 - second, second])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def rdf(last):
    return make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), last)


@pytest.fixture(scope="module")
def phases():
    return two_phases(n_runs=6)


def test_windows_get_label_group_and_weight_of_their_configuration(phases):
    X, y, groups = phases
    weight = np.arange(1.0, 13.0)
    model = WindowedClassifier(Recorder(), side=2.0).fit(X, y, groups, sample_weight=weight)
    windows, found = cut_windows(X, side=2.0), model.estimator_
    assert np.array_equal(found.X_.positions, windows.X.positions)
    assert np.array_equal(found.y_, y[windows.parents])
    assert np.array_equal(found.groups_, groups[windows.parents])
    assert np.array_equal(found.weight_, weight[windows.parents])


def test_groups_are_the_runs_of_x_else_the_configurations(phases):
    X, y, _ = phases
    model = WindowedClassifier(Recorder(), side=3.0).fit(X, y)
    assert model.estimator_.groups_.tolist() == np.repeat(X.info["run"], 6).tolist()
    bare = [(one.positions, one.types, one.box) for one in X]
    model = WindowedClassifier(Recorder(), side=3.0).fit(bare, y)
    assert model.estimator_.groups_.tolist() == np.repeat(np.arange(12), 6).tolist()


def test_random_windows_are_for_fit_alone(phases):
    X, y, _ = phases
    model = WindowedClassifier(Recorder(), side=3.0, n_windows=4, random_state=0).fit(X, y)
    assert len(model.estimator_.X_) == 4 * len(X)
    assert [len(corners) for corners, _ in model.window_scores(X)] == [6] * len(X)
    again = clone(model).fit(X, y)
    assert np.array_equal(again.estimator_.X_.positions, model.estimator_.X_.positions)


def test_probabilities_are_the_softmax_of_the_mean_log_probability(phases):
    X, y, _ = phases
    model = WindowedClassifier(Recorder(), side=2.5).fit(X, y)
    for index, (corners, proba) in enumerate(model.window_scores(X)):
        windows = cut_windows(X[[index]], side=2.5)
        assert np.array_equal(corners, windows.corners)
        assert np.array_equal(proba, model.estimator_.predict_proba(windows.X))
        product = np.prod(proba, axis=0) ** (1 / len(proba))
        expected = product / product.sum()
        assert np.allclose(model.predict_proba(X[[index]])[0], expected)
    assert np.array_equal(model.predict(X), y_of(model, X))


def y_of(model, X):
    return model.classes_[model.predict_proba(X).argmax(axis=1)]


def test_one_window_that_is_sure_does_not_overrule_all_others():
    X = [noisy_lattice(0.1, n_cells=(6, 6)), noisy_lattice(0.1, n_cells=(8, 8))]

    class Sure(Recorder):
        def predict_proba(self, X):
            first = np.full(len(X), 0.9)
            first[0] = 0.0
            return np.column_stack([first, 1 - first])

    model = WindowedClassifier(Sure(), side=1.0).fit(X, ["a", "b"])
    # 35 windows for "a" with odds of 9, one against it with odds of a million.
    odds = (35 * np.log(9) + np.log(1e-6 / 1.0)) / 36
    proba = model.predict_proba(X[:1])[0]
    assert np.log(proba[0] / proba[1]) == pytest.approx(odds)
    assert model.predict(X[:1]).tolist() == ["a"]


def test_regressor_predicts_the_mean_over_windows():
    X, y, _ = graded_disorder()
    model = WindowedRegressor(rdf(Ridge()), side=3.0).fit(X, y)
    windows = cut_windows(X, side=3.0)
    each = model.estimator_.predict(windows.X)
    expected = [each[windows.parents == index].mean() for index in range(len(X))]
    assert np.allclose(model.predict(X), expected)
    assert model.score(X, y) > 0.5


def test_regressor_takes_several_targets():
    X, y, _ = graded_disorder()
    both = np.column_stack([y, -2 * y])
    model = WindowedRegressor(rdf(Ridge()), side=3.0).fit(X, both)
    assert model.predict(X).shape == both.shape
    assert np.allclose(model.predict(X)[:, 1], -2 * model.predict(X)[:, 0])
    assert model.window_scores(X)[0][1].shape == (6, 2)


def test_other_sizes_than_those_of_training_are_predicted(phases):
    X, y, _ = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0).fit(X, y)
    large = [
        noisy_lattice(noise, n_cells=(20, 21), random_state=seed)
        for seed in range(4)
        for noise in (0.05, None)
    ]
    assert model.score(large, ["glass", "liquid"] * 4) == 1.0
    corners, proba = model.window_scores(large[:1])[0]
    assert corners.shape == (49, 2)
    assert proba.shape == (49, 2)


def test_cross_validation_keeps_runs_together(phases):
    X, y, groups = phases
    network = MPNNClassifier(
        hidden_size=8, n_layers=1, max_epochs=8, validation_fraction=0.25, random_state=0
    )
    model = WindowedClassifier(make_pipeline(GraphFeaturizer(r_max=1.6), network), side=3.0)
    scores = cross_val_score(
        model, X, y, groups=groups, cv=GroupKFold(2), params={"groups": groups}, scoring="roc_auc"
    )
    assert scores.min() > 0.8


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("last", ["recorder", "network", "logistic"])
def test_groups_reach_whoever_takes_them(phases, last, routing):
    X, y, groups = phases
    inner = {
        "recorder": Recorder(),
        "network": make_pipeline(
            GraphFeaturizer(r_max=1.6),
            MPNNClassifier(
                hidden_size=4, n_layers=1, max_epochs=1, validation_fraction=0.5, random_state=0
            ),
        ),
        "logistic": rdf(LogisticRegression()),
    }[last]
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing and last == "recorder":
            inner.set_fit_request(groups=True, sample_weight=False)
        model = WindowedClassifier(inner, side=3.0).fit(X, y, groups=groups)
        if last == "recorder":
            assert np.array_equal(model.estimator_.groups_, np.repeat(groups, 6))
        if last == "network":
            assert dict(model.estimator_[-1].card_)["n_groups"] == len(np.unique(groups))
        assert model.predict(X).shape == y.shape


def test_weights_are_routed_where_they_are_requested(phases):
    X, y, groups = phases
    with sklearn.config_context(enable_metadata_routing=True):
        inner = Recorder().set_fit_request(groups=False, sample_weight=True)
        model = WindowedClassifier(inner, side=3.0)
        model.fit(X, y, groups=groups, sample_weight=np.arange(12.0))
        assert np.array_equal(model.estimator_.weight_, np.repeat(np.arange(12.0), 6))
        assert model.estimator_.groups_ is None


def test_processes_change_nothing(phases):
    X, y, _ = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0).fit(X, y)
    expected = model.predict_proba(X)
    assert np.array_equal(model.set_params(n_jobs=2).predict_proba(X), expected)


def test_saved_model_predicts_the_same(phases, tmp_path):
    X, y, _ = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0).fit(X, y)
    glassclf.save(model, tmp_path / "model.safetensors")
    loaded = glassclf.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded) == repr(model)


def test_classifier_without_probabilities_is_refused(phases):
    X, y, _ = phases
    model = WindowedClassifier(rdf(LinearSVC()), side=3.0)
    with pytest.raises(TypeError, match="pools probabilities, and Pipeline has no predict_proba"):
        model.fit(X, y)


def test_window_larger_than_a_box_of_prediction_is_refused(phases):
    X, y, _ = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=5.0).fit(X, y)
    small = [noisy_lattice(0.1, n_cells=(6, 6)), noisy_lattice(0.1, n_cells=(4, 4))]
    with pytest.raises(ValueError, match="configuration 1: windows of side 5 are larger than"):
        model.predict(small)


def test_errors_name_the_configuration_that_a_window_is_of(phases):
    X, y, _ = phases
    few = make_pipeline(GraphFeaturizer(n_neighbors=5), MPNNClassifier(max_epochs=1))
    with pytest.raises(ValueError, match="n_neighbors must be smaller") as caught:
        WindowedClassifier(few, side=2.0).fit(X, y)
    assert caught.value.__notes__ == [
        "The estimator was fitted on 143 windows: a configuration that its message numbers is one "
        "of them."
    ]
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0).fit(X, y)
    strange = [X[0], noisy_lattice(0.1, types=(0, 1, 9))]
    with pytest.raises(ValueError, match="windows of configuration 1: configuration . holds"):
        model.predict(strange)


@pytest.mark.parametrize(
    "parameters",
    [{"side": 0.0}, {"n_particles": 0}, {"side": 2.0, "n_windows": 0}, {"side": True}],
)
def test_bad_parameters_are_refused_in_fit(phases, parameters):
    X, y, _ = phases
    with pytest.raises(ValueError, match="parameter of WindowedClassifier must be"):
        WindowedClassifier(rdf(LogisticRegression()), **parameters).fit(X, y)


def test_neither_side_nor_number_is_refused(phases):
    X, y, _ = phases
    with pytest.raises(ValueError, match="give exactly one of side and n_particles, got neither"):
        WindowedClassifier(rdf(LogisticRegression())).fit(X, y)


def test_a_search_inside_splits_by_the_groups_of_the_windows(phases):
    X, y, run = phases
    seen = []

    class Watching(GroupKFold):
        def split(self, X, y=None, groups=None):
            seen.append(np.asarray(groups))
            return super().split(X, y, groups)

    grid = {"logisticregression__C": [0.1, 1.0]}
    search = GridSearchCV(rdf(LogisticRegression()), grid, cv=Watching(3))
    WindowedClassifier(make_pipeline(search), side=3.0).fit(X, y, run)
    windows = cut_windows(X, side=3.0)
    assert np.array_equal(seen[0], run[windows.parents])
    careless = GridSearchCV(rdf(LogisticRegression()), grid, cv=3)
    with pytest.warns(UserWarning, match=r"GridSearchCV\(cv=3\) puts windows of one configuration"):
        WindowedClassifier(careless, side=3.0).fit(X, y, run)


def test_weights_reach_the_estimator_of_a_search_or_are_refused(phases):
    X, y, run = phases
    weights = np.where(np.arange(len(y)) < 2, 0.0, 1.0)
    search = GridSearchCV(rdf(LogisticRegression()), {}, cv=GroupKFold(2))
    weighted, plain = (
        WindowedClassifier(search, side=3.0).fit(X, y, run, sample_weight=w).predict_proba(X)
        for w in (weights, None)
    )
    assert not np.allclose(weighted, plain)
    neighbors = WindowedClassifier(rdf(KNeighborsClassifier()), side=3.0)
    with pytest.raises(TypeError, match="but fit of KNeighborsClassifier takes none"):
        neighbors.fit(X, y, run, sample_weight=weights)


def test_targets_and_groups_of_other_shapes_are_refused(phases):
    X, y, run = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0)
    with pytest.raises(ValueError, match="y should be a 1d array"):
        model.fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="groups must have one value for each of the 12 samples"):
        model.fit(X, y, run[:, None])
    with pytest.raises(TypeError, match="LogisticRegression is a classifier: use WindowedClass"):
        WindowedRegressor(LogisticRegression(), side=3.0).fit(X, np.arange(len(y)))


def test_log_probabilities_are_those_of_the_probabilities(phases):
    X, y, run = phases
    model = WindowedClassifier(rdf(LogisticRegression()), side=3.0).fit(X, y, run)
    assert np.allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


def test_small_windows_are_no_other_kind_of_data():
    X, y, run = graded_disorder()
    network = MPNNRegressor(hidden_size=4, max_epochs=1, random_state=0)
    model = WindowedRegressor(make_pipeline(GraphFeaturizer(), network), side=3.0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*of another kind")
        model.fit(X, y, run).predict(X[:1])
