"""Each training parameter does what its documentation says."""

import warnings
from math import cos, pi, sqrt

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EpochTimer, LRScheduler

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.networks import AttentionPooling, MeanPooling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(**parameters):
    """A classifier that takes a moment to train."""
    return CNNClassifier(**{"n_filters": (4,), "max_epochs": 2, "random_state": 0, **parameters})


def weights(estimator):
    """All trained parameters in one vector."""
    trained = [p.detach().cpu().ravel() for p in estimator.net_.module_.parameters()]
    return torch.cat(trained).numpy()


def initial_weights(estimator, X, y):
    """Parameters before the first step: an epoch with a rate that moves nothing."""
    still = clone(estimator).set_params(
        lr=1e-30, optimizer="sgd", weight_decay=0.0, max_epochs=1, schedule="constant"
    )
    return weights(still.fit(X, y))


# Epochs count from 0; 20 of them, so that the warm-up of noam is 2.
FORMULAS = {
    "constant": lambda epoch: 1.0,
    "exponential": lambda epoch: 0.01 ** (epoch / 20),
    "cosine": lambda epoch: (1 + cos(pi * epoch / 20)) / 2,
    "noam": lambda epoch: min((epoch + 1) / 2, sqrt(2 / (epoch + 1))),
}


@pytest.mark.parametrize("schedule", FORMULAS)
def test_schedule(images, schedule):
    model = small(schedule=schedule, lr=0.02, max_epochs=20).fit(*images)
    expected = [0.02 * FORMULAS[schedule](epoch) for epoch in range(20)]
    np.testing.assert_allclose(model.history_["lr"], expected, rtol=1e-12)
    assert model.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(expected[-1])


@pytest.mark.parametrize("max_epochs", [1, 3])
def test_warm_up_of_a_short_training_is_one_epoch(images, max_epochs):
    model = small(schedule="noam", lr=0.02, max_epochs=max_epochs).fit(*images)
    np.testing.assert_allclose(model.history_["lr"], 0.02 / np.sqrt(np.arange(max_epochs) + 1))


def test_rate_is_what_the_optimizer_steps_with(images):
    moved = []
    start = initial_weights(small(), *images)
    for lr in (1e-4, 1e-3):
        model = small(lr=lr, optimizer="sgd", batch_size=20, weight_decay=0.0, max_epochs=1)
        moved.append(weights(model.fit(*images)) - start)
    np.testing.assert_allclose(moved[1], 10 * moved[0], rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        (torch.optim.RMSprop, torch.optim.RMSprop),
    ],
)
def test_optimizer(images, optimizer, expected):
    assert type(small(optimizer=optimizer).fit(*images).net_.optimizer_) is expected


def test_optimizer_by_default(images):
    assert type(small().fit(*images).net_.optimizer_) is torch.optim.AdamW


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop])
def test_weight_decay(images, optimizer):
    model = small(optimizer=optimizer, weight_decay=0.125).fit(*images)
    assert [group["weight_decay"] for group in model.net_.optimizer_.param_groups] == [0.125]


def test_weight_decay_shrinks_the_network(images):
    strong, none = (
        np.linalg.norm(weights(small(weight_decay=decay, lr=0.01, max_epochs=10).fit(*images)))
        for decay in (10.0, 0.0)
    )
    assert strong < 0.7 * none


def test_clip_norm_bounds_a_step(images):
    # One step of plain gradient descent moves the parameters by lr times the clipped gradient.
    one_step = small(
        optimizer="sgd", weight_decay=0.0, batch_size=20, max_epochs=1, lr=0.5, clip_norm=1e-2
    )
    start = initial_weights(one_step, *images)
    clipped = np.linalg.norm(weights(one_step.fit(*images)) - start)
    free = np.linalg.norm(weights(one_step.set_params(clip_norm=None).fit(*images)) - start)
    assert clipped == pytest.approx(0.5 * 1e-2, rel=0.01)
    assert free > 2 * clipped


