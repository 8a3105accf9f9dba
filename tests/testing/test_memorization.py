"""Learning a few samples by heart: who can, who cannot, and what is said then."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from glassclf.estimators import PairSplineRegressor
from glassclf.featurizers import RDFFeaturizer
from glassclf.testing import check_memorizes, labelled_lattices, two_phases


def test_who_can():
    X, y, _ = two_phases()
    pipe = make_pipeline(RDFFeaturizer(), LogisticRegression())
    assert check_memorizes(pipe, X, y) == 1.0
    assert not hasattr(pipe[-1], "classes_")
    table, targets = np.random.default_rng(0).random((20, 3)), np.arange(20.0)
    assert check_memorizes(DecisionTreeRegressor(), table, targets, n_samples=10) == 1.0


def test_who_cannot():
    X, y, _ = two_phases()
    with pytest.raises(AssertionError, match="did not learn 4 samples by heart: score 0.5 on them"):
        check_memorizes(DummyClassifier(), X, y)
    table, targets = np.random.default_rng(0).random((20, 3)), np.arange(20.0)
    with pytest.raises(AssertionError, match="Ridge did not learn 10 samples"):
        check_memorizes(Ridge(alpha=1e6), table, targets, n_samples=10)


def test_classes_are_drawn_alike():
    y = np.array(["many"] * 97 + ["few"] * 3)
    X = np.arange(100.0)[:, None]

    class Counting(KNeighborsClassifier):
        def fit(self, X, y):
            assert sorted(y) == ["few"] * 2 + ["many"] * 2
            return super().fit(X, y)

    assert check_memorizes(Counting(1), X, y) == 1.0


def test_forces_go_along():
    X, energy, forces = labelled_lattices(12)
    model = PairSplineRegressor(r_max=2.0)
    score = check_memorizes(model, X, energy, n_samples=6, fit_params={"forces": forces})
    assert score > 0.99


def test_bad_input():
    X, y = np.zeros((3, 1)), np.zeros(3)
    with pytest.raises(ValueError, match="n_samples must be between 2 and the 3 of X, got 4"):
        check_memorizes(Ridge(), X, y)
    with pytest.raises(ValueError, match="the 2 samples drawn are all equal in y"):
        check_memorizes(Ridge(), X, y, n_samples=2)
