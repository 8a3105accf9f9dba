"""What a checkpoint promises: the same weights, one directory for one training, nothing lost."""

import hashlib
import os
import pickle
import signal
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from skorch.callbacks import Callback, LRScheduler

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.checkpoint import BEST, LATEST, MAGIC, PREVIOUS, CheckpointError
from glassclf.estimators.stopping import StopTraining

SCHEDULES = ["constant", "exponential", "noam", "cosine", "linear", "plateau", "threshold"]


class StopAfter(Callback):
    """End a training as the keyboard would, after so many training batches of the process."""

    def __init__(self, n_batches):
        self.n_batches = n_batches

    def on_batch_end(self, net, training, **kwargs):
        if training:
            self.n_batches -= 1
            if self.n_batches == 0:
                raise KeyboardInterrupt


class SignalAfter(StopAfter):
    def __init__(self, n_batches, number):
        super().__init__(n_batches)
        self.number = number

    def on_batch_end(self, net, training, **kwargs):
        try:
            super().on_batch_end(net, training, **kwargs)
        except KeyboardInterrupt:
            signal.raise_signal(self.number)


def small(**parameters):
    defaults = {"n_filters": (4, 4), "max_epochs": 6, "batch_size": 4, "random_state": 0}
    return CNNClassifier(**{**defaults, **parameters})


def weights(model):
    return {name: value.clone() for name, value in model.net_.module_.state_dict().items()}


def assert_equal_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def interrupted(model, X, y, n_batches, **fit):
    """Fit until an interrupt, in the way of a process that is then gone."""
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[StopAfter(n_batches)]).fit(X, y, **fit)
    return model.set_params(callbacks=None)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_goes_on_to_the_same_weights_with_every_schedule(tmp_path, images, schedule):
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
    assert_equal_weights(model, whole)
    for name, values in whole.history_.items():
        if name != "dur":
            np.testing.assert_array_equal(model.history_[name], values, err_msg=name)
    assert model.stopped_by_ == whole.stopped_by_


def test_graphs_go_on_to_the_same_weights(tmp_path, graphs):
    X, y = graphs
    parameters = {"max_epochs": 3, "random_state": 3, "validation_fraction": 0.3}
    whole = MPNNClassifier(**parameters).fit(X, y)
    model = MPNNClassifier(**parameters, checkpoint=tmp_path / "run", checkpoint_batches=1)
    interrupted(model, X, y, 6)
    assert_equal_weights(model.fit(X, y), whole)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", torch.optim.LBFGS])
def test_optimizers_go_on(tmp_path, images, optimizer):
    X, y = images
    parameters = {"optimizer": optimizer, "lr": 1e-2, "max_epochs": 4}
    whole = small(**parameters).fit(X, y)
    model = small(**parameters, checkpoint=tmp_path)
    interrupted(model, X, y, 12)
    assert_equal_weights(model.fit(X, y), whole)


def test_callbacks_of_skorch_go_on(tmp_path, images):
    X, y = images

    def decay():
        return LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5)

    whole = small(callbacks=[decay()]).fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[decay(), StopAfter(18)], checkpoint=tmp_path).fit(X, y)
    model = small(callbacks=[decay()], checkpoint=tmp_path).fit(X, y)
    assert_equal_weights(model, whole)
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


def test_callbacks_keep_their_own_state(tmp_path, images):
    X, y = images
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Counter(), StopAfter(18)], checkpoint=tmp_path).fit(X, y)
    model = small(callbacks=[Counter()], checkpoint=tmp_path).fit(X, y)
    assert dict(model.net_.callbacks_)["Counter"].count == 6


def test_callback_that_cannot_be_kept_says_so(tmp_path, images):
    X, y = images
    with pytest.warns(UserWarning, match="file_ of callback .* cannot be kept in a checkpoint"):
        small(callbacks=[("opener", Opener())], checkpoint=tmp_path, max_epochs=1).fit(X, y)


def test_finished_fit_returns_at_once(tmp_path, images):
    X, y = images
    first = small(checkpoint=tmp_path).fit(X, y)
    # A batch would raise.
    again = small(checkpoint=tmp_path, callbacks=[StopAfter(1)]).fit(X, y)
    assert_equal_weights(first, again)
    assert again.n_iter_ == 6
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))


