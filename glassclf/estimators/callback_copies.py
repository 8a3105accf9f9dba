"""Copies of the callbacks that a user has given, for one training."""

import copy


def copy_callbacks(callbacks):
    """Copy callbacks; what they hold that has no copy, such as a writer to a file, is shared.

    Parameters
    ----------
    callbacks : list of skorch.callbacks.Callback or of (str, Callback), or None

    Returns
    -------
    copies : list
    """
    memo = {}
    for entry in callbacks or []:
        callback = entry[1] if isinstance(entry, tuple) else entry
        for value in vars(callback).values():
            try:
                copy.deepcopy(value)
            except Exception:  # locks, threads, open files: whatever says that it has no copy
                # What stands here counts as copied.
                memo[id(value)] = value
    return copy.deepcopy(list(callbacks or []), memo)
