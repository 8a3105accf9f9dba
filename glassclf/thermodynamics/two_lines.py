"""Two straight lines, each through the points of one window, and where they cross.

A least-squares line follows from five sums over its points. They are kept run by run, so that the
lines of any resample of the runs are those of a weighted sum, and a thousand resamples take no
longer than one product of matrices. Nothing here knows of energies: it serves any quantity that
bends along temperature.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

# Shares of the width of a window, so that its edges hold the temperatures that a file has rounded.
EDGE_TOLERANCE = 1e-6


class WindowSums(NamedTuple):
    """What the two lines need to know of the points."""

    sums: np.ndarray
    """(n_runs, n_windows, 5): sums of 1, x, y, x^2, x y over the points of each run in each window,
    with x and y counted from the centre."""
    centre: np.ndarray
    """(2,): x between the windows and the mean of y, for the sake of rounding."""


class TwoLines(NamedTuple):
    """Two lines, or two for each resample (the leading axes)."""

    slopes: np.ndarray
    """(..., 2)"""
    intercepts: np.ndarray
    """(..., 2): y at x = 0."""
    crossing: np.ndarray
    """(...,): x where they cross; infinite or NaN where they are parallel, NaN where a window holds
    fewer than two values of x."""


def in_window(x, window):
    """Tell which values lie in a window, edges included.

    Parameters
    ----------
    x : ndarray
    window : (float, float)

    Returns
    -------
    inside : ndarray of bool
    """
    low, high = window
    tolerance = EDGE_TOLERANCE * (high - low)
    return (x >= low - tolerance) & (x <= high + tolerance)


def sum_in_windows(x, y, run, windows):
    """Sum up the points of each run in each window.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
    run : ndarray of int of shape (n_points,)
        Number of the run of each point; every number from 0 on occurs.
    windows : sequence of (float, float)

    Returns
    -------
    sums : WindowSums
    """
    centre = np.array([np.mean(windows), y.mean()])
    dx, dy = x - centre[0], y - centre[1]
    terms = np.stack([np.ones_like(dx), dx, dy, dx * dx, dx * dy], axis=1)
    sums = np.zeros((run.max() + 1, len(windows), 5))
    for place, window in enumerate(windows):
        inside = in_window(x, window)
        np.add.at(sums[:, place], run[inside], terms[inside])
    return WindowSums(sums, centre)


def fit_two_lines(sums, weights=None):
    """Fit a line in each window, by least squares.

    Parameters
    ----------
    sums : WindowSums
        Of two windows.
    weights : ndarray of shape (..., n_runs), default=None
        How often each run counts. None: once.

    Returns
    -------
    lines : TwoLines
    """
    by_run, centre = sums
    weights = np.ones(len(by_run)) if weights is None else weights
    return lines_of(np.tensordot(weights, by_run, axes=1), centre)


def lines_of(total, centre):
    """Return the lines that follow from sums over points.

    Parameters
    ----------
    total : ndarray of shape (..., 2, 5)
        As in :class:`WindowSums`, for all runs together.
    centre : ndarray of shape (2,)

    Returns
    -------
    lines : TwoLines
    """
    x_0, y_0 = centre
    n, x, y, xx, xy = np.moveaxis(total, -1, 0)
    spread = n * xx - x * x
    # A resample may hold a single temperature of a window, but for rounding.
    spread = np.where(spread > 1e-12 * n * xx, spread, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (n * xy - x * y) / spread
        heights = (y - slopes * x) / n  # at the centre
        crossing = x_0 + np.diff(heights)[..., 0] / -np.diff(slopes)[..., 0]
    return TwoLines(slopes, heights + y_0 - slopes * x_0, crossing)


def resample_runs(n_runs, n_resamples, rng):
    """Draw runs with replacement.

    Parameters
    ----------
    n_runs, n_resamples : int
    rng : numpy RandomState

    Returns
    -------
    weights : ndarray of float of shape (n_resamples, n_runs)
        How often each run was drawn.
    """
    return rng.multinomial(n_runs, np.full(n_runs, 1 / n_runs), size=n_resamples).astype(float)


def resampled_crossings(sums, weights):
    """Where the two lines of each resample cross.

    Parameters
    ----------
    sums : WindowSums
        Of two windows.
    weights : ndarray of shape (n_resamples, n_runs)

    Returns
    -------
    crossings : ndarray of shape (n_resamples,)
        NaN where the lines are parallel or bend the other way than those of all runs. Such lines
        cross as well, but between the two lies a crossing at infinity: that they cross far above
        is as much a sign of one far below.
    """
    bend = np.diff(fit_two_lines(sums).slopes)
    lines = fit_two_lines(sums, weights)
    same_way = np.diff(lines.slopes)[..., 0] * bend > 0
    return np.where(same_way, lines.crossing, np.nan)


def bootstrap_interval(values, n_runs, confidence):
    """Interval of a bootstrap distribution, widened for few runs.

    Percentiles alone are too narrow for few runs: they lack the factor sqrt(n / (n - 1)) and the
    tails of Student's t. The percentiles are moved outwards by as much [1]_.

    Parameters
    ----------
    values : ndarray of shape (n_resamples,)
        NaN stands for a value that may be anything: it counts as below the lower end, and as above
        the upper one.
    n_runs : int
        At least 2.
    confidence : float

    Returns
    -------
    interval : ndarray of shape (2,)
        Infinite where more than a tail of the values are NaN.

    References
    ----------
    .. [1] T. C. Hesterberg, Am. Stat. 69, 371 (2015), section 4.4 ("expanded percentile").
    """
    tail = norm.cdf(np.sqrt(n_runs / (n_runs - 1)) * t.ppf((1 - confidence) / 2, n_runs - 1))
    place = max(int(tail * (len(values) + 1)) - 1, 0)
    # By place and not by numpy's quantile, which makes NaN out of infinities.
    low = np.sort(np.where(np.isnan(values), -np.inf, values))[place]
    high = np.sort(np.where(np.isnan(values), np.inf, values))[-1 - place]
    return np.array([low, high])
