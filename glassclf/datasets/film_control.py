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
from glassclf.simulation.cooling import check_count

NAMES = ("number", "composition", "density", "together")
# Standard errors within which an AUC counts as chance.
N_ERRORS = 2.0
N_FOLDS = 4
# With a dozen runs a single division into folds moves an AUC by 0.2.
N_DIVISIONS = 5


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
        groups if they are fewer, in five random divisions, over which the AUC is averaged.
    n_shuffles : int, default=50
        Shuffles of the labels, from which the errors are taken; at least 2.
    random_state : int, RandomState instance or None, default=0
        Seed of the divisions and of the shuffles.

    Returns
    -------
    control : sklearn.utils.Bunch
        ``names`` : tuple, "number" (of particles), "composition" (share of the types but the
        lowest), "density" (particles per volume) and "together"; ``auc`` : ndarray of shape (4,),
        mean over folds, of a logistic regression of each and of all; ``error`` : ndarray of shape
        (4,), by how much the AUC scatters with shuffled labels, 0 where all samples are equal;
        ``is_chance`` : bool, whether all are 0.5 within two errors.

    Raises
    ------
    ValueError
        If lengths differ, there are not two classes, there are fewer than two groups, or
        ``n_shuffles`` is not valid.

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
    check_count("n_shuffles", n_shuffles, 2)
    rng = check_random_state(random_state)
    divisions = [cv] if cv is not None else _divisions(min(N_FOLDS, n_groups), rng)
    features = _features(X)
    auc = _aucs(features, y, groups, divisions)
    shuffled = [
        _aucs(features, shuffle_labels(X, y, groups, random_state=rng)[1], groups, divisions)
        for _ in range(n_shuffles)
    ]
    error = np.sqrt(np.mean((np.array(shuffled) - 0.5) ** 2, axis=0))
    # Not smaller than rounding, for samples that are all equal.
    is_chance = bool((np.abs(auc - 0.5) <= np.maximum(N_ERRORS * error, 1e-9)).all())
    return Bunch(names=NAMES, auc=auc, error=error, is_chance=is_chance)


def _divisions(n_folds, rng):
    seeds = rng.randint(2**31 - 1, size=N_DIVISIONS)
    return [GroupKFold(n_folds, shuffle=True, random_state=int(seed)) for seed in seeds]


def _features(X):
    """Number, composition and density of each sample, as the columns of one matrix."""
    lowest = X.types.min()
    n_others = np.array([(sample.types != lowest).sum() for sample in X])
    return np.column_stack(
        [X.n_particles, n_others / X.n_particles, X.n_particles / volume(X.cells)]
    )


def _aucs(features, y, groups, divisions):
    """AUC of each column, then of all together."""
    varying = np.ptp(features, axis=0) > 0
    # Samples that are all equal are told apart by nothing.
    aucs = np.full(len(NAMES), 0.5)
    for column in np.flatnonzero(varying):
        aucs[column] = _mean_auc(features[:, [column]], y, groups, divisions)
    if varying.sum() == 1:
        aucs[-1] = aucs[:-1][varying][0]
    elif varying.any():
        aucs[-1] = _mean_auc(features, y, groups, divisions)
    return aucs


def _mean_auc(features, y, groups, divisions):
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    scores = [
        cross_val_score(classifier, features, y, groups=groups, cv=cv, scoring="roc_auc")
        for cv in divisions
    ]
    return np.concatenate(scores).mean()
