"""Handing groups and weights of the samples on to the estimator inside a meta-estimator."""

from numbers import Integral

import numpy as np
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import has_fit_parameter

from glassclf.configurations import as_configurations
from glassclf.featurizers.base import warn_user


def known_groups(X, groups):
    """Groups of the samples: those that were given, or the runs that X carries.

    Parameters
    ----------
    X : object
    groups : array-like of shape (n_samples,) or None

    Returns
    -------
    groups : array-like of shape (n_samples,) or None
        None where nothing is known.
    """
    if groups is None:
        info = getattr(X, "info", None)
        # The info of a pandas table is a method.
        groups = info.get("run") if isinstance(info, dict) else None
    return groups


def check_groups(groups, n, name="groups"):
    """Groups as an array of one for each sample.

    Parameters
    ----------
    groups : array-like of shape (n,)
    n : int
        Number of samples.
    name : str, default="groups"
        What they are called in the message.

    Returns
    -------
    groups : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If there are more or fewer, or one is missing (None or NaN).
    """
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise ValueError(
            f"{name} must have one value for each of the {n} samples, got shape {groups.shape}"
        )
    # NaN is not equal to itself.
    missing = np.array([group is None or group != group for group in groups.tolist()], dtype=bool)
    if missing.any():
        raise ValueError(f"{name} has no value for sample {int(np.argmax(missing))}")
    return groups


def with_info(X):
    """Join single configurations, whose runs the steps of a pipeline would lose.

    Parameters
    ----------
    X : object

    Returns
    -------
    X : object
        Configurations, if X was a list of configurations (or ``ase.Atoms``); else as it was.
    """
    if isinstance(X, (list, tuple)) and X and isinstance(getattr(X[0], "info", None), dict):
        return as_configurations(X)
    return X


def inner_fit_parameters(estimator, **metadata):
    """Name metadata as the last step of an estimator takes it, without metadata routing.

    Parameters
    ----------
    estimator : estimator
        A pipeline, also a nested one, a search of scikit-learn, or any other estimator.
    **metadata : array-like of shape (n_samples,) or None
        Such as ``groups``.

    Returns
    -------
    parameters : dict
        For ``estimator.fit``: what is not None and what the ``fit`` of the last step takes by name.
        A search also takes groups, for its splitter, and hands the others on.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators.metadata import inner_fit_parameters
    >>> pipe = make_pipeline(LogisticRegression())
    >>> inner_fit_parameters(pipe, groups=[0, 1], sample_weight=[1, 2])
    {'logisticregression__sample_weight': [1, 2]}
    """
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    given = {name: values for name, values in metadata.items() if values is not None}
    if isinstance(estimator, BaseSearchCV) and not has_fit_parameter(estimator, "groups"):
        inner = {**inner_fit_parameters(estimator.estimator, **given)}
        inner |= {name: values for name, values in given.items() if name == "groups"}
        return {prefix + name: values for name, values in inner.items()}
    return {
        prefix + name: values
        for name, values in given.items()
        if has_fit_parameter(estimator, name)
    }


def metadata_for_fit(meta, estimator, **metadata):
    """Parameters that a meta-estimator hands to the ``fit`` of the estimator inside it.

    Parameters
    ----------
    meta : estimator
        The meta-estimator, which routes as ``estimator``.
    estimator : estimator
        The one inside.
    **metadata : array-like of shape (n_samples,)
        Such as ``groups``.

    Returns
    -------
    parameters : dict
        With metadata routing what the estimator requests, else what its last step takes by name.

    Raises
    ------
    TypeError
        If there are weights, and the last step takes none.
    """
    if _routing_enabled():
        return dict(process_routing(meta, "fit", **metadata).estimator.fit)
    parameters = inner_fit_parameters(estimator, **metadata)
    if metadata.get("sample_weight") is not None:
        require_weights(parameters, estimator)
    return parameters


def require_weights(parameters, estimator):
    """Refuse weights of the samples that nobody takes.

    Parameters
    ----------
    parameters : dict
        What goes to ``fit`` of the estimator.
    estimator : estimator

    Raises
    ------
    TypeError
        If no weights are among the parameters.
    """
    if not any(name.rpartition("__")[2] == "sample_weight" for name in parameters):
        raise TypeError(
            f"sample_weight was given, but fit of {type(last_step(estimator)).__name__} takes none"
        )


def last_step(estimator):
    """Last step of a pipeline, also of a nested one; any other estimator is its own.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    last : estimator
    """
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def warn_of_torn_groups(estimator):
    """Warn of a search whose folds would tear groups apart.

    Parameters
    ----------
    estimator : estimator
    """
    search = last_step(estimator)
    # One whose fit takes groups by name minds them by itself.
    if isinstance(search, BaseSearchCV) and not has_fit_parameter(search, "groups"):
        if search.cv is None or isinstance(search.cv, Integral):
            warn_user(
                f"{type(search).__name__}(cv={search.cv!r}) puts windows of one configuration into "
                "training and test: give it a splitter that minds groups, such as GroupKFold()"
            )
