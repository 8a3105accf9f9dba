"""How a check handles what it checks: a featurizer, an estimator or a pipeline."""

import sys
from contextlib import contextmanager

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import has_fit_parameter

from glassclf.estimators.metadata import last_step
from glassclf.testing.samples import graded_disorder, two_phases


def last_step_prefix(estimator):
    """Give the prefix of fit parameters meant for the last step, such as ``"cnn__"``."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix


def takes(estimator, parameter):
    """Tell whether the fit of the last step has a parameter."""
    return has_fit_parameter(last_step(estimator), parameter)


def fit_parameters(estimator, **parameters):
    """Name fit parameters as a pipeline without metadata routing wants them."""
    prefix = last_step_prefix(estimator)
    return {prefix + name: value for name, value in parameters.items()}


def input_of_last_step(estimator, X, y):
    """Give what the last step of a pipeline gets to see: X after the steps before it."""
    while isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = clone(estimator[:-1]).fit_transform(X, y)
        estimator = estimator.steps[-1][1]
    return X


def seeded(estimator, seed=0):
    """Clone an estimator and give every random_state in it the same integer."""
    copy = clone(estimator)
    names = [name for name in copy.get_params() if name.rpartition("__")[2] == "random_state"]
    return copy.set_params(**dict.fromkeys(names, seed))


def task_for(estimator, n_runs=8):
    """Configurations and targets that suit an estimator.

    Parameters
    ----------
    estimator : estimator instance
        A regressor gets numbers, everything else the labels "glass" and "liquid".
    n_runs : int, default=8
        Number of runs, of two configurations each.

    Returns
    -------
    X : Configurations of shape (2 * n_runs,)
    y : ndarray of shape (2 * n_runs,)
    groups : ndarray of shape (2 * n_runs,)
    """
    return graded_disorder(n_runs) if is_regressor(estimator) else two_phases(n_runs)


def fitted(estimator, X, y):
    """Fit a seeded clone."""
    return seeded(estimator).fit(X, y)


def respond(estimator, X):
    """What a fitted estimator says about X.

    Probabilities of a classifier that gives them, predictions of any other estimator, features of
    a featurizer.
    """
    if is_classifier(estimator) or is_regressor(estimator):
        method = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
        return getattr(estimator, method)(X)
    return estimator.transform(X)


def fit_and_respond(estimator, X, y):
    """What a freshly fitted seeded clone says about the configurations it saw."""
    return respond(fitted(estimator, X, y), X)


def fitted_attributes(estimator):
    """Names of the attributes that fit has set."""
    return sorted(
        name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")
    )


@contextmanager
def one_torch_thread():
    """Let torch, where it is loaded, use one thread: sums then have one order everywhere."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def global_random_state():
    """Give the states of the global random generators of numpy and, where loaded, of torch."""
    _, keys, position, *_ = check_random_state(None).get_state()
    states = [keys.tobytes(), position]
    torch = sys.modules.get("torch")
    if torch is not None:
        states.append(torch.get_rng_state().numpy().tobytes())
    return states
