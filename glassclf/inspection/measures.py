"""Which measures of structure separate two classes, and which of them a network's score follows."""

from numbers import Integral

import numpy as np
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, validate_params

from glassclf.featurizers.base import Number


@validate_params(
    {
        "measures": [HasMethods(["items"])],
        "y": ["array-like"],
        "score": ["array-like", None],
        "groups": ["array-like", None],
        "n_bootstrap": [Number(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_measures(measures, y, score=None, *, groups=None, n_bootstrap=1000, random_state=None):
    """Compare measures of structure as classifiers of their own, and with the score of a model.

    Parameters
    ----------
    measures : dict of name to array-like of shape (n,), or pandas DataFrame
        One number for each configuration, such as ``X.info["inherent_energy"]``, a mean
        coordination number or one of :func:`bond_metrics`.
    y : array-like of shape (n,)
        Labels of two classes.
    score : array-like of shape (n,), default=None
        Log odds of the second class by a model that has not seen the runs, such as those of
        ``cross_val_predict``.
    groups : array-like of shape (n,), default=None
        Run of each configuration. None: each is a run of its own.
    n_bootstrap : int, default=1000
        Resamples of the runs, for the error.
    random_state : int, RandomState or None, default=None
        Draws the resamples.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``names`` : list of str;
        ``auc`` : ndarray of shape (n_measures,), of the second class by the measure itself, no fit:
        0.1 separates as well as 0.9, with smaller values in the second class;
        ``auc_error`` : ndarray of shape (n_measures,), standard deviation over resamples; NaN if
        a class is in one run only;
        ``correlation`` : ndarray of shape (n_measures,), Spearman's with the score, or None;
        ``explained`` : ndarray of shape (n_measures,), share of the variance of the score that a
        straight line in the measure explains, or None;
        ``explained_by_all`` : float, the same for all measures together, or None.

    Raises
    ------
    ValueError
        If there are not two classes, a measure is not finite or of another length than ``y``, or
        the score is the same for all.

    Notes
    -----
    Shares are of the data themselves (R2 of ordinary least squares): with as many measures as
    configurations everything is explained.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen, select_pair
    >>> from glassclf.inspection import compare_measures
    >>> X, y, run = select_pair(load_kob_andersen(), liquid=0.635)
    >>> result = compare_measures({"energy": X.info["inherent_energy"]}, y, groups=run)
    >>> result.names, result.auc.round(2).tolist()
    (['energy'], [1.0])
    """
    y = np.asarray(y)
    classes = np.unique(y)
    if len(classes) != 2:
        raise ValueError(f"y must hold two classes, got {classes.tolist()}")
    measures = dict(measures.items())
    if not measures:
        raise ValueError("measures holds none: give a dict of name to values")
    table = np.column_stack([_checked(name, values, y) for name, values in measures.items()])
    rng, truth = check_random_state(random_state), y == classes[1]
    groups = np.arange(len(y)) if groups is None else np.asarray(groups)
    check_consistent_length(y, groups)
    result = Bunch(
        names=list(measures),
        auc=_aucs(truth, table),
        auc_error=_errors(truth, table, groups, n_bootstrap, rng),
        correlation=None,
        explained=None,
        explained_by_all=None,
    )
    if score is not None:
        score = _checked("score", score, y)
        if np.ptp(score) == 0:
            raise ValueError(f"score is {score[0]} for all configurations: nothing to explain")
        result.correlation = np.array([spearmanr(column, score).statistic for column in table.T])
        result.explained = np.array([_share(column[:, None], score) for column in table.T])
        result.explained_by_all = _share(table, score)
    return result


def _checked(name, values, y):
    values = np.asarray(values, dtype=float)
    if values.shape != y.shape:
        raise ValueError(f"{name} must have shape {y.shape}, as y has, got {values.shape}")
    if not np.isfinite(values).all():
        sample = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{name} must be finite, got {values[sample]} for configuration {sample}")
    return values


def _aucs(truth, table):
    # By the ranks of the positive samples, as Mann and Whitney do: for a thousand resamples the
    # checks of roc_auc_score take minutes.
    n_positive = truth.sum()
    ranks = rankdata(table, axis=0)[truth].sum(axis=0)
    pairs = n_positive * (len(truth) - n_positive)
    return (ranks - n_positive * (n_positive + 1) / 2) / pairs


def _errors(truth, table, groups, n_bootstrap, rng):
    _, run = np.unique(groups, return_inverse=True)
    if min(len(np.unique(run[truth])), len(np.unique(run[~truth]))) < 2:
        # Every resample that holds both classes is the same.
        return np.full(table.shape[1], np.nan)
    rows_of = [np.flatnonzero(run == number) for number in range(run.max() + 1)]
    found = []
    for _ in range(n_bootstrap):
        drawn = rng.randint(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[number] for number in drawn])
        # A resample may hold one class only, where runs are of one class.
        if 0 < truth[rows].sum() < len(rows):
            found.append(_aucs(truth[rows], table[rows]))
    return np.std(found, axis=0) if found else np.full(table.shape[1], np.nan)


def _share(table, score):
    return float(LinearRegression().fit(table, score).score(table, score))
