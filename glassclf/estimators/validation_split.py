"""The network's own validation split: whole groups, every class kept for training."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

N_CANDIDATES = 20


def split_validation(n_samples, fraction, *, labels=None, groups=None, random_state=None):
    """Split samples into a training and a validation part.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    fraction : float
        Share of the groups (of the samples, without groups) that goes to the validation part.
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
        If there are too few groups or samples, or if no split leaves every class in training.

    Examples
    --------
    >>> from glassclf.estimators.validation_split import split_validation
    >>> train, valid = split_validation(6, 0.3, groups=["a", "a", "b", "b", "c", "c"],
    ...                                 random_state=0)
    >>> len(train), len(valid)
    (4, 2)
    """
    n_units = n_samples if groups is None else len(np.unique(groups))
    unit = "samples" if groups is None else "groups"
    if n_units < 2:
        raise ValueError(
            f"validation_fraction={fraction} needs at least 2 {unit} to hold one of them out, "
            f"got {n_units}; use validation_fraction=None with early_stopping=False"
        )
    # At least one unit on each side, however small the fraction.
    n_valid = int(np.clip(round(fraction * n_units), 1, n_units - 1))
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    candidates = splitter(
        n_splits=1 if labels is None else N_CANDIDATES, test_size=n_valid, random_state=random_state
    )
    splits = candidates.split(np.zeros(n_samples), groups=groups)
    if labels is None:
        train, valid = next(splits)
    else:
        train, valid = _most_balanced(list(splits), np.asarray(labels), unit)
    return np.sort(train), np.sort(valid)


def _most_balanced(splits, labels, unit):
    classes, counts = np.unique(labels, return_counts=True)
    wanted = counts / len(labels)
    best, least = None, np.inf
    for train, valid in splits:
        lost = classes[~np.isin(classes, labels[train])]
        if len(lost):
            continue
        found = np.array([(labels[valid] == name).mean() for name in classes])
        imbalance = np.abs(found - wanted).sum()
        if imbalance < least:
            best, least = (train, valid), imbalance
    if best is None:
        raise ValueError(
            f"the validation split would take every sample of class {lost.tolist()[0]!r} out of "
            f"training: give more {unit} of that class, or validation_fraction=None"
        )
    return best
