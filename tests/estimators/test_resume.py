"""A training that goes on from a checkpoint ends with the weights of one that never stopped."""

import enum
import os
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, EarlyStopping, Freezer, LRScheduler

from glassclf.estimators import MPNNClassifier
from glassclf.estimators.stopping import StopTraining
from glassclf.estimators.training_state import capture_state, restore_state

SCHEDULES = ["constant", "exponential", "noam", "cosine", "linear", "plateau", "threshold"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_goes_on_to_the_same_weights_with_every_schedule(
    tmp_path, images, schedule, small, same_weights, interrupted
):
    X, y = images
    parameters = {
        "schedule": schedule,
        "validation_fraction": 0.3,
        "threshold": (0.6, 0.9),
        "plateau_patience": 1,
        "lr": 3e-2,
        "augment": ["shifts", "quarter_turns", "mirrors"],
        "dropout": 0.2,
        "early_stopping": True,
        "patience": 4,
        "average_weights": 0.8,
        "clip_norm": 1.0,
    }
    whole = small(**parameters).fit(X, y)
    model = small(**parameters, checkpoint=tmp_path / "run", checkpoint_batches=2)
    for n_batches in (3, 5, 9):
        interrupted(model, X, y, n_batches)
        torch.rand(7)  # nothing outside matters
    model.fit(X, y)
    same_weights(model, whole)
    for name, values in whole.history_.items():
        if name != "dur":
            np.testing.assert_array_equal(model.history_[name], values, err_msg=name)
    assert model.stopped_by_ == whole.stopped_by_


@pytest.mark.parametrize("options", [{}, {"global_node": True, "edge_update": True}])
def test_graphs_go_on_to_the_same_weights(tmp_path, graphs, same_weights, interrupted, options):
    X, y = graphs
    parameters = {"max_epochs": 3, "random_state": 3, "validation_fraction": 0.3, **options}
    whole = MPNNClassifier(**parameters).fit(X, y)
    model = MPNNClassifier(**parameters, checkpoint=tmp_path / "run", checkpoint_batches=1)
    interrupted(model, X, y, 6)
    same_weights(model.fit(X, y), whole)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", torch.optim.LBFGS])
def test_optimizers_go_on(tmp_path, images, optimizer, small, same_weights, interrupted):
    X, y = images
    parameters = {"optimizer": optimizer, "lr": 1e-2, "max_epochs": 4}
    whole = small(**parameters).fit(X, y)
    model = small(**parameters, checkpoint=tmp_path)
    interrupted(model, X, y, 12)
    same_weights(model.fit(X, y), whole)


def test_callbacks_of_skorch_go_on(tmp_path, images, small, same_weights, stop_after):
    X, y = images

    def decay():
        return LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5)

    whole = small(callbacks=[decay()]).fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[decay(), stop_after(18)], checkpoint=tmp_path).fit(X, y)
    model = small(callbacks=[decay()], checkpoint=tmp_path).fit(X, y)
    same_weights(model, whole)
    assert model.history_["lr"].tolist() == whole.history_["lr"].tolist()


class Counter(Callback):
    """Keeps something that has a state of its own."""

    def on_train_begin(self, net, **kwargs):
        self.count = 0

    def on_epoch_end(self, net, **kwargs):
        self.count += 1

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


class Opener(Callback):
    def on_train_begin(self, net, **kwargs):
        self.file_ = open(os.devnull)


def test_callbacks_keep_their_own_state(tmp_path, images, small, stop_after):
    X, y = images
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Counter(), stop_after(18)], checkpoint=tmp_path).fit(X, y)
    model = small(callbacks=[Counter()], checkpoint=tmp_path).fit(X, y)
    assert dict(model.net_.callbacks_)["Counter"].count == 6


def test_callback_that_cannot_be_kept_says_so(tmp_path, images, small):
    X, y = images
    with pytest.warns(UserWarning, match="file_ of callback .* cannot be kept in a checkpoint"):
        small(callbacks=[("opener", Opener())], checkpoint=tmp_path, max_epochs=1).fit(X, y)


def test_finished_fit_returns_at_once(tmp_path, images, small, same_weights, stop_after):
    X, y = images
    first = small(checkpoint=tmp_path).fit(X, y)
    # A batch would raise.
    again = small(checkpoint=tmp_path, callbacks=[stop_after(1)]).fit(X, y)
    same_weights(first, again)
    assert again.n_iter_ == 6
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))


