"""The skorch net that the estimators train."""

import copy
import math
import time

import torch
from skorch import NeuralNet
from skorch.callbacks import PassthroughScoring, PrintLog

from glassclf.estimators.batching import BatchLoader
from glassclf.estimators.stopping import StopTraining


class Diverged(ValueError):
    """The training loss is no longer a finite number."""


class Net(NeuralNet):
    """A skorch net whose batches carry sample weights, and whose training can go on anywhere.

    A batch is ``(input, (target, weight))``. The criterion returns one loss for each sample.

    Attributes
    ----------
    order : tensor of int or None
        Order of the training samples in the running epoch; None between epochs.
    n_done : int
        Samples of that order which have been trained on.
    augmentation : callable or None
        Applied to the input of each training batch.
    average : WeightAverage or None
    checkpoint : Checkpoint or None
        Where the training is kept.
    frozen : sequence of torch.nn.Module
        Parts that stay as they are.
    """

    order, n_done = None, 0
    augmentation = average = checkpoint = None
    frozen = ()

    def get_default_callbacks(self):
        """Callbacks of skorch that every training has."""
        return [
            ("train_loss", PassthroughScoring(name="train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring(name="valid_loss")),
            ("print_log", PrintLog()),
        ]

    def infer(self, x, **fit_params):
        """Outputs of the module for one batch."""
        module = self.module_
        if self.average is not None and not module.training:
            module = self.average.module
        return module(x.to(self.device))

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Weighted mean of the losses of a batch."""
        target, weight = y_true
        losses = self.criterion_(y_pred, target.to(y_pred.device))
        losses = losses.reshape(len(losses), -1).mean(1)
        return (losses * weight.to(losses.device)).mean()

    def train_step(self, batch, **fit_params):
        """Augment a batch, and make one step of the optimizer."""
        if self.augmentation is not None:
            x, target = batch
            batch = self.augmentation(x.to(self.device)), target
        step = super().train_step(batch, **fit_params)
        if self.average is not None:
            self.average.update(self.module_)
        return step

    def train_epoch(self, train, valid, after_batch):
        """Train for one epoch, or for what is left of the running one.

        Parameters
        ----------
        train, valid : TrainingData
            ``valid`` may be None.
        after_batch : callable
            Called without arguments after each training batch, when everything that a training
            depends on is up to date.
        """
        parts = {"dataset_train": train, "dataset_valid": valid}
        if self.order is None:
            self.notify("on_epoch_begin", **parts)
            self.order, self.n_done = torch.randperm(len(train)), 0
            self.history.record("dur", 0.0)
        before = self.history[-1]["dur"]
        start = time.monotonic()
        for rows in self.order[self.n_done :].split(self.batch_size):
            self._run_batch(train.batch(rows.numpy()), "train", self.train_step)
            self.n_done += len(rows)
            self.history.record("dur", before + time.monotonic() - start)
            after_batch()
        self.history.record("train_batch_count", -(-len(train) // self.batch_size))
        if valid is not None:
            batches = BatchLoader(valid, self.batch_size)
            for batch in batches:
                self._run_batch(batch, "valid", self.validation_step)
            self.history.record("valid_batch_count", len(batches))
        self.history.record("dur", before + time.monotonic() - start)
        self.order, self.n_done = None, 0
        try:
            self.notify("on_epoch_end", **parts)
        finally:
            # A long training has millions of batches.
            self.history[-1]["batches"].clear()

    def _run_batch(self, batch, part, step):
        training = part == "train"
        self.notify("on_batch_begin", batch=batch, training=training)
        result = step(batch)
        loss = result["loss"].item()
        if training and not math.isfinite(loss):
            n_before = self.n_done // self.batch_size
            raise Diverged(
                f"the training loss became {loss} in epoch {len(self.history)}, batch "
                f"{n_before + 1}: lower lr, or set clip_norm=1.0"
            )
        self.history.record_batch(f"{part}_loss", loss)
        self.history.record_batch(f"{part}_batch_size", len(batch[0]))
        self.notify("on_batch_end", batch=batch, training=training, **result)

    def _set_training(self, training=True):
        super()._set_training(training)
        for module in self.frozen:
            module.eval()

    def freeze_all_but_head(self):
        """Leave every weight as it is, but those of ``module_.head``."""
        parts = dict(self.module_.named_children())
        if "head" not in parts:
            raise ValueError(
                f"freeze_encoder=True needs a module whose last part is named head, got "
                f"{type(self.module_).__name__} with {', '.join(parts)}"
            )
        self.frozen = [part for name, part in parts.items() if name != "head"]
        for name, parameter in self.module_.named_parameters():
            if not name.startswith("head."):
                parameter.requires_grad_(False)

    def copy_weights(self):
        """Copy the weights that the net would predict with now.

        Returns
        -------
        weights : dict of tensor
        """
        module = self.module_ if self.average is None else self.average.module
        return {name: tensor.clone() for name, tensor in module.state_dict().items()}

    def stateful_parts(self):
        """Parts of a training, apart from module and optimizer, that a checkpoint must hold.

        Returns
        -------
        parts : dict
            Objects with ``state_dict`` and ``load_state_dict``.
        """
        return {} if self.average is None else {"average": self.average}

    def end_training(self):
        """Let go of what only a training needs, so that it is not saved with the net."""
        for name in ("order", "n_done", "augmentation", "average", "checkpoint", "frozen"):
            vars(self).pop(name, None)

    def notify(self, method_name, **kwargs):
        """Call all callbacks; where one asks to stop, end the training after them.

        skorch's callbacks ask by raising KeyboardInterrupt, as the keyboard does: that one is
        passed on, so that nobody takes a half-trained network for a trained one.
        """
        getattr(self, method_name)(self, **kwargs)
        stop = None
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except StopTraining as request:
                stop = request
            except KeyboardInterrupt as interrupt:
                if not _raised_by_skorch(interrupt):
                    raise
                stop = StopTraining("callback")
        if stop is not None:
            raise stop


def _raised_by_skorch(interrupt):
    frame = interrupt.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    return frame.tb_frame.f_globals["__name__"].startswith("skorch.callbacks")


def take_over(net, old, new_head=False):
    """Go on with the weights, the state of the optimizer and the history of another net.

    Parameters
    ----------
    net : Net
        Initialized with the parameters of now, which it keeps.
    old : Net
        Trained; left as it is.
    new_head : bool, default=False
        Take all weights but those of the head, and nothing else.

    Raises
    ------
    ValueError
        If the modules differ.
    """
    weights = old.module_.state_dict()
    if new_head:
        head = {n: w for n, w in net.module_.state_dict().items() if n.startswith("head.")}
        weights = {n: w for n, w in weights.items() if not n.startswith("head.")} | head
    try:
        net.module_.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            "a training cannot continue with a network of another shape: use warm_start=False, "
            f"or the parameters of the first fit ({error})"
        ) from error
    if new_head:
        return
    if type(net.optimizer_) is type(old.optimizer_):
        state = copy.deepcopy(old.optimizer_.state_dict())
        state["param_groups"] = net.optimizer_.state_dict()["param_groups"]
        net.optimizer_.load_state_dict(state)
    net.history = copy.deepcopy(old.history)
