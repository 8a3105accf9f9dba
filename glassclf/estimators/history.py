"""What a training leaves behind: its history as arrays, and a warning when it was too short."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

COLUMNS = ("train_loss", "valid_loss", "valid_score", "lr", "dur")

# The loss is called still falling when the last fifth of the epochs lowered its mean, against the
# fifth before, by more than this share of its first value, and by so many standard errors.
STILL_FALLING = 0.05
STANDARD_ERRORS = 3


def history_arrays(history):
    """Turn the history of a skorch net into one array a column.

    Parameters
    ----------
    history : skorch.history.History

    Returns
    -------
    arrays : dict of ndarray of shape (n_epochs,), float64
        "train_loss", "valid_loss", "valid_score", "lr" and "dur" (seconds). Without a validation
        part its two columns are NaN.
    """
    return {
        name: np.array([epoch.get(name, np.nan) for epoch in history], dtype=np.float64)
        for name in COLUMNS
    }


def warn_if_falling(train_loss, name, max_epochs):
    """Warn when the training loss was still falling fast at the end.

    Parameters
    ----------
    train_loss : ndarray of shape (n_epochs,)
    name : str
        Class of the estimator, for the message.
    max_epochs : int
        Value to raise, for the message.
    """
    part = len(train_loss) // 5
    if part == 0:
        return
    before, last = train_loss[-2 * part : -part], train_loss[-part:]
    fall = before.mean() - last.mean()
    noise = np.sqrt((before.var() + last.var()) / part)
    if fall > max(STILL_FALLING * train_loss[0], STANDARD_ERRORS * noise):
        warnings.warn(
            f"the training loss of {name} was still falling fast after max_epochs={max_epochs} "
            f"({before.mean():.3g} to {last.mean():.3g}): raise max_epochs or lr",
            ConvergenceWarning,
            stacklevel=7,
        )


def warn_of_stop(name, stopped_by, n_epochs, max_epochs, checkpoint):
    """Warn that a training was stopped before its end.

    Parameters
    ----------
    name : str
        Class of the estimator.
    stopped_by : str
        "max_time", or the name of a signal.
    n_epochs, max_epochs : int
        Complete epochs of this fit, and those it was to have.
    checkpoint : path or None
    """
    if max_epochs == 1 and checkpoint is None:
        advice = "the epoch is not complete"
    elif checkpoint is None:
        advice = "set checkpoint to a directory, to be able to go on from here"
    else:
        advice = f"fit again with checkpoint={str(checkpoint)!r} to go on from here"
    warnings.warn(
        f"{name} was stopped by {stopped_by} after {n_epochs} of max_epochs={max_epochs} epochs: "
        f"{advice}",
        ConvergenceWarning,
        stacklevel=7,
    )


def warn_of_signal(name, signal):
    """Warn that a signal came when there was nothing left to stop.

    Parameters
    ----------
    name : str
        Class of the estimator.
    signal : str
    """
    warnings.warn(
        f"{signal} came when the training of {name} was over: the fit is complete, and the program "
        "goes on",
        stacklevel=7,
    )