def test_training_longer_is_the_same_as_having_trained_longer(tmp_path, images):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=3).fit(X, y)
    longer = small(checkpoint=tmp_path, max_epochs=6).fit(X, y)
    assert_equal_weights(longer, small(max_epochs=6).fit(X, y))
    with pytest.raises(ValueError, match=r"has 6 epochs, more than max_epochs asks for \(3\)"):
        small(checkpoint=tmp_path, max_epochs=3).fit(X, y)


def test_longer_is_another_training_where_the_schedule_depends_on_it(tmp_path, images):
    X, y = images
    small(checkpoint=tmp_path, schedule="cosine").fit(X, y)
    with pytest.raises(ValueError, match=r"differs in max_epochs \(there 6, here 9\)"):
        small(checkpoint=tmp_path, schedule="cosine", max_epochs=9).fit(X, y)


def test_early_stopped_fit_is_finished(tmp_path, images):
    X, y = images
    y = np.random.default_rng(1).permutation(y)
    parameters = {"early_stopping": True, "patience": 1, "max_epochs": 50, "lr": 0.1}
    first = small(checkpoint=tmp_path, **parameters).fit(X, y)
    assert first.stopped_by_ == "early_stopping"
    again = small(checkpoint=tmp_path, callbacks=[StopAfter(1)], **parameters).fit(X, y)
    assert again.stopped_by_ == "early_stopping"
    assert_equal_weights(first, again)


def test_fit_that_a_callback_ended_is_finished(tmp_path, images):
    X, y = images

    class Enough(Callback):
        def on_batch_end(self, net, training, **kwargs):
            if training and len(net.history) == 3:
                raise StopTraining("callback")

    first = small(checkpoint=tmp_path, callbacks=[Enough()]).fit(X, y)
    again = small(checkpoint=tmp_path, callbacks=[Enough()]).fit(X, y)
    assert first.stopped_by_ == again.stopped_by_ == "callback"
    assert first.n_iter_ == again.n_iter_ == len(again.history_["lr"]) == 2
    assert_equal_weights(first, again)


def test_seed_that_was_drawn_is_kept(tmp_path, images):
    X, y = images
    parameters = {"random_state": None, "validation_fraction": 0.3, "checkpoint": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[StopAfter(9)], **parameters).fit(X, y)
    one = small(**parameters).fit(X, y)
    assert_equal_weights(one, small(**parameters).fit(X, y))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"lr": 1e-2}, r"differs in lr \(there 0.003, here 0.01\)"),
        ({"n_filters": (4, 8)}, r"differs in n_filters"),
        ({"random_state": 1}, r"differs in random_state \(there 0, here 1\)"),
        ({"augment": "mirrors"}, r"differs in augment"),
        ({"X": 1}, "differs in X:"),
        ({"y": 1}, "differs in y:"),
        ({"groups": 1}, "differs in groups:"),
        ({"sample_weight": 1}, "differs in sample_weight:"),
    ],
)
def test_another_training_is_refused(tmp_path, images, changed, words):
    X, y = images
    fit = {}
    small(checkpoint=tmp_path, max_epochs=1).fit(X, y)
    before = (tmp_path / LATEST).read_bytes()
    parameters = {"max_epochs": 1, **changed}
    if parameters.pop("X", None):
        X = X + 1
    if parameters.pop("y", None):
        y = y[::-1]
    if parameters.pop("groups", None):
        fit["groups"] = np.arange(len(y)) // 2
    if parameters.pop("sample_weight", None):
        fit["sample_weight"] = np.ones(len(y))
    with pytest.raises(ValueError, match=words) as caught:
        small(checkpoint=tmp_path, **parameters).fit(X, y, **fit)
    assert "{data}-{params}" in str(caught.value)
    assert (tmp_path / LATEST).read_bytes() == before


def test_another_estimator_is_refused(tmp_path, images):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=1).fit(X, y)
    with pytest.raises(
        ValueError, match=r"differs in .*class \(there CNNClassifier, here CNNRegressor"
    ):
        CNNRegressor(checkpoint=tmp_path).fit(X, np.arange(len(y)))


