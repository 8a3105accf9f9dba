"""The glass transition temperature: where two straight lines through a cooling curve cross."""

import itertools
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from glassclf.thermodynamics.points import gather_points
from glassclf.thermodynamics.two_lines import (
    bootstrap_interval,
    fit_two_lines,
    in_window,
    lines_of,
    resample_runs,
    resampled_crossings,
    sum_in_windows,
)

# With fewer the interval holds the truth less often than it says (measured: 86 % with 4 runs).
FEWEST_RUNS = 5
# By these shares of its width the edges of a window are moved, to see how much that matters.
EDGE_MOVES = (-0.25, 0.0, 0.25)


class GlassTransition(BaseEstimator):
    """Glass transition temperature from inherent energies along a cooling.

    One straight line is fitted to the glass, one to the liquid, each over a window of temperatures.
    They cross at the glass transition temperature, ``tg_``. Two lines always cross somewhere, and
    the choice of windows moves the crossing: ``tg_interval_`` says how much it would vary with
    other runs, ``tg_window_range_`` how much with other windows.

    Parameters
    ----------
    low : (float, float), default=(0.05, 0.2)
        Window of the glass, edges included.
    high : (float, float), default=(0.5, 0.8)
        Window of the liquid. It must be in equilibrium there: after a fast cooling it is not.
    confidence : float, default=0.95
        Of ``tg_interval_``.
    n_bootstrap : int, default=10000
        Number of resamples of the runs.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Attributes
    ----------
    tg_ : float
        Temperature at which the lines cross.
    tg_interval_ : ndarray of shape (2,)
        From a bootstrap over runs, with percentiles widened for few runs [1]_. NaN for one run;
        minus and plus infinity where the runs do not tell whether there is a bend at all.
    tg_window_range_ : ndarray of shape (2,)
        Lowest and highest crossing as the windows vary: each of the four edges stays, or moves by a
        quarter of the width of its window up or down, in all 81 combinations. Those with fewer than
        two temperatures in a window, or a crossing outside the data, are left out.
    windows_ : ndarray of shape (2, 2)
        Low and high window, as fitted.
    lines_ : ndarray of shape (2, 2)
        Slope and intercept (energy at T = 0) of the low line, and of the high one.
    slope_ratio_ : float
        Slope of the low line over that of the high one. Near 0 the glass has frozen; near 1 there
        is hardly a bend.
    bootstrap_ : ndarray of shape (n_bootstrap,)
        Crossing of each resample, NaN where its lines are parallel or bend the other way; empty
        for one run.
    n_runs_ : int
        Number of runs.
    runs_ : ndarray of shape (n_runs,) or None
        Names of the runs, sorted, if ``groups`` were given.
    temperature_ : ndarray of shape (n_temperatures,)
        Temperatures of the data, rising.
    energy_ : ndarray of shape (n_temperatures,)
        Mean energy at each of them, over runs.

    See Also
    --------
    compare_glass_transitions : Differences between several, with intervals.
    glassclf.plotting.GlassTransitionDisplay : Draws points, lines and windows.

    References
    ----------
    .. [1] T. C. Hesterberg, What teachers should know about the bootstrap, Am. Stat. 69, 371
       (2015).

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen
    >>> from glassclf.thermodynamics import GlassTransition, cooling_curves
    >>> curves = cooling_curves(load_kob_andersen())
    >>> transition = GlassTransition(low=(0.05, 0.206), high=(0.479, 0.8), random_state=0)
    >>> transition = transition.fit(curves.temperature, curves.energy, groups=curves.runs)
    >>> round(transition.tg_, 3)
    0.375

    Four points read off a plot do as well:

    >>> transition = GlassTransition(low=(0, 0.3), high=(0.4, 0.6))
    >>> energy = [-3.9033, -3.902, -3.8876, -3.8654]
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # one curve has no interval
    ...     transition = transition.fit([0.05, 0.245, 0.44, 0.557], energy)
    >>> round(transition.tg_, 4)
    0.3684
    """

    __metadata_request__fit = {"groups": True}

    _parameter_constraints: dict = {
        "low": ["array-like"],
        "high": ["array-like"],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "n_bootstrap": [Interval(Integral, 100, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        low=(0.05, 0.20),
        high=(0.50, 0.80),
        *,
        confidence=0.95,
        n_bootstrap=10_000,
        random_state=None,
    ):
        self.low = low
        self.high = high
        self.confidence = confidence
        self.n_bootstrap = n_bootstrap
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, temperature, energy, groups=None):
        """Fit the two lines.

        Parameters
        ----------
        temperature : array-like of shape (n_points,)
            In any order. With an ``energy`` of two dimensions it may have its shape.
        energy : array-like of shape (n_points,) or (n_runs, n_points)
            Of one curve, or of several runs. Any quantity that bends along temperature will do.
        groups : array-like of shape (n_runs,) or (n_points,), default=None
            Names of the runs: of each row of a two-dimensional ``energy``, or of each point of a
            one-dimensional one, whose runs then need not share their temperatures. The bootstrap
            draws whole runs. None: each row is a run; a single row is one run.

        Returns
        -------
        self : GlassTransition

        Raises
        ------
        ValueError
            If a parameter is not valid, something is not finite or shapes do not fit, a window
            holds fewer than two temperatures, or the lines are parallel.

        Warns
        -----
        UserWarning
            If the lines or the interval reach outside the data, or there are fewer than 5 runs.
        """
        windows = check_windows(self.low, self.high)
        points = gather_points(temperature, energy, groups)
        for name, window in zip(("low", "high"), windows):
            _check_filled(name, window, points.temperature)
        sums = sum_in_windows(points.temperature, points.energy, points.run, windows)
        lines = fit_two_lines(sums)
        _check_crossing(lines, windows, points)

        self.windows_ = windows
        self.tg_ = float(lines.crossing)
        self.lines_ = np.column_stack([lines.slopes, lines.intercepts])
        self.slope_ratio_ = _ratio(*lines.slopes)
        self.n_runs_ = len(sums.sums)
        self.runs_ = points.names
        self.temperature_, self.energy_ = _mean_curve(points)
        self._sums = sums
        self._resample()
        self.tg_window_range_ = _range_over_windows(self.tg_, windows, points)
        return self

    def _resample(self):
        self.bootstrap_ = np.empty(0)
        self.tg_interval_ = np.full(2, np.nan)
        if self.n_runs_ == 1:
            warnings.warn(
                "there is one run: tg_interval_ is NaN. Give energy one row a run, or groups",
                stacklevel=4,
            )
            return
        if self.n_runs_ < FEWEST_RUNS:
            warnings.warn(
                f"there are {self.n_runs_} runs: with fewer than {FEWEST_RUNS}, tg_interval_ is "
                "too narrow",
                stacklevel=4,
            )
        rng = check_random_state(self.random_state)
        weights = resample_runs(self.n_runs_, self.n_bootstrap, rng)
        self.bootstrap_ = resampled_crossings(self._sums, weights)
        self.tg_interval_ = bootstrap_interval(self.bootstrap_, self.n_runs_, self.confidence)
        low, high = self.tg_interval_
        if low < self.temperature_[0] or high > self.temperature_[-1]:
            warnings.warn(
                f"tg_interval_ ({low:g} to {high:g}) reaches outside the data "
                f"({self.temperature_[0]:g} to {self.temperature_[-1]:g}): the slopes of the two "
                "lines differ by little more than their error, so these runs hardly show where the "
                "bend is. Give more runs, or other windows",
                stacklevel=4,
            )


class ParallelLinesError(ValueError):
    """Two lines cross nowhere: what was to show a bend shows none."""


def check_windows(low, high):
    """Check two windows of temperatures.

    Parameters
    ----------
    low, high : (float, float)

    Returns
    -------
    windows : ndarray of shape (2, 2)

    Raises
    ------
    ValueError
        If one is no rising pair of finite numbers, or they overlap.
    """
    windows = []
    for name, window in (("low", low), ("high", high)):
        pair = np.asarray(window)
        is_pair = pair.shape == (2,) and pair.dtype.kind in "iuf" and np.isfinite(pair).all()
        if not is_pair or pair[0] >= pair[1]:
            raise ValueError(
                f"{name} must be a window of temperatures, (lowest, highest), got {window!r}"
            )
        windows.append(pair.astype(np.float64))
    if windows[0][1] > windows[1][0]:
        raise ValueError(f"low must end below the begin of high, got low={low} and high={high}")
    return np.array(windows)


def _check_filled(name, window, temperature):
    inside = np.unique(temperature[in_window(temperature, window)])
    if len(inside) < 2:
        lowest, highest = temperature.min(), temperature.max()
        raise ValueError(
            f"the window {name}=({window[0]:g}, {window[1]:g}) must hold at least 2 temperatures, "
            f"it holds {inside.tolist()}; the data reach from {lowest:g} to {highest:g}: "
            "give another window"
        )


def _check_crossing(lines, windows, points):
    size = np.abs(points.energy).max() / np.ptp(windows, axis=1).min()
    rounding = 64 * np.finfo(float).eps * size
    difference = abs(lines.slopes[1] - lines.slopes[0])
    if difference <= max(rounding, 1e-10 * np.abs(lines.slopes).max()):
        raise ParallelLinesError(
            "the two lines are parallel and cross nowhere: both slopes are "
            f"{lines.slopes[0]:g}. There is no bend between the windows"
        )
    lowest, highest = points.temperature.min(), points.temperature.max()
    if not lowest <= lines.crossing <= highest:
        warnings.warn(
            f"the lines cross at {lines.crossing:g}, outside the data, which reach from "
            f"{lowest:g} to {highest:g}: this is no glass transition",
            stacklevel=4,
        )


def _ratio(low, high):
    with np.errstate(divide="ignore"):
        return float(np.divide(low, high))


def _mean_curve(points):
    temperature, place = np.unique(points.temperature, return_inverse=True)
    return temperature, np.bincount(place, points.energy) / np.bincount(place)


def _range_over_windows(tg, windows, points):
    """Lowest and highest crossing for all moves of the edges that leave a reasonable window."""
    moves = np.array(list(itertools.product(EDGE_MOVES, repeat=2)))
    varied = windows[:, None] + moves * np.ptp(windows, axis=1)[:, None, None]
    everything = np.zeros(len(points.run), dtype=int)
    flat = varied.reshape(-1, 2)
    sums, centre = sum_in_windows(points.temperature, points.energy, everything, flat)
    low, high = sums[0].reshape(2, len(moves), 5)
    pairs = np.stack(np.broadcast_arrays(low[:, None], high[None, :]), axis=-2)
    crossings = lines_of(pairs, centre).crossing
    lowest, highest = points.temperature.min(), points.temperature.max()
    reasonable = crossings[(crossings >= lowest) & (crossings <= highest)]
    return np.array([np.min(reasonable, initial=tg), np.max(reasonable, initial=tg)])
