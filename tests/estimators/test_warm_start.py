"""Going on from a network that is there: other rates, other classes, averaged weights."""

import joblib
import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.weight_average import WeightAverage


def small(**parameters):
    return CNNClassifier(**{"n_filters": (4, 4), "max_epochs": 4, "random_state": 0, **parameters})


def state(model):
    return {name: value.clone() for name, value in model.net_.module_.state_dict().items()}


def test_saved_model_goes_on_with_another_rate(tmp_path, images):
    X, y = images
    joblib.dump(small(lr=1e-2).fit(X, y), tmp_path / "model.joblib")
    model = joblib.load(tmp_path / "model.joblib")
    model.set_params(warm_start=True, lr=1e-4, max_epochs=2).fit(X, y)
    assert model.n_iter_ == 6
    assert model.history_["lr"].tolist() == [1e-2] * 4 + [1e-4] * 2
    direct = small(lr=1e-2).fit(X, y).set_params(warm_start=True, lr=1e-4, max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), direct.predict_proba(X))


@pytest.mark.parametrize("kind", ["CNN", "MPNN"])
def test_frozen_encoder_stays_bit_for_bit(kind, images, graphs):
    X, y = images if kind == "CNN" else graphs
    model = small() if kind == "CNN" else MPNNClassifier(max_epochs=2, random_state=0)
    model.fit(X, y)
    before, embedding = state(model), model.transform(X)
    model.set_params(warm_start=True, freeze_encoder=True, max_epochs=5, lr=1e-2).fit(X, y)
    after = state(model)
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed == {name for name in after if name.startswith("head.")}
    np.testing.assert_array_equal(model.transform(X), embedding)
    assert model.n_iter_ == 5


def test_frozen_encoder_learns_other_classes(images):
    X, y = images
    model = small(lr=1e-2, max_epochs=20).fit(X, y)
    other = np.where(y == "dark", "low", np.where(np.arange(len(y)) % 4, "high", "higher"))
    model.set_params(warm_start=True, freeze_encoder=True, max_epochs=1).fit(X, other)
    assert model.classes_.tolist() == ["high", "higher", "low"]
    assert model.predict_proba(X).shape == (len(X), 3)


def test_frozen_encoder_of_a_regressor_reads_the_targets_anew(images):
    X, _ = images
    model = CNNRegressor(n_filters=(4,), max_epochs=3, random_state=0).fit(X, X.mean((1, 2, 3)))
    model.set_params(warm_start=True, freeze_encoder=True).fit(X, 100 + np.arange(len(X)))
    assert 90 < model.predict(X).mean() < 130


def test_frozen_encoder_needs_a_fitted_network(images):
    for parameters in ({}, {"warm_start": True}):
        with pytest.raises(ValueError, match="freeze_encoder=True trains the head of a fitted"):
            small(freeze_encoder=True, **parameters).fit(*images)
    model = small().fit(*images).set_params(freeze_encoder=True)
    with pytest.raises(ValueError, match="then set warm_start=True"):
        model.fit(*images)


class Headless(nn.Module):
    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.last = nn.Linear(in_channels, n_outputs)

    def forward(self, x):
        return self.last(x.flatten(2).mean(2))


def test_frozen_encoder_needs_a_head(images):
    model = small(module=Headless).fit(*images).set_params(warm_start=True, freeze_encoder=True)
    with pytest.raises(ValueError, match="last part is named head, got Headless with last"):
        model.fit(*images)


def test_freezing_ends_with_the_parameter(images):
    X, y = images
    model = small().fit(X, y).set_params(warm_start=True, freeze_encoder=True).fit(X, y)
    before = state(model)
    model.set_params(freeze_encoder=False).fit(X, y)
    after = state(model)
    assert not torch.equal(before["blocks.0.0.weight"], after["blocks.0.0.weight"])


