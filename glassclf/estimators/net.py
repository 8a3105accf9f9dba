"""The skorch net that the estimators train."""

import copy
import functools
import math
import time

import torch
from skorch import NeuralNet
from skorch.callbacks import PassthroughScoring, PrintLog

from glassclf.estimators.batching import BatchLoader
from glassclf.estimators.net_callbacks import BestEpoch
from glassclf.estimators.parallel import Alone
from glassclf.estimators.precision import MixedPrecision
from glassclf.estimators.progress import print_line
from glassclf.estimators.settings import present_device
from glassclf.estimators.stopping import StopTraining
from glassclf.networks.graph_batch import at_least_single
from glassclf.networks.normalization import share_statistics


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
    compiled : callable or None
        The module, compiled for training.
    arithmetic : MixedPrecision
    processes : Alone or Processes
        That train together.
    """

    order, n_done = None, 0
    augmentation = average = checkpoint = compiled = None
    frozen = ()
    arithmetic = MixedPrecision("32", torch.device("cpu"))
    processes = Alone()

    def get_default_callbacks(self):
        """Callbacks of skorch that every training has."""
        callbacks = [
            ("train_loss", PassthroughScoring(name="train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring(name="valid_loss")),
        ]
        # It lays out its table even where it does not print it.
        return callbacks + [("print_log", PrintLog(sink=print_line))] * (self.verbose > 0)

    def infer(self, x, **fit_params):
        """Outputs of the module for one batch."""
        module = self.module_
        if module.training:
            module = self.compiled or module
        elif self.average is not None:
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

    def train_step_single(self, batch, scale=1.0):
        """Compute the loss of a batch, and its gradients times ``scale``."""
        self._set_training(True)
        x, y = batch
        with self.arithmetic.autocast():
            y_pred = self.infer(x)
        y_pred = at_least_single(y_pred)
        loss = self.get_loss(y_pred, y, training=True)
        self.arithmetic.backward(scale * loss)
        loss = self.processes.average_gradients(self.optimizer_, loss)
        self.arithmetic.unscale(self.optimizer_)
        return {"loss": loss, "y_pred": y_pred}

    def _step_optimizer(self, step_fn):
        if not self.arithmetic.scales:
            return super()._step_optimizer(step_fn)
        # Whether there is a step at all depends on the gradients.
        step_fn()
        return self.arithmetic.step(self.optimizer_)

    def batch_share(self, data, rows):
        """Batch of those rows that this process trains on.

        Parameters
        ----------
        data : TrainingData
        rows : tensor of int

        Returns
        -------
        batch : tuple
        """
        if self.processes.count == 1:
            return data.batch(rows.numpy())
        part, share = self.processes.share(rows)
        share_statistics(self.module_, len(part) < len(rows))
        x, (target, weight) = data.batch(part.numpy())
        return x, (target, weight * share)

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
            # First, as a callback may end the training in its on_epoch_begin.
            self.order, self.n_done = torch.randperm(len(train)), 0
            self.notify("on_epoch_begin", **parts)
            self.history.record("dur", 0.0)
        before = self.history[-1]["dur"]
        start = time.monotonic()
        for rows, scale in train.cut(self.order, self.batch_size, self.n_done):
            place = len(self.history), self.n_done
            with self.processes.own_random_numbers(torch.device(self.device), *place):
                batch = self.batch_share(train, rows)
                step = functools.partial(self.train_step, scale=scale)
                self._run_batch(batch, "train", step, len(rows))
            self.n_done += len(rows)
            self.history.record("dur", before + time.monotonic() - start)
            after_batch()
        n_batches = len(self.history[-1]["batches"])
        self.history.record("train_batch_count", n_batches)
        self._align_processes()
        if valid is not None:
            for batch in BatchLoader(valid, self.batch_size):
                self._run_batch(batch, "valid", self.validation_step, len(batch[0]))
            self.history.record("valid_batch_count", len(self.history[-1]["batches"]) - n_batches)
        self.history.record("dur", before + time.monotonic() - start)
        self.order, self.n_done = None, 0
        try:
            self.notify("on_epoch_end", **parts)
        finally:
            # A long training has millions of batches.
            self.history[-1]["batches"].clear()

    def _align_processes(self):
        for module in [self.module_, *([self.average.module] if self.average else [])]:
            self.processes.average_buffers(module)

    def _run_batch(self, batch, part, step, n_samples):
        training = part == "train"
        self.notify("on_batch_begin", batch=batch, training=training)
        result = step(batch)
        if not training:
            result["loss"] = self.processes.average(result["loss"])
        loss = result["loss"].item()
        if training and not math.isfinite(loss):
            n_batches = len(self.history[-1]["batches"])
            raise Diverged(
                f"the training loss became {loss} in epoch {len(self.history)}, batch "
                f"{n_batches}: lower lr, or set clip_norm=1.0"
            )
        self.history.record_batch(f"{part}_loss", loss)
        self.history.record_batch(f"{part}_batch_size", n_samples)
        self.notify("on_batch_end", batch=batch, training=training, **result)

    def _set_training(self, training=True):
        if self.module_.training == training:
            # Going through all parts of the module takes long, at every batch.
            return
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
        return copy.deepcopy(module.state_dict())

    def stateful_parts(self):
        """Parts of a training, apart from module and optimizer, that a checkpoint must hold.

        Returns
        -------
        parts : dict
            Objects with ``state_dict`` and ``load_state_dict``.
        """
        parts = {} if self.average is None else {"average": self.average}
        if self.arithmetic.scales:
            parts["arithmetic"] = self.arithmetic
        return parts

    def copy_to_predict(self):
        """Copy the net as it is, without its callbacks.

        Returns
        -------
        net : Net
            With a module of its own, which has the weights of training.
        """
        new = object.__new__(type(self))
        own = {"module_": copy.deepcopy(self.module_), "history": copy.deepcopy(self.history)}
        vars(new).update(vars(self), **own, callbacks_=[])
        for name in ("average", "compiled", "arithmetic", "processes"):
            vars(new).pop(name, None)
        return new

    def end_training(self):
        """Let go of what only a training needs, so that it is not saved with the net."""
        share_statistics(self.module_, False)
        self.module_.zero_grad(set_to_none=True)
        for _, callback in self.callbacks_:
            if isinstance(callback, BestEpoch):
                callback.weights_ = None
        names = ["order", "n_done", "augmentation", "average", "checkpoint", "frozen"]
        for name in [*names, "compiled", "arithmetic", "processes"]:
            vars(self).pop(name, None)

    def __setstate__(self, state):
        """Take what was pickled; on the CPU, where the GPU of then is not there."""
        super().__setstate__({**state, "device": present_device(state["device"])})

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
