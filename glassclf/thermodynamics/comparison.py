"""Do two coolings differ? Differences with intervals, and a sentence that says it."""

import itertools
import math
from numbers import Integral, Real

import numpy as np
from scipy.stats import t
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from glassclf.thermodynamics.two_lines import bootstrap_interval, resample_runs, resampled_crossings

# Temperatures of two curves are taken for the same within this.
TOLERANCE = 0.005
# Share of a normal distribution within one standard deviation of its mean.
ONE_SIGMA = 0.6827
FEWEST_RESAMPLES = 100


def compare_glass_transitions(fitted, *, confidence=0.95, n_bootstrap=10_000, random_state=None):
    """Compare glass transition temperatures, each with each.

    Parameters
    ----------
    fitted : dict of str to GlassTransition
        Fitted, with at least two runs each.
    confidence : float, default=0.95
        Of the interval of each difference, taken by itself.
    n_bootstrap : int, default=10000
        Number of resamples of the runs.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Returns
    -------
    result : Bunch
        ``names``; ``tg`` and ``standard_error``, ndarrays of shape (n,); ``pairs``, list of
        (name, name), and for each of them ``difference`` (first minus second), ``interval`` of
        shape (n_pairs, 2), ``paired``, ``resolved`` (the interval leaves out 0) and ``sentences``.
        A standard error is half the width of the interval that holds 68.3 %, since a few resamples
        with nearly parallel lines would decide about a standard deviation. An interval is infinite
        where the runs of one do not tell whether there is a bend at all.

    Raises
    ------
    TypeError
        If ``fitted`` is no dict.
    ValueError
        If there are fewer than two, one was fitted to a single run, or a number is not valid.

    Notes
    -----
    A resample draws whole runs. Two that were fitted with the same names of runs in ``groups`` (one
    set of runs looked at in two ways, such as with two pairs of windows) get the same runs in each
    resample, which removes what they have in common. Others are independent.

    See Also
    --------
    compare_energies : The same question for the energy at one temperature.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen
    >>> from glassclf.thermodynamics import (
    ...     GlassTransition, compare_glass_transitions, cooling_curves
    ... )
    >>> curves = cooling_curves(load_kob_andersen())
    >>> fitted = {
    ...     name: GlassTransition(high=high).fit(curves.temperature, curves.energy, curves.runs)
    ...     for name, high in [("warm", (0.6, 1.0)), ("cool", (0.47, 0.65))]
    ... }
    >>> result = compare_glass_transitions(fitted, random_state=0)
    >>> result.pairs, result.paired.tolist()
    ([('warm', 'cool')], [True])
    """
    _check_confidence(confidence)
    if not isinstance(n_bootstrap, Integral) or n_bootstrap < FEWEST_RESAMPLES:
        raise ValueError(
            f"n_bootstrap must be an integer of at least {FEWEST_RESAMPLES}, got {n_bootstrap!r}"
        )
    _check_dict("fitted", fitted)
    for name, transition in fitted.items():
        check_is_fitted(transition, "tg_")
        if transition.n_runs_ < 2:
            raise ValueError(f"{name!r} was fitted to one run, which tells nothing of its error")
    rng = check_random_state(random_state)
    draws = _draws_of_runs(fitted, n_bootstrap, rng)
    resamples = {
        name: resampled_crossings(transition._sums, draws[name])
        for name, transition in fitted.items()
    }
    pairs = list(itertools.combinations(fitted, 2))
    difference = np.array([fitted[a].tg_ - fitted[b].tg_ for a, b in pairs])
    interval = np.array(
        [
            bootstrap_interval(
                resamples[a] - resamples[b],
                min(fitted[a].n_runs_, fitted[b].n_runs_),
                confidence,
            )
            for a, b in pairs
        ]
    )
    return Bunch(
        names=list(fitted),
        tg=np.array([transition.tg_ for transition in fitted.values()]),
        standard_error=np.array(
            [_standard_error(resamples[name], fitted[name].n_runs_) for name in fitted]
        ),
        paired=np.array([_same_runs(fitted[a], fitted[b]) for a, b in pairs]),
        **_judge("Tg", pairs, difference, interval, confidence),
    )


