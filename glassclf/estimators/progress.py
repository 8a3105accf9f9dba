"""A progress bar over the epochs of a training."""

import contextlib
import multiprocessing
import os
import sys

from joblib.parallel import get_active_backend
from skorch.callbacks import Callback

# Seconds between two states of a bar that is written to a file: a log keeps every one of them.
LOG_INTERVAL = 30.0
BAR = "{desc} {percentage:3.0f}%|{bar}| {n:.4g}/{total} epochs [{elapsed}<{remaining}{postfix}]"


def may_draw():
    """Whether a progress bar may be drawn from here.

    Returns
    -------
    may : bool
        False in workers of joblib, its threads and the workers of dask included, in child
        processes, and in all but the first of several processes that train together: bars of
        several trainings at once would overwrite each other.
    """
    # A worker of joblib is known by the nesting of its backend, also where the process is not a
    # child of this one, as on another machine.
    nested = get_active_backend()[0].nesting_level != 0
    child = multiprocessing.parent_process() is not None
    return not nested and not child and os.environ.get("RANK", "0") == "0"


def open_bar(name, bar_format, *, total, initial):
    """Draw a progress bar: often on a screen, seldom in a log, which keeps every state of it.

    Parameters
    ----------
    name : str
        Written before the bar.
    bar_format : str
        As tqdm takes it.
    total, initial : int
        Number of steps, and of those that were done before.

    Returns
    -------
    bar : tqdm.tqdm
    """
    from tqdm.auto import tqdm  # slow to import

    log = not sys.stderr.isatty() and "ipykernel" not in sys.modules
    interval = {"mininterval": LOG_INTERVAL, "maxinterval": LOG_INTERVAL} if log else {}
    return tqdm(
        desc=name,
        total=total,
        initial=initial,
        bar_format=bar_format,
        miniters=0,  # tqdm would look at the clock after so many steps only
        smoothing=0,  # the mean since the start: steps take equally long
        **interval,
    )


class ProgressBar(Callback):
    """Show epochs, time left, loss, validation score and learning rate while a net trains.

    The bar moves with every batch, so that long epochs show as well.

    Parameters
    ----------
    name : str
        What is being trained, written before the bar.
    first_epoch, last_epoch : int
        Length of the history of the net when the training began, and when it ends.
    n_samples : int
        Samples of an epoch, those of the validation part included.
    """

    # skorch's naming is kept away from here: what ends in an underscore goes into checkpoints.
    _bar = None

    def __init__(self, name, first_epoch, last_epoch, n_samples):
        self.name, self.first_epoch, self.last_epoch = name, first_epoch, last_epoch
        self.n_samples = n_samples

    def on_batch_begin(self, net, **kwargs):
        """Draw the bar, which starts where a resumed training does."""
        if self._bar is not None:
            return
        self._bar = open_bar(
            self.name,
            BAR,
            total=self.last_epoch - self.first_epoch,
            initial=len(net.history) - 1 - self.first_epoch,
        )
        self._n_done = net.n_done

    def on_batch_end(self, net, training, **kwargs):
        """Move on by one batch."""
        epoch = net.history[-1]
        if training and "train_loss" not in net.history[0]:  # afterwards the last epoch speaks
            self._bar.set_postfix_str(describe(epoch | epoch["batches"][-1]), refresh=False)
        self._n_done += epoch["batches"][-1]["train_batch_size" if training else "valid_batch_size"]
        self._move(net, self._n_done / self.n_samples)

    def on_epoch_end(self, net, **kwargs):
        """Show the figures of the epoch."""
        self._bar.set_postfix_str(describe(net.history[-1]), refresh=False)
        self._move(net, 1)
        self._n_done = 0

    def _move(self, net, share):
        # Steps would add up to 2.9999 epochs.
        self._bar.update(len(net.history) - 1 - self.first_epoch + share - self._bar.n)

    def close(self):
        """Leave the bar as it stands, if there is one."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def describe(row):
    """Put the figures of an epoch, or of a batch, into words.

    Parameters
    ----------
    row : dict
        Row of the history of a net.

    Returns
    -------
    text : str
        For example "loss 0.21, valid score 0.95, lr 0.003".
    """
    names = {"train_loss": "loss", "valid_score": "valid score", "lr": "lr"}
    return ", ".join(f"{names[key]} {row[key]:.3g}" for key in names if key in row)


def progress_bar(estimator, training, first_epoch):
    """Make the progress bar of a training, if one is wanted and may be drawn.

    Parameters
    ----------
    estimator : NetworkEstimator
    training : Training
        About to run.
    first_epoch : int
        Length of the history of the net before this fit.

    Returns
    -------
    bars : list of ProgressBar
        One or none.
    """
    if estimator.verbose < 1 or not may_draw():
        return []
    n_samples = sum(len(part) for part in (training.train, training.valid) if part is not None)
    name = type(estimator).__name__
    return [ProgressBar(name, first_epoch, training.last_epoch, n_samples)]


@contextlib.contextmanager
def watched_by(net, watchers):
    """Let further callbacks look on within the context, and keep them out of what is saved.

    Parameters
    ----------
    net : Net
        Initialized.
    watchers : list of skorch.callbacks.Callback
        Called after all others; their method ``close`` is called in the end.
    """
    before = net.callbacks_
    net.callbacks_ = before + [(f"_{type(watcher).__name__}", watcher) for watcher in watchers]
    try:
        yield
    finally:
        net.callbacks_ = before
        for watcher in watchers:
            watcher.close()


def print_line(text):
    """Print a line without tearing the bar that may stand below.

    Parameters
    ----------
    text : str
    """
    from tqdm import tqdm

    tqdm.write(text)
