"""Checks of what a featurizer gives out, and the suite of all that a featurizer must pass."""

import pickle
import tempfile
from unittest import SkipTest

import numpy as np
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from glassclf.configurations import Configuration, Configurations
from glassclf.testing.api_checks import API_CHECKS
from glassclf.testing.comparison import assert_close, assert_equal
from glassclf.testing.input_checks import INPUT_CHECKS
from glassclf.testing.invariance_checks import INVARIANCE_CHECKS
from glassclf.testing.refusal_checks import REFUSAL_CHECKS
from glassclf.testing.repeat_checks import REPEAT_CHECKS
from glassclf.testing.runner import run_checks
from glassclf.testing.samples import two_phases
from glassclf.testing.subject import fitted, seeded


def _is_table(output):
    return isinstance(output, np.ndarray) and output.ndim == 2


def _arrays_of(output):
    return [output] if isinstance(output, np.ndarray) else list(vars(output).values())


def check_fit_transform(name, featurizer):
    """``fit_transform(X)`` equals ``fit(X).transform(X)``."""
    X, y, _ = two_phases()
    expected = fitted(featurizer, X, y).transform(X)
    assert_equal(seeded(featurizer).fit_transform(X, y), expected, "fit_transform")


def check_y_ignored(name, featurizer):
    """Features do not depend on y, and fit needs none: labels leak into no feature."""
    X, y, _ = two_phases()
    without = seeded(featurizer).fit(X).transform(X)
    assert_equal(fitted(featurizer, X, y).transform(X), without, "features after a fit with y")


def check_output_length(name, featurizer):
    """There is one output for each configuration, also of a single one."""
    X, y, _ = two_phases()
    transformer = fitted(featurizer, X, y)
    for n in (len(X), 1):
        output = transformer.transform(X[:n])
        assert len(output) == n, f"{n} configurations gave {len(output)} outputs"


def check_output_is_finite(name, featurizer):
    """The output is a numpy array, or a container of such, of finite numbers."""
    X, y, _ = two_phases()
    for array in _arrays_of(fitted(featurizer, X, y).transform(X)):
        if isinstance(array, dict):
            continue
        assert isinstance(array, np.ndarray), f"output must be numpy, got {type(array).__name__}"
        assert array.dtype.kind in "fiub", f"output must be numbers, got {array.dtype}"
        assert np.isfinite(array).all(), "output must be finite"


def check_info_handed_on(name, featurizer):
    """An output that has an ``info`` carries that of X, so that the run reaches the splits."""
    X, y, _ = two_phases()
    output = fitted(featurizer, X, y).transform(X)
    if isinstance(output, np.ndarray):
        raise SkipTest("plain arrays carry no info")
    assert_equal(getattr(output, "info", {}), X.info, "info of the output")


def check_lazy(name, featurizer):
    """With ``lazy=True`` features are the same, whole and in parts, pickled or not."""
    if "lazy" not in featurizer.get_params():
        raise SkipTest("there is no parameter lazy")
    X, y, _ = two_phases()
    eager = fitted(seeded(featurizer).set_params(lazy=False), X, y).transform(X)
    lazy = fitted(seeded(featurizer).set_params(lazy=True), X, y).transform(X)
    assert lazy.shape == eager.shape, f"shape {lazy.shape} with lazy=True, not {eager.shape}"
    assert_equal(dict(lazy.info), dict(X.info), "info of lazy features")
    for rows in (np.arange(len(X)), np.array([5, 0, 5])):
        assert_equal(lazy.compute(rows), eager[rows], "lazy features")
        part = pickle.loads(pickle.dumps(lazy[rows]))
        assert type(part) is type(lazy), f"a part is {type(part).__name__}"
        assert_equal(part.compute(np.arange(len(rows))), eager[rows], "part of lazy features")
    with tempfile.TemporaryDirectory() as folder:
        for time in ("first", "second"):
            kept = fitted(seeded(featurizer).set_params(lazy=True, cache=folder), X, y)
            features = kept.transform(X).compute(np.arange(len(X)))
            assert_equal(features, eager, f"features with a cache, the {time} time")


def check_three_dimensions(name, featurizer):
    """Configurations of three dimensions work; skipped if they are refused as such."""
    X, y, _ = two_phases(n_runs=2, n_dims=3)
    try:
        output = seeded(featurizer).fit(X, y).transform(X)
    except ValueError as error:
        if any(word in str(error).lower() for word in ("3d", "dimension")):
            raise SkipTest(f"three dimensions are refused: {error}") from error
        raise
    assert len(output) == len(X), "one output for each configuration"


def check_windows(name, featurizer):
    """Configurations that are not periodic give finite features, as windows need them."""
    X, y, _ = two_phases()
    windows = Configurations(
        Configuration(one.positions, one.types, one.box, False, one.info) for one in X
    )
    for array in _arrays_of(fitted(featurizer, windows, y).transform(windows)):
        assert isinstance(array, dict) or np.isfinite(array).all(), "a window gives NaN"


