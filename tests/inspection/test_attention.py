"""Attention weights sum to one, and belong to the particles."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configuration
from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.inspection import attention
from glassclf.model_selection import OptunaSearch


def test_weights_sum_to_one(attentive, phases):
    X = phases[0]
    result = attention(attentive, X)
    assert [len(values) for values in result.particles] == X.n_particles.tolist()
    assert np.allclose([values.sum() for values in result.particles], 1)
    assert np.allclose([values.sum() for values in result.bonds], 1)
    assert min(values.min() for values in result.particles) > 0
    # A network that has learned looks at some more than at others.
    assert np.std(result.particles[0]) > 1e-4


def test_bond_has_the_mean_weight_of_its_ends(attentive, phases):
    X = phases[0][:1]
    graph, result = attentive[0].transform(X)[0], attention(attentive, X)
    ends = [
        result.particles[0][source] + result.particles[0][target]
        for source, target in zip(np.repeat(np.arange(42), graph.degrees), graph.neighbors)
    ]
    assert np.allclose(result.bonds[0], np.array(ends) / np.sum(ends))


def test_weights_do_not_depend_on_what_else_is_looked_at(attentive, phases):
    X = phases[0]
    alone, together = attention(attentive, X[[3]]), attention(attentive, X)
    assert np.allclose(alone.particles[0], together.particles[3], atol=1e-7)


def test_weights_stay_with_the_particles_under_turns_and_shifts(attentive, phases):
    one = phases[0][1]
    turn = np.array([[0, -1], [1, 0]])
    moved = Configuration(one.positions @ turn.T + [3.3, -1.2], one.types, one.box[::-1])
    still, after = (attention(attentive, [each]) for each in (one, moved))
    assert np.allclose(still.particles[0], after.particles[0], atol=1e-5)


def test_search_is_seen_through(attentive, phases):
    X, y, groups = phases
    search = OptunaSearch(
        attentive, {"mpnnclassifier__max_epochs": ("choice", (1,))}, n_trials=1, cv=2
    )
    search.fit(X, y, groups)
    expected = attention(search.best_estimator_, X[:1]).particles[0]
    assert np.array_equal(attention(search, X[:1]).particles[0], expected)


def test_mean_pooling_is_refused(phases):
    X, y, _ = phases
    model = make_pipeline(GraphFeaturizer(n_neighbors=4), MPNNClassifier(max_epochs=1)).fit(X, y)
    with pytest.raises(TypeError, match='pools by pooling="mean", which weighs all particles alik'):
        attention(model, X)


def test_other_networks_are_refused(cnn, phases):
    X, y, _ = phases
    words = r"attention \(of MPNNClassifier and MPNNRegressor with pooling=\"attention\"\) "
    with pytest.raises(TypeError, match=words + "looks into a MessagePassingNetwork, got a module"):
        attention(cnn, X)
    other = make_pipeline(RDFFeaturizer(), LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match=words + "needs a network of glassclf.estimators"):
        attention(other, X)


def test_a_network_that_is_not_fitted_is_refused(phases):
    with pytest.raises(NotFittedError):
        attention(make_pipeline(GraphFeaturizer(), MPNNClassifier()), phases[0])