def compare_energies(curves, temperature=0.05, *, confidence=0.95):
    """Compare mean energies at one temperature, each with each.

    Parameters
    ----------
    curves : dict of str to CoolingCurves
        With at least two runs each, which are taken to be independent.
    temperature : float, default=0.05
        Met within 0.005 by a point of each.
    confidence : float, default=0.95
        Of the interval of each difference, taken by itself (Welch's t).

    Returns
    -------
    result : Bunch
        ``names``; ``mean`` and ``standard_error``, ndarrays of shape (n,); ``pairs``, list of
        (name, name), and for each of them ``difference`` (first minus second), ``interval`` of
        shape (n_pairs, 2), ``resolved`` (the interval leaves out 0) and ``sentences``.

    Raises
    ------
    TypeError
        If ``curves`` is no dict.
    ValueError
        If there are fewer than two, one has a single run, or no point at the temperature, or
        ``confidence`` is not between 0 and 1.

    Examples
    --------
    >>> from glassclf.thermodynamics import CoolingCurves, compare_energies
    >>> fast = CoolingCurves([0.05, 1.0], [[-3.66, -3.6], [-3.67, -3.6], [-3.665, -3.61]])
    >>> slow = CoolingCurves([0.05, 1.0], [[-3.70, -3.6], [-3.69, -3.6], [-3.695, -3.61]])
    >>> result = compare_energies({"fast": fast, "slow": slow})
    >>> print(result.sentences[0])
    Energy at T = 0.05: fast is 0.030 above slow, 95 % interval 0.019 to 0.041: resolved.
    """
    _check_confidence(confidence)
    _check_dict("curves", curves)
    _check_several_runs(curves)
    at = {name: _energies_at(name, each, temperature) for name, each in curves.items()}
    pairs = list(itertools.combinations(curves, 2))
    results = [_welch(at[a], at[b], confidence) for a, b in pairs]
    return Bunch(
        names=list(curves),
        mean=np.array([values.mean() for values in at.values()]),
        standard_error=np.sqrt([_variance_of_mean(values) for values in at.values()]),
        **_judge(
            f"Energy at T = {temperature:g}",
            pairs,
            np.array([difference for difference, _ in results]),
            np.array([[value - half, value + half] for value, half in results]),
            confidence,
        ),
    )


def parting_temperature(first, second, *, confidence=0.95):
    """Temperature below which two cooling curves differ beyond their errors.

    Parameters
    ----------
    first, second : CoolingCurves
        With at least two independent runs each.
    confidence : float, default=0.95
        The interval of the difference of the means (Welch's t) leaves out 0 at each temperature
        from there down.

    Returns
    -------
    temperature : float
        One of the curves with fewer temperatures (of ``first``, if they have equally many), the
        highest. NaN if the curves do not differ at the lowest temperature.

    Raises
    ------
    ValueError
        If one has a single run, they have fewer than two temperatures in common, or ``confidence``
        is not between 0 and 1.

    Notes
    -----
    The curves with more temperatures are interpolated to those of the others, run by run. More runs
    let the same two curves part at a higher temperature.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.thermodynamics import CoolingCurves, parting_temperature
    >>> T, noise = np.linspace(0, 1, 11), np.array([[-0.01], [0.01]])
    >>> parting_temperature(CoolingCurves(T, T + noise), CoolingCurves(T, T + noise))
    nan
    >>> frozen = np.maximum(T, 0.5)
    >>> part = parting_temperature(CoolingCurves(T, T + noise), CoolingCurves(T, frozen + noise))
    >>> round(part, 1)
    0.4
    """
    _check_confidence(confidence)
    _check_several_runs({"first": first, "second": second})
    low = max(first.temperature[0], second.temperature[0]) - TOLERANCE
    high = min(first.temperature[-1], second.temperature[-1]) + TOLERANCE
    # A straight line between two points that are far apart would miss the bend between them.
    coarse, dense = sorted((first, second), key=lambda curves: len(curves.temperature))
    common = (coarse.temperature >= low) & (coarse.temperature <= high)
    if common.sum() < 2:
        raise ValueError(
            "the curves must have at least two temperatures in common, first has "
            f"{first.temperature[0]:g} to {first.temperature[-1]:g} and second "
            f"{second.temperature[0]:g} to {second.temperature[-1]:g}"
        )
    grid = coarse.temperature[common]
    moved = np.array([np.interp(grid, dense.temperature, row) for row in dense.energy])
    difference, half = _welch(coarse.energy[:, common], moved, confidence)
    same = np.flatnonzero(~(np.abs(difference) > half))
    n_parted = same[0] if len(same) else len(grid)
    return float(grid[n_parted - 1]) if n_parted else math.nan