def check_set_output(name, featurizer):
    """Pipelines set to pandas work: tables with names become data frames, all else stays."""
    try:
        import pandas as pd
    except ImportError as error:
        raise SkipTest("pandas is not installed") from error
    X, y, _ = two_phases()
    plain = fitted(featurizer, X, y).transform(X)
    with config_context(transform_output="pandas"):
        output = fitted(featurizer, X, y).transform(X)
    if _is_table(plain) and hasattr(featurizer, "get_feature_names_out"):
        assert isinstance(output, pd.DataFrame), f"expected a DataFrame, got {type(output)}"
        assert_equal(output.to_numpy(), plain, "the data frame")
        names = fitted(featurizer, X, y).get_feature_names_out()
        assert list(output.columns) == list(names), "columns must be the feature names"
    else:
        assert_equal(output, plain, "output without feature names, with pandas asked for")
    if hasattr(featurizer, "set_output"):
        default = seeded(featurizer).set_output(transform="default").fit(X, y).transform(X)
        assert_equal(default, plain, "set_output(transform='default')")


def check_feature_names(name, featurizer):
    """Every column of a table has a name of its own; output that is no table has none.

    Skipped for tables whose featurizer names no columns.
    """
    X, y, _ = two_phases()
    transformer = fitted(featurizer, X, y)
    output = transformer.transform(X)
    if not _is_table(output):
        assert not hasattr(transformer, "get_feature_names_out"), (
            "output that is no table must not define get_feature_names_out: scikit-learn would "
            "try to make a data frame of it"
        )
        return
    if not hasattr(transformer, "get_feature_names_out"):
        raise SkipTest("without get_feature_names_out, scikit-learn makes no data frames")
    names = transformer.get_feature_names_out()
    assert len(names) == output.shape[1], f"{len(names)} names for {output.shape[1]} columns"
    assert len(set(names)) == len(names), "feature names must differ"
    assert all(isinstance(name, str) for name in names), "feature names must be str"


def check_make_union(name, featurizer):
    """Two of them stand side by side in a union; skipped for output that is no table."""
    X, y, _ = two_phases()
    expected = fitted(featurizer, X, y).transform(X)
    if not _is_table(expected):
        raise SkipTest("scikit-learn joins tables only")
    output = make_union(seeded(featurizer), seeded(featurizer)).fit_transform(X, y)
    assert_equal(output, np.hstack([expected, expected]), "the union of two")


def check_pipeline_memory(name, featurizer):
    """A pipeline that caches its steps gives the same, the first and the second time."""
    X, y, _ = two_phases()
    expected = fitted(featurizer, X, y).transform(X)
    with tempfile.TemporaryDirectory() as folder:
        steps = [("featurizer", seeded(featurizer)), ("rest", "passthrough")]
        for time in ("first", "second"):
            output = Pipeline(steps, memory=folder).fit_transform(X, y)
            assert_equal(output, expected, f"the {time} fit of a pipeline with memory")


def check_cross_validate(name, featurizer):
    """A pipeline with it is cross-validated by run, in two processes as in one."""
    X, y, groups = two_phases()
    pipeline = make_pipeline(seeded(featurizer), DummyClassifier())
    for n_jobs in (1, 2):
        scores = cross_validate(
            pipeline, X, y, groups=groups, cv=GroupKFold(2), n_jobs=n_jobs, error_score="raise"
        )["test_score"]
        assert_close(scores, np.full(2, 0.5), f"scores with n_jobs={n_jobs}")


FEATURIZER_CHECKS = (
    *API_CHECKS,
    *INPUT_CHECKS,
    *REFUSAL_CHECKS,
    *REPEAT_CHECKS,
    check_fit_transform,
    check_y_ignored,
    check_output_length,
    check_output_is_finite,
    check_info_handed_on,
    check_lazy,
    check_three_dimensions,
    check_windows,
    check_set_output,
    check_feature_names,
    check_make_union,
    check_pipeline_memory,
    check_cross_validate,
    *INVARIANCE_CHECKS,
)


def check_featurizer(
    featurizer, *, expected_failed_checks=None, on_skip="warn", on_fail="raise", callback=None
):
    """Check that a featurizer of configurations keeps the rules of scikit-learn and glassclf.

    scikit-learn's own :func:`~sklearn.utils.estimator_checks.check_estimator` runs a single check
    on an estimator whose X is no 2-D array; these take its place.

    Parameters
    ----------
    featurizer : transformer instance
        Its X is whatever :func:`~glassclf.configurations.as_configurations` takes. The checks use
        configurations of 42 particles of types 0 and 1 at density 1, in a periodic box of 6 by 7.
        The class attribute ``_invariances`` declares what leaves the features as they are: a tuple
        out of "translation" (through the periodic box), "rotation90", "rotation" (by any angle, the
        box with it) and "permutation" (of the particles).
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
    Exception
        That of the first check that fails, with ``on_fail="raise"``.

    See Also
    --------
    check_configuration_estimator : The same for classifiers and regressors.

    Notes
    -----
    The classes of a featurizer that the checks on two processes run must be importable: not
    defined in ``__main__``.

    Examples
    --------
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import check_featurizer
    >>> results = check_featurizer(RDFFeaturizer(n_bins=10), on_skip=None)
    >>> sum(result["status"] == "passed" for result in results) >= 25
    True
    """
    return run_checks(
        featurizer,
        FEATURIZER_CHECKS,
        expected_failed_checks=expected_failed_checks,
        on_skip=on_skip,
        on_fail=on_fail,
        callback=callback,
    )
