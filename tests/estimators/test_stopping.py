"""Trainings that are stopped by a signal or by the clock."""

import signal
import time
import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from glassclf.estimators.checkpoint import LATEST


class SignalAfter(Callback):
    """Send a signal to this process after so many training batches."""

    def __init__(self, n_batches, number):
        self.n_batches, self.number = n_batches, number

    def on_batch_end(self, net, training, **kwargs):
        self.n_batches -= training
        if training and self.n_batches == 0:
            signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signal_stops_after_the_batch(tmp_path, images, number, small, same_weights):
    X, y = images
    whole = small().fit(X, y)
    model = small(checkpoint=tmp_path, callbacks=[SignalAfter(12, number)])
    with pytest.warns(ConvergenceWarning, match=f"stopped by {number.name} after 2 of max_epochs="):
        model.fit(X, y)
    assert model.stopped_by_ == number.name
    assert model.n_iter_ == 2
    assert len(model.history_["train_loss"]) == 2
    assert model.predict(X).shape == y.shape
    model.set_params(callbacks=None).fit(X, y)
    assert model.stopped_by_ is None
    same_weights(model, whole)


def test_signal_of_a_user_is_passed_on_afterwards(tmp_path, images, small):
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append((tmp_path / LATEST).exists()))
    try:
        with pytest.warns(ConvergenceWarning, match="SIGUSR1"):
            small(checkpoint=tmp_path, callbacks=[SignalAfter(2, signal.SIGUSR1)]).fit(*images)
        assert seen == [True]
        signal.raise_signal(signal.SIGUSR1)
        assert seen == [True, True]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_without_a_checkpoint_signals_are_left_alone(images, small):
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        model = small(callbacks=[SignalAfter(2, signal.SIGUSR1)]).fit(*images)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [1]
    assert model.stopped_by_ is None
    assert model.n_iter_ == 6


def test_max_time(tmp_path, images, small, same_weights):
    X, y = images
    whole = small().fit(X, y)
    model = small(checkpoint=tmp_path, max_time=1e-3)
    with pytest.warns(ConvergenceWarning, match="stopped by max_time after 0 of max_epochs=6"):
        model.fit(X, y)
    assert model.stopped_by_ == "max_time"
    assert model.n_iter_ == 0
    assert model.predict_proba(X).shape == (len(X), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(100):
            if model.fit(X, y).stopped_by_ is None:
                break
    same_weights(model, whole)


def test_max_time_counts_from_the_beginning_of_fit(images, small):
    class Slow(Callback):
        def on_batch_end(self, net, **kwargs):
            time.sleep(0.05)

    start = time.monotonic()
    with pytest.warns(ConvergenceWarning, match="set checkpoint to a directory"):
        small(max_time=0.3, max_epochs=1000, callbacks=[Slow()]).fit(*images)
    assert time.monotonic() - start < 5


def test_signal_in_the_last_epoch_is_told(tmp_path, images, small):
    class Late(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 6:
                signal.raise_signal(signal.SIGTERM)

    with pytest.warns(UserWarning, match="SIGTERM came when the training of CNNC"):
        model = small(checkpoint=tmp_path, callbacks=[Late()]).fit(*images)
    assert model.stopped_by_ is None
    assert model.n_iter_ == 6


def test_handler_of_a_user_finds_the_estimator_fitted(tmp_path, images, small):
    model = small(checkpoint=tmp_path, callbacks=[SignalAfter(2, signal.SIGUSR1)])
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(model.stopped_by_))
    try:
        with pytest.warns(ConvergenceWarning, match="SIGUSR1"):
            model.fit(*images)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == ["SIGUSR1"]