@pytest.mark.parametrize(
    "changed",
    [
        {"max_time": 1e6},
        {"device": "cpu"},
        {"verbose": 2},
        {"checkpoint_batches": 1},
        {"callbacks": [Counter()]},
        {"lr": np.float64(3e-3), "n_filters": [4, 4]},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_changes_no_weights_is_no_other_training(tmp_path, images, changed):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=1).fit(X, y)
    small(checkpoint=tmp_path, **{"max_epochs": 2, **changed}).fit(X, y)


def test_folds_and_candidates_get_their_own_directories(tmp_path, crystals_and_gases):
    from glassclf.featurizers import GraphFeaturizer

    X, y = crystals_and_gases(8)
    graphs = GraphFeaturizer(n_neighbors=4).fit_transform(X)
    model = MPNNClassifier(
        max_epochs=2, random_state=0, checkpoint=str(tmp_path / "runs" / "{data}-{params}")
    )
    groups = X.info["run"]
    cross_validate(model, graphs, y, groups=groups, cv=GroupKFold(4), error_score="raise")
    assert len(list((tmp_path / "runs").iterdir())) == 4
    search = GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=GroupKFold(2), error_score="raise")
    search.fit(graphs, y, groups=groups)
    # Two folds of two candidates, and the best candidate on all data.
    assert len(list((tmp_path / "runs").iterdir())) == 4 + 4 + 1
    names = {folder.name for folder in (tmp_path / "runs").iterdir()}
    assert all(len(name) == 17 and name[8] == "-" for name in names)


def test_constant_directory_is_refused_to_the_second_fold(tmp_path, images):
    X, y = images
    with pytest.raises(ValueError, match=r'holds another training.*"runs/\{data\}-\{params\}"'):
        cross_validate(small(checkpoint=tmp_path, max_epochs=1), X, y, error_score="raise")


def test_truncated_state_is_replaced_by_the_one_before(tmp_path, images):
    X, y = images
    whole = small().fit(X, y)
    interrupted(small(checkpoint=tmp_path), X, y, 18)
    content = (tmp_path / LATEST).read_bytes()
    (tmp_path / LATEST).write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match="latest.ckpt is truncated or damaged.*going on from"):
        model = small(checkpoint=tmp_path).fit(X, y)
    assert_equal_weights(model, whole)


def test_killed_between_the_renames_of_a_write(tmp_path, images):
    X, y = images
    whole = small().fit(X, y)
    interrupted(small(checkpoint=tmp_path), X, y, 18)
    (tmp_path / LATEST).rename(tmp_path / PREVIOUS)
    (tmp_path / f".0123-{LATEST}").write_bytes(b"half")
    assert_equal_weights(small(checkpoint=tmp_path).fit(X, y), whole)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("size", [0, 10, len(MAGIC), len(MAGIC) + 30, 500])
def test_damaged_state_without_one_before_is_an_error(tmp_path, images, size):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=1).fit(X, y)
    content = (tmp_path / LATEST).read_bytes()[:size]
    (tmp_path / PREVIOUS).unlink(missing_ok=True)
    (tmp_path / LATEST).write_bytes(content)
    with pytest.raises(ValueError, match="latest.ckpt is truncated or damaged"):
        small(checkpoint=tmp_path, max_epochs=1).fit(X, y)
    assert (tmp_path / LATEST).read_bytes() == content


class Payload:
    def __reduce__(self):
        return os.mkdir, ("payload",)


def sealed(content):
    return MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"something else entirely, and long enough", "is not a checkpoint of glassclf; remove"),
        (pickle.dumps(Payload()), "is not a checkpoint of glassclf; remove"),
        (sealed(pickle.dumps(Payload())), "is not a checkpoint of glassclf"),
        (MAGIC.replace(b"1", b"9") + b"...", "another version of glassclf"),
    ],
)
def test_foreign_file_is_an_error_and_stays(tmp_path, images, monkeypatch, content, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / LATEST).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        small(checkpoint=tmp_path).fit(*images)
    assert (tmp_path / LATEST).read_bytes() == content
    assert not (tmp_path / "payload").exists()


def test_directory_that_cannot_be_made(tmp_path, images):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file.* cannot be written.*nothing was trained"):
        small(checkpoint=tmp_path / "file" / "run").fit(*images)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory(tmp_path, images):
    tmp_path.chmod(0o500)
    with pytest.raises(CheckpointError, match="cannot be written"):
        small(checkpoint=tmp_path).fit(*images)


