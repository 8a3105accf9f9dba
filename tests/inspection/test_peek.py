"""The batch shown is the batch that training gets."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.inspection import peek
from glassclf.testing import graded_disorder


def test_batch_before_augmentation_is_what_the_featurizer_makes(phases):
    X, y, _ = phases
    batch = peek(make_pipeline(ImageFeaturizer(12), CNNClassifier()), X, y, n=3)
    assert np.array_equal(batch.before.numpy(), ImageFeaturizer(12).fit_transform(X)[:3])
    assert torch.equal(batch.before, batch.after)
    assert batch.targets.tolist() == [0, 1, 0]
    assert batch.y.tolist() == ["glass", "liquid", "glass"]


def test_augmentation_is_that_of_training(phases):
    X, y, _ = phases
    seen = []

    def brighter(batch):
        seen.append(batch)
        return batch + 1

    pipe = make_pipeline(ImageFeaturizer(12), CNNClassifier(augment=["shifts", brighter]))
    one, same, other = (peek(pipe, X, y, random_state=seed) for seed in (0, 0, 1))
    assert len(seen) == 3
    assert torch.equal(one.after, same.after)
    assert not torch.equal(one.after, other.after)
    assert torch.allclose(one.after.sum((2, 3)), one.before.sum((2, 3)) + 144, rtol=1e-4)
    assert torch.equal(one.before, other.before)


def test_neither_the_estimator_nor_the_random_numbers_of_others_change(phases):
    X, y, _ = phases
    pipe = make_pipeline(ImageFeaturizer(12), CNNClassifier(augment="shifts"))
    before = torch.get_rng_state()
    peek(pipe, X, y)
    assert torch.equal(torch.get_rng_state(), before)
    assert not hasattr(pipe[0], "types_")
    assert not hasattr(pipe[1], "classes_")


def test_graphs_and_scaled_targets(phases):
    X, y, _ = phases
    batch = peek(make_pipeline(GraphFeaturizer(n_neighbors=4), MPNNClassifier()), X, y, n=2)
    assert len(batch.before) == 2
    assert batch.before.n_nodes.tolist() == [42, 42]
    X, y, _ = graded_disorder(n_runs=4)
    batch = peek(make_pipeline(ImageFeaturizer(8), CNNRegressor()), X, y, n=100)
    assert batch.y.tolist() == y.tolist()
    assert batch.targets.shape == (len(y), 1)
    assert batch.targets.mean() == pytest.approx(0, abs=1e-5)


def test_other_estimators_are_refused(phases):
    X, y, _ = phases
    with pytest.raises(
        TypeError, match="peek needs a network of glassclf.estimators or a pipeline"
    ):
        peek(LogisticRegression(), X, y)
