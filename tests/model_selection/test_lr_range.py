"""The range test: the rates rise as stated, the loss is that of the training, nothing changes."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.model_selection import lr_range


@pytest.fixture
def network():
    return CNNClassifier(n_filters=(4,), lr=0.02, max_epochs=3, random_state=0)


class Parabola(torch.nn.Module):
    """One weight, pulled to the target 1: with plain steps it diverges above a rate of 1."""

    def __init__(self, n_outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((n_outputs,), 3.0))

    def forward(self, x):
        return self.weight.expand(len(x), -1)


def test_rates_rise_exponentially_to_the_last_batch(network, images):
    X, y, _ = images
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = lr_range(network, X, y, lr_min=1e-4, lr_max=1e-2, n_batches=21)
    np.testing.assert_allclose(result.lr, np.geomspace(1e-4, 1e-2, 21))
    assert len(result.loss) == len(result.smoothed_loss) == 21
    assert result.smoothed_loss[0] == pytest.approx(result.loss[0])
    weights = 0.9 ** np.arange(21)[::-1]
    assert result.smoothed_loss[-1] == pytest.approx(np.average(result.loss, weights=weights))


def test_losses_are_those_of_a_plain_loop_with_rising_rates():
    # Regressors scale their targets: these have mean 0 and variance 1 already.
    y = np.array([-1.0, 1.0] * 4)
    X = np.zeros((8, 1))
    network = CNNRegressor(
        module=Parabola, optimizer="sgd", weight_decay=0.0, batch_size=8, random_state=0
    )
    result = lr_range(network, X, y, lr_min=1e-3, lr_max=10.0, n_batches=60)
    weight, losses = 3.0, []
    for rate in result.lr:
        losses.append(weight**2 + 1)
        weight -= rate * 2 * weight
    # Behind the minimum the rounding of single precision grows as the loss does.
    np.testing.assert_allclose(result.loss[:50], losses[:50], rtol=1e-4)
    np.testing.assert_allclose(result.loss, losses, rtol=0.1)
    assert len(result.lr) < 60, "it stops when the loss explodes"
    assert result.smoothed_loss[-1] > 4 * result.smoothed_loss.min()
    lowest = np.minimum.accumulate(result.smoothed_loss)
    assert (result.smoothed_loss[:-1] <= 4 * lowest[:-1]).all()
    assert result.suggestion == 0.1 * result.lr[np.argmin(result.smoothed_loss)]
    assert 1e-3 < result.suggestion < 1.0


def test_the_estimator_stays_as_it_is(network, images):
    X, y, _ = images
    network.fit(X, y)
    before = {name: tensor.clone() for name, tensor in network.net_.module_.state_dict().items()}
    parameters, generator = network.get_params(), torch.random.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lr_range(network, X, y, n_batches=5)
    assert network.get_params() == parameters
    assert torch.equal(torch.random.get_rng_state(), generator)
    for name, tensor in network.net_.module_.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_it_sets_aside_what_would_disturb_it(network, images, tmp_path):
    X, y, _ = images
    plain = network.set_params(validation_fraction=0.25)
    disturbed = clone(plain).set_params(
        schedule="threshold", early_stopping=True, patience=1, checkpoint=tmp_path / "kept"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, result = (lr_range(e, X, y, n_batches=30) for e in (plain, disturbed))
    np.testing.assert_array_equal(result.loss, expected.loss)
    assert not (tmp_path / "kept").exists()


def test_a_pipeline_and_the_runs_of_its_input(configurations):
    X, y, groups = configurations
    network = MPNNClassifier(hidden_size=8, random_state=0, validation_fraction=0.25)
    graphs = GraphFeaturizer(n_neighbors=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare = lr_range(network, graphs.fit_transform(X), y, n_batches=12)
        piped = lr_range(make_pipeline(graphs, network), X, y, n_batches=12)
        grouped = lr_range(network, graphs.fit_transform(X), y, groups=groups, n_batches=12)
    np.testing.assert_array_equal(bare.loss, piped.loss)
    np.testing.assert_array_equal(bare.loss, grouped.loss)


def test_no_sample_is_left_over_from_whole_runs(configurations):
    X, y, _ = configurations
    one_run = X[:2]
    one_run.info["run"][:] = "the same"
    pipe = make_pipeline(ImageFeaturizer(8), CNNClassifier(validation_fraction=0.5))
    # Images carry no info: the runs must come from the configurations.
    with pytest.raises(ValueError, match="needs at least 2 groups"):
        lr_range(pipe, one_run, y[:2])


def test_a_loss_that_never_falls_gives_no_suggestion(images):
    X, y, _ = images
    network = CNNClassifier(n_filters=(2,), optimizer="sgd", batch_size=64, random_state=0)
    with pytest.warns(UserWarning, match="the loss did not fall at any rate from 50"):
        result = lr_range(network, X, y, lr_min=50.0, lr_max=1e6, n_batches=5)
    assert math.isnan(result.suggestion)


def test_a_loss_that_falls_to_the_end_asks_for_larger_rates(network, images):
    X, y, _ = images
    with pytest.warns(UserWarning, match="lowest at lr_max=0.003: raise it") as record:
        lr_range(network, X, y, lr_min=1e-3, lr_max=3e-3, n_batches=30)
    assert record[0].filename == __file__


def test_bad_input_is_refused(network, images):
    X, y, _ = images
    with pytest.raises(ValueError, match="lr_min must be below lr_max, got 0.1 and 0.01"):
        lr_range(network, X, y, lr_min=0.1, lr_max=0.01)
    with pytest.raises(ValueError, match="'n_batches' parameter of lr_range"):
        lr_range(network, X, y, n_batches=1)
    with pytest.raises(TypeError, match="a pipeline that ends in one, got LogisticRegression"):
        lr_range(make_pipeline(ImageFeaturizer(8), LogisticRegression()), X, y)
    huge = np.where(np.arange(64) % 2, 1e38, -1e38)[:, None].astype(np.float32)
    with pytest.raises(ValueError, match="not finite in the first batch, at a rate of lr_min"):
        lr_range(CNNClassifier(module=Overflow), huge, y)


class Overflow(torch.nn.Module):
    """Gives outputs that no loss can be made of."""

    def __init__(self, n_outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(n_outputs))

    def forward(self, x):
        return x * self.weight * torch.inf
