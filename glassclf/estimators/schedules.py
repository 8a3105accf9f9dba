"""Learning-rate schedules by name: the rate of an epoch follows from the epochs before it."""

import math
from itertools import pairwise

import numpy as np
from skorch.callbacks import Callback

# How fast the rates fall, for a training of max_epochs epochs.
EXPONENTIAL_END = 0.01
NOAM_WARMUP = 0.1
LINEAR_END = 0.1

# Rate of each further step of "plateau" and "threshold", over the rate before.
STEP = 0.1

# Schedules that look at the validation part, and those whose rates depend on max_epochs.
NEEDS_VALIDATION = frozenset({"plateau", "threshold"})
FOLLOWS_MAX_EPOCHS = frozenset({"cosine", "exponential", "linear", "noam"})


def learning_rate(schedule, lr, epoch, max_epochs, decay_start=0.5):
    """Learning rate of an epoch, for the schedules that follow the number of epochs alone.

    Parameters
    ----------
    schedule : {"constant", "exponential", "cosine", "noam", "linear"}
        ``"exponential"`` falls to one hundredth of ``lr``; ``"cosine"`` falls to zero along half a
        period; ``"noam"`` rises linearly to ``lr`` over the first tenth of the epochs and falls
        with the inverse square root afterwards; ``"linear"`` stays at ``lr`` and then falls along
        a line to one tenth of it.
    lr : float
        Largest rate.
    epoch : int
        Epochs done before; after ``max_epochs`` the rate stays what it was there.
    max_epochs : int
        Epochs of the whole training.
    decay_start : float, default=0.5
        Share of the epochs after which ``"linear"`` begins to fall, 0 to 1.

    Returns
    -------
    rate : float

    Notes
    -----
    Cosine: Loshchilov and Hutter, arXiv:1608.03983, equation 5. Noam: Vaswani et al.,
    arXiv:1706.03762, equation 3. Linear: Gilmer et al., arXiv:1704.01212, section 6, who drew the
    start from 0.1 to 0.9 of the training and the end from 0.01 to 1 of the first rate.

    Examples
    --------
    >>> from glassclf.estimators.schedules import learning_rate
    >>> learning_rate("cosine", lr=0.1, epoch=5, max_epochs=10)
    0.05
    """
    epoch = min(epoch, max_epochs)
    if schedule == "exponential":
        return lr * EXPONENTIAL_END ** (epoch / max_epochs)
    if schedule == "cosine":
        return lr * (1 + math.cos(math.pi * epoch / max_epochs)) / 2
    if schedule == "noam":
        warmup = max(1.0, NOAM_WARMUP * max_epochs)
        return lr * min((epoch + 1) / warmup, math.sqrt(warmup / (epoch + 1)))
    if schedule == "linear":
        start = decay_start * max_epochs
        if epoch > start:
            return lr * (1 - (1 - LINEAR_END) * (epoch - start) / (max_epochs - start))
    return lr


def plateau_rate(lr, losses, patience):
    """Learning rate after some epochs: a tenth each time the loss has stopped falling.

    Parameters
    ----------
    lr : float
        First rate.
    losses : sequence of float
        Validation loss of each epoch so far.
    patience : int
        The rate falls when so many epochs in a row were not below the lowest loss; then the
        count begins anew.

    Returns
    -------
    rate : float

    Examples
    --------
    >>> from glassclf.estimators.schedules import plateau_rate
    >>> plateau_rate(0.5, [3.0, 2.0, 2.5, 2.1], patience=2)
    0.05
    """
    lowest, waited, n_steps = math.inf, 0, 0
    for loss in losses:
        if loss < lowest:
            lowest, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            waited, n_steps = 0, n_steps + 1
    return lr * STEP**n_steps


def threshold_rate(lr, score, steps):
    """Learning rate after an epoch: that of the highest threshold which its score has reached.

    Parameters
    ----------
    lr : float
        Rate below all thresholds.
    score : float
        Validation score of the last epoch; NaN reaches no threshold.
    steps : sequence of (float, float)
        Thresholds and their rates, as :func:`check_threshold` returns them.

    Returns
    -------
    rate : float

    Examples
    --------
    >>> from glassclf.estimators.schedules import threshold_rate
    >>> [threshold_rate(0.1, score, [(0.9, 0.01)]) for score in (0.5, 0.95, 0.8)]
    [0.1, 0.01, 0.1]
    """
    rate = lr
    for threshold, threshold_lr in steps:
        if score >= threshold:
            rate = threshold_lr
    return rate


