"""The null control: the same comparison with labels that mean nothing."""

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state


def shuffle_labels(X, y, groups, *, random_state=None):
    """Shuffle labels so that nothing is left to learn, and all else stays as it is.

    What a method scores on such labels it has from chance, or from a leak. For a fair comparison
    the shuffled labels must be split and balanced like the true ones. Labels drawn anew for every
    sample, or permuted over all of them, are not: a run would get two glasses, folds would lose
    their balance, and where runs are of one class, copies of one run would get different labels.
    So labels are shuffled in two steps, each of which keeps the groups whole:

    1. within each group. A pair of glass and liquid keeps its two labels, in a random order;
    2. between groups of one size. The labels of a group go to another one together. That is what
       shuffles groups that are of a single class, such as those of :func:`select_rates`.

    Given the labels of all groups in a training part, those of a test part are still in random
    order. So with whole groups held out the expected AUC is exactly 0.5, for any estimator and
    however few samples there are.

    Parameters
    ----------
    X : sequence of n samples
    y : array-like of shape (n,)
    groups : array-like of shape (n,)
        As the functions return them that pick pairs: runs, or pairs of runs.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : sequence of n samples
        As given.
    y : ndarray of shape (n,)
        Shuffled, with as many samples of each class as before.
    groups : ndarray of shape (n,)
        As given.

    Raises
    ------
    ValueError
        If there are no groups, the three are not of one length, or no other labels are possible:
        groups of one class each, of which no two of equal size differ.

    Notes
    -----
    Copies of a sample, such as windows of it, must keep one label: shuffle before making them.

    Where groups differ in size, those of each size should hold the same share of each class, as
    they do in all that the functions of this module return. Otherwise the size of a group, and
    whatever goes with it, still tells something about the shuffled labels.

    Examples
    --------
    >>> from glassclf.datasets import shuffle_labels
    >>> X, y = ["a", "b", "c", "d"], ["glass", "liquid", "glass", "liquid"]
    >>> _, shuffled, _ = shuffle_labels(X, y, [1, 1, 2, 2], random_state=0)
    >>> sorted(shuffled[:2].tolist()), sorted(shuffled[2:].tolist())
    (['glass', 'liquid'], ['glass', 'liquid'])
    """
    if groups is None:
        raise ValueError("groups must be given, one for each sample, got None")
    check_consistent_length(X, y, groups)
    y, groups = np.asarray(y), np.asarray(groups)
    random = check_random_state(random_state)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    sizes = np.array([len(of_group) for of_group in members])
    _check_that_labels_can_change(y, members, sizes)
    shuffled = y.copy()
    for size in np.unique(sizes):
        of_size = np.flatnonzero(sizes == size)
        for taker, giver in zip(of_size, random.permutation(of_size)):
            shuffled[members[taker]] = random.permutation(y[members[giver]])
    return X, shuffled, groups


def _check_that_labels_can_change(y, members, sizes):
    for size in np.unique(sizes):
        rows = np.concatenate([members[i] for i in np.flatnonzero(sizes == size)])
        if (y[rows] != y[rows[0]]).any():
            return
    raise ValueError(
        "labels cannot be shuffled: every group is of one class, and no two groups of equal size "
        "differ in it"
    )
