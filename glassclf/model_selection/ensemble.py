"""Several fitted estimators, averaged."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator

from glassclf.estimators.metadata import last_step


def average_of(members, X, y):
    """Average fitted estimators: their probabilities, or their predictions.

    Parameters
    ----------
    members : list of (str, estimator)
        Fitted on the same data; they are not fitted again.
    X, y : object
        That data.

    Returns
    -------
    ensemble : VotingClassifier or VotingRegressor

    Raises
    ------
    TypeError
        If a classifier has no probabilities.
    ValueError
        If there are several targets.
    """
    if np.ndim(y) != 1:
        raise ValueError(f"an ensemble averages one target, got y of shape {np.shape(y)}")
    frozen = [(name, FrozenEstimator(estimator)) for name, estimator in members]
    if not is_classifier(members[0][1]):
        return VotingRegressor(frozen).fit(X, y)
    for name, estimator in members:
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"an ensemble averages probabilities, and {name} ended in "
                f"{type(last_step(estimator)).__name__}, which has no predict_proba"
            )
    return VotingClassifier(frozen, voting="soft").fit(X, y)
