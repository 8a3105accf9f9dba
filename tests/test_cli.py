"""The command ``glassclf show`` tells what a file holds, and its errors are one line."""

import re
import subprocess
import sys
import warnings
from importlib.metadata import entry_points

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save as to_bytes
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import glassclf
from glassclf.cli import main, printable
from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import ConfigurationFeaturizer, GraphFeaturizer, RDFFeaturizer
from glassclf.persistence.saving import sign
from glassclf.testing import two_phases


class Counts(ConfigurationFeaturizer):
    def _featurize(self, configuration):
        return [configuration.n_particles]


@pytest.fixture(scope="module")
def phases():
    return two_phases(n_runs=3)


@pytest.fixture
def show(capsys):
    """Output of the command, and its errors."""

    def show(path):
        main(["show", str(path)])
        return capsys.readouterr().out

    return show


@pytest.fixture
def refused(capsys):
    def refused(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, arguments)))
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert "Traceback" not in error
        return error

    return refused


def test_a_saved_model_is_shown(phases, show, tmp_path):
    X, y, _ = phases
    path = tmp_path / "model.safetensors"
    network = MPNNClassifier(max_epochs=1, hidden_size=4)
    glassclf.save(make_pipeline(GraphFeaturizer(n_neighbors=4), network).fit(X, y), path)
    text = show(path)
    assert f"{path}: a model, saved by glassclf {glassclf.__version__} (python 3." in text
    assert "\nPipeline()\n" in text
    assert "\n  graphfeaturizer: GraphFeaturizer(n_neighbors=4)\n" in text
    assert "\n    by default " in text
    assert "connect=False, " in text
    assert "\n  mpnnclassifier: MPNNClassifier(hidden_size=4, max_epochs=1)\n" in text
    assert "\n    trained on 6 samples\n      classes: glass (3), liquid (3)\n" in text
    assert "\n      temperature: 0.05 (3), 1.0 (3)\n" in text
    assert "trusted" not in text


def test_classes_to_trust_are_named(phases, show, tmp_path):
    path = tmp_path / "model.safetensors"
    glassclf.save(make_pipeline(Counts(), LogisticRegression(C=2)), path)
    text = show(path)
    assert f"loads only with trusted=('{__name__}.Counts',)\n" in text
    assert "logisticregression: LogisticRegression(C=2)\n" in text


