"""Several fitted estimators, averaged."""

from sklearn.base import is_classifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator


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
    """
    frozen = [(name, FrozenEstimator(estimator)) for name, estimator in members]
    if not is_classifier(members[0][1]):
        return VotingRegressor(frozen).fit(X, y)
    if not hasattr(members[0][1], "predict_proba"):
        raise TypeError(
            f"an ensemble averages probabilities, and {type(members[0][1]).__name__} has no "
            "predict_proba"
        )
    return VotingClassifier(frozen, voting="soft").fit(X, y)
