"""Callbacks that watch a training from outside: what was validated on, a rising rate."""

import math

import numpy as np
from skorch.callbacks import Callback

from glassclf.estimators.stopping import StopTraining


class Observer(Callback):
    """A callback whose owner reads what it has seen, even if the training fails."""

    def __deepcopy__(self, memo):
        # An estimator trains with copies of its callbacks: the copy would know what this needs.
        return self


class ValidationTargets(Observer):
    """Keep the targets of the validation part, as the network is to produce them.

    Attributes
    ----------
    targets_ : ndarray of shape (n_valid,) or (n_valid, n_outputs)
        Of length 0 where there is no validation part.
    """

    def on_train_begin(self, net, **kwargs):
        """Forget earlier trainings."""
        self.targets_, self._batches = np.empty(0), []

    def on_batch_end(self, net, batch, training, **kwargs):
        """Keep the targets of a validation batch."""
        if not training:
            self._batches.append(batch[1][0].cpu().numpy())

    def on_epoch_end(self, net, **kwargs):
        """Join the batches; each epoch validates on the same."""
        if self._batches:
            self.targets_, self._batches = np.concatenate(self._batches), []


class RisingRate(Observer):
    """Raise the learning rate exponentially from batch to batch, and record the loss.

    Parameters
    ----------
    rates : sequence of float
        Rate of each batch; after the last one the training stops.
    smoothing : float
        Share of the smoothed loss that stays at each batch.
    explosion : float
        The training stops when the smoothed loss is so many times the lowest.

    Attributes
    ----------
    losses_ : list of float
        Loss of each batch.
    smoothed_ : list of float
        Average of the losses with exponentially falling weights, without a bias to the first.
    """

    def __init__(self, rates, smoothing, explosion):
        self.rates, self.smoothing, self.explosion = rates, smoothing, explosion

    def on_train_begin(self, net, **kwargs):
        """Forget earlier trainings."""
        self.losses_, self.smoothed_ = [], []
        self._sum = 0.0

    def on_batch_begin(self, net, training, **kwargs):
        """Set the rate of a training batch."""
        if training:
            for group in net.optimizer_.param_groups:
                group["lr"] = self.rates[len(self.losses_)]

    def on_batch_end(self, net, training, loss, **kwargs):
        """Record the loss of a training batch, and stop where there is nothing more to see."""
        if not training:
            return
        loss = loss.item()
        if not math.isfinite(loss):
            raise StopTraining("callback")
        self.losses_.append(loss)
        self._sum = self.smoothing * self._sum + (1 - self.smoothing) * loss
        self.smoothed_.append(self._sum / (1 - self.smoothing ** len(self.losses_)))
        exploded = self.smoothed_[-1] > self.explosion * min(self.smoothed_)
        if exploded or len(self.losses_) == len(self.rates):
            raise StopTraining("callback")
