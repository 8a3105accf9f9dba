"""The first thing to ask of a model: whether it can learn a few samples by heart."""

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_method_params, _num_samples


def check_memorizes(
    estimator, X, y, *, n_samples=4, min_score=0.95, random_state=0, fit_params=None
):
    """Check that an estimator learns a few samples by heart.

    One that cannot will not learn many either: a rate that is too high or too low, too few epochs,
    too strong a regularisation, a target in the wrong order, or input that is not what one thinks.
    It takes seconds, and is worth them before a long training.

    Parameters
    ----------
    estimator : classifier or regressor instance
        Also a pipeline or a search. A clone is fitted.
    X : Configurations, ndarray, Graphs or any other set that scikit-learn can index
    y : array-like of shape (n_samples_of_X,) or (n_samples_of_X, n_outputs)
        Labels or targets.
    n_samples : int, default=4
        How many samples, drawn at random; of each class as many as of the others.
    min_score : float, default=0.95
        Accuracy, or R2, on these samples that is called learned.
    random_state : int, RandomState instance or None, default=0
        Seed of the draw.
    fit_params : dict, default=None
        Further arguments of ``fit``. Of those with one value for each sample, such as ``forces``,
        only the drawn ones are passed on.

    Returns
    -------
    score : float

    Raises
    ------
    AssertionError
        If the score is lower.
    ValueError
        If X has fewer samples, or those drawn are all equal in y.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import check_memorizes, two_phases
    >>> X, y, run = two_phases()
    >>> check_memorizes(make_pipeline(RDFFeaturizer(), LogisticRegression()), X, y)
    1.0
    """
    n_known = _num_samples(X)
    if not 2 <= n_samples <= n_known:
        raise ValueError(f"n_samples must be between 2 and the {n_known} of X, got {n_samples}")
    rows = _draw(np.asarray(y), n_samples, is_classifier(estimator), random_state)
    few, targets = _safe_indexing(X, rows), _safe_indexing(y, rows)
    if len(np.unique(np.asarray(targets), axis=0)) < 2:
        raise ValueError(f"the {n_samples} samples drawn are all equal in y: draw more of them")
    parameters = _check_method_params(X, fit_params or {}, indices=rows)
    score = float(clone(estimator).fit(few, targets, **parameters).score(few, targets))
    if not score >= min_score:
        raise AssertionError(
            f"{type(estimator).__name__} did not learn {n_samples} samples by heart: score "
            f"{score:.3g} on them, {min_score:g} was asked for. Try more epochs, another learning "
            "rate, less regularisation; look at what it is fed (glassclf.inspection.peek)"
        )
    return score


def _draw(y, n_samples, of_classes, random_state):
    order = check_random_state(random_state).permutation(len(y))
    if of_classes:
        # The first of each class, then the second of each, and so on.
        places = np.empty(len(y), dtype=int)
        for label in np.unique(y):
            own = y[order] == label
            places[own] = np.arange(own.sum())
        order = order[np.argsort(places, kind="stable")]
    return np.sort(order[:n_samples])
