"""Precision, compilation, memory and determinism of whole trainings, and models that move."""

import os
import pickle
import shutil
import signal

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier, MPNNClassifier, compilation
from glassclf.featurizers import GraphFeaturizer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = [
    CNNClassifier(n_filters=(4, 8), max_epochs=4, random_state=0),
    MPNNClassifier(hidden_size=8, n_layers=2, max_epochs=4, random_state=0),
    MPNNClassifier(hidden_size=8, n_layers=2, max_epochs=4, random_state=0, pooling="attention"),
    MPNNClassifier(
        hidden_size=8,
        n_layers=2,
        max_epochs=4,
        random_state=0,
        global_node=True,
        edge_update=True,
    ),
]


@pytest.fixture(params=SMALL, ids=["cnn", "mpnn", "attention", "options"])
def model(request):
    return clone(request.param)


@pytest.fixture
def samples(model, images, graphs):
    return images if isinstance(model, CNNClassifier) else graphs


def weights(model):
    return {name: tensor.numpy() for name, tensor in model.net_.module_.state_dict().items()}


def assert_equal_weights(one, other):
    one, other = weights(one), weights(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


class Watcher(Callback):
    """Sizes of the gradients, and types of what the network returns in training and beside it."""

    def on_train_begin(self, net, **kwargs):
        self.norms_, self.inner_ = [], {True: set(), False: set()}
        last = [part for part in net.module_.modules() if isinstance(part, torch.nn.Linear)][-1]
        last.register_forward_hook(self._look)

    def _look(self, module, args, output):
        self.inner_[module.training].add(output.dtype)

    def on_grad_computed(self, net, named_parameters, **kwargs):
        gradients = [p.grad.flatten() for _, p in named_parameters if p.grad is not None]
        self.norms_.append(torch.cat(gradients).norm().item())


@pytest.mark.parametrize(("precision", "half"), [("bf16", torch.bfloat16), ("16", torch.float16)])
def test_half_precision_trains_alike(model, samples, precision, half):
    X, y = samples
    model.set_params(callbacks=[Watcher()], validation_fraction=0.3)
    single = clone(model).fit(X, y)
    model.set_params(precision=precision).fit(X, y)
    watcher, reference = (dict(m.net_.callbacks_)["Watcher"] for m in (model, single))
    assert watcher.inner_ == {True: {half}, False: {torch.float32}}
    # Of their true size, also where the loss was scaled by thousands.
    np.testing.assert_allclose(watcher.norms_[0], reference.norms_[0], rtol=0.05)
    np.testing.assert_allclose(
        model.history_["train_loss"], single.history_["train_loss"], atol=0.1
    )
    assert {tensor.dtype for tensor in weights(model).values()} == {
        tensor.dtype for tensor in weights(single).values()
    }
    assert model.predict_proba(X).dtype == np.float64


def test_gradients_are_clipped_at_their_true_size(images):
    X, y = images
    model = CNNClassifier(
        n_filters=(4,), max_epochs=2, precision="16", clip_norm=1e-3, callbacks=[Watcher()]
    )
    norms = dict(model.fit(X, y).net_.callbacks_)["Watcher"].norms_
    assert max(norms) <= 1e-3 * 1.01
    assert max(norms) > 0.5e-3


class StopsInBatch(Callback):
    """Let the batch system stop the training once, in the middle of an epoch."""

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 2 and len(net.history[-1]["batches"]) == 1:
            os.kill(os.getpid(), signal.SIGUSR1)


@pytest.mark.filterwarnings("ignore:.*was stopped by SIGUSR1")
def test_float16_goes_on_from_a_checkpoint(images, tmp_path):
    X, y = images
    # Gradients so large that the scale has to come down before the stop.
    model = CNNClassifier(n_filters=(4,), max_epochs=3, precision="16", random_state=0)
    weight = np.full(len(y), 1e4)
    whole = clone(model).fit(X, y, sample_weight=weight)
    model.set_params(checkpoint=tmp_path, callbacks=[StopsInBatch()])
    assert model.fit(X, y, sample_weight=weight).n_iter_ == 1
    model.set_params(callbacks=None).fit(X, y, sample_weight=weight)
    assert_equal_weights(model, whole)


def test_data_device_changes_nothing_but_the_place(model, samples):
    X, y = samples
    model.set_params(validation_fraction=0.3)
    assert_equal_weights(clone(model).set_params(data_device="cpu").fit(X, y), model.fit(X, y))


def test_lazy_samples_have_no_device(crystals_and_gases):
    X, y = crystals_and_gases(4)
    graphs = GraphFeaturizer(n_neighbors=4, lazy=True).fit_transform(X)
    with pytest.raises(TypeError, match="data_device needs samples in memory"):
        MPNNClassifier(data_device="cpu").fit(graphs, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_data_device_needs_a_gpu(images):
    with pytest.raises(ValueError, match="data_device='cuda' needs a GPU, and torch finds none"):
        CNNClassifier(data_device="cuda").fit(*images)


def test_data_device_must_be_the_one_that_trains(images, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="data_device='cuda:1' must be the CPU or the device that"):
        CNNClassifier(device="cpu", data_device="cuda:1").fit(*images)


class OutOfMemory(torch.nn.Module):
    """Needs more memory than there is for a batch of more than a certain size."""

    limit = 5

    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.head = torch.nn.Linear(in_channels, n_outputs)

    def forward(self, x):
        if len(x) > self.limit:
            raise torch.OutOfMemoryError("Tried to allocate 2.00 GiB.")
        return self.head(x.mean((2, 3)))


def test_out_of_memory_names_a_batch_size(images):
    X, y = images
    model = CNNClassifier(module=OutOfMemory, max_epochs=1, batch_size=16)
    message = r"ran out of memory with batch_size=16: try batch_size=8 \(Tried to allocate 2.00 GiB"
    with pytest.raises(torch.OutOfMemoryError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "net_")
    model.set_params(batch_size=4).fit(X, y).set_params(batch_size=6)
    with pytest.raises(torch.OutOfMemoryError, match="with batch_size=6: try batch_size=3"):
        model.predict(X)


def test_out_of_memory_at_one_sample(images, monkeypatch):
    monkeypatch.setattr(OutOfMemory, "limit", 0)
    with pytest.raises(torch.OutOfMemoryError, match="batch_size=1: use smaller samples, a small"):
        CNNClassifier(module=OutOfMemory, batch_size=1).fit(*images)


class WritesTwice(OutOfMemory):
    """Writes two numbers to one place, in an order that torch leaves open."""

    def forward(self, x):
        places = torch.zeros(2, dtype=torch.int64)
        torch.zeros(3).put_(places, torch.tensor([1.0, 2.0]))
        return self.head(x.mean((2, 3)))


def test_deterministic_training(model, samples):
    X, y = samples
    reference = clone(model).fit(X, y)
    assert_equal_weights(model.set_params(deterministic=True).fit(X, y), reference)
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_has_no_deterministic_algorithm_is_named(images):
    CNNClassifier(module=WritesTwice, max_epochs=1).fit(*images)
    with pytest.raises(RuntimeError, match="deterministic=True: torch has no deterministic put_"):
        CNNClassifier(module=WritesTwice, max_epochs=1, deterministic=True).fit(*images)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="compile=True needs a C++ compiler")
@pytest.mark.parametrize("model", SMALL[:2], ids=["cnn", "mpnn"], indirect=True)
def test_compiled_training(model, samples, tmp_path):
    if os.environ.get("GLASSCLF_QUICK") == "1" and not isinstance(model, CNNClassifier):
        pytest.skip("one network is enough for a quick run")
    X, y = samples
    compiled = clone(model).set_params(compile=True, max_epochs=2, batch_size=6).fit(X, y)
    plain = model.set_params(max_epochs=2, batch_size=6).fit(X, y)
    np.testing.assert_allclose(compiled.predict_proba(X), plain.predict_proba(X), atol=1e-4)
    assert weights(compiled).keys() == weights(plain).keys()
    joblib.dump(compiled, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), compiled.predict_proba(X))
    loaded.set_params(warm_start=True, max_epochs=1).fit(X, y)
    assert loaded.n_iter_ == 3


