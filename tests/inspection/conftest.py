import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier, MPNNClassifier, QuarterTurns
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.testing import two_phases


@pytest.fixture(scope="session")
def phases():
    """Ordered and disordered configurations, their labels and runs."""
    return two_phases(n_runs=8)


def trained(featurizer, network, phases):
    X, y, groups = phases
    return make_pipeline(featurizer, network).fit(X, y)


KINDS = {
    "mean": {},
    "attention": {"pooling": "attention"},
    "options": {"global_node": True, "edge_update": True},
}


@pytest.fixture(scope="session", params=KINDS)
def mpnn(request, phases):
    """Fitted pipeline with a message-passing network, of either pooling or with all options."""
    network = MPNNClassifier(
        hidden_size=8, n_layers=2, max_epochs=15, random_state=0, **KINDS[request.param]
    )
    return trained(GraphFeaturizer(n_neighbors=6), network, phases)


@pytest.fixture(scope="session")
def attentive(phases):
    """Fitted pipeline with a message-passing network that pools by attention."""
    network = MPNNClassifier(
        pooling="attention", hidden_size=8, n_layers=2, max_epochs=15, random_state=0
    )
    return trained(GraphFeaturizer(n_neighbors=6), network, phases)


@pytest.fixture(scope="session")
def cnn(phases):
    """Fitted pipeline with a convolutional network, trained on all quarter turns."""
    network = CNNClassifier(n_filters=(8, 8), augment=QuarterTurns(), max_epochs=30, random_state=0)
    return trained(ImageFeaturizer(n_pixels=24), network, phases)


@pytest.fixture(scope="session")
def log_odds():
    """Log odds of the second class, by ``predict_proba``."""

    def of(model, X):
        proba = model.predict_proba(X)
        return np.log(proba[:, 1] / proba[:, 0])

    return of
