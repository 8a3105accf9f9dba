"""The network's own validation split: whole groups, every class kept for training."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._missing import is_pandas_na

N_CANDIDATES = 20


def split_validation(n_samples, fraction, *, labels=None, groups=None, random_state=None):
    """Split samples into a training and a validation part.

    One random group of each class is reserved for training. The validation part is drawn from
    the others.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    fraction : float
        Share of the groups (of the samples, without groups) that goes to the validation part. It
        gets at least one, and fewer than that where the classes need them for training.
    labels : array-like of shape (n_samples,), default=None
        Classes. Of a few random splits the one whose validation part mirrors them best is taken.
    groups : array-like of shape (n_samples,), default=None
        Samples of one group never stand on both sides.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    train, valid : ndarray of int
        Sorted indices.

    Raises
    ------
    ValueError
        If there are too few groups or samples, if no split leaves every class in training, or if
        a group is missing (None or NaN).

    Examples
    --------
    >>> from glassclf.estimators.validation_split import split_validation
    >>> train, valid = split_validation(6, 0.3, groups=["a", "a", "b", "b", "c", "c"],
    ...                                 random_state=0)
    >>> len(train), len(valid)
    (4, 2)
    """
    # A unit goes to one side as a whole: a group, or a sample that belongs to none.
    unit_name = "sample" if groups is None else "group"
    units = np.arange(n_samples) if groups is None else _number_groups(groups)
    n_units = units.max(initial=-1) + 1
    if n_units < 2:
        raise ValueError(
            f"validation_fraction={fraction} needs at least 2 {unit_name}s to hold one of them "
            f"out, got {n_units}; use validation_fraction=None with early_stopping=False"
        )
    if labels is None:
        labels = np.zeros(n_samples, dtype=int)
    classes, codes = np.unique(labels, return_inverse=True)
    n_homes = _count_homes(units, codes)
    # What can be held out: units whose every class is found in another unit, too.
    spare = np.ones(n_units, dtype=bool)
    spare[units[n_homes[codes] == 1]] = False
    if not spare.any():
        lost = classes[n_homes == 1].tolist()[0]
        raise ValueError(
            f"validation_fraction={fraction} can hold out no {unit_name} without losing a class "
            f"from training: class {lost!r}, for one, is found in one {unit_name} only; give "
            f"another {unit_name} of that class, or use validation_fraction=None with "
            "early_stopping=False"
        )
    n_wanted = int(np.clip(round(fraction * n_units), 1, n_units - 1))
    rng = check_random_state(random_state)
    # With one class all candidates are equally good.
    n_candidates = N_CANDIDATES if len(classes) > 1 else 1
    candidates = [_draw_units(units, codes, spare, n_wanted, rng) for _ in range(n_candidates)]
    valid = min(candidates, key=lambda chosen: (-chosen.sum(), _imbalance(codes, chosen[units])))
    valid = valid[units]
    return np.flatnonzero(~valid), np.flatnonzero(valid)


def _number_groups(groups):
    """Number the groups from 0 on, one number a sample."""
    # An array made of words and NaN would hold words only.
    groups = list(groups)
    for sample, group in enumerate(groups):
        if group is None or is_pandas_na(group) or group != group:
            raise ValueError(f"groups must not be missing: sample {sample} has {group}")
    # Groups of several types cannot be sorted, so they are numbered as they come.
    numbers = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=int)


def _count_homes(units, codes):
    """Count the units that each class is found in."""
    n_units = units.max() + 1
    return np.bincount(np.unique(codes * n_units + units) // n_units)


def _draw_units(units, codes, spare, n_wanted, rng):
    """Draw the units to hold out, a mask, from those that no class needs for training."""
    order = rng.permutation(len(spare))
    reserved = _first_of_each_class(units, codes, order)
    if reserved.all():
        # A spare unit that comes last is reserved for no class, as another had each before.
        last = order[spare[order]][-1]
        order = np.append(order[order != last], last)
        reserved = _first_of_each_class(units, codes, order)
    held_out = np.zeros(len(spare), dtype=bool)
    held_out[order[~reserved[order]][:n_wanted]] = True
    return held_out


def _first_of_each_class(units, codes, order):
    """Mask the units that, taken in this order, bring a class which none brought before."""
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    first = np.full(codes.max() + 1, len(order))
    np.minimum.at(first, codes, rank[units])
    reserved = np.zeros(len(order), dtype=bool)
    reserved[order[first]] = True
    return reserved


def _imbalance(codes, valid):
    """How far the class shares of the validation part are from those of all samples."""
    shares = np.bincount(codes) / len(codes)
    return np.abs(np.bincount(codes[valid], minlength=len(shares)) / valid.sum() - shares).sum()
