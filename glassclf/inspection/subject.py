"""Estimators that are looked into: fitted ones, the network within, and how to fit one anew."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from glassclf.estimators.base import NetworkEstimator
from glassclf.estimators.metadata import metadata_for_fit, with_info


def unrolled(estimator):
    """Steps of an estimator, those of pipelines within it one by one.

    Parameters
    ----------
    estimator : estimator
        Pipelines, also nested ones, are taken apart, and of a search its ``best_estimator_``.

    Returns
    -------
    steps : list of estimator
        The last one is neither a pipeline nor a search.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not isinstance(estimator, Pipeline):
        return [estimator]
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    return [*steps[:-1], *unrolled(steps[-1])]


def fitted_network(estimator, module, what):
    """Take the fitted network at the end of an estimator, and the steps before it.

    Parameters
    ----------
    estimator : estimator
        A network of :mod:`glassclf.estimators`, a pipeline that ends in one, or a search over such.
    module : type or tuple of type
        Torch modules that will do.
    what : str
        What is asked of the network, for the message.

    Returns
    -------
    before : list of transformer
    network : NetworkEstimator

    Raises
    ------
    TypeError
        If there is no network at the end, or one with another module.
    """
    *before, network = unrolled(estimator)
    if not isinstance(network, NetworkEstimator):
        raise TypeError(
            f"{what} needs a network of glassclf.estimators or a pipeline that ends in one, got "
            f"{type(network).__name__}"
        )
    check_is_fitted(network, "net_")
    if not isinstance(network.net_.module_, module):
        modules = module if isinstance(module, tuple) else (module,)
        raise TypeError(
            f"{what} looks into a {' or a '.join(each.__name__ for each in modules)}, got a module "
            f"{type(network.net_.module_).__name__}"
        )
    return before, network


def features_for(before, X):
    """Features of X as the network at the end of a pipeline sees them.

    Parameters
    ----------
    before : list of transformer
        Fitted.
    X : object
        What the first of them takes; if there is none, what the network takes.

    Returns
    -------
    features : array-like
    """
    features = with_info(X)
    for step in before:
        features = step.transform(features)
    return features


def fit_rows(estimator, X, y, groups, rows):
    """Fit a clone of an estimator to some rows, with their groups where it takes them.

    Parameters
    ----------
    estimator : estimator
    X : list, array-like or Configurations
    y, groups : ndarray of shape (n,)
    rows : ndarray of int

    Returns
    -------
    fitted : estimator
    """
    fitted = clone(estimator)
    router = MetadataRouter(owner="glassclf.inspection").add(
        estimator=fitted, method_mapping=MethodMapping().add(caller="fit", callee="fit")
    )
    # With routing on, whoever has not asked for groups must not be given any.
    wanted = not _routing_enabled() or router.consumes("fit", ["groups"])
    metadata = {"groups": groups[rows]} if wanted else {}
    parameters = metadata_for_fit(router, fitted, **metadata)
    return fitted.fit(_safe_indexing(X, rows), y[rows], **parameters)


def require_whole_groups(number, groups, train, test):
    """Refuse a fold that has samples of one run in both of its parts.

    Parameters
    ----------
    number : int
        Of the fold, for the message.
    groups : ndarray of shape (n,)
    train, test : ndarray of int

    Raises
    ------
    ValueError
        Naming the run.
    """
    torn = set(groups[test].tolist()) & set(groups[train].tolist())
    if torn:
        raise ValueError(
            f"fold {number} of cv has run {min(torn, key=str)!r} in both parts: use a splitter "
            "that keeps groups together, such as GroupKFold"
        )
