"""Callbacks of every training: the validation score, and the best epoch."""

import math

import numpy as np
import torch
from skorch.callbacks import Callback

from glassclf.estimators.stopping import StopTraining


class ValidationScore(Callback):
    """Record the score of the validation part at the end of each epoch, as ``valid_score``.

    Parameters
    ----------
    score : callable
        ``score(outputs, targets)`` of arrays, larger is better.
    """

    def __init__(self, score):
        self.score = score

    def on_epoch_begin(self, net, **kwargs):
        """Forget the batches of the last epoch."""
        self.outputs_, self.targets_ = [], []

    def on_batch_end(self, net, batch, training, y_pred=None, **kwargs):
        """Keep what the network said of a validation batch."""
        if not training:
            self.outputs_.append(y_pred.detach().cpu().numpy())
            self.targets_.append(batch[1][0].numpy())

    def on_epoch_end(self, net, **kwargs):
        """Score the epoch."""
        if self.outputs_:
            outputs, targets = np.concatenate(self.outputs_), np.concatenate(self.targets_)
            score = torch.tensor(float(self.score(outputs, targets)), dtype=torch.float64)
            net.history.record("valid_score", net.processes.average(score).item())
        self.outputs_, self.targets_ = [], []


class BestEpoch(Callback):
    """Keep the weights of the epoch with the lowest loss, and stop when it lies far behind.

    The loss is that of the validation part, or of training where there is none.

    Parameters
    ----------
    patience : int or None
        Epochs to wait before stopping. None: never.
    """

    def __init__(self, patience=None):
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        """Forget earlier trainings."""
        self.epoch_, self.loss_, self.weights_ = len(net.history), math.inf, None

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch with the best so far."""
        row = net.history[-1]
        loss = row.get("valid_loss", row["train_loss"])
        if loss < self.loss_:
            self.epoch_, self.loss_ = len(net.history), loss
            self.weights_ = net.copy_weights()
            if net.checkpoint is not None:
                net.checkpoint.write_best(self.weights_, self.epoch_)
        elif self.patience is not None and len(net.history) - self.epoch_ >= self.patience:
            raise StopTraining("early_stopping")
