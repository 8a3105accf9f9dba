"""Damaged files, bad paths and full disks: one error each, which names the file that was asked."""

import resource
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from saved_headers import read_metadata, write_metadata
from sklearn.preprocessing import StandardScaler

import glassclf
from glassclf.configurations import Configurations
from glassclf.estimators import CNNClassifier
from glassclf.featurizers import RDFFeaturizer

OWN_MODULE = """
import torch
class Plain(torch.nn.Module):
    def __init__(self, n_outputs):
        super().__init__()
        self.{layer} = torch.nn.Linear(3, n_outputs)
    def forward(self, x):
        return self.{layer}(x)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def fitted(table):
    return StandardScaler().fit(table[0])


def test_every_flipped_bit_is_noticed(fitted, path):
    glassclf.save(fitted, path)
    good = path.read_bytes()
    content = json_end(good)
    rng = np.random.default_rng(0)
    # Bits of the arrays, and of the text that tells what they mean.
    places = [*range(content, len(good), 7), *rng.integers(8, content - 8, 60)]
    for place in places:
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="model.safetensors .*(damaged|no model|the format)"):
            glassclf.load(path)
    path.write_bytes(good)
    np.testing.assert_array_equal(glassclf.load(path).mean_, fitted.mean_)


def json_end(data):
    return 8 + int.from_bytes(data[:8], "little")


def test_damage_of_an_array_is_one_clear_error(fitted, path):
    glassclf.save(fitted, path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 16
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is damaged: its checksum is not that of its content"):
        glassclf.load(path)


def test_a_file_without_a_checksum_is_refused(fitted, path):
    glassclf.save(fitted, path)
    metadata = read_metadata(path)
    del metadata["checksum"]
    write_metadata(path, metadata)
    with pytest.raises(ValueError, match="is damaged: its checksum"):
        glassclf.load(path)


def test_folders_are_told_from_files(fitted, phases, tmp_path):
    folder = tmp_path / "here.safetensors"
    folder.mkdir()
    for write in (lambda: glassclf.save(fitted, folder), lambda: phases[0].save(folder)):
        with pytest.raises(IsADirectoryError, match="here.safetensors is a folder: give the path"):
            write()
    for read in (glassclf.load, Configurations.open):
        with pytest.raises(IsADirectoryError, match="here.safetensors is a folder, not a file"):
            read(folder)
    (folder / "latest.ckpt").touch()
    for read in (glassclf.load, Configurations.open):
        with pytest.raises(IsADirectoryError, match="a checkpoint directory: a fit .*checkpoint="):
            read(folder)
    assert [one.name for one in tmp_path.rglob("*")] == ["here.safetensors", "latest.ckpt"]


@contextmanager
def full_disk(n_bytes):
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_names_the_file_that_was_asked_for(fitted, phases, path):
    for write in (lambda: glassclf.save(fitted, path), lambda: phases[0].save(path)):
        with full_disk(512), pytest.raises(OSError, match="model.safetensors") as caught:
            write()
        assert caught.value.filename == str(path)
        assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder of the system")
def test_a_folder_that_cannot_be_written(fitted):
    with pytest.raises(OSError, match="'/proc/model.safetensors'$"):
        glassclf.save(fitted, "/proc/model.safetensors")


def test_a_class_that_has_changed_since(table, path, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_plain.py").write_text(OWN_MODULE.format(layer="layer"))
    import own_plain

    X, y = table
    model = CNNClassifier(module=own_plain.Plain, max_epochs=1)
    glassclf.save(model.fit(X[:, :3], y), path)
    assert glassclf.load(path, trusted="own_plain.Plain").predict(X[:, :3]).shape == y.shape
    del sys.modules["own_plain"]
    (tmp_path / "own_plain.py").write_text(OWN_MODULE.format(layer="renamed_layer"))
    words = r"cannot be loaded: the code of own_plain.Plain has changed since .*renamed_layer"
    with pytest.raises(ValueError, match=f"(?s){words}") as caught:
        glassclf.load(path, trusted="own_plain.Plain")
    assert "differs" not in str(caught.value)
    monkeypatch.setattr(glassclf, "__version__", "99.0")
    with pytest.raises(ValueError, match="(?s)has changed since .*, or glassclf .* differs"):
        glassclf.load(path, trusted="own_plain.Plain")


@pytest.mark.parametrize("trusted", [True, 3, RDFFeaturizer, (RDFFeaturizer,), ["a.B", None]])
def test_trusted_takes_names(fitted, path, trusted):
    glassclf.save(fitted, path)
    with pytest.raises(TypeError, match="trusted takes the names of classes, as strings"):
        glassclf.load(path, trusted=trusted)
