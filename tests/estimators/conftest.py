import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from glassclf.configurations import Configuration, Configurations
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer

CLASSIFIERS = [CNNClassifier(max_epochs=8, lr=1e-2), MPNNClassifier(max_epochs=8)]
REGRESSORS = [CNNRegressor(max_epochs=8, lr=1e-2), MPNNRegressor(max_epochs=8)]


def make_crystals_and_gases(n_runs, n_dims=2, seed=0):
    """Two snapshots a run: a noisy square lattice and random points, of two types."""
    rng = np.random.default_rng(seed)
    n_side = 5
    sites = np.stack(np.meshgrid(*[np.arange(n_side)] * n_dims, indexing="ij"), -1)
    sites = sites.reshape(-1, n_dims) + 0.5
    types = np.arange(len(sites)) % 2
    configurations, labels = [], []
    for run in range(n_runs):
        lattice = sites + 0.05 * rng.standard_normal(sites.shape)
        gas = rng.random(sites.shape) * n_side
        for positions, label in ((lattice, "crystal"), (gas, "gas")):
            info = {"run": f"run{run}"}
            configurations.append(Configuration(positions, types, [n_side] * n_dims, info=info))
            labels.append(label)
    return Configurations(configurations), np.array(labels)


@pytest.fixture(scope="session")
def crystals_and_gases():
    return make_crystals_and_gases


@pytest.fixture(scope="session")
def graphs():
    X, y = make_crystals_and_gases(10)
    return GraphFeaturizer(n_neighbors=4).fit_transform(X), y


@pytest.fixture(scope="session")
def images():
    """Twenty small images of one channel, dark and bright, and their labels."""
    rng = np.random.default_rng(0)
    X = rng.random((20, 1, 8, 8))
    y = np.array(["bright", "dark"] * 10)
    X[y == "bright"] += 0.5
    return X, y


@pytest.fixture(params=CLASSIFIERS, ids=lambda e: type(e).__name__)
def classifier(request):
    return clone(request.param).set_params(random_state=0)


@pytest.fixture(params=REGRESSORS, ids=lambda e: type(e).__name__)
def regressor(request):
    return clone(request.param).set_params(random_state=0)


@pytest.fixture(params=CLASSIFIERS + REGRESSORS, ids=lambda e: type(e).__name__)
def estimator(request):
    return clone(request.param).set_params(random_state=0)


class StopAfter(Callback):
    """End a training as the keyboard would, after so many training batches."""

    def __init__(self, n_batches):
        self.n_batches = n_batches

    def on_batch_end(self, net, training, **kwargs):
        self.n_batches -= training
        if training and self.n_batches == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def stop_after():
    return StopAfter


@pytest.fixture(scope="session")
def small():
    """Make a network that trains on ``images`` in no time."""

    def make(**parameters):
        defaults = {"n_filters": (4, 4), "max_epochs": 6, "batch_size": 4, "random_state": 0}
        return CNNClassifier(**{**defaults, **parameters})

    return make


@pytest.fixture(scope="session")
def same_weights():
    """Check that two fitted networks have the same weights, bit for bit."""

    def check(one, other):
        one, other = (model.net_.module_.state_dict() for model in (one, other))
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert torch.equal(value, other[name]), name

    return check


@pytest.fixture(scope="session")
def interrupted():
    """Fit until an interrupt, in the way of a process that is then gone."""

    def fit(model, X, y, n_batches):
        with pytest.raises(KeyboardInterrupt):
            model.set_params(callbacks=[StopAfter(n_batches)]).fit(X, y)
        return model.set_params(callbacks=None)

    return fit
