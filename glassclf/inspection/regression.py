"""How well a regression meets values that are known: by value, with its errors over runs."""

from numbers import Real

import numpy as np
from scipy.stats import pearsonr, t
from sklearn.utils import Bunch, check_consistent_length

from glassclf.estimators.metadata import check_groups


def regression_report(y_true, y_pred, *, std=None, groups=None, confidence=0.95):
    """Compare predictions with true values, value by value.

    For targets out of a grid, such as the tumbling rates of a set of simulations, on runs that the
    model has not seen.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        In one unit; of a rate, take logarithms.
    std : array-like of shape (n,), default=None
        Uncertainty that the model claims for each prediction, such as the standard deviation over
        an ensemble.
    groups : array-like of shape (n,), default=None
        Run of each sample. None: each is a run of its own.
    confidence : float, default=0.95
        Of the intervals of the bias.

    Returns
    -------
    report : sklearn.utils.Bunch
        ``r`` : float, Pearson's correlation; ``mae`` : float, mean absolute error;
        ``value`` : ndarray of shape (n_values,), true values, rising; ``mean``, ``spread`` : mean
        and standard deviation of the predictions for each; ``n_runs`` : runs of each;
        ``bias`` : ndarray of shape (n_values,), mean error over runs; ``bias_interval`` : ndarray
        of shape (n_values, 2), by Student's t over runs, NaN for one run;
        ``coverage`` : ndarray of shape (2,), share of the true values within one and two ``std`` of
        the prediction (0.68 and 0.95 if they are right), or None; ``scale`` : float, factor that
        ``std`` would have to be multiplied by, the root mean square of error over ``std``, or None.

    Raises
    ------
    ValueError
        If arrays do not fit, a value is not finite, all true values are the same, an uncertainty
        is not positive, or ``confidence`` is not in (0, 1).

    See Also
    --------
    glassclf.plotting.RegressionDisplay : Draws predictions against true values.

    Examples
    --------
    >>> from glassclf.inspection import regression_report
    >>> report = regression_report([1, 1, 2, 2], [1.1, 1.0, 2.0, 1.7], std=[0.11] * 4)
    >>> report.value.tolist(), report.bias.round(2).tolist(), round(report.mae, 3)
    ([1.0, 2.0], [0.05, -0.15], 0.1)
    >>> report.coverage.tolist(), round(report.scale, 2)
    ([0.75, 0.75], 1.44)
    """
    y_true, y_pred = _checked("y_true", y_true), _checked("y_pred", y_pred)
    check_consistent_length(y_true, y_pred)
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise ValueError(f"confidence must be in (0, 1), got {confidence!r}")
    groups = np.arange(len(y_true)) if groups is None else check_groups(groups, len(y_true))
    value = np.unique(y_true)
    if len(value) < 2:
        raise ValueError(f"y_true must hold at least two values, got {value.tolist()}")
    error = y_pred - y_true
    rows = [np.flatnonzero(y_true == one) for one in value]
    of_runs = [_means_of_runs(error[each], groups[each]) for each in rows]
    bias = np.array([means.mean() for means in of_runs])
    half = np.array([_half_interval(means, confidence) for means in of_runs])
    coverage = scale = None
    if std is not None:
        std = _checked("std", std)
        check_consistent_length(std, y_true)
        if not (std > 0).all():
            raise ValueError("std must be positive")
        relative = np.abs(error) / std
        coverage = np.array([(relative <= n).mean() for n in (1, 2)])
        scale = float(np.sqrt((relative**2).mean()))
    return Bunch(
        r=float(pearsonr(y_true, y_pred).statistic),
        mae=float(np.abs(error).mean()),
        value=value,
        mean=np.array([y_pred[each].mean() for each in rows]),
        spread=np.array([y_pred[each].std() for each in rows]),
        n_runs=np.array([len(means) for means in of_runs]),
        bias=bias,
        bias_interval=np.column_stack([bias - half, bias + half]),
        coverage=coverage,
        scale=scale,
    )


def _checked(name, values):
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {values.shape}")
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{name} must be finite, got {values[first]} for sample {first}")
    return values


def _means_of_runs(error, groups):
    _, run = np.unique(groups, return_inverse=True)
    return np.bincount(run, error) / np.bincount(run)


def _half_interval(means, confidence):
    n = len(means)
    if n < 2:
        return np.nan
    return t.ppf((1 + confidence) / 2, n - 1) * means.std(ddof=1) / np.sqrt(n)
