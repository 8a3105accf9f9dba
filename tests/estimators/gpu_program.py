"""What test_gpu.py starts in processes of their own, with an environment of their own."""

import sys
import warnings
from pathlib import Path

import joblib
import numpy as np

from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer


def make_samples():
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    images = rng.random((24, 1, 16, 16)) + 0.3 * y[:, None, None, None]
    sets = [(rng.random((40, 2)) * side, rng.integers(0, 2, 40), [side] * 2) for side in 5.0 + y]
    graphs = GraphFeaturizer(n_neighbors=6).fit_transform(sets)
    models = {
        "cnn": CNNClassifier(n_filters=(8, 8), max_epochs=4, dropout=0.2, random_state=0),
        "mpnn": MPNNClassifier(hidden_size=16, n_layers=2, max_epochs=4, random_state=0),
    }
    return models, {"cnn": images, "mpnn": graphs}, y


def train_deterministically(folder):
    """Train twice, and once more with a stop in between; the weights must be equal."""
    models, samples, y = make_samples()
    for name, model in models.items():
        model.set_params(device="cuda", deterministic=True)
        first, second = (weights_of(model.fit(samples[name], y)) for _ in range(2))
        model.set_params(checkpoint=folder / name, max_time=1e-6).fit(samples[name], y)
        assert model.n_iter_ == 0, model.n_iter_
        third = weights_of(model.set_params(max_time=None).fit(samples[name], y))
        for key, value in first.items():
            np.testing.assert_array_equal(value, second[key], err_msg=f"{name} {key}")
            np.testing.assert_array_equal(value, third[key], err_msg=f"{name} {key} resumed")


def weights_of(model):
    return {name: tensor.cpu().numpy() for name, tensor in model.net_.module_.state_dict().items()}


def predict(folder):
    """Load models and predict with them, without a word."""
    _, samples, _ = make_samples()
    warnings.simplefilter("error")
    for name, X in samples.items():
        model = joblib.load(folder / f"{name}.joblib")
        np.save(folder / f"{name}.npy", model.predict_proba(X))


if __name__ == "__main__":
    {"deterministic": train_deterministically, "predict": predict}[sys.argv[1]](Path(sys.argv[2]))
