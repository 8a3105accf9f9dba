"""One directory for one training: what is refused, what is damaged, what lies in it."""

import hashlib
import os
import pickle
import signal

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from skorch.callbacks import Callback

from glassclf.estimators import CNNRegressor, MPNNClassifier
from glassclf.estimators.checkpoint import BEST, LATEST, MAGIC, PREVIOUS, CheckpointError


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
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_changes_no_weights_is_no_other_training(tmp_path, images, changed, small):
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


def test_constant_directory_is_refused_to_the_second_fold(tmp_path, images, small):
    X, y = images
    with pytest.raises(ValueError, match=r'holds another training.*"runs/\{data\}-\{params\}"'):
        cross_validate(small(checkpoint=tmp_path, max_epochs=1), X, y, error_score="raise")


def test_truncated_state_is_replaced_by_the_one_before(
    tmp_path, images, small, same_weights, interrupted
):
    X, y = images
    whole = small().fit(X, y)
    interrupted(small(checkpoint=tmp_path), X, y, 18)
    content = (tmp_path / LATEST).read_bytes()
    (tmp_path / LATEST).write_bytes(content[: len(content) // 2])
    words = "latest.ckpt is truncated or damaged.*going on from"
    with pytest.warns(UserWarning, match=words) as caught:
        model = small(checkpoint=tmp_path).fit(X, y)
    assert caught[0].filename == __file__
    same_weights(model, whole)


def test_killed_between_the_renames_of_a_write(tmp_path, images, small, same_weights, interrupted):
    X, y = images
    whole = small().fit(X, y)
    interrupted(small(checkpoint=tmp_path), X, y, 18)
    (tmp_path / LATEST).rename(tmp_path / PREVIOUS)
    (tmp_path / f".0123-{LATEST}").write_bytes(b"half")
    same_weights(small(checkpoint=tmp_path).fit(X, y), whole)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("size", [0, 10, len(MAGIC), len(MAGIC) + 30, 500])
def test_damaged_state_without_one_before_is_an_error(tmp_path, images, size, small):
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
def test_foreign_file_is_an_error_and_stays(tmp_path, images, monkeypatch, content, words, small):
    monkeypatch.chdir(tmp_path)
    (tmp_path / LATEST).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        small(checkpoint=tmp_path).fit(*images)
    assert (tmp_path / LATEST).read_bytes() == content
    assert not (tmp_path / "payload").exists()


def test_directory_that_cannot_be_made(tmp_path, images, small):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file.* cannot be written.*nothing was trained"):
        small(checkpoint=tmp_path / "file" / "run").fit(*images)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory(tmp_path, images, small):
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


def test_full_disk_loses_nothing(tmp_path, images, small, same_weights):
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
    same_weights(small(checkpoint=tmp_path).fit(X, y), small().fit(X, y))


def test_two_trainings_in_one_directory(tmp_path, images, small):
    X, y = images

    class Second(Callback):
        def on_epoch_end(self, net, **kwargs):
            with pytest.raises(CheckpointError, match="another training is running in"):
                small(checkpoint=tmp_path).fit(X, y)

    small(checkpoint=tmp_path, max_epochs=1, callbacks=[Second()]).fit(X, y)


def test_best_weights_lie_beside(tmp_path, images, small):
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


def test_partial_fit_keeps_no_checkpoint(tmp_path, images, small):
    with pytest.raises(ValueError, match="a checkpoint is kept by fit, not by partial_fit"):
        small(checkpoint=tmp_path).partial_fit(*images, classes=["bright", "dark"])


def test_fitted_estimator_lets_go_of_the_directory(tmp_path, images, small):
    X, y = images
    model = small(checkpoint=tmp_path, early_stopping=True).fit(X, y)
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == y.shape
    assert str(tmp_path).encode() not in pickle.dumps(model.net_)


def test_files_of_a_checkpoint_hold_no_pickled_code(tmp_path, images, small):
    small(checkpoint=tmp_path, max_epochs=1).fit(*images)
    content = (tmp_path / LATEST).read_bytes()
    state = content[len(MAGIC) + 65 :]
    import io

    loaded = torch.load(io.BytesIO(state), weights_only=True)
    assert loaded["n_threads"] == torch.get_num_threads()
