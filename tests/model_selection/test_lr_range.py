"""The range test: the rates rise as stated, the loss is that of the training, nothing changes."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.model_selection import lr_range
from glassclf.model_selection.network import prepare_network


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


class Recording(CNNClassifier):
    """Keeps the parameters that it was fitted with."""

    fits = []

    def fit(self, X, y, **kwargs):
        self.fits.append(self.get_params(deep=False))
        return super().fit(X, y, **kwargs)


def test_it_sets_aside_what_would_disturb_it(images, tmp_path, capsys):
    X, y, _ = images
    settings = {"n_filters": (4,), "random_state": 0, "validation_fraction": 0.25}
    plain = Recording(**settings)
    disturbed = Recording(
        **settings,
        schedule="threshold",
        early_stopping=True,
        patience=1,
        checkpoint=tmp_path / "kept",
        max_time=1e-6,
        average_weights=0.9,
        verbose=2,
    )
    Recording.fits.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, result = (lr_range(e, X, y, n_batches=30) for e in (plain, disturbed))
    np.testing.assert_array_equal(result.loss, expected.loss)
    assert not (tmp_path / "kept").exists()
    assert capsys.readouterr() == ("", "")
    # It costs time in every step, and changes nothing that could be seen.
    assert Recording.fits[1]["average_weights"] is None


def test_the_part_for_early_stopping_stays_out(images):
    X, y, groups = images
    stopping = CNNClassifier(n_filters=(4,), random_state=0, early_stopping=True)
    split = clone(stopping).set_params(early_stopping=False, validation_fraction=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [lr_range(e, X, y, groups=groups, n_batches=20) for e in (stopping, split)]
    np.testing.assert_array_equal(results[0].loss, results[1].loss)


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
    for given in (one_run, list(one_run)):
        with pytest.raises(ValueError, match="needs at least 2 groups"):
            lr_range(pipe, given, y[:2])


@pytest.mark.filterwarnings("ignore:the loss")
def test_a_table_of_pandas_has_no_runs(images):
    pandas = pytest.importorskip("pandas")
    X, y, _ = images
    table = X.reshape(len(X), -1)[:, :4]
    network = CNNClassifier(random_state=0)
    named = pandas.DataFrame(table, columns=list("abcd"))
    expected, result = (lr_range(network, X, y, n_batches=4) for X in (table, named))
    np.testing.assert_array_equal(result.loss, expected.loss)


def test_steps_of_nested_pipelines_keep_their_order():
    X = np.arange(6.0).reshape(3, 2)
    add, double = FunctionTransformer(_add_one), FunctionTransformer(_double)
    pipe = make_pipeline(add, make_pipeline(double, CNNClassifier()))
    np.testing.assert_array_equal(prepare_network(pipe, X, None, None)[1], 2 * (X + 1))


def _add_one(X):
    return X + 1


def _double(X):
    return 2 * X


def test_one_bad_batch_does_not_end_it():
    """What ends it is the running average, not the loss of a single batch."""
    X = np.zeros((32, 1))
    y = np.where(np.arange(32) == 16, -30.0, 0.0)
    network = CNNRegressor(module=Parabola, optimizer="sgd", batch_size=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = lr_range(network, X, y, lr_min=1e-6, lr_max=1e-5, n_batches=32)
    assert result.loss.max() > 4 * result.smoothed_loss.min()
    assert len(result.loss) == 32


def test_a_loss_that_never_falls_gives_no_suggestion(images):
    X, y, _ = images
    network = CNNClassifier(n_filters=(2,), optimizer="sgd", batch_size=64, random_state=0)
    with pytest.warns(UserWarning, match="the loss did not fall at any rate from 50"):
        result = lr_range(network, X, y, lr_min=50.0, lr_max=1e6, n_batches=5)
    assert math.isnan(result.suggestion)


def test_a_loss_that_falls_to_the_end_asks_for_larger_rates(network, images):
    X, y, _ = images
    with pytest.warns(UserWarning, match="lowest at lr_max=0.003, .*: raise lr_max") as record:
        lr_range(network, X, y, lr_min=1e-3, lr_max=3e-3, n_batches=30)
    assert record[0].filename == __file__


def test_few_batches_are_warned_of(network, images):
    X, y, _ = images
    with pytest.warns(UserWarning, match="n_batches=19 is too few .* below 20") as record:
        lr_range(network, X, y, n_batches=19)
    assert record[0].filename == __file__
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lr_range(network, X, y, n_batches=20)
    assert not any("n_batches" in str(one.message) for one in caught)


def test_bad_input_is_refused(network, images):
    X, y, _ = images
    with pytest.raises(ValueError, match="lr_min must be below lr_max, got 0.1 and 0.01"):
        lr_range(network, X, y, lr_min=0.1, lr_max=0.01)
    with pytest.raises(ValueError, match="'n_batches' parameter of lr_range"):
        lr_range(network, X, y, n_batches=1)
    with pytest.raises(ValueError, match="freeze_encoder=True keeps the encoder of an earlier fit"):
        lr_range(clone(network).set_params(freeze_encoder=True, warm_start=True), X, y)
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
