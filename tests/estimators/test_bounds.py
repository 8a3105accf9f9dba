"""Regressors whose predictions are held between bounds, and scalars beside images."""

import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import r2_score

import glassclf
from glassclf.configurations import FieldPoints
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, NeighborhoodFeaturizer
from glassclf.inspection.target import Target
from glassclf.testing import graded_disorder

RNG = np.random.default_rng(0)
X = RNG.random((60, 1, 6, 6)).astype(np.float32) * RNG.random((60, 1, 1, 1)).astype(np.float32)
Y = (X.mean((1, 2, 3)) > 0.25).astype(float)
QUICK = {"n_filters": (4,), "max_epochs": 30, "lr": 1e-2, "random_state": 0}


@pytest.fixture(autouse=True)
def _short_trainings():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


@pytest.mark.parametrize("bounds", [(0, 1), (-2.0, 3.0), [10, 11]])
def test_predictions_stay_within_bounds_and_are_in_units_of_y(bounds):
    y = bounds[0] + (bounds[1] - bounds[0]) * Y
    model = CNNRegressor(bounds=bounds, validation_fraction=0.2, **QUICK).fit(X, y)
    found = model.predict(X)
    assert bounds[0] <= found.min() < found.max() <= bounds[1]
    assert model.score(X, y) > 0.8
    # Inputs far from any seen: a number without bounds would be anywhere.
    assert bounds[0] <= model.predict(100 * X).min() <= model.predict(100 * X).max() <= bounds[1]
    assert np.nanmax(model.history_["valid_score"]) > 0.5


class MeanNetwork(torch.nn.Module):
    """Without normalisation, whose statistics are settled after the last epoch."""

    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.head = torch.nn.Linear(in_channels, n_outputs)

    def forward(self, x):
        return self.head(x.flatten(2).mean(2))


def test_the_validation_score_is_r2_of_the_predictions():
    settings = {**QUICK, "lr": 0.1, "validation_fraction": 0.4}
    model = CNNRegressor(module=MeanNetwork, bounds=(0, 2), **settings)
    groups = np.arange(60) % 10
    model.fit(X, 2 * Y, groups=groups)
    _, valid = model._split(Y, groups)
    assert len(valid) == 24
    expected = r2_score(2 * Y[valid], model.predict(X[valid]))
    assert expected > 0.3
    assert model.history_["valid_score"][-1] == pytest.approx(expected, abs=1e-5)


def test_bounded_models_are_kept_cloned_and_go_on(tmp_path):
    y = np.stack([Y, 1 - Y], axis=1)
    model = CNNRegressor(bounds=(0, 1), **QUICK).fit(X, y)
    glassclf.save(model, tmp_path / "model")
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (glassclf.load(tmp_path / "model"), joblib.load(tmp_path / "model.joblib")):
        assert np.array_equal(again.predict(X), model.predict(X))
        assert again.bounds == (0, 1)
    assert np.array_equal(clone(model).fit(X, y).predict(X), model.predict(X))
    before = r2_score(y, model.predict(X))
    model.set_params(warm_start=True).fit(X, y)
    assert model.n_iter_ == 60
    assert r2_score(y, model.predict(X)) > before - 0.05
    for bounds in (None, (0, 2)):
        with pytest.raises(ValueError, match="bounds=.* differ from those of the first fit"):
            model.set_params(bounds=bounds).fit(X, y)
    # Whatever the parameter is set to later, a fitted model predicts as it was fitted.
    assert 0 <= model.predict(X).min() <= model.predict(X).max() <= 1
    parts = CNNRegressor(bounds=(0, 1), **QUICK)
    for _ in range(2):
        parts.partial_fit(X, Y)
    assert 0 <= parts.predict(X).min() <= parts.predict(X).max() <= 1


def test_graphs_have_bounds_too():
    configurations, y, _ = graded_disorder()
    graphs = GraphFeaturizer(4).fit_transform(configurations)
    model = MPNNRegressor(bounds=(-1, 1), max_epochs=10, random_state=0).fit(graphs, y)
    found = model.predict(graphs)
    assert -1 <= found.min() < found.max() <= 1
    assert model.score(graphs, y) > 0.5


def test_what_is_attributed_is_the_log_odds():
    model = CNNRegressor(bounds=(2, 6), **QUICK).fit(X, 2 + 4 * Y)
    with torch.no_grad():
        outputs = model.net_.module_.eval()(torch.from_numpy(X[:3]))
    logits = Target(model, None)(outputs).numpy()
    np.testing.assert_allclose(model.predict(X[:3]), 2 + 4 / (1 + np.exp(-logits)), rtol=1e-5)


def test_what_rounding_adds_is_within_bounds():
    y = np.where(Y > np.median(Y), 1 + 1e-7, -1e-7)
    assert CNNRegressor(bounds=(0, 1), **QUICK).fit(X, y).predict(X).max() <= 1


