"""Choosing the cells of a field that a model is trained on."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.random import sample_without_replacement


def sample_points(target, n_points, *, n_strata=None, random_state=None):
    """Draw cells of a field, none twice.

    Parameters
    ----------
    target : array-like of shape (n_0, n_1[, n_2])
        Values to predict.
    n_points : int
    n_strata : int, default=None
        Intervals of equal width between the lowest and the highest value. As many cells are drawn
        from each that is not empty, all of them where there are fewer: rare values are then as
        frequent as common ones. None: every cell is as likely as any other.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    points : ndarray of int of shape (n_points, n_dims)
        In random order.
    weights : ndarray of shape (n_points,)
        ``sample_weight`` that undoes the choice: cells of the stratum for each cell drawn of it,
        scaled to a mean of 1. Without strata, 1.

    Raises
    ------
    ValueError
        If there are fewer cells, a parameter is not valid, or with strata a value.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import sample_points
    >>> target = np.zeros((10, 10))
    >>> target[0, :4] = 1
    >>> points, weights = sample_points(target, 8, n_strata=2, random_state=0)
    >>> sorted(target[tuple(points.T)].tolist())
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    >>> round(float(np.average(target[tuple(points.T)], weights=weights)), 3)
    0.04
    """
    target = np.asanyarray(target)
    for name, value in (("n_points", n_points), ("n_strata", n_strata)):
        good = isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
        if not good and not (name == "n_strata" and value is None):
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")
    if n_points > target.size:
        raise ValueError(f"n_points={n_points} is more than the {target.size} cells of the field")
    rng = check_random_state(random_state)
    if n_strata is None:
        cells = sample_without_replacement(target.size, n_points, random_state=rng)
        weights = np.ones(n_points)
    else:
        cells, weights = _stratified(target.reshape(-1), n_points, n_strata, rng)
    order = rng.permutation(n_points)
    points = np.stack(np.unravel_index(cells[order], target.shape), axis=1)
    return points, weights[order]


def _stratified(values, n_points, n_strata, rng):
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError(f"target must be finite to be divided into strata, got {low} to {high}")
    width = (high - low) or 1.0
    strata = np.minimum((values - low) / width * n_strata, n_strata - 1).astype(np.int32)
    sizes = np.bincount(strata, minlength=n_strata)
    drawn = _equal_shares(sizes, n_points)
    cells, weights = [], []
    for stratum in np.flatnonzero(drawn):
        chosen = sample_without_replacement(sizes[stratum], drawn[stratum], random_state=rng)
        cells.append(np.flatnonzero(strata == stratum)[chosen])
        weights.append(np.full(drawn[stratum], sizes[stratum] / drawn[stratum]))
    weights = np.concatenate(weights)
    return np.concatenate(cells), weights / weights.mean()


def _equal_shares(sizes, total):
    """How many to draw of each stratum: equally many, but no more than there are."""
    drawn = np.zeros_like(sizes)
    # The smallest first: what they lack is shared by the others.
    order = np.argsort(sizes, kind="stable")
    for place, stratum in enumerate(order):
        share = (total - drawn.sum()) // (len(order) - place)
        drawn[stratum] = min(sizes[stratum], share)
    return drawn
