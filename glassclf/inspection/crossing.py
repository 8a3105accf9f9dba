"""Where a classifier's score turns from glass to liquid along temperature."""

import warnings
from numbers import Real

import numpy as np
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from glassclf.featurizers.base import warn_user
from glassclf.thermodynamics import GlassTransition
from glassclf.thermodynamics.glass_transition import FEWEST_RUNS, ParallelLinesError
from glassclf.thermodynamics.two_lines import bootstrap_interval, resample_runs

# A glass has frozen: along its branch the score changes by less than this share of the liquid's.
PLATEAU = 0.2
SMALLEST_PROBABILITY = 1e-6
N_BOOTSTRAP = 10_000


@validate_params(
    {
        "temperature": ["array-like"],
        "proba": ["array-like"],
        "groups": ["array-like"],
        "method": [StrOptions({"kink", "half"})],
        "windows": ["array-like"],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def crossover(
    temperature,
    proba,
    groups,
    *,
    method="kink",
    windows=((0.05, 0.206), (0.479, 0.8)),
    confidence=0.95,
    random_state=0,
):
    """Find where the score of a classifier of glass and liquid turns along temperature.

    Parameters
    ----------
    temperature : array-like of shape (n,)
        Of each configuration, in units of the simulation.
    proba : array-like of shape (n,)
        Probability of the glass, by a model that has not seen the run of the configuration.
    groups : array-like of shape (n,)
        Run of each configuration.
    method : {"kink", "half"}, default="kink"
        "kink": where two straight lines through the mean log odds cross, the fit of
        :class:`~glassclf.thermodynamics.GlassTransition`. "half": where the mean log odds are 0,
        which is a property of the pair of temperatures that the model was trained on, and moves
        with it: name that pair wherever it is shown.
    windows : ((float, float), (float, float)), default=((0.05, 0.206), (0.479, 0.8))
        Temperatures of the two lines, edges included. Only for the kink.
    confidence : float, default=0.95
        Of the interval.
    random_state : int, RandomState or None, default=0
        Seed of the bootstrap over runs.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``temperature`` : float, NaN where there is no crossover;
        ``interval`` : ndarray of shape (2,), by a bootstrap over runs, NaN for one run;
        ``slope_ratio`` : float, slope of the low line over that of the high one (NaN for "half");
        ``log_odds`` : ndarray of shape (n_temperatures, 2), each temperature and the mean log odds
        there;
        ``lines`` : ndarray of shape (2, 2) or None, slope and intercept of the two lines.

    Raises
    ------
    ValueError
        If there are no configurations, a window holds fewer than two temperatures, or probabilities
        are not between 0 and 1.

    Warns
    -----
    UserWarning
        If there is no crossover: for the kink, where the low-temperature branch is no plateau, its
        slope being more than 0.2 of that of the liquid (two lines always cross somewhere), where
        the two lines are parallel, and where they cross outside the data; for one half, where the
        log odds do not change sign exactly once. If there are fewer than 5 runs, or the interval
        reaches outside the data.

    Notes
    -----
    Thermal snapshots have no plateau: their vibration is a thermometer down to zero temperature.
    Give inherent structures (:func:`~glassclf.simulation.quench`).

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.inspection import crossover
    >>> temperature = np.tile([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8], 6)
    >>> run = np.repeat(np.arange(6), 8)
    >>> rng = np.random.default_rng(0)
    >>> log_odds = 2 - 20 * np.maximum(temperature - 0.35, 0) + 0.1 * rng.normal(size=48)
    >>> result = crossover(temperature, 1 / (1 + np.exp(-log_odds)), run)
    >>> round(result.temperature, 2), abs(result.slope_ratio) < 0.2
    (0.35, True)
    """
    temperature, proba = np.asarray(temperature, dtype=float), np.asarray(proba, dtype=float)
    check_consistent_length(temperature, proba, groups)
    if temperature.ndim != 1 or proba.ndim != 1:
        raise ValueError(
            "temperature and proba must have one value for each configuration, got shapes "
            f"{temperature.shape} and {proba.shape}: give the column of the glass"
        )
    if len(proba) == 0:
        raise ValueError("proba holds no configuration")
    if np.shape(windows) != (2, 2):
        raise ValueError(f"windows must be two pairs of temperatures, got {windows!r}")
    if not ((proba >= 0) & (proba <= 1)).all():
        raise ValueError("proba must hold probabilities between 0 and 1")
    proba = np.clip(proba, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    log_odds = np.log(proba / (1 - proba))
    find = _kink if method == "kink" else _half
    arguments = {"windows": windows, "confidence": confidence, "random_state": random_state}
    temperatures, place = np.unique(temperature, return_inverse=True)
    means = np.bincount(place, log_odds) / np.bincount(place)
    result = find(temperature, log_odds, np.asarray(groups), **arguments)
    return Bunch(**result, log_odds=np.column_stack([temperatures, means]))


def _kink(temperature, log_odds, groups, windows, confidence, random_state):
    transition = GlassTransition(*windows, confidence=confidence, random_state=random_state)
    nothing = {"temperature": np.nan, "interval": np.full(2, np.nan)}
    try:
        with warnings.catch_warnings():
            # Its warnings are of a glass transition: ours say what they mean here.
            warnings.simplefilter("ignore")
            transition.fit(temperature, log_odds, groups=groups)
    except ParallelLinesError:
        warn_user("no crossover seen: the log odds have no bend between the windows")
        return nothing | {"slope_ratio": np.nan, "lines": None}
    found = {
        "temperature": transition.tg_,
        "interval": transition.tg_interval_,
        "slope_ratio": transition.slope_ratio_,
        "lines": transition.lines_,
    }
    lowest, highest = temperature.min(), temperature.max()
    if not abs(transition.slope_ratio_) < PLATEAU:
        warn_user(
            "no crossover seen: this input is a thermometer. The low-temperature branch is no "
            f"plateau, its slope is {transition.slope_ratio_:.2g} of that of the liquid (a "
            f"crossover needs less than {PLATEAU})"
        )
    elif not lowest <= transition.tg_ <= highest:
        warn_user(
            f"no crossover seen: the lines cross at {transition.tg_:.3g}, outside the data, which "
            f"reach from {lowest:g} to {highest:g}"
        )
    else:
        _warn_of_few(transition.n_runs_)
        low, high = transition.tg_interval_
        if low < lowest or high > highest:
            warn_user(
                f"the interval, {low:.3g} to {high:.3g}, reaches outside the data: these runs "
                "hardly show where the log odds turn. Give more runs, or other windows"
            )
        return found
    return found | nothing


def _warn_of_few(n_runs):
    if n_runs < FEWEST_RUNS:
        warn_user(f"there are {n_runs} runs: too few for an interval that can be trusted")


def _half(temperature, log_odds, groups, windows, confidence, random_state):
    temperatures, place = np.unique(temperature, return_inverse=True)
    runs, run = np.unique(groups, return_inverse=True)
    shape = len(runs), len(temperatures)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (run, place), log_odds)
    np.add.at(counts, (run, place), 1)
    found = _zero(temperatures, sums.sum(axis=0) / counts.sum(axis=0))
    if np.isnan(found):
        warn_user(
            "the mean log odds do not change sign exactly once between T = "
            f"{temperatures[0]:g} and {temperatures[-1]:g}: no temperature has P = 1/2"
        )
    interval = np.full(2, np.nan)
    _warn_of_few(len(runs))
    if len(runs) > 1 and np.isfinite(found):
        weights = resample_runs(len(runs), N_BOOTSTRAP, check_random_state(random_state))
        with np.errstate(invalid="ignore", divide="ignore"):
            curves = (weights @ sums) / (weights @ counts)
        zeros = np.array([_zero(temperatures, curve) for curve in curves])
        interval = bootstrap_interval(zeros, len(runs), confidence)
    return {"temperature": found, "interval": interval, "slope_ratio": np.nan, "lines": None}


def _zero(temperatures, curve):
    """Temperature at which a curve changes its sign, NaN where it does not do so exactly once."""
    rows = np.flatnonzero(~np.isnan(curve) & (curve != 0))
    changes = np.flatnonzero(np.diff(np.sign(curve[rows])))
    if len(changes) != 1:
        return np.nan
    left, right = rows[changes[0]], rows[changes[0] + 1]
    between = np.flatnonzero(curve[left : right + 1] == 0)
    if len(between):
        return float(temperatures[left + between].mean())
    share = curve[left] / (curve[left] - curve[right])
    return float(temperatures[left] + share * (temperatures[right] - temperatures[left]))
