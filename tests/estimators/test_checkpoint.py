"""One directory for one training: what is taken for the same training, and what is not."""

import functools
import os
import pickle
import signal
import time

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from skorch.callbacks import Callback

from glassclf.estimators import CNNRegressor, MPNNClassifier, fitting
from glassclf.estimators.checkpoint import LATEST, CheckpointError
from glassclf.estimators.fingerprint import describe


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
def test_another_training_is_refused(tmp_path, images, changed, words, small):
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


def test_another_estimator_is_refused(tmp_path, images, small):
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
        {"callbacks": [Callback()]},
        {"lr": np.float64(3e-3), "n_filters": [4, 4]},
        {"weight_decay": np.float32(0.5), "dropout": 0},
        {"warm_start": True},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_changes_no_weights_is_no_other_training(tmp_path, images, changed, small):
    X, y = images
    first = {"checkpoint": tmp_path, "max_epochs": 1, "weight_decay": 0.5, "dropout": 0.0}
    small(**first).fit(X, y)
    small(**{**first, "max_epochs": 2, **changed}).fit(np.asfortranarray(X), y)


def scaled(factor):
    return lambda batch: batch * factor


def plus(batch):
    return batch + 1.0


def minus(batch):
    return batch - 1.0


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, batch):
        return batch * self.factor

    def apply(self, batch):
        return batch * self.factor


def make_module(bias):
    class Own(torch.nn.Module):
        def __init__(self, in_channels, n_outputs):
            super().__init__()
            self.head = torch.nn.Linear(in_channels, n_outputs)

        def forward(self, x):
            return self.head(x.mean((2, 3))) + bias

    Own.__module__ = "own"
    return Own


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("augment", lambda batch: batch, lambda batch: batch * 0),
        ("augment", scaled(1.0), scaled(2.0)),
        ("augment", [Scale(1.0)], [Scale(2.0)]),
        ("augment", Scale(1.0).apply, Scale(2.0).apply),
        ("augment", functools.partial(torch.mul, other=1.0), functools.partial(torch.mul, other=2)),
        ("augment", "mirrors", ["mirrors", "shifts"]),
        ("module", make_module(1.0), make_module(2.0)),
    ],
)
def test_changed_code_is_another_training(tmp_path, images, small, name, first, second):
    X, y = images
    small(checkpoint=tmp_path, max_epochs=1, **{name: first}).fit(X, y)
    small(checkpoint=tmp_path, max_epochs=2, **{name: first}).fit(X, y)
    with pytest.raises(ValueError, match=f"differs in {name}"):
        small(checkpoint=tmp_path, max_epochs=2, **{name: second}).fit(X, y)


def test_function_that_was_written_anew_is_another_one(tmp_path, images, small):
    X, y = images
    minus.__name__, minus.__qualname__ = plus.__name__, plus.__qualname__
    small(checkpoint=tmp_path, max_epochs=1, augment=plus).fit(X, y)
    with pytest.raises(ValueError, match=r"differs in augment \(there .*plus \(code"):
        small(checkpoint=tmp_path, max_epochs=1, augment=minus).fit(X, y)


def test_function_that_holds_itself_is_described():
    def recursive(batch):
        return recursive(batch)

    assert "recursive (code" in describe(recursive)


@pytest.mark.parametrize("path", ["", "runs/{foo}", "runs/{data", "{Data}-{params}"])
def test_unknown_placeholder(images, small, path):
    with pytest.raises(
        ValueError, match=r"in which \{data\} and \{params\} may stand and no other"
    ):
        small(checkpoint=path).fit(*images)


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


def test_constant_directory_is_refused_to_the_second_fold(tmp_path, images, small):
    X, y = images
    with pytest.raises(ValueError, match=r'holds another training.*"runs/\{data\}-\{params\}"'):
        cross_validate(small(checkpoint=tmp_path, max_epochs=1), X, y, error_score="raise")


def test_directory_is_free_while_a_child_of_the_training_lives(tmp_path, images, small):
    X, y = images
    children = []

    class Fork(Callback):
        def on_epoch_end(self, net, **kwargs):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
            children.append(child)

    try:
        small(checkpoint=tmp_path, max_epochs=1, callbacks=[Fork()]).fit(X, y)
        small(checkpoint=tmp_path, max_epochs=2).fit(X, y)
    finally:
        os.kill(children[0], signal.SIGKILL)
        os.waitpid(children[0], 0)


def test_parameter_of_a_later_version_is_no_difference(tmp_path, images, small, monkeypatch):
    X, y = images
    fingerprint = fitting.parameter_fingerprint

    def of_before(estimator, start=None):
        texts = fingerprint(estimator, start)
        return {name: text for name, text in texts.items() if name != "clip_norm"}

    path = str(tmp_path / "{params}")
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "parameter_fingerprint", of_before)
        small(checkpoint=path, max_epochs=1).fit(X, y)
    small(checkpoint=path, max_epochs=2).fit(X, y)
    (folder,) = tmp_path.iterdir()
    with pytest.raises(ValueError, match=r"differs in clip_norm \(there None, here 1"):
        small(checkpoint=folder, clip_norm=1.0).fit(X, y)


def test_two_trainings_in_one_directory(tmp_path, images, small):
    X, y = images

    class Second(Callback):
        def on_epoch_end(self, net, **kwargs):
            with pytest.raises(CheckpointError, match="another training is running in"):
                small(checkpoint=tmp_path).fit(X, y)

    small(checkpoint=tmp_path, max_epochs=1, callbacks=[Second()]).fit(X, y)


def test_partial_fit_keeps_no_checkpoint(tmp_path, images, small):
    with pytest.raises(ValueError, match="a checkpoint is kept by fit, not by partial_fit"):
        small(checkpoint=tmp_path).partial_fit(*images, classes=["bright", "dark"])


def test_fitted_estimator_lets_go_of_the_directory(tmp_path, images, small):
    X, y = images
    model = small(checkpoint=tmp_path, early_stopping=True).fit(X, y)
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == y.shape
    assert str(tmp_path).encode() not in pickle.dumps(model.net_)
