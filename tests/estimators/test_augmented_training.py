"""Estimators that augment: in training only, each sample with its own target."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from glassclf.estimators import (
    CNNClassifier,
    CNNRegressor,
    Crops,
    Mirrors,
    MPNNClassifier,
    MPNNRegressor,
    QuarterTurns,
    Shifts,
)
from glassclf.featurizers import LatticeFeaturizer
from glassclf.networks import ConvolutionalNetwork, MessagePassingNetwork

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FOR_IMAGES = {
    "quarter_turns": "quarter_turns",
    "mirrors": "mirrors",
    "shifts": "shifts",
    "crops": "crops",
    "several": ["quarter_turns", Mirrors(axes=(0,)), Shifts(axes=(1,)), Crops(share=0.75)],
    "own": lambda batch: batch + 0.01 * torch.randn_like(batch),
}
FOR_GRAPHS = {"quarter_turns": "quarter_turns", "mirrors": "mirrors", "crops": "crops"}


class Seen(Callback):
    """Keep each training batch: its samples, what the network is shown of them, their targets."""

    def initialize(self):
        self.samples, self.targets = [], []

    def on_batch_begin(self, net, batch, training, **kwargs):
        if training:
            SHOWN.clear()
            self.samples.append(batch[0])

    def on_batch_end(self, net, batch, training, **kwargs):
        if training:
            (shown,) = SHOWN
            self.targets.append((shown, batch[1][0]))


SHOWN = []


class WatchedImages(ConvolutionalNetwork):
    def forward(self, x):
        SHOWN.append(x.detach().clone())
        return super().forward(x)


class WatchedGraphs(MessagePassingNetwork):
    def forward(self, batch):
        SHOWN.append(batch)
        return super().forward(batch)


def weights(estimator):
    return torch.cat([p.detach().ravel() for p in estimator.net_.module_.parameters()]).numpy()


def pixels(images):
    """Sorted pixels of each image: what turns, mirrors and shifts leave as they are."""
    return np.sort(np.asarray(images).reshape(len(images), -1), axis=1)


@pytest.fixture
def regression_images():
    rng = np.random.default_rng(0)
    X = rng.random((12, 1, 8, 8)).astype(np.float32)
    return X, rng.random(12)


def watched(estimator, **settings):
    return estimator(max_epochs=4, batch_size=4, random_state=0, callbacks=[Seen()], **settings)


def seen_by(estimator):
    return next(c for _, c in estimator.net_.callbacks_ if isinstance(c, Seen))


@pytest.mark.parametrize("augment", FOR_IMAGES.values(), ids=FOR_IMAGES)
def test_each_image_keeps_its_target(regression_images, augment):
    X, y = regression_images
    model = watched(CNNRegressor, module=WatchedImages, augment=augment).fit(X, y)
    scaled = (y - model.target_mean_) / model.target_scale_
    n_changed = 0
    for given, (shown, targets) in zip(seen_by(model).samples, seen_by(model).targets):
        for sample, image, target in zip(given.numpy(), shown.numpy(), targets.numpy()):
            (row,) = np.flatnonzero((X == sample).all(axis=(1, 2, 3)))
            np.testing.assert_allclose(target, scaled[row], atol=1e-6)
            n_changed += image.shape != sample.shape or not np.array_equal(image, sample)
            if augment in ("quarter_turns", "mirrors", "shifts"):
                np.testing.assert_array_equal(pixels(image[None]), pixels(sample[None]))
            elif augment == "crops":
                assert np.isin(image, sample).all()
    assert n_changed > len(X)


@pytest.mark.parametrize("augment", FOR_GRAPHS.values(), ids=FOR_GRAPHS)
def test_each_graph_keeps_its_target(graphs, augment):
    X, _ = graphs
    y = np.arange(len(X)) / len(X)
    model = watched(MPNNRegressor, module=WatchedGraphs, augment=augment).fit(X, y)
    scaled = (y - model.target_mean_) / model.target_scale_
    n_changed = 0
    for given, (shown, targets) in zip(seen_by(model).samples, seen_by(model).targets):
        for graph in range(len(given)):
            row = np.abs(scaled - targets[graph].item()).argmin()
            before = given.distances[given.graph[given.sources] == graph]
            after = shown.distances[shown.graph[shown.sources] == graph]
            np.testing.assert_array_equal(before, X[row].distances)
            assert np.isin(after, before).all()
        n_changed += len(shown.vectors) != len(given.vectors) or not torch.equal(
            shown.vectors, given.vectors
        )
    assert n_changed > len(seen_by(model).samples) / 2


@pytest.mark.parametrize("augment", FOR_IMAGES.values(), ids=FOR_IMAGES)
def test_images_are_not_augmented_outside_of_training(images, augment):
    """Neither at validation, nor when statistics settle, nor in predict."""
    X, y = images
    X = X.astype(np.float32)
    shown = []

    class OutsideOfTraining(ConvolutionalNetwork):
        def forward(self, x):
            if not self.training or not torch.is_grad_enabled():
                shown.extend(x.numpy().copy())
            return super().forward(x)

    model = CNNClassifier(
        module=OutsideOfTraining,
        augment=augment,
        max_epochs=2,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X, y)
    n_fit = len(shown)
    assert n_fit >= 2 * 6 + 14
    proba = model.predict_proba(X)
    np.testing.assert_array_equal(shown[n_fit:], X)
    for image in shown:
        assert (X == image).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(model.predict_proba(X), proba)


@pytest.mark.parametrize("augment", FOR_GRAPHS.values(), ids=FOR_GRAPHS)
def test_graphs_are_not_augmented_outside_of_training(graphs, augment):
    X, y = graphs
    shown = []

    class OutsideOfTraining(MessagePassingNetwork):
        def forward(self, batch):
            if not self.training or not torch.is_grad_enabled():
                shown.append(batch)
            return super().forward(batch)

    model = MPNNClassifier(
        module=OutsideOfTraining,
        augment=augment,
        max_epochs=1,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X, y)
    model.predict(X)
    vectors = np.concatenate([batch.vectors for batch in shown])
    assert len(vectors) >= (6 + 14 + 20) * len(X[0].vectors)
    known = {vector.tobytes() for vector in X.vectors}
    assert all(vector.tobytes() in known for vector in vectors)
    assert all((batch.n_nodes == 25).all() for batch in shown)


@pytest.mark.parametrize("augment", FOR_IMAGES.values(), ids=FOR_IMAGES)
def test_random_state_decides_on_images(images, augment):
    X, y = images
    model = CNNClassifier(n_filters=(4,), max_epochs=2, random_state=0, augment=augment)
    first = weights(clone(model).fit(X, y))
    torch.manual_seed(7)
    torch.rand(5)
    np.testing.assert_array_equal(weights(clone(model).fit(X, y)), first)
    assert np.abs(weights(clone(model).set_params(augment=None).fit(X, y)) - first).max() > 1e-4


def test_random_state_decides_on_graphs(graphs):
    model = MPNNClassifier(hidden_size=8, max_epochs=1, random_state=0, augment="crops")
    first, second = (weights(clone(model).fit(*graphs)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = weights(clone(model).set_params(augment=Crops(share=0.8)).fit(*graphs))
    assert np.abs(other - first).max() > 1e-4


def test_training_goes_on_with_the_draws_it_would_have_made(images, tmp_path):
    X, y = images
    model = CNNClassifier(
        n_filters=(4,), max_epochs=4, random_state=0, augment=["shifts", "mirrors", "crops"]
    )
    whole = weights(clone(model).fit(X, y))
    kept = clone(model).set_params(checkpoint=tmp_path, max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(weights(kept.set_params(max_epochs=4).fit(X, y)), whole)


def test_augmentation_can_be_searched(images):
    model = CNNClassifier(n_filters=(4,), max_epochs=1, random_state=0, augment=Crops())
    grid = {"augment__share": [0.5, 1.0]}
    assert GridSearchCV(model, grid, cv=2).fit(*images).best_params_["augment__share"] in (0.5, 1)
    grid = {"augment": [None, "shifts", QuarterTurns()]}
    GridSearchCV(model, grid, cv=2).fit(*images)
    assert model.get_params()["augment__share"] == 0.5


@pytest.mark.parametrize(
    ("estimator", "augment", "words"),
    [
        (CNNClassifier(), "flips", "augment must name one of"),
        (CNNClassifier(), Shifts(axes=(2,)), "axes of Shifts"),
        (CNNClassifier(), Mirrors(vector_channels=(0, 1)), "channels from 0 to 0"),
        (CNNClassifier(), Crops(share=0.05), "leaves no pixel of the 8"),
        (CNNClassifier(), lambda batch: None, "got NoneType"),
        (MPNNClassifier(), "shifts", "Shifts has nothing to do on graphs"),
    ],
)
def test_bad_augmentation(images, graphs, estimator, augment, words):
    X, y = images if isinstance(estimator, CNNClassifier) else graphs
    with pytest.raises(ValueError, match=words):
        estimator.set_params(augment=augment).fit(X, y)


def test_table_cannot_be_turned():
    with pytest.raises(ValueError, match="QuarterTurns needs samples with spatial axes"):
        CNNClassifier(augment="quarter_turns").fit([[0.0], [1.0]], [0, 1])


LATTICES = np.random.default_rng(0).integers(0, 5, (12, 8, 8))
RATES = np.linspace(-3, -1, 12)


def trained_on_lattices(channels, augment):
    model = CNNRegressor(
        architecture="strided", augment=augment, max_epochs=2, batch_size=4, random_state=0
    )
    return model.fit(LatticeFeaturizer(channels).fit_transform(LATTICES), RATES)


@pytest.mark.parametrize(
    ("channels", "given"),
    [
        ("orientation", {"orientation_channels": (0, 1, 2, 3)}),
        ("vector", {"vector_channels": [(0, 1)]}),
    ],
)
def test_directions_of_lattices_turn_with_them(channels, given):
    by_name = trained_on_lattices(channels, ["quarter_turns", "mirrors"])
    told = trained_on_lattices(channels, [QuarterTurns(**given), Mirrors(**given)])
    images = LatticeFeaturizer(channels).fit_transform(LATTICES)
    assert np.array_equal(by_name.predict(images), told.predict(images))
    # A plain array does not know what its channels are.
    arrays = clone(by_name).fit(np.asarray(images), RATES)
    assert not np.array_equal(by_name.predict(images), arrays.predict(images))


def test_directions_that_cannot_be_turned_are_refused():
    with pytest.raises(ValueError, match="QuarterTurns in augment cannot turn the directions in"):
        trained_on_lattices("grey", "quarter_turns")
    trained_on_lattices("grey", "shifts")
    wrong = Mirrors(orientation_channels=(2, 3, 0, 1))
    with pytest.raises(ValueError, match="X has orientation_channels=.*Mirrors in augment was giv"):
        trained_on_lattices("orientation", wrong)