def test_stored_configurations_are_shown(phases, show, tmp_path):
    phases[0].save(tmp_path / "set.safetensors")
    text = show(tmp_path / "set.safetensors")
    assert "configurations\n  " in text
    assert "n=6, n_dims=2" in text
    assert "  temperature: 0.05 (3), 1.0 (3)\n" in text


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_checkpoints_are_shown(show, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.random((20, 3)), np.arange(20) % 2
    folder = tmp_path / "runs"
    model = CNNClassifier(
        max_epochs=2,
        lr=0.02,
        random_state=0,
        checkpoint=folder / "{params}-{data}",
        validation_fraction=0.4,
    )
    model.fit(X, y)
    (first,) = folder.iterdir()
    parameters, data = first.name.split("-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_params(
            max_epochs=3, max_time=1e-9, checkpoint=folder / "b", checkpoint_batches=1
        ).fit(X, y)
    text = show(folder)
    assert f"{first}: a training, finished, 2 epochs done\n" in text
    assert "last epoch: train_loss 0." in text
    assert "valid_score" in text
    assert "lr=0.02" in text
    assert f"  parameters {parameters}: class=CNNClassifier, " in text
    assert re.search(rf"  data {data}: X \w{{8}}, y \w{{8}} \(fingerprints\)\n", text)
    assert f"{folder / 'b'}: a training, to be continued, 0 epochs done\n" in text
    assert "8 of 12 samples into the next epoch\n" in text
    assert show(first) in text


@pytest.fixture
def training(tmp_path):
    """Directory of a short training with an early stop, so that it has best weights."""
    rng = np.random.default_rng(0)
    X, y = rng.random((20, 3)), np.arange(20) % 2
    folder = tmp_path / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        CNNClassifier(
            max_epochs=3, random_state=0, checkpoint=folder, early_stopping=True, patience=3
        ).fit(X, y)
    return folder


def test_the_files_of_a_checkpoint_directory_say_what_they_are(training, show):
    text = show(training / "latest.ckpt")
    assert f"{training / 'latest.ckpt'}: a training, finished, 3 epochs done\n" in text
    assert f"one state of it; a fit with checkpoint={str(training)!r} goes on from" in text
    text = show(training / "best.safetensors")
    assert "the best weights of a training, those after epoch " in text
    assert f"how the training went tells: glassclf show {training}\n" in text


def test_the_state_is_shown_from_which_fit_would_go_on(training, show, refused):
    latest, previous = training / "latest.ckpt", training / "previous.ckpt"
    good = latest.read_bytes()
    latest.write_bytes(good[:-1])
    note = "latest.ckpt is damaged: fit goes on from the state before it, previous.ckpt\n"
    assert note in show(training)
    latest.unlink()
    assert "latest.ckpt is missing: fit goes on from previous.ckpt\n" in show(training)
    latest.write_bytes(good[:-1])
    previous.unlink()
    assert "latest.ckpt is truncated or damaged" in refused("show", training)


def test_a_reader_that_leaves_early_is_no_error(training):
    shown = subprocess.Popen(
        [sys.executable, "-m", "glassclf", "show", training],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    shown.stdout.close()
    assert shown.stderr.read() == ""
    assert shown.wait() == 0


def test_errors_are_one_line(phases, refused, tmp_path):
    missing = refused("show", tmp_path / "missing")
    assert missing == f"glassclf: {tmp_path / 'missing'}: no such file\n"
    (tmp_path / "text").write_text("abc")
    assert "is no model that glassclf saved" in refused("show", tmp_path / "text")
    (tmp_path / "empty").mkdir()
    assert "empty holds no checkpoint of glassclf\n" in refused("show", tmp_path / "empty")
    (tmp_path / "empty" / "latest.ckpt").write_bytes(b"abc")
    assert "is not a checkpoint of glassclf" in refused("show", tmp_path / "empty")
    for path in tmp_path.iterdir():
        assert refused("show", path).count("\n") == 1


def test_wrong_use_tells_the_usage(refused):
    assert "usage: glassclf" in refused()
    assert "usage: glassclf" in refused("paint")
    assert "usage: glassclf show" in refused("show")


def test_what_a_stranger_wrote_cannot_steer_the_terminal(show, refused, tmp_path):
    assert printable("glass \x1b[2J\r\u202e") == "glass \\x1b[2J\\r\\u202e"
    path = tmp_path / "model.safetensors"
    glassclf.save(RDFFeaturizer(r_max="\x1b[2J"), path)
    assert "\x1b" not in show(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    metadata["steps"] = metadata["steps"].replace("changed", "chanqed")
    path.write_bytes(to_bytes({}, sign(metadata, {})))
    assert "is damaged: its steps cannot be shown (KeyError('changed'))" in refused("show", path)


def test_a_damaged_model_is_not_shown(refused, tmp_path):
    path = tmp_path / "model.safetensors"
    glassclf.save(RDFFeaturizer(r_max=2.0).fit(two_phases(n_runs=1)[0]), path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "model.safetensors is damaged: its checksum is not that of" in refused("show", path)


def test_the_command_is_installed_and_runs_as_a_module(phases, tmp_path):
    path = tmp_path / "model.safetensors"
    glassclf.save(RDFFeaturizer(r_max=2.0), path)
    done = subprocess.run(
        [sys.executable, "-m", "glassclf", "show", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "RDFFeaturizer(r_max=2.0)" in done.stdout
    (command,) = entry_points(group="console_scripts", name="glassclf")
    assert command.load() is main


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"glassclf {glassclf.__version__}\n"