def test_label_smoothing_keeps_the_network_unsure(images):
    X, y = images
    sure = small(max_epochs=60, lr=0.05).fit(X, y).predict_proba(X).max(axis=1)
    unsure = small(max_epochs=60, lr=0.05, label_smoothing=0.4).fit(X, y).predict_proba(X)
    # The loss is least at probabilities of 1 - 0.4 / 2.
    assert unsure.max(axis=1).mean() == pytest.approx(0.8, abs=0.05)
    assert sure.mean() > 0.9


def test_label_smoothing_reaches_the_loss(images):
    model = small(label_smoothing=0.25).fit(*images)
    assert model.net_.criterion_.label_smoothing == 0.25


def test_balanced_classes_are_the_explicit_weights(images):
    X, y = images
    y = np.where(np.arange(20) < 15, "many", "rare")
    balanced = small(class_weight="balanced").fit(X, y)
    explicit = small(class_weight={"many": 20 / (2 * 15), "rare": 20 / (2 * 5)}).fit(X, y)
    plain = small().fit(X, y)
    np.testing.assert_allclose(weights(balanced), weights(explicit), rtol=1e-6)
    assert np.abs(weights(balanced) - weights(plain)).max() > 1e-4


def test_class_weight_and_sample_weight_multiply(images):
    X, y = images
    weight = np.linspace(1.0, 3.0, 20)
    both = small(class_weight={"bright": 5.0, "dark": 1.0}).fit(X, y, sample_weight=weight)
    product = small().fit(X, y, sample_weight=weight * np.where(y == "bright", 5.0, 1.0))
    np.testing.assert_allclose(weights(both), weights(product), rtol=1e-5, atol=1e-7)


def test_regressor_honours_sample_weight(images):
    X = np.zeros((20, 1, 8, 8))  # nothing to tell the samples apart by
    y = np.repeat([0.0, 1.0], 10)
    weight = np.where(y == 1, 3.0, 1.0)
    model = CNNRegressor(
        n_filters=(4,), max_epochs=100, lr=0.05, batch_size=20, weight_decay=0.0, random_state=0
    )
    assert model.fit(X, y).predict(X).mean() == pytest.approx(0.5, abs=0.05)
    assert model.fit(X, y, sample_weight=weight).predict(X).mean() == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize("kind", [CNNClassifier, MPNNClassifier])
def test_dropout(kind, images, graphs):
    X, y = images if kind is CNNClassifier else graphs
    plain = kind(max_epochs=2, random_state=0).fit(X, y)
    dropping = kind(max_epochs=2, random_state=0, dropout=0.5).fit(X, y)
    rates = {
        part.p for part in dropping.net_.module_.modules() if isinstance(part, torch.nn.Dropout)
    }
    assert rates == {0.5}
    assert np.abs(weights(dropping) - weights(plain)).max() > 1e-4
    # It is for training only.
    np.testing.assert_array_equal(dropping.predict_proba(X), dropping.predict_proba(X))


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", MeanPooling), ("attention", AttentionPooling)]
)
def test_pooling(graphs, pooling, expected):
    X, y = graphs
    model = MPNNClassifier(max_epochs=1, pooling=pooling, random_state=0).fit(X, y)
    kinds = {type(part) for part in model.net_.module_.modules()}
    assert expected in kinds
    assert len(kinds & {MeanPooling, AttentionPooling}) == 1
    assert model.predict(X).shape == y.shape


class Recorder(Callback):
    """Count the epochs and remember the weights of each training batch."""

    def __init__(self):
        self.n_epochs, self.batches = 0, []

    def on_epoch_begin(self, net, **kwargs):
        self.batches.append([])

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        if training:
            self.batches[-1].append(batch[1][1].cpu().numpy())

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1


def recorded(estimator, name="Recorder"):
    return dict(estimator.net_.callbacks_)[name]


