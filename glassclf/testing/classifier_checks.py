"""Checks that only classifiers are put to."""

from unittest import SkipTest

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV

from glassclf.testing.refusal_checks import assert_raises_value_error
from glassclf.testing.samples import two_phases
from glassclf.testing.subject import fitted, seeded

ROWS_SUM_TO_ONE = 1e-8


def _probabilities(model, X):
    if not hasattr(model, "predict_proba"):
        raise SkipTest("there is no predict_proba")
    return model.predict_proba(X)


def check_classes(name, classifier):
    """``classes_`` holds the sorted labels, of whatever type, and predictions come from it."""
    X, y, _ = two_phases()
    for labels in (np.array(["b", "a"]), np.array([7, 3]), np.array([True, False])):
        given = np.where(y == "glass", labels[0], labels[1])
        model = fitted(classifier, X, given)
        assert np.array_equal(model.classes_, np.unique(given)), (
            f"classes_ must be {np.unique(given)}, got {model.classes_}"
        )
        predicted = model.predict(X)
        assert np.isin(predicted, labels).all(), f"predict gives labels out of {set(predicted)}"
        assert np.asarray(predicted).dtype.kind == given.dtype.kind, "predict changes the type"


def check_label_decoding(name, classifier):
    """Labels are names: renamed so that their order turns, they follow the samples."""
    X, y, _ = two_phases()
    renamed = np.where(y == "glass", "zebra", "aardvark")
    model = fitted(classifier, X, renamed)
    accuracy = accuracy_score(renamed, model.predict(X))
    assert accuracy > 0.5, f"accuracy {accuracy:.2f} on the training set with renamed labels"


def check_predict_proba(name, classifier):
    """Probabilities are float64, one row a sample, and each row sums to one."""
    X, y, _ = two_phases()
    proba = _probabilities(fitted(classifier, X, y), X)
    assert proba.dtype == np.float64, f"predict_proba must be float64, got {proba.dtype}"
    assert proba.shape == (len(X), 2), f"predict_proba has shape {proba.shape}"
    assert (proba >= 0).all(), "probabilities must be 0 or larger"
    error = np.abs(proba.sum(axis=1) - 1).max()
    assert error < ROWS_SUM_TO_ONE, f"rows of predict_proba miss 1 by up to {error:.2g}"


def check_proba_columns_follow_classes(name, classifier):
    """The most probable column of ``predict_proba`` is the class that ``predict`` names."""
    X, y, _ = two_phases()
    model = fitted(classifier, X, y)
    likeliest = model.classes_[_probabilities(model, X).argmax(axis=1)]
    assert np.array_equal(likeliest, model.predict(X)), "columns do not follow classes_"


def check_three_classes(name, classifier):
    """Three classes give three columns, and predictions out of the three."""
    X, y, _ = two_phases()
    y = np.where(np.arange(len(y)) % 4 == 1, "film", y)
    model = fitted(classifier, X, y)
    assert model.classes_.tolist() == ["film", "glass", "liquid"], f"classes_ {model.classes_}"
    assert set(model.predict(X)) <= set(model.classes_), "predictions must come from classes_"
    if hasattr(model, "predict_proba"):
        proba = model.predict_proba(X)
        assert proba.shape == (len(X), 3), f"predict_proba has shape {proba.shape}"


def check_score_is_accuracy(name, classifier):
    """``score`` is the accuracy of ``predict``."""
    X, y, _ = two_phases()
    model = fitted(classifier, X, y)
    expected = accuracy_score(y[1:], model.predict(X[1:]))
    assert model.score(X[1:], y[1:]) == expected, "score must be the accuracy"


def check_one_class_refused(name, classifier):
    """A y of one class only is refused."""
    X, y, _ = two_phases()
    assert_raises_value_error(
        lambda: seeded(classifier).fit(X, np.full(len(y), "glass")), "y of one class"
    )


def check_continuous_y_refused(name, classifier):
    """A y of real numbers is refused: it is no label."""
    X, y, _ = two_phases()
    numbers = np.linspace(0.05, 1.03, len(y))
    assert_raises_value_error(lambda: seeded(classifier).fit(X, numbers), "y of real numbers")


def check_calibrated(name, classifier):
    """CalibratedClassifierCV calibrates its probabilities."""
    X, y, _ = two_phases()
    model = CalibratedClassifierCV(seeded(classifier), cv=StratifiedKFold(2)).fit(X, y)
    proba = model.predict_proba(X)
    assert np.isfinite(proba).all(), "calibrated probabilities must be finite"
    assert model.classes_.tolist() == ["glass", "liquid"], f"classes_ {model.classes_}"


def check_tuned_threshold(name, classifier):
    """TunedThresholdClassifierCV tunes the threshold of its decision."""
    X, y, _ = two_phases()
    model = TunedThresholdClassifierCV(seeded(classifier), cv=StratifiedKFold(2)).fit(X, y)
    assert np.isfinite(model.best_threshold_), f"threshold {model.best_threshold_}"
    assert set(model.predict(X)) <= {"glass", "liquid"}, "predictions must be labels"


def check_memorises(name, classifier):
    """A tiny set of two phases that any structure tells apart is learnt by heart."""
    X, y, _ = two_phases()
    accuracy = accuracy_score(y, fitted(classifier, X, y).predict(X))
    assert accuracy == 1.0, f"accuracy {accuracy:.2f} on the training set, not 1: raise max_epochs?"


CLASSIFIER_CHECKS = (
    check_classes,
    check_label_decoding,
    check_predict_proba,
    check_proba_columns_follow_classes,
    check_three_classes,
    check_score_is_accuracy,
    check_one_class_refused,
    check_continuous_y_refused,
    check_calibrated,
    check_tuned_threshold,
    check_memorises,
)