def test_channels_that_are_no_scalars_are_refused():
    cubes = np.random.default_rng(0).random((6, 4, 5, 5, 5))
    settings = {"architecture": "pyramid", "n_filters": (2, 2), "max_epochs": 1}
    with pytest.raises(ValueError, match="last n_scalars=2 channels of X must be equal everywhere"):
        CNNRegressor(n_scalars=2, **settings).fit(cubes, np.arange(6.0))
    points = FieldPoints(cubes[:1, 0], np.zeros((6, 3), int), info={"z": np.arange(6.0)})
    X = NeighborhoodFeaturizer(5, scalars=("z",)).fit_transform(points)
    with pytest.raises(ValueError, match="X was made with n_scalars=1, got n_scalars=0"):
        CNNRegressor(**settings).fit(X, np.arange(6.0))
    points = FieldPoints([np.zeros((16, 16))], np.zeros((6, 2), int))
    X = NeighborhoodFeaturizer(5, (1, 3)).fit_transform(points)
    with pytest.raises(ValueError, match="X was made with n_levels=2, got n_levels=1"):
        CNNRegressor(**settings).fit(X, np.arange(6.0))
    with pytest.raises(TypeError, match=r"make_pipeline\(NeighborhoodFeaturizer\(\), CNNRegressor"):
        CNNRegressor(**settings).fit(points, np.arange(6.0))


def test_bad_bounds_and_targets_are_refused():
    for bounds in ((1, 0), (0, 0), (0, np.inf), (0, 1, 2), ("0", "1")):
        with pytest.raises(ValueError, match="bounds must be two rising numbers"):
            CNNRegressor(bounds=bounds, **QUICK).fit(X, Y)
    y = Y.copy()
    y[7] = 1.5
    with pytest.raises(ValueError, match=r"within bounds=\(0, 1\), got \[1.5\] for sample 7"):
        CNNRegressor(bounds=(0, 1), **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="The 'bounds' parameter of CNNRegressor must be"):
        CNNRegressor(bounds=1.0, **QUICK).fit(X, Y)


def with_scalar(images, scalar):
    channel = np.broadcast_to(scalar[:, None, None, None], (len(images), 1, *images.shape[2:]))
    return np.concatenate([images, channel], axis=1).astype(np.float32)


def test_a_scalar_tells_what_images_do_not():
    time = RNG.random(60)
    told = with_scalar(X, time)
    y = time + 0.1 * Y
    settings = {**QUICK, "max_epochs": 60, "augment": ["quarter_turns", "mirrors", "shifts"]}
    blind = CNNRegressor(**settings).fit(X, y)
    model = CNNRegressor(n_scalars=1, **settings).fit(told, y)
    assert blind.score(X, y) < 0.5 < 0.9 < model.score(told, y)
    assert model.net_.module_.blocks[0][0].weight.shape[1] == 1
    labels = np.where(time > 0.5, "late", "early")
    classifier = CNNClassifier(n_scalars=1, **settings).fit(told, labels)
    assert classifier.score(told, labels) > 0.9


def test_scalars_of_lazy_cubes_and_checkpoints(tmp_path):
    fields = RNG.random((1, 12, 12, 12))
    points = RNG.integers(0, 12, (80, 3))
    z = RNG.random(80)
    points_set = FieldPoints(fields, points, info={"z": z})
    cubes = NeighborhoodFeaturizer(5, (1,), scalars=("z",)).fit_transform(points_set)
    settings = {"architecture": "pyramid", "n_scalars": 1, "n_filters": (4, 4), "max_epochs": 40}
    model = CNNRegressor(random_state=0, lr=1e-2, **settings)
    whole = clone(model).fit(cubes, z)
    assert whole.score(cubes, z) > 0.9
    assert np.array_equal(
        clone(model).fit(np.asarray(cubes), z).predict(cubes), whole.predict(cubes)
    )
    kept = clone(model).set_params(checkpoint=tmp_path / "run").fit(cubes, z)
    assert np.array_equal(kept.predict(cubes), whole.predict(cubes))
    other = FieldPoints(fields, points, info={"z": z + 1})
    others = NeighborhoodFeaturizer(5, (1,), scalars=("z",)).fit_transform(other)
    with pytest.raises(ValueError, match="other"):
        clone(model).set_params(checkpoint=tmp_path / "run").fit(others, z)


def test_what_does_not_suit_an_architecture_is_refused():
    cubes = np.zeros((4, 3, 5, 5, 5))
    y = np.arange(4.0)
    pyramid = {"architecture": "pyramid", "n_filters": (4, 4)}
    with pytest.raises(ValueError, match="X has 3 channels: without n_scalars=1 of them they must"):
        CNNRegressor(n_levels=3, n_scalars=1, **pyramid).fit(cubes, y)
    with pytest.raises(ValueError, match="X has 3 channels: without n_scalars=3"):
        CNNRegressor(n_scalars=3).fit(cubes, y)
    with pytest.raises(ValueError, match="2 layers of kernel_size=3 in n_filters take cubes of s"):
        CNNRegressor(**pyramid).fit(np.zeros((4, 1, 7, 7, 7)), y)
    fitted = CNNRegressor(max_epochs=1, **pyramid).fit(cubes, y)
    with pytest.raises(ValueError, match="take cubes of side 5, got X of shape .4, 3, 5, 5, 7"):
        fitted.predict(np.zeros((4, 3, 5, 5, 7)))
    with pytest.raises(ValueError, match="n_scalars needs architecture 'blocks' or 'pyramid'"):
        CNNRegressor(architecture="strided", n_scalars=1).fit(cubes, y)
    with pytest.raises(ValueError, match="n_levels=2 needs architecture='pyramid', got 'blocks'"):
        CNNRegressor(n_levels=2).fit(cubes, y)
    with pytest.raises(ValueError, match="architecture='pyramid' needs spatial axes"):
        CNNRegressor(**pyramid).fit(np.zeros((4, 3)), y)