def test_callbacks_see_every_epoch(images):
    given = Recorder()
    model = small(callbacks=[given, ("named", Recorder())], max_epochs=5).fit(*images)
    assert recorded(model).n_epochs == recorded(model, "named").n_epochs == 5
    # What is a parameter stays as it was given.
    assert model.callbacks[0] is given
    assert given.n_epochs == 0


@pytest.mark.parametrize(("batch_size", "sizes"), [(20, [20]), (8, [8, 8, 4]), (50, [20])])
def test_batch_size(images, batch_size, sizes):
    model = small(callbacks=[Recorder()], batch_size=batch_size).fit(*images)
    assert [[len(batch) for batch in epoch] for epoch in recorded(model).batches] == [sizes] * 2


@pytest.mark.parametrize(("kind", "expected"), [(CNNClassifier, 8), (MPNNClassifier, 4)])
def test_batch_size_by_default(kind, expected, images, graphs):
    X, y = images if kind is CNNClassifier else graphs
    model = kind(callbacks=[Recorder()], max_epochs=1).fit(X, y)
    assert len(recorded(model).batches[0][0]) == expected


def test_every_epoch_shuffles_all_samples(images):
    weight = np.arange(1.0, 21.0)  # tells the samples apart
    model = small(callbacks=[Recorder()], max_epochs=3).fit(*images, sample_weight=weight)
    orders = [np.concatenate(epoch) for epoch in recorded(model).batches]
    for order in orders:
        np.testing.assert_allclose(np.sort(order), weight / weight.mean(), rtol=1e-6)
        assert (np.diff(order) < 0).any()
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[1], orders[2])


class Interrupts(Callback):
    def on_batch_end(self, net, training=None, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


def test_interrupt_ends_fit(images):
    model = small(callbacks=[Interrupts()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*images)
    assert not hasattr(model, "net_")
    assert not hasattr(model, "classes_")


def test_verbose(images, capsys):
    small(max_epochs=3).fit(*images)
    said = capsys.readouterr()
    assert said.out == said.err == ""
    small(max_epochs=3, verbose=2, validation_fraction=0.3).fit(*images)
    said = capsys.readouterr().out
    assert "train_loss" in said
    assert "valid_loss" in said
    assert len(said.splitlines()) >= 3


def test_early_stopping_is_silent(images, capsys):
    X, y = images
    y = np.random.default_rng(1).permutation(y)  # nothing to learn: the loss soon rises
    model = small(early_stopping=True, patience=1, max_epochs=60, lr=0.1).fit(X, y)
    assert model.n_iter_ < 60
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_random_state_instance(images):
    one, two = (
        small(random_state=np.random.RandomState(3), validation_fraction=0.3).fit(*images)
        for _ in range(2)
    )
    np.testing.assert_array_equal(weights(one), weights(two))
    np.testing.assert_array_equal(one.history_["valid_loss"], two.history_["valid_loss"])
    # The same instance moves on, so that it does not give the same network again.
    again = weights(one.fit(*images))
    assert np.abs(again - weights(two)).max() > 1e-4


def test_no_random_state_gives_networks_that_differ(images):
    one, two = (weights(small(random_state=None).fit(*images)) for _ in range(2))
    assert np.abs(one - two).max() > 1e-4


def test_max_epochs(images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small(max_epochs=3).fit(*images).n_iter_ == 3


@pytest.mark.parametrize("callback", ["early", CNNClassifier(), ("a", 1)])
def test_what_is_no_callback_of_skorch(images, callback):
    with pytest.raises(TypeError, match="callbacks must hold callbacks of skorch.*set_callbacks"):
        CNNClassifier(callbacks=[callback], max_epochs=1).fit(*images)


def test_class_of_a_callback(images):
    CNNClassifier(callbacks=[EpochTimer], max_epochs=1).fit(*images)


def test_two_masters_of_the_learning_rate(images):
    decay = LRScheduler("StepLR", step_size=1)
    with pytest.raises(ValueError, match="schedule='cosine' would overrule the LRScheduler"):
        CNNClassifier(callbacks=[("decay", decay)], schedule="cosine", max_epochs=1).fit(*images)
