"""Run checks one after another and keep what became of each, as scikit-learn does."""

import warnings
from unittest import SkipTest

from sklearn.exceptions import (
    ConvergenceWarning,
    EstimatorCheckFailedWarning,
    SkipTestWarning,
)


def run_checks(
    estimator,
    checks,
    *,
    expected_failed_checks=None,
    on_skip="warn",
    on_fail="raise",
    callback=None,
):
    """Run each check on an estimator.

    Parameters
    ----------
    estimator : estimator instance
        Left untouched: every check works on clones.
    checks : iterable of callable ``check(name, estimator)``
        A check passes if it returns, and is skipped if it raises ``unittest.SkipTest``.
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
        One for each check, with the keys of
        :func:`sklearn.utils.estimator_checks.check_estimator`.

    Raises
    ------
    TypeError
        If a class was passed instead of an instance.
    ValueError
        If ``callback`` comes together with ``on_fail="raise"``, or a parameter has another value
        than those listed.
    """
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator must be an instance, got the class {estimator.__name__}: pass "
            f"{estimator.__name__}(...)"
        )
    if on_fail not in ("raise", "warn", None):
        raise ValueError(f"on_fail must be 'raise', 'warn' or None, got {on_fail!r}")
    if on_skip not in ("warn", None):
        raise ValueError(f"on_skip must be 'warn' or None, got {on_skip!r}")
    if on_fail == "raise" and callback is not None:
        raise ValueError("callback needs on_fail='warn' or on_fail=None, got on_fail='raise'")
    expected = expected_failed_checks or {}

    results = []
    for check in checks:
        result = _run_one(check, estimator, expected)
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        if result["status"] in ("failed", "xfail") and on_fail == "warn":
            warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=2)
        if result["status"] == "skipped" and on_skip == "warn":
            warnings.warn(
                f"Skipping check {result['check_name']} for {type(estimator).__name__}: "
                f"{result['exception']}",
                SkipTestWarning,
                stacklevel=2,
            )
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _run_one(check, estimator, expected):
    name = check.__name__
    status, caught = "passed", None
    with warnings.catch_warnings():
        # The checks train shortly on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        try:
            check(type(estimator).__name__, estimator)
        except SkipTest as skip:
            status, caught = "skipped", skip
        except Exception as error:
            status, caught = "xfail" if name in expected else "failed", error
    return {
        "estimator": estimator,
        "check_name": name,
        "exception": caught,
        "status": status,
        "expected_to_fail": name in expected,
        "expected_to_fail_reason": expected.get(name, "Check is not expected to fail"),
    }
