"""One training from its first batch to its last, through any number of interruptions."""

import copy
from contextlib import nullcontext

import torch

from glassclf.estimators.batching import BatchLoader
from glassclf.estimators.checkpoint import CheckpointError
from glassclf.estimators.evaluation import settle_statistics
from glassclf.estimators.net import Diverged
from glassclf.estimators.stopping import REASONS, StopTraining
from glassclf.estimators.training_state import capture_state, n_complete_epochs, restore_state

# Reasons to stop after which a training is complete: it would stop there again.
COMPLETE = {None, "early_stopping", "callback"}


class Training:
    """The epochs of one fit.

    Parameters
    ----------
    net : Net
        Initialized.
    train, valid : TrainingData
        ``valid`` may be None.
    last_epoch : int
        Number of epochs that the history of the net has at the end.
    stop : StopRequest
    best : BestEpoch or None
        Whose weights are taken in the end, in place of the last ones.
    checkpoint_batches : int or None
        Batches after which the training is saved within an epoch, too.
    origin : dict
        What the training was drawn from; kept in the checkpoint.

    Attributes
    ----------
    stopped_by : str or None
        Who ended the training before its last epoch.
    failure : Exception or None
        What ended it, where the weights of before are still of use.
    """

    def __init__(self, net, train, valid, last_epoch, stop, *, best, checkpoint_batches, origin):
        self.net, self.train, self.valid = net, train, valid
        self.last_epoch, self.stop, self.best = last_epoch, stop, best
        self.checkpoint_batches, self.origin = checkpoint_batches, origin
        self.stopped_by = self.failure = self._good_weights = None

    def run(self, saved=None):
        """Train, from the start or from a saved state, and finish the network.

        Parameters
        ----------
        saved : dict, default=None
            State of a checkpoint.

        Raises
        ------
        Diverged
            If the loss became NaN or infinite before the first epoch ended.
        ValueError
            If the checkpoint has more epochs than are asked for.
        """
        if saved is not None and self._is_complete(saved):
            restore_state(self.net, saved)
            self._drop_open_epoch()
            self.net.module_.load_state_dict(saved["final_weights"])
            self.stopped_by = saved["stopped_by"]
            self.net.end_training()
            return
        # Without a checkpoint a signal ends the process, as ever.
        with self.stop.listening() if self.net.checkpoint else nullcontext():
            try:
                self.net.notify("on_train_begin", X=self.train, y=None)
                if saved is not None:
                    restore_state(self.net, saved)
                    self._good_weights = self.net.copy_weights()
                while self.net.order is not None or len(self.net.history) < self.last_epoch:
                    self._run_epoch()
            except StopTraining as stop:
                self.stopped_by = stop.reason
            except Diverged as failure:
                if self._good_weights is None:
                    raise
                self.failure = failure
            except CheckpointError as failure:
                self.failure = failure
            self._finish()

    def _is_complete(self, saved):
        n_epochs = n_complete_epochs(saved)
        if n_epochs > self.last_epoch:
            raise ValueError(
                f"the checkpoint has {n_epochs} epochs, more than max_epochs asks for "
                f"({self.last_epoch}): raise max_epochs, or take another directory (trainings that "
                "differ in max_epochs alone share theirs, {params} included)"
            )
        if "final_weights" not in saved:
            return False
        if saved["stopped_by"] == "callback":
            # It would be ended again, if the callbacks are those of then.
            return saved["own_callbacks"] == self.origin["own_callbacks"]
        return n_epochs == self.last_epoch or saved["stopped_by"] == "early_stopping"

    def _run_epoch(self):
        net = self.net
        net.train_epoch(self.train, self.valid, self._after_batch)
        self._keep_good_weights()
        if len(net.history) < self.last_epoch:
            self._save()
            reason = self._stop_reason()
            if reason is not None:
                raise StopTraining(reason)

    def _keep_good_weights(self):
        weights = self.net.copy_weights()
        # The loss of the last batch was that of the weights before its step.
        if not all(tensor.isfinite().all() for tensor in weights.values()):
            raise Diverged(
                f"the weights became NaN or infinite in epoch {len(self.net.history)}: lower lr, "
                "or set clip_norm=1.0"
            )
        self._good_weights = weights

    def _stop_reason(self):
        """Reason to stop that any of the processes has."""
        return REASONS[self.net.processes.largest(REASONS.index(self.stop.reason))]

    def _after_batch(self):
        reason = self._stop_reason()
        n_batches = len(self.net.history[-1]["batches"])
        every = self.checkpoint_batches
        if reason is not None or (every is not None and n_batches % every == 0):
            self._save()
        if reason is not None:
            raise StopTraining(reason)

    def _save(self):
        if self.net.checkpoint is not None:
            self.net.checkpoint.write(self._state())

    def _state(self):
        return {**capture_state(self.net), **self.origin, "n_threads": torch.get_num_threads()}

    def _finish(self):
        """Turn the training net into the one that predicts."""
        net = self.net
        state = None
        if net.checkpoint is not None and self.failure is None and self.stopped_by in COMPLETE:
            # A copy: what follows changes the weights, and a longer training starts from these.
            state = self._state() | {"module": copy.deepcopy(net.module_.state_dict())}
        self._drop_open_epoch()
        weights = self._final_weights()
        net.average = None
        if weights is not None:
            net.module_.load_state_dict(weights)
        net.notify("on_train_end", X=self.train, y=None)
        if not net.frozen:
            settle_statistics(net, self.train)
        self._check_outputs()
        if state is not None:
            state |= {"final_weights": net.module_.state_dict(), "stopped_by": self.stopped_by}
            try:
                net.checkpoint.write(state)
            except CheckpointError as failure:
                self.failure = failure
        net.end_training()

    def _check_outputs(self):
        # Weights may be finite, and too large to compute with.
        net = self.net
        with torch.no_grad():
            x, _ = next(iter(BatchLoader(self.train, net.batch_size)))
            if not net.infer(x).isfinite().all():
                raise Diverged(
                    f"the network predicts NaN after epoch {len(net.history)}: lower lr, or set "
                    "clip_norm=1.0"
                )

    def net_of_now(self):
        """Build the net that would be left if the training stopped here.

        Returns
        -------
        net : Net
        """
        net = self.net.copy_to_predict()
        net.module_.load_state_dict(self._final_weights())
        if not net.frozen:
            settle_statistics(net, self.train)
        net.end_training()
        return net

    def _drop_open_epoch(self):
        # It goes on after a resume; for the network of now it does not count.
        if self.net.order is not None:
            del self.net.history[-1]

    def _final_weights(self):
        if isinstance(self.failure, Diverged):
            return self._good_weights
        if self.best is not None and self.best.weights_ is not None:
            return self.best.weights_
        return self.net.copy_weights()
