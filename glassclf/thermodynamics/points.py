"""The points of cooling curves in one long table, from what a user has."""

from typing import NamedTuple

import numpy as np


class Points(NamedTuple):
    """Points of several runs, one a row."""

    temperature: np.ndarray
    """(n_points,)"""
    energy: np.ndarray
    """(n_points,)"""
    run: np.ndarray
    """(n_points,) of int: number of the run."""
    names: np.ndarray | None
    """(n_runs,): what the runs are called, sorted; None where they have no names."""


def gather_points(temperature, energy, groups=None):
    """Put curves into one table.

    Parameters
    ----------
    temperature : array-like of shape (n_points,) or that of ``energy``
    energy : array-like of shape (n_points,) or (n_runs, n_points)
    groups : array-like of shape (n_points,) or (n_runs,), default=None
        Run of each point of a one-dimensional ``energy``, or of each row of a two-dimensional one.

    Returns
    -------
    points : Points

    Raises
    ------
    ValueError
        If something is no number, not finite, or does not fit the rest.
    """
    temperature = finite_numbers("temperature", temperature)
    energy = finite_numbers("energy", energy)
    if energy.ndim not in (1, 2) or energy.size == 0:
        raise ValueError(
            "energy must have the shape (n_points,) or (n_runs, n_points), and values; "
            f"got the shape {energy.shape}"
        )
    if temperature.shape not in (energy.shape, energy.shape[-1:]):
        raise ValueError(
            f"temperature must have the shape {energy.shape[-1:]}, one value for each point of "
            f"energy, whose shape is {energy.shape}; got the shape {temperature.shape}"
        )
    names = None
    if groups is None:
        rows = np.arange(len(energy)) if energy.ndim == 2 else np.zeros(len(energy), dtype=int)
    else:
        groups = np.asarray(groups)
        each = "row" if energy.ndim == 2 else "point"
        if groups.shape != energy.shape[:1]:
            raise ValueError(
                f"groups must name the run of each {each} of energy, in the shape "
                f"{energy.shape[:1]}; got the shape {groups.shape}"
            )
        names, rows = _number_runs(groups, each)
    if energy.ndim == 2:
        rows = np.repeat(rows, energy.shape[1])
    return Points(np.broadcast_to(temperature, energy.shape).ravel(), energy.ravel(), rows, names)


def _number_runs(groups, each):
    """Return the sorted names of the runs, and the number of the run of each row or point."""
    for index, name in enumerate(groups.tolist()):
        # Not a number is the name of no run, and differs from itself.
        if name is None or name != name:
            raise ValueError(
                f"groups must name the run of each {each} of energy, groups[{index}] is {name}: "
                f"leave such {each}s out, or name their run"
            )
    try:
        return np.unique(groups, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"groups must be all strings or all numbers: {error}") from error


def finite_numbers(name, values):
    """Return an array of floats.

    Parameters
    ----------
    name : str
        Of the parameter, for messages.
    values : array-like

    Returns
    -------
    values : ndarray of float64

    Raises
    ------
    ValueError
        If something is no number or not finite.
    """
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = ", ".join(map(str, bad[0]))
        raise ValueError(
            f"{name} must be finite, {name}[{index}] is {values[tuple(bad[0])]}: leave such points "
            "out, or the whole run"
        )
    return values
