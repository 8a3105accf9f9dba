"""The skorch net that the estimators train."""

import copy

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback

from glassclf.estimators.batching import BatchLoader
from glassclf.estimators.schedules import learning_rate


class Net(NeuralNet):
    """A skorch net whose batches carry sample weights.

    A batch is ``(input, (target, weight))``. The criterion returns one loss for each sample.
    """

    def infer(self, x, **fit_params):
        """Outputs of the module for one batch."""
        return self.module_(x.to(self.device))

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Weighted mean of the losses of a batch."""
        target, weight = y_true
        losses = self.criterion_(y_pred, target.to(y_pred.device))
        losses = losses.reshape(len(losses), -1).mean(1)
        loss = (losses * weight.to(losses.device)).mean()
        if training and not torch.isfinite(loss):
            raise ValueError(
                f"the training loss became {loss.item()} in epoch {len(self.history)}: lower lr, "
                "or set clip_norm=1.0"
            )
        return loss

    def train_epochs(self, dataset, n_epochs):
        """Train for a number of epochs, or until a callback asks to stop.

        An interrupt from the keyboard is not a reason to stop cleanly here, as it is in skorch:
        it is passed on, so that nobody takes a half-trained network for a trained one.
        """
        self.notify("on_train_begin", X=dataset, y=None)
        try:
            self.fit_loop(dataset, epochs=n_epochs)
        except StopTraining:
            pass
        self.notify("on_train_end", X=dataset, y=None)

    def notify(self, method_name, **kwargs):
        """Call all callbacks; where one of skorch's asks to stop, end the training after them.

        skorch's callbacks ask by raising KeyboardInterrupt, as the keyboard does.
        """
        getattr(self, method_name)(self, **kwargs)
        asked_to_stop = False
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except KeyboardInterrupt as interrupt:
                if not _raised_by_skorch(interrupt):
                    raise
                asked_to_stop = True
        if asked_to_stop:
            raise StopTraining


def _raised_by_skorch(interrupt):
    frame = interrupt.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    return frame.tb_frame.f_globals["__name__"].startswith("skorch.callbacks")


class StopTraining(Exception):
    """Raised when a callback ends the training before the last epoch."""


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
            net.history.record("valid_score", float(self.score(outputs, targets)))
        self.outputs_, self.targets_ = [], []


class LearningRate(Callback):
    """Set the learning rate of each epoch and record it, as ``lr``.

    Parameters
    ----------
    schedule, lr, max_epochs
        As in :func:`~glassclf.estimators.schedules.learning_rate`.
    first_epoch : int, default=0
        Epochs done before the schedule began.
    """

    def __init__(self, schedule, lr, max_epochs, first_epoch=0):
        self.schedule, self.lr, self.max_epochs = schedule, lr, max_epochs
        self.first_epoch = first_epoch

    def on_train_begin(self, net, **kwargs):
        """Begin with the full rate, in a training that continues as well."""
        self._set(net, self.lr)

    def on_epoch_begin(self, net, **kwargs):
        """Write the rate into the optimizer; a constant one is left to the user's callbacks."""
        if self.schedule != "constant":
            epoch = len(net.history) - 1 - self.first_epoch
            self._set(net, learning_rate(self.schedule, self.lr, epoch, self.max_epochs))
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])

    def _set(self, net, rate):
        for group in net.optimizer_.param_groups:
            group["lr"] = rate


def evaluate(net, samples, batch_size, method, dtype=torch.float32):
    """Apply a method of the trained module to samples, batch by batch.

    Parameters
    ----------
    net : Net
        Trained.
    samples : ArraySamples or GraphSamples
    batch_size : int
    method : {"forward", "embed"}
    dtype : torch.dtype, default=torch.float32
        Precision of the evaluation.

    Returns
    -------
    outputs : ndarray of shape (n, width)
    """
    module = net.module_ if dtype is torch.float32 else copy.deepcopy(net.module_).to(dtype)
    if not hasattr(module, method):
        raise AttributeError(f"module {type(module).__name__} has no method {method}")
    module.eval()
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(samples), batch_size):
            rows = np.arange(start, min(start + batch_size, len(samples)))
            batch = samples.batch(rows).to(net.device)
            batch = batch if dtype is torch.float32 else batch.to(dtype)
            outputs.append(getattr(module, method)(batch).cpu().numpy())
    return np.concatenate(outputs)


def probe_module(net, samples, n_outputs):
    """Try the module on one sample, before hours of training.

    Parameters
    ----------
    net : Net
        Initialized.
    samples : ArraySamples or GraphSamples
    n_outputs : int
        Outputs that the targets ask for.

    Returns
    -------
    width : int or None
        Length of the embedding, None for a module that has none.

    Raises
    ------
    ValueError
        If ``forward`` returns another shape than ``(n, n_outputs)``.
    """
    module = net.module_.eval()
    batch = samples.batch(np.arange(1)).to(net.device)
    # Not inference_mode: what a lazy module makes here is trained afterwards.
    with torch.no_grad():
        shape = tuple(module(batch).shape)
        if shape != (1, n_outputs):
            raise ValueError(
                f"forward of module {type(module).__name__} must return shape (n, {n_outputs}), "
                f"got {shape} for n=1"
            )
        return module.embed(batch).shape[1] if hasattr(module, "embed") else None


def settle_statistics(net, dataset):
    """Average the statistics of batch normalisation once more, over the whole training part.

    In training they trail behind the weights. Where the last steps were large, a network that
    separates its classes perfectly could else predict one class only.

    Parameters
    ----------
    net : Net
        Trained.
    dataset : TrainingData
        The training part.

    Notes
    -----
    "Precise" batch normalisation: Wu and Johnson, arXiv:2105.07576, section 3.
    """
    module = net.module_.eval()
    norms = [
        norm
        for norm in module.modules()
        if isinstance(norm, torch.nn.modules.batchnorm._BatchNorm) and norm.track_running_stats
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
        norm.train()
    with torch.no_grad():
        for batch, _ in BatchLoader(dataset, net.batch_size):
            net.infer(batch)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    module.eval()


def take_over(net, old):
    """Go on with the weights, the state of the optimizer and the history of another net.

    Parameters
    ----------
    net : Net
        Initialized with the parameters of now, which it keeps.
    old : Net
        Trained; left as it is.

    Raises
    ------
    ValueError
        If the modules differ.
    """
    try:
        net.module_.load_state_dict(old.module_.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "a training cannot continue with a network of another shape: use warm_start=False, "
            f"or the parameters of the first fit ({error})"
        ) from error
    if type(net.optimizer_) is type(old.optimizer_):
        state = copy.deepcopy(old.optimizer_.state_dict())
        state["param_groups"] = net.optimizer_.state_dict()["param_groups"]
        net.optimizer_.load_state_dict(state)
    net.history = copy.deepcopy(old.history)


def quiet(text):
    """Print nothing: where skorch's callbacks would talk on their own."""
