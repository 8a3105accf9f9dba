"""Search spaces of the classes: each of their points can be fitted, and their names lead there."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.parameters import TrainingParameters
from glassclf.featurizers import (
    BondOrderFeaturizer,
    GraphFeaturizer,
    ImageFeaturizer,
    RDFFeaturizer,
)
from glassclf.model_selection import search_space, spaces
from glassclf.testing import all_classes, two_phases

# A meta-estimator has the space of what it holds.
CLASSES = [(n, c) for n, c in all_classes() if "estimator" not in inspect.signature(c).parameters]
# The size of its cubes must suit the layers of the network behind it.
NOT_SEARCHED = {"NeighborhoodFeaturizer"}
FEATURIZERS = [pytest.param(kind, id=name) for name, kind in all_classes("featurizer")]


def ends(distribution):
    """Extreme values of a distribution, or all choices."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    return [distribution.low, distribution.high]


def values(distribution):
    if isinstance(distribution, CategoricalDistribution):
        return st.sampled_from(distribution.choices)
    draw = st.integers if isinstance(distribution, IntDistribution) else st.floats
    return draw(distribution.low, distribution.high)


def corners(space):
    """Points at which all parameters are small, or all large, or all choices come in turn."""
    n = max(len(ends(distribution)) for distribution in space.values())
    return [{name: ends(d)[i % len(ends(d))] for name, d in space.items()} for i in range(n)]


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kind in CLASSES if name not in NOT_SEARCHED]
)
def test_every_class_has_a_space_of_its_parameters(name, kind):
    assert 1 <= len(kind._search_space) <= 6
    assert set(kind._search_space) <= set(kind().get_params())
    found = search_space(kind())
    assert found
    assert set(found) <= set(kind._search_space)
    # A search of a few dozen trials must be able to meet the default, or come near.
    for parameter, distribution in found.items():
        default = kind().get_params()[parameter]
        if default is not None and not isinstance(distribution, CategoricalDistribution):
            assert distribution.low <= default <= distribution.high, parameter


@pytest.mark.parametrize(("name", "kind"), CLASSES)
@given(data=st.data())
def test_every_point_is_accepted(name, kind, data):
    space = search_space(kind())
    point = data.draw(st.fixed_dictionaries({n: values(d) for n, d in space.items()}))
    estimator = clone(kind()).set_params(**point)
    assert estimator.get_params() == kind().get_params() | point
    estimator._validate_params()


@pytest.mark.parametrize("kind", FEATURIZERS)
@pytest.mark.parametrize("n_dims", [2, 3])
def test_featurizers_work_at_the_corners_of_their_spaces(kind, n_dims):
    X = two_phases(n_runs=1, n_dims=n_dims)[0]
    for point in corners(search_space(kind())):
        features = kind(**point).fit_transform(X)
        if isinstance(features, np.ndarray):
            assert np.isfinite(features).all()
        assert len(features) == 2


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(ImageFeaturizer(), CNNClassifier(max_epochs=1, random_state=0)),
        make_pipeline(GraphFeaturizer(), MPNNClassifier(max_epochs=1, random_state=0)),
    ],
)
def test_networks_can_be_trained_at_the_corners_of_their_spaces(model):
    X, y, _ = two_phases(n_runs=3)
    for point in corners(search_space(model)):
        assert clone(model).set_params(**point).fit(X, y).predict(X).shape == y.shape


def test_small_images_suit_every_network():
    """Images from nine pixels on, as a comment beside the space says."""
    X = np.random.default_rng(0).random((6, 1, 9, 9))
    network = CNNRegressor(max_epochs=1)
    largest = {name: ends(d)[-1] for name, d in search_space(network).items()}
    network.set_params(**largest).fit(X, np.arange(6.0))


def test_the_schedule_brings_its_parameter():
    own = set(search_space(CNNClassifier()))
    for schedule, space in TrainingParameters._schedule_search_spaces.items():
        network = CNNClassifier(schedule=schedule)
        assert set(search_space(network)) == own | set(space)
        for point in corners(search_space(network)):
            clone(network).set_params(**point)._validate_params()
    X, y = np.random.default_rng(0).random((20, 3)), np.arange(20) % 2
    stepped = CNNClassifier(schedule="threshold", validation_fraction=0.2, max_epochs=1)
    for point in corners(search_space(stepped)):
        clone(stepped).set_params(**point).fit(X, y)


def test_thresholds_and_rates_given_by_hand_stay():
    several = CNNClassifier(schedule="threshold", threshold=(0.8, 0.9))
    assert "threshold" not in search_space(several)
    rates = CNNClassifier(schedule="threshold", threshold_lr=1e-3)
    assert "lr" not in search_space(rates)
    assert "threshold" in search_space(rates)


@pytest.mark.parametrize(
    ("given", "searched"),
    [
        ({}, {"n_neighbors"}),
        ({"n_neighbors": 6}, {"n_neighbors"}),
        ({"r_max": 2.0}, {"r_max"}),
        ({"n_neighbors": 6, "r_max": 2.0}, {"n_neighbors", "r_max"}),
    ],
)
def test_graphs_are_searched_by_what_makes_their_bonds(given, searched):
    assert set(search_space(GraphFeaturizer(**given))) == searched


class Own(RDFFeaturizer):
    _search_space = {"r_max": ("float", 1, 2)}


def test_networks_with_layers_of_their_own_are_not_searched_for_filters():
    names = set(search_space(CNNRegressor(architecture="strided")))
    assert {"n_filters", "kernel_size"} == set(search_space(CNNRegressor())) - names


def test_names_lead_through_whatever_holds_an_estimator():
    union = FeatureUnion([("rdf", RDFFeaturizer()), ("order", BondOrderFeaturizer())])
    inner = make_pipeline(StandardScaler(), SVC())
    space = search_space(make_pipeline(union, inner))
    assert set(space) == {
        "featureunion__rdf__r_max",
        "featureunion__rdf__n_bins",
        "featureunion__order__orders",
        "pipeline__svc__C",
        "pipeline__svc__gamma",
    }
    assert space["pipeline__svc__C"] == FloatDistribution(1e-2, 1e3, log=True)
    columns = ColumnTransformer([("own", Own(), [0]), ("rest", "passthrough", [1])])
    assert search_space(columns) == {"own__r_max": FloatDistribution(1, 2)}
    assert set(search_space(GridSearchCV(Ridge(), {}))) == {"estimator__alpha"}


def test_a_frozen_estimator_stays_as_it_is():
    frozen = FrozenEstimator(RDFFeaturizer())
    assert set(search_space(make_pipeline(frozen, Ridge()))) == {"ridge__alpha"}


@pytest.mark.parametrize("name", spaces.OF_SKLEARN)
def test_ends_of_scikit_learn_can_be_fitted(name):
    end = dict(all_estimators())[name]()
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 2
    for point in corners(search_space(end)):
        clone(end).set_params(**point).fit(X, y)


def test_what_is_called_like_an_end_of_scikit_learn_is_none():
    other = type("Ridge", (BaseEstimator,), {"__module__": "mine"})
    assert search_space(other()) == {}
