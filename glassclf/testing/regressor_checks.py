"""Checks that only regressors are put to."""

from unittest import SkipTest

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import r2_score
from sklearn.utils import get_tags

from glassclf.testing.comparison import assert_close
from glassclf.testing.refusal_checks import assert_raises_value_error
from glassclf.testing.samples import graded_disorder
from glassclf.testing.subject import fitted, last_step, seeded

MEMORISED = 0.8


def _double(y):
    return 2 * y


def _halve(y):
    return y / 2


def check_prediction_shape(name, regressor):
    """A y of shape (n,) gives finite predictions of shape (n,)."""
    X, y, _ = graded_disorder()
    predicted = fitted(regressor, X, y).predict(X)
    assert predicted.shape == y.shape, f"predictions of shape {predicted.shape}, not {y.shape}"
    assert predicted.dtype.kind == "f", f"predictions must be floats, got {predicted.dtype}"
    assert np.isfinite(predicted).all(), "predictions must be finite"


def check_multi_output(name, regressor):
    """A y of shape (n, 2) gives (n, 2), column by column; skipped if the tags say no."""
    if not get_tags(last_step(regressor)).target_tags.multi_output:
        raise SkipTest("tags.target_tags.multi_output is False")
    X, y, _ = graded_disorder()
    both = np.column_stack([y, -y])
    predicted = fitted(regressor, X, both).predict(X)
    assert predicted.shape == both.shape, f"predictions of shape {predicted.shape}"
    signs = [np.corrcoef(predicted[:, column], y)[0, 1] for column in (0, 1)]
    assert signs[0] > 0 > signs[1], f"columns do not follow those of y: correlations {signs}"


def check_integer_targets(name, regressor):
    """Whole numbers as targets are numbers, not labels: predictions lie between them."""
    X, y, _ = graded_disorder()
    whole = np.arange(len(y))
    predicted = fitted(regressor, X, whole).predict(X)
    assert predicted.dtype.kind == "f", f"predictions must be floats, got {predicted.dtype}"


def check_non_finite_y_refused(name, regressor):
    """NaN and infinite targets are refused."""
    X, y, _ = graded_disorder()
    for value in (np.nan, np.inf):
        bad = y.copy()
        bad[3] = value
        assert_raises_value_error(lambda bad=bad: seeded(regressor).fit(X, bad), f"y with {value}")


def check_score_is_r2(name, regressor):
    """``score`` is the coefficient of determination of ``predict``."""
    X, y, _ = graded_disorder()
    model = fitted(regressor, X, y)
    assert_close(model.score(X, y), r2_score(y, model.predict(X)), "score")


def check_transformed_target(name, regressor):
    """TransformedTargetRegressor fits it on another scale of y."""
    X, y, _ = graded_disorder()
    model = TransformedTargetRegressor(
        seeded(regressor), func=_double, inverse_func=_halve, check_inverse=False
    )
    predicted = model.fit(X, y).predict(X)
    assert predicted.shape == y.shape, f"predictions of shape {predicted.shape}, not {y.shape}"


def check_memorises(name, regressor):
    """A tiny set of growing disorder is learnt by heart."""
    X, y, _ = graded_disorder()
    score = r2_score(y, fitted(regressor, X, y).predict(X))
    assert score >= MEMORISED, (
        f"R2 {score:.2f} on the training set, not {MEMORISED}: raise max_epochs?"
    )


REGRESSOR_CHECKS = (
    check_prediction_shape,
    check_multi_output,
    check_integer_targets,
    check_non_finite_y_refused,
    check_score_is_r2,
    check_transformed_target,
    check_memorises,
)
