"""The network at the end of a pipeline, and what it is trained on."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from glassclf.estimators.base import NetworkEstimator
from glassclf.estimators.metadata import known_groups, with_info


def prepare_network(estimator, X, y, groups):
    """Separate a network from what stands before it, and make the input of its training.

    Parameters
    ----------
    estimator : estimator
        A network of glassclf, or a pipeline that ends in one. Left as it is.
    X : array-like or Configurations
        What the estimator takes.
    y : array-like of shape (n_samples,)
    groups : array-like of shape (n_samples,) or None
        None means ``X.info["run"]`` where X carries it.

    Returns
    -------
    network : NetworkEstimator
        A clone.
    features : array-like
        X behind the steps before the network, clones of which were fitted on it.
    groups : array-like of shape (n_samples,) or None

    Raises
    ------
    TypeError
        If there is no network at the end.
    ValueError
        If the network is to keep the encoder of an earlier fit.
    """
    X = with_info(X)
    groups = known_groups(X, groups)
    before, network = [], estimator
    while isinstance(network, Pipeline):
        if len(network) > 1:
            before.append(network[:-1])
        network = network[-1]
    if not isinstance(network, NetworkEstimator):
        raise TypeError(
            "estimator must be a network of glassclf.estimators or a pipeline that ends in one, "
            f"got {type(network).__name__}"
        )
    if network.freeze_encoder:
        raise ValueError(
            "freeze_encoder=True keeps the encoder of an earlier fit, but here every training "
            "starts from new weights: set freeze_encoder=False"
        )
    features = X
    for steps in before:
        features = clone(steps).fit_transform(features, y)
    return clone(network), features, groups
