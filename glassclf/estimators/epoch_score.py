"""Scoring a network on samples of one's own after each epoch of its training."""

import copy

import numpy as np

from glassclf.estimators.evaluation import settle_statistics
from glassclf.estimators.observers import Observer

# The statistics of batch normalisation trail behind the weights. Those of a few batches are near
# enough to rank trainings, and cost little beside an epoch.
N_SETTLING_BATCHES = 4


class EpochScore(Observer):
    """Hand over the network as it stands after each epoch.

    Parameters
    ----------
    network : NetworkEstimator
        That is about to be fitted with this among its callbacks.
    score : callable
        ``score(network, n_epochs)`` gets an estimator that predicts as the network would if its
        training stopped there, and the number of epochs done. It may raise whatever is to end the
        training, such as ``optuna.TrialPruned``.
    """

    def __init__(self, network, score):
        self.network, self.score = network, score

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        """Make the network of now, and hand it over."""
        now = copy.copy(self.network)
        now.net_ = net.copy_to_predict()
        now.net_.module_.load_state_dict(net.copy_weights())
        if not net.frozen:
            settle_statistics(now.net_, _a_few(dataset_train, N_SETTLING_BATCHES * net.batch_size))
        now.net_.end_training()
        self.score(now, len(net.history))


def _a_few(dataset, n):
    """Training data of n samples at most, from all over: rows may be sorted by class."""
    few = copy.copy(dataset)
    rows = np.linspace(0, len(dataset) - 1, min(n, len(dataset))).astype(int)
    few.chosen = dataset.chosen[rows]
    return few
