"""Checks that the tools of scikit-learn take the estimator as they take their own."""

import tempfile

import joblib
import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from glassclf.testing.comparison import assert_close, assert_equal
from glassclf.testing.subject import (
    fit_and_respond,
    one_torch_thread,
    respond,
    seeded,
    task_for,
)


def check_cross_validate(name, estimator):
    """Cross-validation by run gives equal scores in one process and in two."""
    X, y, groups = task_for(estimator)
    scores = []
    with one_torch_thread(), joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        for n_jobs in (1, 2):
            result = cross_validate(
                seeded(estimator),
                X,
                y,
                groups=groups,
                cv=GroupKFold(2),
                n_jobs=n_jobs,
                error_score="raise",
            )
            scores.append(result["test_score"])
    assert np.isfinite(scores).all(), f"scores must be finite, got {scores}"
    assert_equal(scores[1], scores[0], "scores with n_jobs=2")


def check_cross_val_predict(name, estimator):
    """Every configuration gets its prediction from a fit that has not seen its run."""
    X, y, groups = task_for(estimator)
    out_of_fold = cross_val_predict(seeded(estimator), X, y, groups=groups, cv=GroupKFold(2))
    train, test = next(GroupKFold(2).split(X, y, groups))
    model = seeded(estimator).fit(X[train], y[train])
    assert_close(out_of_fold[test], model.predict(X[test]), "out-of-fold predictions")


def check_pipeline_memory(name, estimator):
    """A pipeline that caches its steps gives the same, the first and the second time."""
    X, y, _ = task_for(estimator)
    expected = fit_and_respond(estimator, X, y)
    with tempfile.TemporaryDirectory() as folder:
        for time in ("first", "second"):
            model = seeded(estimator)
            if isinstance(model, Pipeline):
                model.set_params(memory=folder)
            else:
                model = make_pipeline(FunctionTransformer(), model, memory=folder)
            what = f"the {time} fit of a pipeline with memory"
            assert_equal(respond(model.fit(X, y), X), expected, what)


def check_grid_search(name, estimator):
    """GridSearchCV searches over a parameter and predicts with the best."""
    X, y, groups = task_for(estimator)
    model = seeded(estimator)
    seeds = [name for name in model.get_params() if name.rpartition("__")[2] == "random_state"]
    grid = {seeds[0]: [0, 1]} if seeds else {}
    search = GridSearchCV(model, grid, cv=GroupKFold(2), error_score="raise")
    search.fit(X, y, groups=groups)
    assert np.isfinite(search.best_score_), f"score must be finite, got {search.best_score_}"
    assert_equal(search.predict(X), search.best_estimator_.predict(X), "predictions of the search")


def check_learning_curve(name, estimator):
    """learning_curve trains on growing parts of X."""
    X, y, _ = task_for(estimator)
    _, train_scores, test_scores = learning_curve(
        seeded(estimator),
        X,
        y,
        train_sizes=[0.5, 1.0],
        cv=_two_folds(estimator),
        shuffle=True,
        random_state=0,
        error_score="raise",
    )
    assert np.isfinite(train_scores).all(), "training scores must be finite"
    assert np.isfinite(test_scores).all(), "test scores must be finite"


def check_voting(name, estimator):
    """Two equal ones in a voting ensemble say together what each says alone."""
    X, y, _ = task_for(estimator)
    members = [("one", seeded(estimator)), ("two", seeded(estimator))]
    if is_classifier(estimator) and hasattr(seeded(estimator), "predict_proba"):
        ensemble = VotingClassifier(members, voting="soft")
    elif is_classifier(estimator):
        ensemble = VotingClassifier(members)
    else:
        ensemble = VotingRegressor(members)
    ensemble.fit(X, y)
    expected = seeded(estimator).fit(X, y).predict(X)
    assert_close(ensemble.predict(X), expected, "the vote of two equal estimators")


def check_stacking(name, estimator):
    """It stands below another estimator in a stack."""
    X, y, _ = task_for(estimator)
    members = [("below", seeded(estimator))]
    if is_classifier(estimator):
        stack = StackingClassifier(members, LogisticRegression(), cv=_two_folds(estimator))
    else:
        stack = StackingRegressor(members, Ridge(), cv=_two_folds(estimator))
    prediction = stack.fit(X, y).predict(X)
    assert prediction.shape == y.shape, f"predictions of shape {prediction.shape}, not {y.shape}"


def _two_folds(estimator):
    return StratifiedKFold(2) if is_classifier(estimator) else 2


TOOL_CHECKS = (
    check_cross_validate,
    check_cross_val_predict,
    check_pipeline_memory,
    check_grid_search,
    check_learning_curve,
    check_voting,
    check_stacking,
)
