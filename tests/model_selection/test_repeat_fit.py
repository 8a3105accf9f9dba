"""Repeated trainings: each is the one its seed gives, and falling back to chance is counted."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.observers import ValidationTargets
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.model_selection import repeat_fit, repetition
from glassclf.model_selection.repetition import _follow, _limits_of_chance

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def network():
    return CNNClassifier(n_filters=(4,), lr=1e-2, max_epochs=6, validation_fraction=0.4)


class Forget(Callback):
    """Break the network at the end of an epoch: it then names one class always."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                for parameter in net.module_.parameters():
                    parameter.fill_(0.0)
            for group in net.optimizer_.param_groups:
                group["lr"] = 0.0


class Explode(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                next(net.module_.parameters()).fill_(math.nan)


def test_each_training_is_that_of_its_seed(network, images):
    X, y, groups = images
    result = repeat_fit(network, X, y, n_seeds=3, groups=groups, random_state=0)
    assert len(set(result.seeds)) == 3
    for row, seed in enumerate(result.seeds):
        alone = clone(network).set_params(random_state=int(seed)).fit(X, y, groups=groups)
        for name in ("train_loss", "valid_loss", "valid_score", "lr"):
            np.testing.assert_array_equal(result.history[name][row], alone.history_[name])
        assert result.final_score[row] == alone.history_["valid_score"][-1]
        assert result.best_score[row] == alone.history_["valid_score"].max()
    assert result.mean == pytest.approx(result.final_score.mean())
    assert result.spread == pytest.approx(result.final_score.std(ddof=1))
    assert not hasattr(network, "net_")
    assert network.callbacks is None
    more = repeat_fit(network, X, y, n_seeds=4, groups=groups, random_state=0)
    np.testing.assert_array_equal(more.seeds[:3], result.seeds)


def test_processes_give_what_one_gives(network, images):
    X, y, groups = images
    results = [
        repeat_fit(network, X, y, n_seeds=2, groups=groups, random_state=0, n_jobs=n)
        for n in (1, 2)
    ]
    for name in ("train_loss", "valid_score"):
        np.testing.assert_array_equal(*(result.history[name] for result in results))


def test_trainings_that_stopped_early_end_in_nan(network, images):
    X, _, _ = images
    y = np.random.default_rng(1).permutation(["bright", "dark"] * 32)
    network.set_params(max_epochs=40, early_stopping=True, patience=2)
    result = repeat_fit(network, X, y, n_seeds=3, random_state=0)
    assert len(set(result.n_epochs)) > 1
    for row, n in zip(result.history["train_loss"], result.n_epochs):
        assert np.isfinite(row[:n]).all()
        assert np.isnan(row[n:]).all()
    last = result.history["valid_score"][np.arange(3), result.n_epochs - 1]
    np.testing.assert_array_equal(result.final_score, last)


def test_early_stopping_brings_a_validation_part(network, images):
    X, _, _ = images
    y = np.random.default_rng(1).permutation(["bright", "dark"] * 32)
    network.set_params(validation_fraction=None, early_stopping=True)
    result = repeat_fit(network, X, y, n_seeds=4, random_state=0)
    assert np.isfinite(result.final_score).all()
    # Over seeds, as a sample of all that there are.
    deviations = result.final_score - result.mean
    assert result.spread == pytest.approx(np.sqrt((deviations**2).sum() / 3))
    assert result.spread > 0


def test_who_stopped_a_training_is_told(network, images):
    X, y, groups = images
    network.set_params(max_time=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cut = repeat_fit(network, X, y, n_seeds=2, groups=groups)
    assert cut.stopped_by.tolist() == ["max_time"] * 2
    network.set_params(max_time=None, max_epochs=1)
    assert repeat_fit(network, X, y, n_seeds=1, groups=groups).stopped_by.tolist() == [None]


def test_a_score_at_the_limit_is_back_at_chance(network, images, monkeypatch):
    X, y, groups = images
    network.set_params(max_epochs=10, callbacks=[Forget(10)])
    limits = repetition, "_limits_of_chance"
    monkeypatch.setattr(*limits, lambda classifies, targets: (0.4, 0.5, 0.6))
    result = repeat_fit(network, X, y, n_seeds=1, groups=groups, random_state=0)
    assert result.final_score.tolist() == [0.5]
    assert result.collapsed.all()


def test_a_pipeline_takes_the_runs_of_its_input(configurations):
    X, y, groups = configurations
    network = MPNNClassifier(hidden_size=8, max_epochs=2, validation_fraction=0.4)
    pipe = make_pipeline(GraphFeaturizer(n_neighbors=4), network)
    piped = repeat_fit(pipe, X, y, n_seeds=2, random_state=0)
    graphs = GraphFeaturizer(n_neighbors=4).fit_transform(X)
    bare = repeat_fit(network, graphs, y, n_seeds=2, random_state=0, groups=groups)
    np.testing.assert_array_equal(piped.history["train_loss"], bare.history["train_loss"])
    # Images carry no info, and both sides of the split would share the only run there is.
    one_run = X[:4]
    one_run.info["run"][:] = "the same"
    pipe = make_pipeline(ImageFeaturizer(8), CNNClassifier(validation_fraction=0.5))
    with pytest.raises(ValueError, match="needs at least 2 groups"):
        repeat_fit(pipe, one_run, y[:4])


def test_steps_before_the_network_are_fitted_once(configurations):
    X, y, _ = configurations
    calls = []

    class Counting(ImageFeaturizer):
        def transform(self, X):
            calls.append(len(X))
            return super().transform(X)

    network = CNNClassifier(n_filters=(2,), max_epochs=1, validation_fraction=0.4)
    repeat_fit(make_pipeline(Counting(8), network), X, y, n_seeds=3)
    assert calls == [len(X)]


def test_a_network_that_forgets_has_collapsed(network, images):
    X, y, groups = images
    network.set_params(max_epochs=10)
    steady = repeat_fit(network, X, y, n_seeds=2, groups=groups, random_state=0)
    assert steady.learned.all()
    assert steady.share_collapsed == steady.share_fallen == 0
    np.testing.assert_allclose(steady.chance, 0.5)
    n_valid = 2 * round(0.4 * 32)
    np.testing.assert_allclose(steady.chance_error, 0.5 / np.sqrt(n_valid))
    network.set_params(callbacks=[Forget(10)])
    broken = repeat_fit(network, X, y, n_seeds=2, groups=groups, random_state=0)
    np.testing.assert_array_equal(broken.n_falls, [1, 1])
    assert broken.collapsed.all()
    assert broken.share_collapsed == broken.share_fallen == 1.0


def test_a_network_that_never_learned_has_not_collapsed(network, images):
    X, y, groups = images
    network.set_params(callbacks=[Forget(1)])
    result = repeat_fit(network, X, y, n_seeds=2, groups=groups)
    assert not result.learned.any()
    assert result.share_collapsed == 0


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_training_that_diverges_has_collapsed(network, images, epoch):
    X, y, groups = images
    network.set_params(callbacks=[Explode(epoch)])
    result = repeat_fit(network, X, y, n_seeds=2, groups=groups)
    assert result.diverged.all()
    assert result.collapsed.all()
    np.testing.assert_array_equal(result.n_epochs, epoch - 1)
    assert result.history["train_loss"].shape == (2, epoch - 1)
    assert np.isnan(result.final_score).all() == (epoch == 1)
    assert np.isnan(result.best_score).all() == (epoch == 1)
    assert result.stopped_by.tolist() == [None, None]


def test_targets_of_a_training_without_a_validation_part_are_none():
    observer = ValidationTargets()
    network = CNNClassifier(max_epochs=2, callbacks=[observer])
    network.fit(np.arange(8.0)[:, None], [0, 1] * 4)
    assert len(observer.targets_) == 0


def test_chance_of_a_classifier_is_its_largest_class():
    chance, back, left = _limits_of_chance(True, np.array([0] * 30 + [1] * 60 + [2] * 10))
    error = math.sqrt(0.6 * 0.4 / 100)
    assert (chance, back, left) == pytest.approx((0.6, 0.6 + error, 0.6 + 3 * error))


def test_chance_of_a_regressor_is_the_mean():
    # A prediction without any relation: its best fit stays below the limit in 99.7 % of the cases.
    rng = np.random.default_rng(0)
    chance, back, left = _limits_of_chance(False, np.zeros((50, 1)))
    r2 = np.array([np.corrcoef(rng.standard_normal((2, 50)))[0, 1] ** 2 for _ in range(4000)])
    assert chance == 0
    assert np.mean(r2 < left) == pytest.approx(0.997, abs=0.004)
    assert np.mean(r2 < back) == pytest.approx(0.68, abs=0.03)


def test_regressors_are_repeated_too(images):
    X, y, groups = images
    network = CNNRegressor(n_filters=(4,), lr=3e-2, max_epochs=15, validation_fraction=0.4)
    result = repeat_fit(network, X, (y == "dark").astype(float), n_seeds=2, groups=groups)
    np.testing.assert_array_equal(result.chance, 0.0)
    assert np.isfinite(result.final_score).all()


@given(st.lists(st.sampled_from("+0-") | st.just("n"), max_size=30))
def test_falls_are_counted_between_the_limits(course):
    values = {"+": 0.9, "0": 0.65, "-": 0.5, "n": math.nan}
    learned, n_falls = _follow([values[letter] for letter in course], 0.6, 0.7)
    # A slow twin: what stands between the limits changes nothing.
    clear = "".join(letter for letter in course if letter in "+-").lstrip("-")
    assert learned == bool(clear)
    assert n_falls == clear.count("+-")


def test_a_small_validation_part_cannot_tell(network, images):
    X, y, _ = images
    with pytest.warns(UserWarning, match="a validation part of 8 samples is too small") as record:
        result = repeat_fit(network.set_params(max_epochs=1), X[:20], y[:20], n_seeds=1)
    assert record[0].filename == __file__
    assert math.isnan(result.share_collapsed)
    assert math.isnan(result.spread)


def test_bad_input_is_refused(network, images):
    X, y, _ = images
    with pytest.raises(ValueError, match="CNNClassifier has no validation part: set its"):
        repeat_fit(network.set_params(validation_fraction=None), X, y)
    with pytest.raises(ValueError, match="freeze_encoder=True keeps.*starts from new weights"):
        repeat_fit(clone(network).set_params(freeze_encoder=True), X, y)
    with pytest.raises(TypeError, match="a pipeline that ends in one, got LogisticRegression"):
        repeat_fit(LogisticRegression(), X, y)
    with pytest.raises(ValueError, match="'n_seeds' parameter of repeat_fit"):
        repeat_fit(network, X, y, n_seeds=0)


def test_finished_trainings_are_taken_from_their_checkpoints(network, images, tmp_path):
    X, y, groups = images
    network.set_params(checkpoint=str(tmp_path / "{data}-{params}"))
    first, again = (
        repeat_fit(network, X, y, n_seeds=2, groups=groups, random_state=0) for _ in range(2)
    )
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(again.history["dur"], first.history["dur"])
    np.testing.assert_array_equal(again.chance, first.chance)
