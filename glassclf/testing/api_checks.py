"""Checks of the constructor, the parameters and the attributes."""

from unittest import SkipTest

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks as sklearn_checks
from sklearn.utils._param_validation import (
    InvalidParameterError,
    generate_invalid_param_val,
    make_constraint,
)
from sklearn.utils.validation import check_is_fitted

from glassclf.testing.subject import (
    fitted,
    fitted_attributes,
    global_random_state,
    input_of_last_step,
    last_step,
    respond,
    seeded,
    task_for,
)

# scikit-learn's own checks that need no X. They look at the last step of a pipeline.
SKLEARN_CHECKS = (
    sklearn_checks.check_estimator_cloneable,
    sklearn_checks.check_estimator_repr,
    sklearn_checks.check_no_attributes_set_in_init,
    sklearn_checks.check_parameters_default_constructible,
    sklearn_checks.check_do_not_raise_errors_in_init_or_set_params,
    sklearn_checks.check_get_params_invariance,
    sklearn_checks.check_set_params,
    sklearn_checks.check_mixin_order,
    sklearn_checks.check_valid_tag_types,
)


def of_last_step(check):
    """Turn a check of an estimator into one of the last step of a pipeline."""

    def check_last_step(name, estimator):
        step = last_step(estimator)
        return check(type(step).__name__, step)

    check_last_step.__name__ = check.__name__
    check_last_step.__doc__ = check.__doc__
    return check_last_step


def check_parameter_constraints(name, estimator):
    """Every parameter has an entry in ``_parameter_constraints``, and nothing else has."""
    step = last_step(estimator)
    parameters = set(step.get_params(deep=False))
    constrained = set(getattr(step, "_parameter_constraints", {}))
    assert constrained == parameters, (
        f"_parameter_constraints of {type(step).__name__} must name its parameters: missing "
        f"{sorted(parameters - constrained)}, unknown {sorted(constrained - parameters)}"
    )


def check_bad_parameter_values(name, estimator):
    """Fit refuses every value that no constraint admits, and names the parameter."""
    step = seeded(last_step(estimator))
    X, y, _ = task_for(estimator, n_runs=2)
    X = input_of_last_step(seeded(estimator), X, y)
    methods = [name for name in ("fit", "partial_fit", "fit_transform") if hasattr(step, name)]
    for parameter, bad in _bad_values(step):
        for method in methods:
            broken = clone(step).set_params(**{parameter: bad})
            _assert_refuses_parameter(broken, method, parameter, bad, X, y)


def _bad_values(step):
    for parameter, constraints in getattr(step, "_parameter_constraints", {}).items():
        if isinstance(constraints, str):
            continue
        constraints = [make_constraint(constraint) for constraint in constraints]
        candidates = [type("BadType", (), {})()]
        for constraint in constraints:
            try:
                candidates.append(generate_invalid_param_val(constraint))
            except NotImplementedError:
                continue
        for value in candidates:
            if not any(constraint.is_satisfied_by(value) for constraint in constraints):
                yield parameter, value


def _assert_refuses_parameter(step, method, parameter, bad, X, y):
    what = f"{type(step).__name__}({parameter}={bad!r}).{method}"
    try:
        getattr(step, method)(X, y)
    except InvalidParameterError as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(f"{what} must raise InvalidParameterError, got {error!r}") from error
    else:
        raise AssertionError(f"{what} accepts a bad value: expected InvalidParameterError")
    assert f"'{parameter}' parameter" in message, f"{what} must name {parameter}: {message}"


def check_parameters_unchanged_by_fit(name, estimator):
    """Fit writes neither to a parameter nor into one."""
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    step = last_step(model)
    before = {name: joblib.hash(value) for name, value in step.get_params(deep=False).items()}
    model.fit(X, y)
    after = last_step(model).get_params(deep=False)
    changed = [name for name, value in after.items() if joblib.hash(value) != before[name]]
    assert not changed, f"fit changed the parameters {changed}"


def check_no_public_attributes_added_by_fit(name, estimator):
    """What fit sets begins or ends with an underscore."""
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    before = set(vars(last_step(model)))
    model.fit(X, y)
    added = set(vars(last_step(model))) - before
    public = sorted(name for name in added if not (name.startswith("_") or name.endswith("_")))
    assert not public, f"fit set attributes without a trailing underscore: {public}"


def check_fit_returns_self(name, estimator):
    """Fit returns the estimator."""
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    assert model.fit(X, y) is model, "fit must return self"


def check_not_fitted_error(name, estimator):
    """Before fit every output raises NotFittedError; after it, check_is_fitted passes."""
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    step = last_step(model)
    X_step = input_of_last_step(model, X, y)
    for method in ("transform", "predict", "predict_proba", "get_feature_names_out"):
        if not hasattr(step, method):
            continue
        arguments = () if method == "get_feature_names_out" else (X_step,)
        try:
            getattr(step, method)(*arguments)
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(f"{method} before fit must raise NotFittedError") from error
        raise AssertionError(f"{method} before fit must raise NotFittedError")
    check_is_fitted(last_step(model.fit(X, y)))


def check_failed_fit_leaves_no_attributes(name, estimator):
    """A fit that raises leaves an unfitted estimator, not a half-fitted one."""
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    if last_step(model) is model and not hasattr(model, "predict"):
        X = [*X, ([[0.5, np.nan]], [0], [7.0, 7.0])]
        y = np.append(y, y[:1])
    else:
        y = y[:-1]
    try:
        model.fit(X, y)
    except ValueError:
        left = fitted_attributes(last_step(model))
        assert not left, f"a failed fit left {left}"
    else:
        raise SkipTest("fit takes what this check breaks, so it did not fail")


def check_global_random_state_untouched(name, estimator):
    """Fit and output draw from no global generator, so they disturb nobody's seeds."""
    X, y, _ = task_for(estimator)
    fitted(estimator, X, y)
    before = global_random_state()
    respond(fitted(estimator, X, y), X)
    assert global_random_state() == before, "the global random state has moved"


API_CHECKS = (
    *map(of_last_step, SKLEARN_CHECKS),
    check_parameter_constraints,
    check_bad_parameter_values,
    check_parameters_unchanged_by_fit,
    check_no_public_attributes_added_by_fit,
    check_fit_returns_self,
    check_not_fitted_error,
    check_failed_fit_leaves_no_attributes,
    check_global_random_state_untouched,
)