class FillDisk(Callback):
    """From an epoch on, let the process write no file, as a full disk would."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        import resource

        if len(net.history) == self.epoch:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))


def test_full_disk_loses_nothing(tmp_path, images):
    import resource

    X, y = images
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    model = small(checkpoint=tmp_path, callbacks=[FillDisk(3)])
    try:
        with pytest.raises(CheckpointError, match="could not be saved.*keeps its weights of now"):
            model.fit(X, y)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert model.n_iter_ == 3
    np.testing.assert_array_equal(
        model.predict_proba(X), small(max_epochs=3).fit(X, y).predict_proba(X)
    )
    # There is space again: the training goes on from the last state on disk.
    assert_equal_weights(small(checkpoint=tmp_path).fit(X, y), small().fit(X, y))


def test_two_trainings_in_one_directory(tmp_path, images):
    X, y = images

    class Second(Callback):
        def on_epoch_end(self, net, **kwargs):
            with pytest.raises(CheckpointError, match="another training is running in"):
                small(checkpoint=tmp_path).fit(X, y)

    small(checkpoint=tmp_path, max_epochs=1, callbacks=[Second()]).fit(X, y)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signal_stops_after_the_batch(tmp_path, images, number):
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
    assert_equal_weights(model, whole)


def test_signal_of_a_user_is_passed_on_afterwards(tmp_path, images):
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


def test_without_a_checkpoint_signals_are_left_alone(images):
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        model = small(callbacks=[SignalAfter(2, signal.SIGUSR1)]).fit(*images)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [1]
    assert model.stopped_by_ is None
    assert model.n_iter_ == 6


def test_fit_in_a_thread_keeps_a_checkpoint(tmp_path, images):
    X, y = images
    model = small(checkpoint=tmp_path)
    thread = threading.Thread(target=model.fit, args=(X, y))
    thread.start()
    thread.join()
    assert_equal_weights(model, small().fit(X, y))


def test_max_time(tmp_path, images):
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
    assert_equal_weights(model, whole)


def test_max_time_counts_from_the_beginning_of_fit(images):
    class Slow(Callback):
        def on_batch_end(self, net, **kwargs):
            time.sleep(0.05)

    start = time.monotonic()
    with pytest.warns(ConvergenceWarning, match="set checkpoint to a directory"):
        small(max_time=0.3, max_epochs=1000, callbacks=[Slow()]).fit(*images)
    assert time.monotonic() - start < 5


def test_best_weights_lie_beside(tmp_path, images):
    from safetensors import safe_open
    from safetensors.torch import load_file

    X, y = images
    parameters = {"validation_fraction": 0.3, "early_stopping": True, "max_epochs": 8}
    model = small(checkpoint=tmp_path, **parameters).fit(X, y)
    best = load_file(tmp_path / BEST)
    for name, value in model.net_.module_.named_parameters():
        assert torch.equal(value, best[name])
    with safe_open(tmp_path / BEST, "pt") as file:
        epoch = int(file.metadata()["epoch"])
    assert epoch == model.history_["valid_loss"].argmin() + 1


def test_partial_fit_keeps_no_checkpoint(tmp_path, images):
    with pytest.raises(ValueError, match="a checkpoint is kept by fit, not by partial_fit"):
        small(checkpoint=tmp_path).partial_fit(*images, classes=["bright", "dark"])


def test_warm_start_goes_on_in_its_own_directory(tmp_path, images):
    X, y = images
    fine = {"warm_start": True, "lr": 1e-4}
    whole = small().fit(X, y).set_params(**fine).fit(X, y)
    model = small().fit(X, y).set_params(**fine, checkpoint=tmp_path)
    interrupted(model, X, y, 12)
    assert_equal_weights(model.fit(X, y), whole)
    assert model.n_iter_ == 12
    with pytest.raises(ValueError, match="differs in .*weights that it started from"):
        model.fit(X, y)


def test_thread_count_of_the_training_is_kept(tmp_path, images):
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


def test_fitted_estimator_lets_go_of_the_directory(tmp_path, images):
    X, y = images
    model = small(checkpoint=tmp_path, early_stopping=True).fit(X, y)
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == y.shape
    assert str(tmp_path).encode() not in pickle.dumps(model.net_)


def test_files_of_a_checkpoint_hold_no_pickled_code(tmp_path, images):
    small(checkpoint=tmp_path, max_epochs=1).fit(*images)
    content = (tmp_path / LATEST).read_bytes()
    state = content[len(MAGIC) + 65 :]
    import io

    loaded = torch.load(io.BytesIO(state), weights_only=True)
    assert loaded["n_threads"] == torch.get_num_threads()
