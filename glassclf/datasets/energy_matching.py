"""Pairs of equal energy: two classes that the inherent-structure energy cannot tell apart."""

import warnings
from numbers import Real

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glassclf.datasets.choosing import (
    NEEDED,
    at_temperature,
    check_labels,
    check_runs,
    check_two,
    of_rate,
    of_state,
)


def match_energy(
    data,
    temperatures=(0.05, 0.8),
    cooling_steps=(20_000, 200_000),
    *,
    state="inherent",
    labels=("glass", "liquid"),
    tolerance=0.002,
):
    """Pick pairs of configurations that have the same inherent-structure energy.

    A fast cooling ends in a glass as high in energy as a warmer liquid of a slower one. Means that
    agree are not enough, as the rest still tells: here every configuration of the one class has a
    partner in the other. There are as many pairs within ``tolerance`` as can be, and of all
    choices of so many pairs the one with the smallest sum of differences.

    Parameters
    ----------
    data : Configurations or Bunch
        Runs of all rates, as :meth:`Configurations.concatenate` joins them; ``info`` has
        "temperature", "run", "cooling_steps", "state" and "inherent_energy".
    temperatures : tuple of two floats, default=(0.05, 0.8)
        Of the first and of the second class, met within 0.005.
    cooling_steps : tuple of two ints, default=(20_000, 200_000)
        Of the first and of the second class. They may be equal where the temperatures differ.
    state : {"inherent", "thermal"}, default="inherent"
        A thermal snapshot counts with the energy of its inherent structure.
    labels : tuple of two str, default=("glass", "liquid")
        Names of the two classes. For two glasses of equal energy, choose others.
    tolerance : float, default=0.002
        Largest difference of a pair, per particle. Energies scatter by about 0.007 between runs of
        1080 particles, so unmatched ones still tell glass from liquid with an AUC of 0.6.

    Returns
    -------
    X : Configurations
        Pair by pair: first class, second class, first, second, ..., in the order of the first.
    y : ndarray of str of shape (n,)
    groups : ndarray of str of shape (n,)
        The pair of each configuration, named after a run in it. Pairs that share a run, or are
        joined by a chain of shared runs, are one group: no run stands on both sides of a split.

    Warns
    -----
    UserWarning
        If more than half of several pairs hang together in one group.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, an energy is missing, a rate, a temperature or the state is not
        present, both classes are the same, the labels are not two different strings, ``tolerance``
        is no number of at least 0, or no pair is within it.

    See Also
    --------
    compare_classes : Shows how far the energy alone gets, before and after matching.
    load_equal_energy : Pairs that are bundled.

    Examples
    --------
    >>> from glassclf.configurations import Configurations
    >>> from glassclf.datasets import load_equal_energy, load_kob_andersen, match_energy
    >>> both = [load_equal_energy().fast_runs, load_kob_andersen().data]
    >>> X, y, groups = match_energy(Configurations.concatenate(both))
    >>> y[:4].tolist()
    ['glass', 'liquid', 'glass', 'liquid']
    >>> energy = X.info["inherent_energy"]
    >>> bool((abs(energy[::2] - energy[1::2]) <= 0.002).all())
    True
    """
    data = check_runs(data, (*NEEDED, "inherent_energy"))
    temperatures = check_two("temperatures", temperatures)
    cooling_steps = check_two("cooling_steps", cooling_steps)
    labels = check_labels(labels)
    is_number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not (is_number and 0 <= tolerance < np.inf):
        raise ValueError(f"tolerance must be a number of at least 0, got {tolerance!r}")
    in_state = of_state(data, state)
    masks = [
        at_temperature(
            f"temperatures[{index}]",
            temperatures[index],
            data,
            in_state & of_rate(f"cooling_steps[{index}]", cooling_steps[index], data),
        )
        for index in range(2)
    ]
    if (masks[0] & masks[1]).any():
        raise ValueError(
            f"both classes are the same: temperatures={temperatures}, cooling_steps={cooling_steps}"
        )
    energies = [_energies(data, mask, label) for mask, label in zip(masks, labels)]
    pairs = pair_within(*energies, tolerance)
    if len(pairs) == 0:
        raise ValueError(_no_pair(energies, labels, tolerance))
    members = [np.flatnonzero(mask) for mask in masks]
    chosen = np.column_stack([members[0][pairs[:, 0]], members[1][pairs[:, 1]]])
    runs = np.asarray(data.info["run"])[chosen]
    groups = _join_pairs(runs)
    return data[chosen.ravel()], np.tile(labels, len(chosen)), np.repeat(groups, 2)


def pair_within(first, second, tolerance):
    """Pair numbers that differ by at most a tolerance, each at most once.

    Parameters
    ----------
    first : ndarray of shape (n,)
    second : ndarray of shape (m,)
    tolerance : float

    Returns
    -------
    pairs : ndarray of int of shape (n_pairs, 2)
        Indices into ``first``, in increasing order, and into ``second``: as many pairs as can be,
        and of all such choices the one with the smallest sum of differences.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.datasets.energy_matching import pair_within
    >>> pair_within(np.array([0.0, 1.0]), np.array([0.9, 1.5]), 1.0).tolist()
    [[0, 0], [1, 1]]
    """
    differences = np.abs(np.asarray(first)[:, None] - np.asarray(second))
    # A pair too many costs more than all the others together, so there are as few as can be.
    too_far = (min(differences.shape) + 1) * tolerance or 1.0
    allowed = differences <= tolerance
    pairs = np.column_stack(linear_sum_assignment(np.where(allowed, differences, too_far)))
    return pairs[allowed[pairs[:, 0], pairs[:, 1]]]


def _energies(data, mask, label):
    energies = data.info["inherent_energy"][mask]
    missing = np.flatnonzero(mask)[~np.isfinite(energies)]
    if len(missing):
        raise ValueError(
            f"info['inherent_energy'] must be known of every {label}, it is "
            f"{data.info['inherent_energy'][missing[0]]} for configuration {missing[0]} of data"
        )
    return energies


def _no_pair(energies, labels, tolerance):
    closest = np.abs(energies[0][:, None] - energies[1]).min()
    means = [f"{values.mean():.4f} ({label})" for values, label in zip(energies, labels)]
    return (
        f"no pair has inherent energies within tolerance={tolerance}: the closest differ by "
        f"{closest:.4g}, the means are {' and '.join(means)}; choose temperatures or rates that "
        "are closer in energy"
    )


def _join_pairs(runs):
    """Name the group of each pair: pairs that a chain of shared runs joins have one name."""
    names, numbers = np.unique(runs, return_inverse=True)
    numbers = numbers.reshape(runs.shape)
    links = coo_array((np.ones(len(runs)), numbers.T), shape=(len(names), len(names)))
    _, component = connected_components(links, directed=False)
    _, first_member = np.unique(component, return_index=True)
    of_pair = component[numbers[:, 0]]
    largest = np.bincount(of_pair).max()
    if largest > 1 and 2 * largest > len(runs):
        warnings.warn(
            f"shared runs join {largest} of {len(runs)} pairs to one group, which a "
            "cross-validation cannot divide: take each class from runs of its own",
            stacklevel=3,
        )
    return names[first_member][of_pair]
