"""Learning-rate schedules: known traces, slow twins, and rates that follow from the history."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skorch.history import History

from glassclf.estimators import CNNClassifier
from glassclf.estimators.schedules import (
    FOLLOWS_MAX_EPOCHS,
    NEEDS_VALIDATION,
    LearningRate,
    check_threshold,
    learning_rate,
    plateau_rate,
    threshold_rate,
)

SCHEDULES = sorted({"constant"} | NEEDS_VALIDATION | FOLLOWS_MAX_EPOCHS)
LOSSES = st.lists(st.sampled_from([0.1, 0.5, 1.0, 2.0, math.nan]), max_size=40)
SCORES = st.lists(st.floats(0, 1) | st.just(math.nan), min_size=1, max_size=30)


class NetStub:
    """The two things of a net that the callback works on, both real."""

    def __init__(self, lr):
        self.history = History()
        self.optimizer_ = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)

    def rate(self):
        return self.optimizer_.param_groups[0]["lr"]


def train(net, schedule, epochs, **settings):
    """Run the callback through epochs of known losses and scores; return the rates used."""
    callback = LearningRate(schedule, 0.1, 10, **settings)
    callback.on_train_begin(net)
    rates = []
    for loss, score in epochs:
        net.history.new_epoch()
        callback.on_epoch_begin(net)
        rates.append(net.rate())
        net.history.record("valid_loss", loss)
        net.history.record("valid_score", score)
    return rates


def test_the_schedules_of_epochs_have_the_shapes_they_are_named_for():
    rates = {
        name: [learning_rate(name, 0.1, epoch, 10) for epoch in range(12)]
        for name in ("constant", "exponential", "cosine", "noam", "linear")
    }
    assert rates["constant"] == [0.1] * 12
    np.testing.assert_allclose(np.diff(np.log(rates["exponential"][:11])), np.log(0.01) / 10)
    np.testing.assert_allclose(rates["cosine"][:6:5], [0.1, 0.05])
    assert rates["cosine"][10] == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(rates["noam"][:4], 0.1 / np.sqrt([1, 2, 3, 4]))
    np.testing.assert_allclose(rates["linear"][5:11], [0.1, 0.082, 0.064, 0.046, 0.028, 0.01])
    assert rates["linear"][:6] == [0.1] * 6
    for trace in rates.values():
        assert trace[10] == trace[11], "after max_epochs the rate stays"


@given(st.integers(1, 50), st.floats(0, 1))
def test_linear_falls_from_its_start_to_a_tenth(max_epochs, start):
    rates = [learning_rate("linear", 1.0, epoch, max_epochs, start) for epoch in range(max_epochs)]
    assert all(rate == 1.0 for epoch, rate in enumerate(rates) if epoch <= start * max_epochs)
    assert all(0.1 < rate <= 1.0 for rate in rates)
    falling = [rate for rate in rates if rate < 1.0]
    np.testing.assert_allclose(np.diff(falling, 2), 0, atol=1e-9)
    if start < 1:
        assert learning_rate("linear", 1.0, max_epochs, max_epochs, start) == pytest.approx(0.1)


def test_schedules_that_follow_max_epochs_are_named_as_such():
    for name in set(SCHEDULES) - NEEDS_VALIDATION:
        differs = any(
            learning_rate(name, 1.0, epoch, 20) != learning_rate(name, 1.0, epoch, 40)
            for epoch in range(20)
        )
        assert differs == (name in FOLLOWS_MAX_EPOCHS)


def test_plateau_falls_when_the_loss_has_not_fallen_for_so_long():
    losses = [3.0, 2.0, 2.0, 2.5, 1.0, 1.5, 1.2, 1.0, 1.1, 0.9]
    rates = [plateau_rate(1.0, losses[:n], patience=2) for n in range(len(losses) + 1)]
    np.testing.assert_allclose(rates, [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3])


@given(LOSSES, st.integers(1, 4))
def test_plateau_agrees_with_that_of_torch(losses, patience):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    # torch waits for one epoch more than its patience.
    twin = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=patience - 1, threshold=0.0, eps=0.0
    )
    for n, loss in enumerate(losses):
        twin.step(loss)
        expected = optimizer.param_groups[0]["lr"]
        assert plateau_rate(1.0, losses[: n + 1], patience) == pytest.approx(expected)


def test_threshold_goes_down_and_comes_back():
    scores = [0.5, 0.92, 0.98, 0.6, 0.97, 0.9, 0.1]
    steps = check_threshold((0.9, 0.97), (1e-2, 1e-3), 0.1)
    rates = [threshold_rate(0.1, score, steps) for score in scores]
    assert rates == [0.1, 1e-2, 1e-3, 0.1, 1e-3, 1e-2, 0.1]


@given(
    st.floats(0, 1) | st.just(math.nan),
    st.dictionaries(st.floats(0, 1), st.floats(1e-6, 1), min_size=1, max_size=5),
)
def test_threshold_takes_the_highest_step_reached(score, steps):
    steps = dict(zip(sorted(steps), sorted(steps.values(), reverse=True)))
    pairs = check_threshold(list(steps), list(steps.values()), 2.0)
    assert pairs == sorted(steps.items())
    reached = [threshold for threshold in steps if threshold <= score]
    expected = steps[max(reached)] if reached else 2.0
    assert threshold_rate(2.0, score, pairs) == expected


def test_thresholds_come_with_rates_or_get_them():
    assert check_threshold(0.9, None, 0.5) == [(0.9, 0.05)]
    assert check_threshold(np.array([0.97, 0.9]), None, 0.5) == [(0.9, 0.05), (0.97, 0.005)]
    assert check_threshold((0.97, 0.9), [1e-5, 1e-4], 1) == [(0.9, 1e-4), (0.97, 1e-5)]
    assert check_threshold(-1, np.float32(0.25), 1) == [(-1.0, 0.25)]  # R2 may be negative


@pytest.mark.parametrize(
    ("threshold", "threshold_lr", "message"),
    [
        ((0.9, 0.97), 1e-4, "equal lengths, one rate for each threshold, got threshold="),
        (0.9, (1e-4, 1e-5), "equal lengths"),
        ((0.9, 0.9), None, "threshold must hold each score once"),
        ((), None, "threshold must be a finite number or a sequence of at least one"),
        (None, None, "threshold must be a finite number"),
        ("0.9", None, "threshold must be a finite number"),
        ({0.9: 1e-4}, None, "threshold must be a finite number"),
        (["high"], None, "threshold must be a finite number"),
        (math.nan, None, "threshold must be a finite number"),
        (0.9, math.inf, "threshold_lr must be a finite number"),
        (0.9, 0.0, "threshold_lr must be positive, got 0.0"),
    ],
)
def test_bad_thresholds_are_refused(threshold, threshold_lr, message):
    with pytest.raises(ValueError, match=message):
        check_threshold(threshold, threshold_lr, 0.1)


def test_the_callback_toggles_the_rate_both_ways_and_records_it():
    net = NetStub(lr=7.0)
    scores = [0.5, 0.95, 0.95, 0.4, 0.95, 0.4]
    rates = train(net, "threshold", [(1.0, score) for score in scores], threshold=0.9)
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 0.1, 0.01])
    assert net.history[:, "lr"] == rates


def test_a_constant_rate_is_left_to_other_callbacks():
    net = NetStub(lr=7.0)
    callback = LearningRate("constant", 0.1, 10)
    callback.on_train_begin(net)
    assert net.rate() == 0.1
    net.optimizer_.param_groups[0]["lr"] = 0.02
    net.history.new_epoch()
    callback.on_epoch_begin(net)
    assert net.rate() == net.history[-1, "lr"] == 0.02


def test_epochs_without_a_validation_part_say_nothing():
    for schedule in NEEDS_VALIDATION:
        callback = LearningRate(schedule, 0.1, 10, plateau_patience=1)
        assert callback.rate_after([{"train_loss": 1.0}] * 3) == 0.1


@given(st.sampled_from(SCHEDULES), SCORES, st.data())
def test_a_resumed_training_takes_the_rates_of_one_that_was_not(schedule, scores, data):
    epochs = [(1 - score, score) for score in scores]
    stop = data.draw(st.integers(0, len(epochs)))
    settings = {"threshold": (0.5, 0.8), "plateau_patience": 2, "decay_start": 0.3}
    whole = train(NetStub(0.1), schedule, epochs, **settings)
    net = NetStub(0.1)
    first = train(net, schedule, epochs[:stop], **settings)
    assert first + train(net, schedule, epochs[stop:], **settings) == whole


@given(st.sampled_from(SCHEDULES), SCORES, SCORES)
def test_a_second_fit_begins_its_schedule_anew(schedule, before, scores):
    epochs = [(1 - score, score) for score in scores]
    net = NetStub(0.1)
    train(net, schedule, [(1 - score, score) for score in before])
    rates = train(net, schedule, epochs, first_epoch=len(before))
    assert rates == train(NetStub(0.1), schedule, epochs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_network_is_trained_with_the_rates_that_its_history_asks_for(schedule, images):
    X, y = images
    settings = {"threshold": (0.6, 0.9), "threshold_lr": (1e-2, 1e-3), "plateau_patience": 1}
    network = CNNClassifier(schedule=schedule, lr=0.1, max_epochs=10, validation_fraction=0.4)
    history = network.set_params(random_state=0, **settings).fit(X, y).history_
    rule = LearningRate(schedule, 0.1, 10, **settings)
    epochs = [dict(zip(history, row)) for row in zip(*history.values())]
    assert history["lr"].tolist() == [rule.rate_after(epochs[:n]) for n in range(10)]
    assert len(set(history["lr"])) == 1 if schedule == "constant" else len(set(history["lr"])) > 1


def test_an_estimator_refuses_schedules_that_it_cannot_follow(images):
    X, y = images
    for schedule in NEEDS_VALIDATION:
        with pytest.raises(ValueError, match="looks at a validation part: set validation_fraction"):
            CNNClassifier(schedule=schedule).fit(X, y)
    network = CNNClassifier(schedule="threshold", threshold=(0.9, 0.95), threshold_lr=1e-4)
    with pytest.raises(ValueError, match="one rate for each threshold"):
        network.fit(X, y)


@pytest.mark.parametrize("threshold", [90, 1.5, (0.9, 97)])
def test_threshold_is_no_percentage(threshold):
    with pytest.raises(ValueError, match="threshold must be a score, accuracy or R2, which is nev"):
        check_threshold(threshold, None, 1e-3)


@pytest.mark.parametrize(
    ("threshold", "rates"), [(0.9, 1.0), ((0.9, 0.97), (1e-5, 1e-4)), ((0.97, 0.9), (1e-4, 1e-5))]
)
def test_rates_fall_as_the_thresholds_rise(threshold, rates):
    with pytest.raises(ValueError, match="threshold_lr must fall from lr=0.001 on"):
        check_threshold(threshold, rates, 1e-3)
