"""Learning-rate schedules by name."""

import math

# How fast the rates fall, for a training of max_epochs epochs.
EXPONENTIAL_END = 0.01
NOAM_WARMUP = 0.1


def learning_rate(schedule, lr, epoch, max_epochs):
    """Learning rate of an epoch.

    Parameters
    ----------
    schedule : {"constant", "exponential", "cosine", "noam"}
        ``"exponential"`` falls to one hundredth of ``lr``; ``"cosine"`` falls to zero along half a
        period; ``"noam"`` rises linearly to ``lr`` over the first tenth of the epochs and falls
        with the inverse square root afterwards.
    lr : float
        Largest rate.
    epoch : int
        Epochs done before; after ``max_epochs`` the rate stays what it was there.
    max_epochs : int
        Epochs of the whole training.

    Returns
    -------
    rate : float

    Notes
    -----
    Cosine: Loshchilov and Hutter, arXiv:1608.03983, equation 5. Noam: Vaswani et al.,
    arXiv:1706.03762, equation 3.

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
    return lr
