"""What samples of films can be told apart by without looking at their structure."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch, check_consistent_length, check_random_state

from glassclf.configurations.box import volume
from glassclf.configurations.conversion import as_configurations
from glassclf.datasets.null_control import shuffle_labels

NAMES = ("number", "composition", "density", "together")
# Standard errors within which an AUC counts as chance.
N_ERRORS = 2.0


def composition_control(X, y, groups, *, cv=None, n_shuffles=50, random_state=0):
    """How far number, composition and density alone tell two classes apart.

    A network finds them in no time, and then has learned nothing about structure. Its score counts
    only where these AUCs are 0.5 within their errors.

    Parameters
    ----------
    X : Configurations, or anything that ``as_configurations`` takes
        Samples, such as those of :func:`select_films`.
    y : array-like of shape (n,)
        Two classes.
    groups : array-like of shape (n,)
        The run of each sample.
    cv : cross-validator, default=None
        None: :class:`~sklearn.model_selection.GroupKFold` with four folds, or as many as there are
        groups if they are fewer.
    n_shuffles : int, default=50
        Shuffles of the labels, from which the errors are taken.
    random_state : int, RandomState instance or None, default=0
        Seed of the shuffles.

    Returns
    -------
    control : sklearn.utils.Bunch
        ``names`` : tuple, "number" (of particles), "composition" (share of the types but the
        lowest), "density" (particles per volume) and "together"; ``auc`` : ndarray of shape (4,),
        mean over folds of a logistic regression of each and of all; ``error`` : ndarray of shape
        (4,), by how much the AUC scatters with shuffled labels, 0 where all samples are equal;
        ``is_chance`` : bool, whether all are 0.5 within two errors.

    Raises
    ------
    ValueError
        If lengths differ, there are not two classes, or there are fewer than two groups.

    Examples
    --------
    >>> from glassclf.datasets import composition_control, select_films
    >>> from glassclf.testing import toy_films
    >>> X, y, groups = select_films(toy_films(8), n_particles=100)
    >>> control = composition_control(X, y, groups, n_shuffles=5)
    >>> control.names[:2], control.auc[:2].tolist()
    (('number', 'composition'), [0.5, 0.5])
    """
    X = as_configurations(X)
    check_consistent_length(X, y, groups)
    y, groups = np.asarray(y), np.asarray(groups)
    if len(np.unique(y)) != 2:
        raise ValueError(f"y must hold two classes, got {np.unique(y).tolist()}")
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError("a control needs at least two groups, to hold one out, got 1")
    cv = GroupKFold(min(4, n_groups)) if cv is None else cv
    features = _features(X)
    auc = _grouped_auc(features, y, groups, cv)
    rng = check_random_state(random_state)
    shuffled = [
        _grouped_auc(features, shuffle_labels(X, y, groups, random_state=rng)[1], groups, cv)
        for _ in range(n_shuffles)
    ]
    error = np.sqrt(np.mean((np.array(shuffled) - 0.5) ** 2, axis=0))
    # Not smaller than rounding, for samples that are all equal.
    is_chance = bool((np.abs(auc - 0.5) <= np.maximum(N_ERRORS * error, 1e-9)).all())
    return Bunch(names=NAMES, auc=auc, error=error, is_chance=is_chance)


def _features(X):
    """Number, composition and density of each sample, each as a matrix, then all together."""
    lowest = X.types.min()
    n_others = np.array([(sample.types != lowest).sum() for sample in X])
    table = np.column_stack([X.n_particles, n_others / X.n_particles, X.n_particles])
    table[:, 2] /= volume(X.cells)
    return [table[:, [0]], table[:, [1]], table[:, [2]], table]


def _grouped_auc(features, y, groups, cv):
    varying = [one[:, np.ptp(one, axis=0) > 0] for one in features]
    return np.array([_auc_of_one(one, y, groups, cv) for one in varying])


def _auc_of_one(features, y, groups, cv):
    if features.shape[1] == 0:
        return 0.5  # of samples that are all equal
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    return cross_val_score(classifier, features, y, groups=groups, cv=cv, scoring="roc_auc").mean()
