"""The suite of all that a classifier or regressor of configurations must pass."""

from unittest import SkipTest

from sklearn.base import is_classifier, is_regressor

from glassclf.testing.api_checks import API_CHECKS
from glassclf.testing.classifier_checks import CLASSIFIER_CHECKS
from glassclf.testing.input_checks import INPUT_CHECKS
from glassclf.testing.metadata_checks import METADATA_CHECKS
from glassclf.testing.refusal_checks import REFUSAL_CHECKS, assert_raises_value_error
from glassclf.testing.regressor_checks import REGRESSOR_CHECKS
from glassclf.testing.repeat_checks import REPEAT_CHECKS
from glassclf.testing.runner import run_checks
from glassclf.testing.subject import fitted, last_step, seeded, task_for
from glassclf.testing.tool_checks import TOOL_CHECKS


def check_y_of_wrong_length_refused(name, estimator):
    """A y of another length than X is refused."""
    X, y, _ = task_for(estimator)
    assert_raises_value_error(lambda: seeded(estimator).fit(X, y[:-1]), "y of another length")


def check_y_required(name, estimator):
    """Fit without y is refused, not taken for something else."""
    X, _, _ = task_for(estimator)
    assert_raises_value_error(lambda: seeded(estimator).fit(X, None), "y=None")


def check_n_iter(name, estimator):
    """``n_iter_``, where the last step has ``max_epochs``, counts the epochs of the fit."""
    if "max_epochs" not in last_step(estimator).get_params(deep=False):
        raise SkipTest("the last step has no parameter max_epochs")
    X, y, _ = task_for(estimator)
    step = last_step(fitted(estimator, X, y))
    assert 1 <= step.n_iter_ <= step.max_epochs, f"n_iter_ {step.n_iter_} of {step.max_epochs}"
    lengths = {name: len(values) for name, values in step.history_.items()}
    assert set(lengths.values()) == {step.n_iter_}, f"history_ of lengths {lengths}"


SHARED_CHECKS = (
    *API_CHECKS,
    *INPUT_CHECKS,
    *REFUSAL_CHECKS,
    *REPEAT_CHECKS,
    *TOOL_CHECKS,
    *METADATA_CHECKS,
    check_y_of_wrong_length_refused,
    check_y_required,
    check_n_iter,
)


def checks_for(estimator):
    """Give the checks that a classifier or a regressor is put to.

    Parameters
    ----------
    estimator : classifier or regressor instance

    Returns
    -------
    checks : tuple of callable

    Raises
    ------
    TypeError
        If the estimator is neither.
    """
    if is_classifier(estimator):
        return (*SHARED_CHECKS, *CLASSIFIER_CHECKS)
    if is_regressor(estimator):
        return (*SHARED_CHECKS, *REGRESSOR_CHECKS)
    raise TypeError(
        f"estimator must be a classifier or a regressor, got {type(estimator).__name__}: "
        "check_featurizer takes transformers"
    )


def check_configuration_estimator(
    estimator, *, expected_failed_checks=None, on_skip="warn", on_fail="raise", callback=None
):
    """Check that an estimator of configurations keeps the rules of scikit-learn and glassclf.

    scikit-learn's own :func:`~sklearn.utils.estimator_checks.check_estimator` runs a single check
    on an estimator whose X is no 2-D array; these take its place.

    Parameters
    ----------
    estimator : classifier or regressor instance
        Its X is whatever :func:`~glassclf.configurations.as_configurations` takes. A network that
        reads images or graphs is checked in a pipeline behind its featurizer; checks of parameters
        and attributes then look at the last step. It must train long enough to learn 16
        configurations of 42 particles by heart, and short enough for some 120 fits.
    expected_failed_checks : dict of str to str, default=None
        Name of a check -> why it fails. Such a failure has the status "xfail".
    on_skip : {"warn"} or None, default="warn"
        Whether a skipped check warns.
    on_fail : {"raise", "warn"} or None, default="raise"
        Whether a failed check raises its exception at once, warns, or is only noted.
    callback : callable, default=None
        Called after each check with the items of its dict as keyword arguments. Not together with
        ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        One for each check: "estimator", "check_name", "exception", "status" ("passed", "failed",
        "skipped" or "xfail"), "expected_to_fail" and "expected_to_fail_reason".

    Raises
    ------
    TypeError
        If the estimator is neither a classifier nor a regressor, or a class.
    Exception
        That of the first check that fails, with ``on_fail="raise"``.

    See Also
    --------
    check_featurizer : The same for featurizers.

    Notes
    -----
    ``BaggingClassifier``, ``BaggingRegressor`` and ``permutation_importance`` are not among the
    tools checked: they turn X into a 2-D array of columns, which a set of configurations is not.
    The classes of an estimator must be importable for the checks on two processes: not defined in
    ``__main__``.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import check_configuration_estimator
    >>> pipeline = make_pipeline(RDFFeaturizer(n_bins=10), LogisticRegression())
    >>> results = check_configuration_estimator(pipeline, on_skip=None)
    >>> sum(result["status"] == "passed" for result in results) >= 25
    True
    """
    return run_checks(
        estimator,
        () if isinstance(estimator, type) else checks_for(estimator),
        expected_failed_checks=expected_failed_checks,
        on_skip=on_skip,
        on_fail=on_fail,
        callback=callback,
    )