def check_threshold(threshold, threshold_lr, lr):
    """Pair the thresholds of a schedule with their rates.

    Parameters
    ----------
    threshold : float or sequence of float
        Validation scores.
    threshold_lr : float, sequence of float of the same length, or None
        Rate from each threshold on. None: a tenth of ``lr`` from the lowest threshold on, a
        hundredth from the next, and so on.
    lr : float
        Rate below all thresholds.

    Returns
    -------
    steps : list of (float, float)
        Threshold and rate, by rising threshold.

    Raises
    ------
    ValueError
        If the two do not pair, if a threshold is not finite, above 1 or occurs twice, or if the
        rates are not positive or do not fall from ``lr`` on.

    Examples
    --------
    >>> from glassclf.estimators.schedules import check_threshold
    >>> check_threshold([0.97, 0.9], None, lr=0.5)
    [(0.9, 0.05), (0.97, 0.005)]
    """
    thresholds = _as_floats("threshold", threshold)
    if len(set(thresholds)) < len(thresholds):
        raise ValueError(f"threshold must hold each score once, got {threshold!r}")
    if max(thresholds) > 1:
        raise ValueError(
            f"threshold must be a score, accuracy or R2, which is never above 1, got {threshold!r}"
        )
    if threshold_lr is None:
        thresholds = sorted(thresholds)
        # Divided, so that the rates read as they would be written.
        rates = [lr / 10 ** (step + 1) for step in range(len(thresholds))]
    else:
        rates = _as_floats("threshold_lr", threshold_lr)
    if len(rates) != len(thresholds):
        raise ValueError(
            f"threshold and threshold_lr must have equal lengths, one rate for each threshold, got "
            f"threshold={threshold!r} and threshold_lr={threshold_lr!r}"
        )
    if min(rates) <= 0:
        raise ValueError(f"threshold_lr must be positive, got {threshold_lr!r}")
    steps = sorted(zip(thresholds, rates))
    if any(after > before for before, after in pairwise([lr, *(rate for _, rate in steps)])):
        raise ValueError(
            f"threshold_lr must fall from lr={lr!r} on as the thresholds rise, got "
            f"threshold={threshold!r} and threshold_lr={threshold_lr!r}"
        )
    return steps


def _as_floats(name, value):
    """List of the floats in a number or a sequence of numbers."""
    try:
        # A dictionary or a string is a sequence to Python, but hardly what was meant.
        values = [] if isinstance(value, (dict, str)) else np.ravel(value).tolist()
        floats = [float(number) for number in values]
    except (TypeError, ValueError):
        floats = []
    if not floats or not all(map(math.isfinite, floats)):
        raise ValueError(
            f"{name} must be a finite number or a sequence of at least one, got {value!r}"
        )
    return floats


class LearningRate(Callback):
    """Set the learning rate of each epoch and record it, as ``lr``.

    The rate follows from the history of the net and nothing else, so that a training which was
    interrupted and resumed takes the same rates as one that was not.

    Parameters
    ----------
    schedule : str
        A name that :func:`learning_rate` knows, ``"plateau"`` or ``"threshold"``. A
        ``"constant"`` rate is set at the beginning, and left to the user's callbacks from then on.
    lr : float
        Largest rate.
    max_epochs : int
        Epochs of the whole training.
    first_epoch : int, default=0
        Epochs done before the schedule began.
    threshold : float or sequence of float, default=0.9
        As in :func:`check_threshold`.
    threshold_lr : float, sequence of float or None, default=None
        As in :func:`check_threshold`.
    plateau_patience : int, default=5
        As in :func:`plateau_rate`.
    decay_start : float, default=0.5
        As in :func:`learning_rate`.
    """

    def __init__(
        self,
        schedule,
        lr,
        max_epochs,
        first_epoch=0,
        *,
        threshold=0.9,
        threshold_lr=None,
        plateau_patience=5,
        decay_start=0.5,
    ):
        self.schedule, self.lr, self.max_epochs = schedule, lr, max_epochs
        self.first_epoch = first_epoch
        self.threshold, self.threshold_lr = threshold, threshold_lr
        self.plateau_patience = plateau_patience
        self.decay_start = decay_start

    def rate_after(self, epochs):
        """Rate of the epoch that follows those of a history.

        Parameters
        ----------
        epochs : list of dict
            Finished epochs since the schedule began. Those without "valid_loss" or "valid_score"
            tell "plateau" and "threshold" nothing.

        Returns
        -------
        rate : float
        """
        if self.schedule == "plateau":
            losses = [epoch["valid_loss"] for epoch in epochs if "valid_loss" in epoch]
            return plateau_rate(self.lr, losses, self.plateau_patience)
        if self.schedule == "threshold":
            steps = check_threshold(self.threshold, self.threshold_lr, self.lr)
            score = epochs[-1].get("valid_score", math.nan) if epochs else math.nan
            return threshold_rate(self.lr, score, steps)
        return learning_rate(self.schedule, self.lr, len(epochs), self.max_epochs, self.decay_start)

    def on_train_begin(self, net, **kwargs):
        """Begin with the full rate; a training that is resumed restores its own afterwards."""
        self._set(net, self.lr)

    def on_epoch_begin(self, net, **kwargs):
        """Write the rate into the optimizer; a constant one is left to the user's callbacks."""
        if self.schedule != "constant":
            # The last epoch of the history has only just been opened.
            self._set(net, self.rate_after(net.history[self.first_epoch : -1]))
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])

    def _set(self, net, rate):
        for group in net.optimizer_.param_groups:
            group["lr"] = rate