def test_average_of_weights_is_the_moving_one():
    layer = nn.Linear(1, 1, bias=False)
    average = WeightAverage(layer, 0.5)
    seen = []
    for value in (1.0, 2.0, 4.0):
        layer.weight.data.fill_(value)
        average.update(layer)
        seen.append(average.module.weight.item())
    assert seen == [1.0, 1.5, 2.75]


def test_average_is_what_predicts_and_is_validated(images):
    X, y = images
    last = small(lr=3e-2, validation_fraction=0.3).fit(X, y)
    mean = small(lr=3e-2, validation_fraction=0.3, average_weights=0.9).fit(X, y)
    # The same training, read out otherwise.
    np.testing.assert_array_equal(last.history_["train_loss"], mean.history_["train_loss"])
    assert not np.array_equal(last.history_["valid_loss"], mean.history_["valid_loss"])
    assert not np.array_equal(last.predict_proba(X), mean.predict_proba(X))
    assert not hasattr(mean.net_, "average") or mean.net_.average is None


def test_average_of_nothing_but_the_last_step_is_the_last_weights(images):
    X, y = images
    last = small().fit(X, y)
    mean = small(average_weights=1e-12).fit(X, y)
    np.testing.assert_allclose(last.predict_proba(X), mean.predict_proba(X), atol=1e-5)


class Explodes(nn.Module):
    """Its output becomes infinite after a number of training batches."""

    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.head = nn.Linear(in_channels, n_outputs)
        self.register_buffer("n_batches", torch.zeros(()))

    def forward(self, x):
        self.n_batches += self.training
        scale = float("inf") if self.training and self.n_batches > 13 else 1.0
        return self.head(x.flatten(2).mean(2)) * scale


@pytest.mark.parametrize("checkpoint", [False, True])
def test_divergence_names_the_batch_and_keeps_the_last_good_weights(tmp_path, images, checkpoint):
    X, y = images
    parameters = {"module": Explodes, "batch_size": 4}
    good = small(**{**parameters, "max_epochs": 2}).fit(X, y)
    if checkpoint:
        parameters["checkpoint"] = tmp_path
    model = small(**parameters)
    with pytest.raises(ValueError, match=r"loss became nan in epoch 3, batch 4: lower lr"):
        model.fit(X, y)
    assert model.n_iter_ == 2
    np.testing.assert_array_equal(model.predict_proba(X), good.predict_proba(X))
    if checkpoint:
        again = small(**parameters)
        with pytest.raises(ValueError, match="epoch 3, batch 4"):
            again.fit(X, y)
        np.testing.assert_array_equal(again.predict_proba(X), good.predict_proba(X))


def test_divergence_in_the_first_epoch_leaves_the_estimator_as_it_was(images):
    model = small(lr=1e20)
    with pytest.raises(ValueError, match=r"epoch 1, batch \d"):
        model.fit(*images)
    assert not hasattr(model, "net_")


def test_weights_that_the_last_step_ruined_are_an_error(images):
    model = small(lr=1e38, optimizer="sgd", max_epochs=1, batch_size=1000)
    with pytest.raises(ValueError, match="the network predicts NaN after epoch 1: lower lr"):
        model.fit(*images)
    assert not hasattr(model, "net_")


class RuinWeights(Callback):
    def on_batch_end(self, net, training, **kwargs):
        if training and len(net.history) == 3:
            net.module_.head[1].bias.data.fill_(float("inf"))


def test_weights_that_became_infinite_are_an_error(images):
    model = small(batch_size=1000, callbacks=[RuinWeights()])
    with pytest.raises(ValueError, match="the weights became NaN or infinite in epoch 3: lower lr"):
        model.fit(*images)
    assert model.n_iter_ == 3
    assert np.isfinite(model.predict_proba(images[0])).all()


@pytest.mark.parametrize("schedule", ["plateau", "threshold"])
def test_schedule_that_looks_at_a_validation_part_needs_one(images, schedule):
    with pytest.raises(ValueError, match=f"schedule='{schedule}' looks at a validation part: set"):
        small(schedule=schedule).fit(*images)
