"""Checks that the same question gets the same answer: seeds, order, copies, processes."""

import pickle
import tempfile
from pathlib import Path
from unittest import SkipTest

import joblib
import numpy as np
from sklearn.utils import check_random_state

from glassclf.testing.comparison import assert_close, assert_equal
from glassclf.testing.subject import (
    fit_and_respond,
    fitted,
    one_torch_thread,
    respond,
    seeded,
    task_for,
)


def check_output_repeatable(name, estimator):
    """Asked twice about the same X, a fitted estimator says the same."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    assert_equal(respond(model, X), respond(model, X), "the second output")


def check_equal_seeds(name, estimator):
    """Two fits with the same random_state are equal bit for bit, whatever the global seed."""
    X, y, _ = task_for(estimator)
    numpy_global = check_random_state(None)
    state = numpy_global.get_state()
    try:
        numpy_global.seed(0)
        first = fit_and_respond(estimator, X, y)
        numpy_global.seed(1)
        second = fit_and_respond(estimator, X, y)
    finally:
        numpy_global.set_state(state)
    assert_equal(second, first, "a second fit with the same random_state")


def check_refit_forgets(name, estimator):
    """A second fit of the same object equals the first."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    first = respond(model, X)
    assert_equal(respond(model.fit(X, y), X), first, "a second fit of the same object")


def check_sample_order_invariance(name, estimator):
    """The output for a configuration does not depend on its place in X."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert_close(respond(model, X[order]), respond(model, X)[order], "X in another order")


def check_subset_invariance(name, estimator):
    """The output for a configuration does not depend on the others in X."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    whole = respond(model, X)
    for start, stop in ((0, 1), (1, 4), (4, len(X))):
        assert_close(respond(model, X[start:stop]), whole[start:stop], "a subset of X")


def check_pickle(name, estimator):
    """A fitted estimator that was pickled and loaded says the same."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert_equal(respond(loaded, X), respond(model, X), "the unpickled estimator")


def check_joblib_memmap_load(name, estimator):
    """A fitted estimator whose arrays joblib maps read-only from disk says the same."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    expected = respond(model, X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.joblib")
        joblib.dump(model, path)
        loaded = joblib.load(path, mmap_mode="r")
        assert_equal(respond(loaded, X), expected, "the estimator mapped from disk")


def check_n_jobs(name, estimator):
    """With ``n_jobs=2`` the output is that with ``n_jobs=1``."""
    names = [name for name in estimator.get_params() if name.rpartition("__")[2] == "n_jobs"]
    if not names:
        raise SkipTest("there is no parameter n_jobs")
    X, y, _ = task_for(estimator)
    with one_torch_thread(), joblib.parallel_config(inner_max_num_threads=1, backend="loky"):
        outputs = []
        for n_jobs in (1, 2):
            model = seeded(estimator).set_params(**dict.fromkeys(names, n_jobs)).fit(X, y)
            outputs.append(respond(model, X))
    assert_equal(outputs[1], outputs[0], "n_jobs=2")


REPEAT_CHECKS = (
    check_output_repeatable,
    check_equal_seeds,
    check_refit_forgets,
    check_sample_order_invariance,
    check_subset_invariance,
    check_pickle,
    check_joblib_memmap_load,
    check_n_jobs,
)