def test_compiling_needs_a_compiler(images, monkeypatch):
    monkeypatch.setattr(compilation.shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"compile=True needs a C\+\+ compiler on the CPU"):
        CNNClassifier(compile=True).fit(*images)


@pytest.fixture
def as_if_on_a_gpu():
    """Save tensors with the mark that they lay on the first GPU, as a machine with one would."""
    registry = list(torch.serialization._package_registry)
    torch.serialization.register_package(0, lambda storage: "cuda:0", lambda storage, place: None)
    yield
    torch.serialization._package_registry[:] = registry


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_model_from_a_gpu_predicts_without_one(model, samples, as_if_on_a_gpu, device):
    X, y = samples
    model.set_params(max_epochs=2, early_stopping=True, average_weights=0.9).fit(X, y)
    expected = model.predict_proba(X)
    model.net_.device = device
    content = pickle.dumps(model.set_params(device=device))
    assert b"cuda:0" in content
    loaded = pickle.loads(content)
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    assert loaded.net_.device == "cpu"
    with pytest.raises(ValueError, match=f"device='{device}' needs a GPU"):
        loaded.fit(X, y)
    loaded.set_params(device="auto", warm_start=True).fit(X, y)


def test_nothing_of_the_training_stays_with_the_model(model, samples):
    X, y = samples
    plain = pickle.dumps(clone(model).fit(X, y))
    model.set_params(precision="16", data_device="cpu", deterministic=True).fit(X, y)
    assert abs(len(pickle.dumps(model)) - len(plain)) < 100
    for name in ("arithmetic", "processes", "compiled"):
        assert name not in vars(model.net_)
