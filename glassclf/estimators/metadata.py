"""Handing groups and weights of the samples on to the estimator inside a meta-estimator."""

from sklearn.pipeline import Pipeline
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import has_fit_parameter

from glassclf.configurations import as_configurations


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
        A pipeline, also a nested one, or any other estimator.
    **metadata : array-like of shape (n_samples,) or None
        Such as ``groups``.

    Returns
    -------
    parameters : dict
        For ``estimator.fit``: what is not None and what the ``fit`` of the last step takes by name.

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
    return {
        prefix + name: values
        for name, values in metadata.items()
        if values is not None and has_fit_parameter(estimator, name)
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
    """
    if _routing_enabled():
        return dict(process_routing(meta, "fit", **metadata).estimator.fit)
    return inner_fit_parameters(estimator, **metadata)
