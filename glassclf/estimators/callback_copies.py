"""Copies of the callbacks that a user has given, for one training."""

import copy

from skorch.callbacks import Callback, LRScheduler


def copy_callbacks(callbacks):
    """Copy callbacks; what they hold that has no copy, such as a writer to a file, is shared.

    Parameters
    ----------
    callbacks : list of skorch.callbacks.Callback or of (str, Callback), or None

    Returns
    -------
    copies : list

    Raises
    ------
    TypeError
        If something else is among them.
    """
    memo = {}
    for callback in _bare(callbacks):
        for value in vars(callback).values():
            try:
                copy.deepcopy(value)
            except Exception:  # locks, threads, open files: whatever says that it has no copy
                # What stands here counts as copied.
                memo[id(value)] = value
    return copy.deepcopy(list(callbacks or []), memo)


def any_scheduler(callbacks):
    """Whether one of the callbacks sets the learning rate.

    Parameters
    ----------
    callbacks : list of skorch.callbacks.Callback or of (str, Callback), or None

    Returns
    -------
    found : bool
    """
    kinds = [each if isinstance(each, type) else type(each) for each in _bare(callbacks)]
    return any(issubclass(kind, LRScheduler) for kind in kinds)


def _bare(callbacks):
    """Callbacks without their names."""
    bare = []
    for entry in callbacks or []:
        callback = entry[1] if isinstance(entry, tuple) and len(entry) == 2 else entry
        # skorch takes classes, too, and calls them.
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise TypeError(
                "callbacks must hold callbacks of skorch, or pairs of a name and a callback, got "
                f"{callback!r}; those of scikit-learn are given to the method set_callbacks"
            )
        bare.append(callback)
    return bare
