"""From where on a simulation is in its steady state."""

import logging
import warnings

import numpy as np
from sklearn.utils import Bunch, check_consistent_length

from glassclf._extras import import_extra

# A run that drifts through more than this share of it has shown no steady state.
LATEST_START = 0.5


def steady_state(values, groups=None):
    """Find the part of each run in which a quantity has stopped to drift.

    Parameters
    ----------
    values : array-like of shape (n,)
        Of each snapshot, in the order of time within each run: such as the weighted mean cluster
        size of :func:`cluster_measures`, or an energy.
    groups : array-like of shape (n,), default=None
        Run of each snapshot. None: all are of one run.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``mask`` : ndarray of bool of shape (n,), True in the steady state: ``X[mask]`` and
        ``y[mask]`` are what to train on;
        ``runs`` : ndarray of shape (n_runs,), sorted;
        ``start`` : ndarray of int of shape (n_runs,), snapshot of each run at which it begins;
        ``n_effective`` : ndarray of shape (n_runs,), uncorrelated snapshots in it.

    Raises
    ------
    ImportError
        If pymbar is not installed; it comes with ``glassclf[simulation]``.
    ValueError
        If a value is not finite, or a run has fewer than 10 snapshots.

    Warns
    -----
    UserWarning
        If the steady state of a run begins in its second half: it may not have been reached.

    Notes
    -----
    The start is where the number of effectively uncorrelated samples after it is largest: J. D.
    Chodera, J. Chem. Theory Comput. 12, 1799 (2016), equation 12, by
    ``pymbar.timeseries.detect_equilibration``.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.thermodynamics import steady_state
    >>> time, noise = np.arange(400), np.random.default_rng(0).normal(size=400)
    >>> result = steady_state(5 * np.exp(-time / 10) + 0.1 * noise)
    >>> bool(20 < result.start[0] < 80), int(result.mask.sum() + result.start[0])
    (True, 400)
    """
    detect = _detector()
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"values must be one number a snapshot, got shape {values.shape}")
    groups = np.zeros(len(values), dtype=int) if groups is None else np.asarray(groups)
    check_consistent_length(values, groups)
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"values must be finite, got {values[first]} for snapshot {first}")
    runs, mask = np.unique(groups), np.zeros(len(values), dtype=bool)
    start, n_effective = np.zeros(len(runs), dtype=int), np.zeros(len(runs))
    for number, run in enumerate(runs):
        rows = np.flatnonzero(groups == run)
        if len(rows) < 10:
            raise ValueError(f"run {run} has {len(rows)} snapshots: give at least 10")
        if np.ptp(values[rows]) > 0:
            begin, _, n = detect(values[rows])
            start[number], n_effective[number] = begin, n
        else:
            n_effective[number] = 1
        mask[rows[start[number] :]] = True
        if start[number] > LATEST_START * len(rows):
            warnings.warn(
                f"the steady state of run {run} begins at snapshot {start[number]} of "
                f"{len(rows)}: it may not have been reached, simulate for longer",
                stacklevel=2,
            )
    return Bunch(mask=mask, runs=runs, start=start, n_effective=n_effective)


def _detector():
    # What it says on import, of a library that would make it faster, is of no use here.
    logger = logging.getLogger("pymbar")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        series = import_extra("pymbar.timeseries", "simulation", "finding the steady state")
    finally:
        logger.setLevel(level)
    return series.detect_equilibration
