"""A cause that was put in is found: an ordered patch in what is otherwise alike."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configuration, Configurations, minimum_image
from glassclf.datasets import shuffle_labels
from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.inspection import attribution

SIDE, RADIUS, SHELL = 16, 4.0, 1.5
NETWORKS = {
    "mpnn": lambda: make_pipeline(
        GraphFeaturizer(n_neighbors=8),
        MPNNClassifier(hidden_size=16, n_layers=2, max_epochs=15, random_state=0),
    ),
    "cnn": lambda: make_pipeline(
        ImageFeaturizer(n_pixels=48),
        CNNClassifier(n_filters=(8, 8), max_epochs=15, random_state=0),
    ),
}


def lattice(rng, patched):
    """A noisy lattice, nearly free of noise within a circle, and the distances from its centre."""
    sites = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2) + 0.5
    box = np.array([SIDE, SIDE], dtype=float)
    distance = minimum_image(sites - rng.random(2) * box, np.diag(box), [True, True])
    distance = np.linalg.norm(distance, axis=1)
    noise = np.where((distance < RADIUS) & patched, 0.03, 0.25)
    positions = sites + noise[:, None] * rng.normal(size=sites.shape)
    return Configuration(positions, rng.integers(0, 2, len(sites)), box), distance


@pytest.fixture(scope="module")
def planted():
    rng, members, distances = np.random.default_rng(0), [], []
    y = np.tile(["even", "patch"], 40)
    for label in y:
        configuration, distance = lattice(rng, label == "patch")
        members.append(configuration)
        distances.append(distance)
    return Configurations(members), y, np.repeat(np.arange(40), 2), np.array(distances)


def share_found(model, X, distances):
    """Share of the top-scored particles in the patch, or within a shell of neighbours around it."""
    shares = []
    for values, distance in zip(attribution(model, X, target="patch").particles, distances):
        k = (distance < RADIUS).sum() // 2
        top = np.argsort(-values)[:k]
        shares.append((distance[top] < RADIUS + SHELL).mean())
    return np.mean(shares)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
def test_top_scored_particles_lie_in_the_patch(kind, planted):
    X, y, run, distances = planted
    held_out = (run >= 30) & (y == "patch")
    model = NETWORKS[kind]().fit(X[run < 30], y[run < 30])
    assert model.score(X[run >= 30], y[run >= 30]) > 0.9
    found = share_found(model, X[held_out], distances[held_out])
    _, shuffled, _ = shuffle_labels(X, y, run, random_state=0)
    blind = NETWORKS[kind]().fit(X[run < 30], shuffled[run < 30])
    by_chance = share_found(blind, X[held_out], distances[held_out])
    print(f"{kind}: {found:.2f} of the top-scored particles in the patch, blind {by_chance:.2f}")
    assert found >= 0.8
    assert by_chance < found