def _check_confidence(confidence):
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be a number between 0 and 1, got {confidence!r}")


def _check_dict(name, things):
    if not isinstance(things, dict):
        raise TypeError(f"{name} must be a dict from names, got {type(things).__name__}")
    if len(things) < 2:
        raise ValueError(f"{name} must hold at least two to compare, it holds {len(things)}")


def _check_several_runs(curves):
    for name, each in curves.items():
        if len(each) < 2:
            raise ValueError(f"{name!r} has one run, which tells nothing of its error")


def _draws_of_runs(fitted, n_bootstrap, rng):
    """Weights of the runs for each: the same ones where the runs are the same."""
    draws = {}
    for name, transition in fitted.items():
        twin = next((other for other in draws if _same_runs(fitted[other], transition)), None)
        drawn = resample_runs(transition.n_runs_, n_bootstrap, rng) if twin is None else draws[twin]
        draws[name] = drawn
    return draws


def _standard_error(crossings, n_runs):
    low, high = bootstrap_interval(crossings, n_runs, ONE_SIGMA)
    return (high - low) / 2


def _same_runs(a, b):
    return a.runs_ is not None and b.runs_ is not None and np.array_equal(a.runs_, b.runs_)


def _energies_at(name, curves, temperature):
    nearest = np.abs(curves.temperature - temperature).argmin()
    if abs(curves.temperature[nearest] - temperature) > TOLERANCE:
        raise ValueError(
            f"{name!r} has no point within {TOLERANCE} of temperature={temperature:g}, the nearest "
            f"is {curves.temperature[nearest]:g}"
        )
    return curves.energy[:, nearest]


def _variance_of_mean(values):
    return values.var(axis=0, ddof=1) / len(values)


def _welch(a, b, confidence):
    """Difference of means over the first axis, and the half width of its interval."""
    u, v = _variance_of_mean(a), _variance_of_mean(b)
    with np.errstate(invalid="ignore"):
        n_free = (u + v) ** 2 / (u**2 / (len(a) - 1) + v**2 / (len(b) - 1))
    # Without any scatter there is no interval either.
    quantile = np.nan_to_num(t.ppf((1 + confidence) / 2, n_free))
    return a.mean(axis=0) - b.mean(axis=0), quantile * np.sqrt(u + v)


def _judge(what, pairs, difference, interval, confidence):
    resolved = (interval[:, 0] > 0) | (interval[:, 1] < 0)
    rows = zip(pairs, difference, interval, resolved)
    sentences = [_sentence(what, *row, confidence) for row in rows]
    return {
        "pairs": pairs,
        "difference": difference,
        "interval": interval,
        "resolved": resolved,
        "sentences": sentences,
    }


def _sentence(what, pair, difference, interval, resolved, confidence):
    # The side that the reader sees as positive.
    sign, side = (-1, "below") if difference < 0 else (1, "above")
    low, high = sorted(sign * interval)
    half = (high - low) / 2
    digits = max(2, 1 - math.floor(math.log10(half))) if 0 < half < math.inf else 3
    verdict = "resolved" if resolved else "not resolved"
    return (
        f"{what}: {pair[0]} is {abs(difference):.{digits}f} {side} {pair[1]}, "
        f"{100 * confidence:g} % interval {low:.{digits}f} to {high:.{digits}f}: {verdict}."
    )
