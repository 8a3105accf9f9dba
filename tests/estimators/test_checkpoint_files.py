"""The files of a checkpoint: damaged, foreign, on a full disk, harmless."""

import hashlib
import os
import pickle
import signal

import numpy as np
import pytest
import safetensors.torch
import torch
from skorch.callbacks import Callback

from glassclf.estimators.checkpoint import BEST, LATEST, LOCK, MAGIC, PREVIOUS, CheckpointError


def test_finished_training_in_a_directory_that_cannot_be_written(
    tmp_path, images, small, same_weights
):
    X, y = images
    first = small(checkpoint=tmp_path).fit(X, y)
    # As on a medium that was made read-only: even root cannot open a folder for writing.
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).mkdir()
    same_weights(small(checkpoint=tmp_path).fit(X, y), first)
    (tmp_path / LATEST).unlink()
    (tmp_path / PREVIOUS).unlink()
    with pytest.raises(CheckpointError, match="cannot be written.*nothing was trained"):
        small(checkpoint=tmp_path).fit(X, y)


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


def test_damaged_state_never_takes_the_place_of_the_good_one(tmp_path, images, small, interrupted):
    X, y = images
    interrupted(small(checkpoint=tmp_path), X, y, 18)
    good = (tmp_path / PREVIOUS).read_bytes()
    (tmp_path / LATEST).write_bytes(b"x" + (tmp_path / LATEST).read_bytes()[1:])
    with pytest.warns(UserWarning, match="head is damaged; going on from the state before it"):
        interrupted(small(checkpoint=tmp_path), X, y, 1)
    assert (tmp_path / PREVIOUS).read_bytes() == good
    assert not (tmp_path / LATEST).exists()


def test_both_states_damaged(tmp_path, images, small):
    X, y = images
    small(checkpoint=tmp_path).fit(X, y)
    for name in (LATEST, PREVIOUS):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    with pytest.raises(ValueError, match="latest.* is trunc.*; and .*previous.* is trunc.*empty"):
        small(checkpoint=tmp_path).fit(X, y)


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


def with_tree(tree):
    return safetensors.torch.save({}, {"tree": tree})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"something else entirely, and long enough", "is not a checkpoint of glassclf, or its he"),
        (pickle.dumps(Payload()), "is not a checkpoint of glassclf, or its head is damaged; put"),
        (sealed(b""), "is not a checkpoint of glassclf"),
        (
            sealed(safetensors.torch.save({}, {"tree": "[" * 10**5})),
            "is not a checkpoint of glassc",
        ),
        (
            sealed(safetensors.torch.save({}, {"tree": '{"__tensor__": "0"}'})),
            "is not a checkpoint",
        ),
        (sealed(safetensors.torch.save({}, {"tree": '{"__eval__": "1"}'})), "is not a checkpoint"),
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


def test_files_of_a_checkpoint_hold_no_pickled_code(tmp_path, images, small):
    small(checkpoint=tmp_path, max_epochs=1).fit(*images)
    content = (tmp_path / LATEST).read_bytes()
    tensors = safetensors.torch.load(content[len(MAGIC) + 65 :])
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