def test_training_longer_is_the_same_as_having_trained_longer(
    tmp_path, images, small, same_weights
):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=3).fit(X, y)
    longer = small(checkpoint=tmp_path, max_epochs=6).fit(X, y)
    same_weights(longer, small(max_epochs=6).fit(X, y))
    with pytest.raises(ValueError, match=r"has 6 epochs, more than max_epochs asks for \(3\)"):
        small(checkpoint=tmp_path, max_epochs=3).fit(X, y)


def test_longer_is_another_training_where_the_schedule_depends_on_it(tmp_path, images, small):
    X, y = images
    small(checkpoint=tmp_path, schedule="cosine").fit(X, y)
    with pytest.raises(ValueError, match=r"differs in max_epochs \(there 6, here 9\)"):
        small(checkpoint=tmp_path, schedule="cosine", max_epochs=9).fit(X, y)


def test_early_stopped_fit_is_finished(tmp_path, images, small, same_weights, stop_after):
    X, y = images
    y = np.random.default_rng(1).permutation(y)
    parameters = {"early_stopping": True, "patience": 1, "max_epochs": 50, "lr": 0.1}
    first = small(checkpoint=tmp_path, **parameters).fit(X, y)
    assert first.stopped_by_ == "early_stopping"
    again = small(checkpoint=tmp_path, callbacks=[stop_after(1)], **parameters).fit(X, y)
    assert again.stopped_by_ == "early_stopping"
    same_weights(first, again)


def test_fit_that_a_callback_ended_is_finished(tmp_path, images, small, same_weights):
    X, y = images

    class Enough(Callback):
        def on_batch_end(self, net, training, **kwargs):
            if training and len(net.history) == 3:
                raise StopTraining("callback")

    first = small(checkpoint=tmp_path, callbacks=[Enough()]).fit(X, y)
    again = small(checkpoint=tmp_path, callbacks=[Enough()]).fit(X, y)
    assert first.stopped_by_ == again.stopped_by_ == "callback"
    assert first.n_iter_ == again.n_iter_ == len(again.history_["lr"]) == 2
    same_weights(first, again)


def test_seed_that_was_drawn_is_kept(tmp_path, images, small, same_weights, stop_after):
    X, y = images
    parameters = {"random_state": None, "validation_fraction": 0.3, "checkpoint": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[stop_after(9)], **parameters).fit(X, y)
    one = small(**parameters).fit(X, y)
    same_weights(one, small(**parameters).fit(X, y))


def test_warm_start_goes_on_in_its_own_directory(
    tmp_path, images, small, same_weights, interrupted
):
    X, y = images
    fine = {"warm_start": True, "lr": 1e-4}
    whole = small().fit(X, y).set_params(**fine).fit(X, y)
    model = small().fit(X, y).set_params(**fine, checkpoint=tmp_path)
    interrupted(model, X, y, 12)
    same_weights(model.fit(X, y), whole)
    assert model.n_iter_ == 12
    with pytest.raises(ValueError, match="differs in .*network that it started from"):
        model.fit(X, y)


@pytest.mark.parametrize("fitted", [False, True])
def test_warm_start_that_was_stopped_goes_on_where_it_began(
    tmp_path, images, small, same_weights, fitted
):
    X, y = images
    whole, model = small(), small()
    if fitted:
        whole.fit(X, y)
        model.fit(X, y)
    parameters = {"warm_start": True, "lr": 1e-3, "max_epochs": 5}
    whole.set_params(**parameters).fit(X, y)
    model.set_params(**parameters, checkpoint=tmp_path, max_time=1e-3)
    with pytest.warns(ConvergenceWarning, match="stopped by max_time after 0 of"):
        model.fit(X, y)
    model.set_params(max_time=None).fit(X, y)
    same_weights(model, whole)
    assert model.n_iter_ == whole.n_iter_ == (11 if fitted else 5)
    # It is over now: the next one goes on from here.
    assert model.set_params(checkpoint=None).fit(X, y).n_iter_ == whole.n_iter_ + 5


def test_setting_of_a_callback_that_is_a_class_is_no_state(tmp_path, images, small):
    X, y = images
    decay = LRScheduler("StepLR", step_size=2, gamma=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        small(callbacks=[decay], checkpoint=tmp_path).fit(X, y)


def test_frozen_parts_stay_frozen(tmp_path, images, small, same_weights):
    X, y = images
    whole = small(callbacks=[Freezer("blocks.*")]).fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Freezer("blocks.*"), StopAt(3)], checkpoint=tmp_path).fit(X, y)
    same_weights(small(callbacks=[Freezer("blocks.*")], checkpoint=tmp_path).fit(X, y), whole)


