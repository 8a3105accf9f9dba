"""Saved networks predict alike, train on alike, and keep their history and their card."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from saved_headers import replace_in_header
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import glassclf
from glassclf.estimators import CNNClassifier, CNNRegressor, Mirrors, MPNNClassifier, MPNNRegressor
from glassclf.estimators.card import TrainingCard
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer

DOCS = Path(__file__).resolve().parents[2] / "docs"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMMON = {"max_epochs": 2, "random_state": 0}
IMAGES = {**COMMON, "n_filters": (4, 8)}
GRAPHS = {**COMMON, "hidden_size": 4}
CLASSIFIERS = [
    make_pipeline(ImageFeaturizer(8), CNNClassifier(**IMAGES, augment=["shifts", Mirrors()])),
    make_pipeline(GraphFeaturizer(4), MPNNClassifier(**GRAPHS, pooling="attention")),
    make_pipeline(GraphFeaturizer(4), MPNNClassifier(**GRAPHS, global_node=True, edge_update=True)),
]
REGRESSORS = [
    make_pipeline(ImageFeaturizer(8), CNNRegressor(**IMAGES, optimizer="sgd")),
    make_pipeline(GraphFeaturizer(4), MPNNRegressor(**GRAPHS, optimizer=torch.optim.RMSprop)),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def kept(model, path, **options):
    glassclf.save(model, path)
    return glassclf.load(path, **options)


def targets_for(model, y):
    return y if hasattr(model, "predict_proba") else np.linspace(0, 1, len(y))


def weights_of(model):
    return {name: tensor.numpy() for name, tensor in model[-1].net_.module_.state_dict().items()}


@pytest.mark.parametrize("model", CLASSIFIERS + REGRESSORS, ids=lambda m: type(m[-1]).__name__)
def test_networks_keep_outputs_and_history(model, phases, path):
    X, y, _ = phases
    target = targets_for(model, y)
    model = clone(model).fit(X, target)
    again = kept(model, path)
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(model, method):
            np.testing.assert_array_equal(getattr(again, method)(X), getattr(model, method)(X))
    assert repr(again) == repr(model)
    network, old = again[-1], model[-1]
    assert vars(network).keys() == vars(old).keys()
    assert network.n_iter_ == 2
    np.testing.assert_equal(network.history_, old.history_)
    np.testing.assert_equal(network.net_.history.to_list(), old.net_.history.to_list())
    assert type(network.card_) is TrainingCard
    assert network.card_ == old.card_
    assert network.get_feature_names_out().tolist() == old.get_feature_names_out().tolist()
    if hasattr(old, "classes_"):
        assert network.classes_.tolist() == ["glass", "liquid"]


@pytest.mark.parametrize("model", CLASSIFIERS + REGRESSORS, ids=lambda m: type(m[-1]).__name__)
def test_training_goes_on_alike(model, phases, path):
    X, y, _ = phases
    target = targets_for(model, y)
    model = clone(model).fit(X, target)
    again = kept(model, path)
    for one in (model, again):
        features = one[0].transform(X)
        one[-1].set_params(warm_start=True, lr=1e-3).fit(features, target)
        one[-1].partial_fit(features, target)
        assert one[-1].n_iter_ == 5
    for name, weights in weights_of(model).items():
        np.testing.assert_array_equal(weights_of(again)[name], weights)


def test_a_saved_copy_can_be_saved_and_fitted_anew(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0]).fit(X, y)
    again = kept(kept(model, path), path)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(clone(again).fit(X, y).predict_proba(X), model.predict_proba(X))


def test_parameters_set_after_the_fit_do_not_matter(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0]).fit(X, y)
    model[-1].set_params(n_filters=(2,), optimizer="sgd", dropout=0.5)
    again = kept(model, path)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again[-1].n_filters == (2,)


def test_weights_are_averaged_validated_and_stopped_early(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[1])
    model[-1].set_params(
        average_weights=0.9, early_stopping=True, patience=1, schedule="plateau", clip_norm=1.0
    )
    model.fit(X, y)
    again = kept(model, path)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_equal(again[-1].history_["valid_score"], model[-1].history_["valid_score"])


class Watcher(Callback):
    pass


def test_callbacks_are_left_out_with_a_warning(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0])
    model[-1].set_params(callbacks=[Watcher()])
    model.fit(X, y)
    with pytest.warns(UserWarning, match="callbacks of step 'cnnclassifier' .* are not saved"):
        again = kept(model, path)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again[-1].callbacks is None
    assert len(model[-1].callbacks) == 1


def test_a_function_as_augmentation_is_refused(path):
    model = clone(CLASSIFIERS[0])
    model[-1].set_params(augment=[lambda batch: batch])
    with pytest.raises(TypeError, match=r"'augment.0' of step 'cnnclassifier' .*which is code"):
        glassclf.save(model, path)


def test_an_own_network_and_an_own_featurizer_must_be_trusted(phases, path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    from own_featurizer import CoordinationFeaturizer
    from own_network import PairNetwork
    from sklearn.linear_model import LogisticRegression

    X, y, _ = phases
    model = make_pipeline(GraphFeaturizer(4), MPNNClassifier(**GRAPHS, module=PairNetwork))
    model.fit(X, y)
    glassclf.save(model, path)
    with pytest.raises(ValueError, match=r"trusted=\('own_network.PairNetwork',\)"):
        glassclf.load(path)
    again = glassclf.load(path, trusted=("own_network.PairNetwork",))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again[-1].module is PairNetwork

    glassclf.save(CoordinationFeaturizer(), path)
    replace_in_header(path, "own_featurizer.CoordinationFeaturizer", "own_network.PairNetwork")
    with pytest.raises(ValueError, match="own_network.PairNetwork is no class of the kind"):
        glassclf.load(path, trusted=("own_network.PairNetwork",))

    model = make_pipeline(CoordinationFeaturizer(r_max=1.2), LogisticRegression()).fit(X, y)
    again = kept(model, path, trusted=["own_featurizer.CoordinationFeaturizer"])
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


class LazyNetwork(torch.nn.Module):
    """Learns the length of its input from the first batch."""

    def __init__(self, n_outputs):
        super().__init__()
        self.layer = torch.nn.LazyLinear(n_outputs)

    def forward(self, x):
        return self.layer(x.flatten(1))


def test_a_lazy_network(path):
    rng = np.random.default_rng(0)
    X, y = rng.random((12, 1, 4, 4)), np.arange(12) % 2
    model = CNNClassifier(**IMAGES, module=LazyNetwork).fit(X, y)
    again = kept(model, path, trusted=(f"{__name__}.LazyNetwork",))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_a_model_of_a_gpu_predicts_on_a_cpu(phases, path, device):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0]).fit(X, y)
    model[-1].device = device
    glassclf.save(model, path)
    with pytest.warns(UserWarning, match="is not there: it predicts on the CPU"):
        again = glassclf.load(path)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again[-1].device == device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_trained_on_a_gpu_is_saved_for_the_cpu(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0])
    model[-1].set_params(device="cuda")
    model.fit(X, y)
    np.save(path.with_suffix(".npy"), model.predict_proba(X))
    glassclf.save(model, path)
    np.testing.assert_array_equal(glassclf.load(path).predict_proba(X), model.predict_proba(X))
    code = (
        "import numpy, sys, warnings, glassclf; warnings.simplefilter('ignore')\n"
        "from glassclf.testing import two_phases\n"
        "proba = glassclf.load(sys.argv[1]).predict_proba(two_phases(n_runs=6)[0])\n"
        "numpy.testing.assert_allclose(proba, numpy.load(sys.argv[2]), atol=1e-4)"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    arguments = [sys.executable, "-c", code, path, path.with_suffix(".npy")]
    subprocess.run(arguments, check=True, env=environment)


def test_loading_leaves_the_random_numbers_alone(phases, path):
    X, y, _ = phases
    glassclf.save(clone(CLASSIFIERS[0]).fit(X, y), path)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        glassclf.load(path)
    assert torch.equal(torch.rand(3), expected)


def test_weights_that_do_not_fit_are_refused(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0]).fit(X, y)
    model[-1].net_.module_.head[1] = torch.nn.Linear(8, 3)
    glassclf.save(model, path)
    with pytest.raises(
        ValueError,
        match="cannot be loaded: it is not what glassclf saves .*the weights lack head.1.weight",
    ):
        glassclf.load(path)


def test_half_precision_weights_of_an_own_network_are_refused(phases, path):
    X, y, _ = phases
    model = clone(CLASSIFIERS[0]).fit(X, y)
    model[-1].net_.module_.to(torch.bfloat16)
    with pytest.raises(TypeError, match="'net_.weights.* cannot be saved: it is torch.Tensor"):
        glassclf.save(model, path)
