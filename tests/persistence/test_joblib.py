"""joblib keeps every estimator and pipeline, and no estimator keeps its data alive."""

import gc
import pickle
import subprocess
import sys
import weakref

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.testing import all_classes

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMMON = {"max_epochs": 2, "random_state": 0, "early_stopping": True, "average_weights": 0.5}
MODELS = {
    "CNNClassifier": make_pipeline(ImageFeaturizer(8), CNNClassifier(n_filters=(4,), **COMMON)),
    "CNNRegressor": make_pipeline(ImageFeaturizer(8), CNNRegressor(n_filters=(4,), **COMMON)),
    "MPNNClassifier": make_pipeline(GraphFeaturizer(4), MPNNClassifier(hidden_size=4, **COMMON)),
    "MPNNRegressor": make_pipeline(GraphFeaturizer(4), MPNNRegressor(hidden_size=4, **COMMON)),
}
FEATURIZERS = [name for name, _ in all_classes("featurizer")]
STORAGE = [({}, {}), ({"compress": 3}, {}), ({}, {"mmap_mode": "r"}), ({"compress": "lzma"}, {})]


def target_for(name, y):
    return np.linspace(0, 1, len(y)) if name.endswith("Regressor") else y


def assert_equal_outputs(got, expected):
    if not isinstance(expected, np.ndarray):
        got, expected = got.vectors, expected.vectors
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("writing", "reading"), STORAGE, ids=str)
@pytest.mark.parametrize("name", [*MODELS, *FEATURIZERS])
def test_joblib_keeps_every_class(name, writing, reading, phases, tmp_path):
    X, y, _ = phases
    model = clone(MODELS[name]) if name in MODELS else dict(all_classes("featurizer"))[name]()
    model.fit(X, target_for(name, y))
    path = tmp_path / "model.joblib"
    joblib.dump(model, path, **writing)
    again = joblib.load(path, **reading)
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(model, method):
            assert_equal_outputs(getattr(again, method)(X), getattr(model, method)(X))
    if name in MODELS:
        assert again[-1].card_ == model[-1].card_
        assert str(again[-1].card_).startswith("trained on 12 samples")
        features, target = again[0].transform(X), target_for(name, y)
        again[-1].set_params(early_stopping=False).partial_fit(features, target)
        assert again[-1].n_iter_ == model[-1].n_iter_ + 1


def test_a_pipeline_travels_to_another_process_without_cloudpickle(union, phases, tmp_path):
    X, y, _ = phases
    models = [clone(union).fit(X, y), clone(MODELS["MPNNClassifier"]).fit(X, y)]
    joblib.dump((models, X, [model.predict(X) for model in models]), tmp_path / "models")
    assert b"cloudpickle" not in (tmp_path / "models").read_bytes()
    code = (
        "import joblib, sys; models, X, expected = joblib.load(sys.argv[1])\n"
        "assert all((model.predict(X) == y).all() for model, y in zip(models, expected))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "models"], check=True)


@pytest.mark.parametrize("name", MODELS)
def test_a_fitted_network_keeps_no_data_alive(name, phases):
    X, y, _ = phases
    sizes = []
    for repeats in (1, 10):
        chosen = np.tile(np.arange(len(X)), repeats)
        featurizer, network = clone(MODELS[name])
        features, target = featurizer.fit_transform(X[chosen]), target_for(name, y[chosen])
        network.fit(features, target)
        network.predict(features)
        sizes.append(len(pickle.dumps(network)))
    assert sizes[1] < 1.02 * sizes[0]
    kept = [weakref.ref(features), weakref.ref(target)]
    del features, target
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


def test_a_fitted_baseline_keeps_no_data_alive(baseline, phases):
    X = phases[0][:]
    model = clone(baseline).set_params(logisticregression=LogisticRegression()).fit(X, phases[1])
    kept = weakref.ref(X)
    del X
    gc.collect()
    assert kept() is None
    assert len(pickle.dumps(model)) < phases[0].positions.nbytes