class StopAt(Callback):
    def __init__(self, epoch, after_batch=0):
        self.place = epoch, after_batch

    def on_batch_begin(self, net, **kwargs):
        if (len(net.history), len(net.history[-1]["batches"]) - 1) == self.place:
            raise KeyboardInterrupt


def test_random_state_instance_goes_on(tmp_path, images, small, same_weights):
    X, y = images
    whole = small(random_state=np.random.RandomState(5)).fit(X, y)
    model = small(random_state=np.random.RandomState(5), checkpoint=tmp_path, max_time=1e-3)
    with pytest.warns(ConvergenceWarning, match="max_time"):
        model.fit(X, y)
    same_weights(model.set_params(max_time=None).fit(X, y), whole)


def test_fit_that_a_callback_ended_goes_on_without_it(tmp_path, images, small, same_weights):
    X, y = images
    stop = EarlyStopping("train_loss", patience=1, threshold=100)
    first = small(checkpoint=tmp_path, callbacks=[stop]).fit(X, y)
    assert first.stopped_by_ == "callback"
    assert small(checkpoint=tmp_path, callbacks=[stop]).fit(X, y).n_iter_ == first.n_iter_ < 6
    same_weights(small(checkpoint=tmp_path).fit(X, y), small().fit(X, y))


class Odd(enum.IntEnum):
    ONE = 1


class Oddities(Callback):
    """Keeps what no file can hold without pickle."""

    def on_train_begin(self, net, **kwargs):
        self.enumeration_ = Odd.ONE
        self.circle_ = []
        self.circle_.append(self.circle_)

    def on_epoch_end(self, net, **kwargs):
        net.history.record("array", np.arange(3))
        net.history.record("pair", (1, {2: "b"}))
        net.history.record("odd", object())


class OddState(Callback):
    def state_dict(self):
        return {"odd": object()}

    def load_state_dict(self, state):
        raise AssertionError("there was none")


def test_what_cannot_be_kept_is_named_and_left_out(tmp_path, images, small, same_weights):
    X, y = images
    with pytest.warns(UserWarning, match="cannot be kept") as caught:
        small(checkpoint=tmp_path, callbacks=[Oddities(), OddState()], max_epochs=2).fit(X, y)
    text = " ".join(str(warning.message) for warning in caught)
    for words in (
        "enumeration_ of callback Oddities cannot be kept in a checkpoint (it is a Odd)",
        "circle_ of callback Oddities cannot be kept in a checkpoint (it holds itself)",
        "state of callback OddState cannot be kept",
        "odd of history cannot be kept",
    ):
        assert words in text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = small(checkpoint=tmp_path, callbacks=[Oddities(), OddState()]).fit(X, y)
    same_weights(model, small().fit(X, y))
    assert model.net_.history[0]["pair"] == (1, {2: "b"})
    assert model.net_.history[0]["array"].tolist() == [0, 1, 2]


class Writer(Callback):
    def __init__(self, path):
        self.path = path


def test_file_does_not_set_what_a_callback_was_given(images, small):
    net = small(callbacks=[Writer("mine")], max_epochs=1).fit(*images).net_
    state = capture_state(net)
    state["callbacks"]["Writer"] = {"path": "theirs", "path_": "learned", "__class__": "other"}
    restore_state(net, state)
    writer = dict(net.callbacks_)["Writer"]
    assert (writer.path, writer.path_) == ("mine", "learned")


def test_thread_count_of_the_training_is_kept(tmp_path, images, small, interrupted):
    X, y = images
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model = small(checkpoint=tmp_path)
        interrupted(model, X, y, 12)
        torch.set_num_threads(1)
        model.fit(X, y)
        assert model.n_threads_ == 2
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_fit_in_a_thread_keeps_a_checkpoint(tmp_path, images, small, same_weights):
    X, y = images
    model = small(checkpoint=tmp_path)
    thread = threading.Thread(target=model.fit, args=(X, y))
    thread.start()
    thread.join()
    same_weights(model, small().fit(X, y))


class Slow(Callback):
    def on_batch_end(self, net, training, **kwargs):
        time.sleep(0.02 * training)


def test_time_before_the_interruption_counts(tmp_path, images, small):
    X, y = images
    callbacks = [Slow(), StopAt(1, after_batch=4)]
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=tmp_path, checkpoint_batches=1, callbacks=callbacks).fit(X, y)
    model = small(checkpoint=tmp_path, callbacks=[Slow()]).fit(X, y)
    assert (model.history_["dur"] > 0.1).all()
    assert all(row["batches"] == [] for row in model.net_.history)
    assert not model.net_.module_.training
