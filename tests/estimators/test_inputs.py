"""What each estimator reads from X, and what it says of input it cannot take."""

import numpy as np
import pytest
import torch

from glassclf.configurations import Configuration, Configurations
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.validation_split import split_validation
from glassclf.featurizers import GraphFeaturizer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("shape", [(5,), (2, 9), (2, 8, 6), (1, 4, 4, 6)])
def test_dimension_is_read_from_X(shape):
    X = np.random.default_rng(0).random((8, *shape))
    model = CNNClassifier(n_filters=(4, 4), max_epochs=2, random_state=0).fit(X, np.arange(8) % 2)
    assert model.n_features_in_ == shape[0]
    assert model.predict(X).shape == (8,)


def test_another_extent_is_allowed_in_predict(images):
    X, y = images
    model = CNNClassifier(max_epochs=2, random_state=0).fit(X, y)
    assert model.predict(np.zeros((3, 1, 12, 7))).shape == (3,)


def test_network_is_invariant_to_shifts_by_its_stride(images):
    X, y = images
    model = CNNClassifier(max_epochs=5, random_state=0).fit(X, y)
    shifted = np.roll(X, (4, -8), axis=(2, 3))
    np.testing.assert_allclose(model.predict_proba(shifted), model.predict_proba(X), atol=1e-6)
    zeros = CNNClassifier(max_epochs=5, random_state=0, padding="zeros").fit(X, y)
    assert np.abs(zeros.predict_proba(shifted) - zeros.predict_proba(X)).max() > 1e-6


def test_many_channels_without_extent_warn():
    X = np.zeros((4, 32, 32))
    words = r"profiles with 32 channels; .* pass X\[:, None\]"
    with pytest.warns(UserWarning, match=words) as caught:
        CNNRegressor(n_filters=(2,), max_epochs=1).fit(X, np.arange(4.0))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (np.zeros((3, 2, 8, 8)), "X has 2 channels, CNNClassifier was fitted on 1"),
        (np.zeros((3, 8, 8)).tolist(), "X has 1 spatial axes, CNNClassifier was fitted on 2"),
        (np.zeros((3, 8, 8)), "X has 1 spatial axes, CNNClassifier was fitted on 2"),
        (np.full((3, 1, 8, 8), np.nan), "contains NaN"),
    ],
)
def test_other_images_in_predict(images, other, words):
    X, y = images
    model = CNNClassifier(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=words):
        model.predict(other)


def test_images_smaller_than_the_kernel():
    X, y = np.random.default_rng(0).random((4, 1, 13, 14)), [0, 1, 0, 1]
    model = CNNClassifier(kernel_size=9, max_epochs=1).fit(X, y)
    words = (
        "kernel_size=9 in 3 circular blocks needs at least 13 pixels .* shape \\(4, 1, 13, 12\\)"
    )
    with pytest.raises(ValueError, match=words):
        model.predict(X[..., :12])
    with pytest.raises(ValueError, match=words):
        CNNClassifier(kernel_size=9).fit(X[..., :12], y)
    CNNClassifier(kernel_size=9, padding="zeros", max_epochs=1).fit(X[..., :12], y)


def test_empty_axis():
    with pytest.raises(ValueError, match=r"no empty axis, got shape \(4, 1, 0, 8\)"):
        CNNClassifier().fit(np.zeros((4, 1, 0, 8)), [0, 1, 0, 1])


def test_too_many_axes():
    with pytest.raises(ValueError, match="at most 3 spatial axes"):
        CNNClassifier().fit(np.zeros((4, 1, 2, 2, 2, 2)), [0, 1, 0, 1])


def test_configurations_need_a_featurizer(crystals_and_gases):
    X, y = crystals_and_gases(2)
    with pytest.raises(TypeError, match=r"make_pipeline\(ImageFeaturizer\(\), CNNClassifier\(\)\)"):
        CNNClassifier().fit(X, y)
    with pytest.raises(
        TypeError, match=r"make_pipeline\(GraphFeaturizer\(\), MPNNClassifier\(\)\)"
    ):
        MPNNClassifier().fit(X, y)
    with pytest.raises(TypeError, match="CNNClassifier takes arrays, got Graphs: put a featu"):
        CNNClassifier().fit(GraphFeaturizer(n_neighbors=3).fit_transform(X), y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_filters": ()}, "n_filters must hold at least one positive int"),
        ({"n_filters": (4, 0)}, "n_filters must hold at least one positive int"),
        ({"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ({"n_filters": (True,)}, "n_filters must hold at least one positive int"),
        ({"batch_size": True}, "The 'batch_size' parameter of CNNClassifier must be an int"),
        ({"device": "meta"}, "device must be a CPU or a CUDA GPU, got 'meta'"),
        ({"device": "abacus"}, 'device must be "auto" or a torch device'),
        ({"lr": 0.0}, "The 'lr' parameter of CNNClassifier must be a float in the range"),
    ],
)
def test_bad_parameters(images, parameters, words):
    with pytest.raises(ValueError, match=words):
        CNNClassifier(**parameters).fit(*images)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_gpu(images):
    with pytest.raises(ValueError, match="device='cuda' needs a GPU, and torch finds none"):
        CNNClassifier(device="cuda").fit(*images)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_auto_takes_the_gpu(images, graphs):
    for model, (X, y) in ((CNNClassifier(), images), (MPNNClassifier(), graphs)):
        model.set_params(max_epochs=2).fit(X, y)
        assert next(model.net_.module_.parameters()).is_cuda
        assert model.predict_proba(X).shape == (len(y), 2)


def test_types_are_learned_and_unknown_ones_refused(graphs):
    X, y = graphs
    model = MPNNClassifier(max_epochs=1).fit(X, y)
    assert model.types_.tolist() == [0, 1]
    assert model.n_features_in_ == 2
    strange = Configurations(
        [Configuration(np.eye(2) * i + [[1, 1], [2, 2]], [0, i], [5, 5]) for i in (1, 7)]
    )
    with pytest.raises(ValueError, match="sample 1 has particles of type 7, which fit never saw"):
        model.predict(GraphFeaturizer(n_neighbors=1).fit_transform(strange))


def test_other_dimension_is_refused(graphs, crystals_and_gases):
    X, y = graphs
    model = MPNNClassifier(max_epochs=1).fit(X, y)
    solid, _ = crystals_and_gases(1, n_dims=3)
    with pytest.raises(ValueError, match="X holds 3D graphs, MPNNClassifier was fitted on 2D"):
        model.predict(GraphFeaturizer(n_neighbors=4).fit_transform(solid))


def test_no_graph_is_refused(graphs):
    X, y = graphs
    with pytest.raises(ValueError, match="X is empty: expected at least one graph"):
        MPNNClassifier(max_epochs=1).fit(X, y).predict(X[:0])


def test_graphs_of_any_size_share_a_batch():
    rng = np.random.default_rng(0)
    X = [
        Configuration(rng.random((n, 2)) * size, np.zeros(n, int), [size, size + 1])
        for n, size in [(6, 2.0), (30, 4.0), (90, 9.0), (12, 3.0)]
    ]
    y = [0, 1, 0, 1]
    for featurizer in (GraphFeaturizer(n_neighbors=5), GraphFeaturizer(r_max=1.0)):
        graphs = featurizer.fit_transform(X)
        model = MPNNClassifier(max_epochs=2, random_state=0).fit(graphs, y)
        together = model.predict_proba(graphs)
        apart = np.concatenate([model.predict_proba(graphs[[i]]) for i in range(4)])
        np.testing.assert_allclose(together, apart, atol=1e-6)


@pytest.mark.filterwarnings("ignore:no two particles of X are within")
def test_lonely_particles_are_fine():
    X = [([[1.0, 1.0]], [0], [9, 9]), ([[1.0, 1.0], [5.0, 5.0]], [0, 0], [9, 9])]
    graphs = GraphFeaturizer(r_max=1.0).fit_transform(X)
    model = MPNNClassifier(max_epochs=2, random_state=0).fit(graphs, [0, 1])
    assert np.isfinite(model.predict_proba(graphs)).all()


class RadiusOfGyration(torch.nn.Module):
    """A module of a user: asks for what it needs by name."""

    def __init__(self, n_outputs, n_dims, dropout):
        super().__init__()
        self.head = torch.nn.Linear(1, n_outputs)
        self.facts = (n_outputs, n_dims, dropout)

    def forward(self, batch):
        return self.head(batch.mean_nodes(batch.sum_edges(batch.distances[:, None])))


def test_own_module(graphs):
    X, y = graphs
    model = MPNNClassifier(module=RadiusOfGyration, max_epochs=2, dropout=0.25).fit(X, y)
    assert model.net_.module_.facts == (2, 2, 0.25)
    assert model.predict(X).shape == y.shape
    for method in (model.transform, model.get_feature_names_out):
        with pytest.raises(AttributeError, match="RadiusOfGyration has no method embed"):
            method(X)


class Demanding(torch.nn.Module):
    def __init__(self, n_outputs, colour):
        super().__init__()


def test_module_that_asks_for_too_much(images):
    with pytest.raises(TypeError, match="module Demanding asks for 'colour'; on offer are"):
        CNNClassifier(module=Demanding).fit(*images)


def test_optimizer_must_be_a_class_of_optimizers(images):
    with pytest.raises(TypeError, match="optimizer must be one of .* or a subclass"):
        CNNClassifier(optimizer=len).fit(*images)
    CNNClassifier(optimizer=torch.optim.Rprop, max_epochs=1).fit(*images)  # knows no weight decay


def test_weight_on_the_validation_part_only(images):
    X, y = images
    model = CNNClassifier(validation_fraction=0.5, max_epochs=1, random_state=0)
    weight = np.zeros(len(y))
    model.fit(X, y)
    _, valid = split_validation(len(y), 0.5, labels=y, random_state=model._split_seed)
    weight[valid] = 1.0
    with pytest.raises(ValueError, match="is 0 for every sample outside the validation part"):
        model.fit(X, y, sample_weight=weight)


def test_module_must_be_a_class(images):
    with pytest.raises(TypeError, match="module must be a subclass of torch.nn.Module"):
        CNNClassifier(module=torch.nn.Linear(1, 2)).fit(*images)


class SevenOutputs(torch.nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.head = torch.nn.Linear(in_channels, 7)

    def forward(self, x):
        return self.head(x.mean(dim=(2, 3)))


def test_module_with_other_outputs(images):
    words = r"forward of module SevenOutputs must return shape \(n, 2\), got \(1, 7\) for n=1"
    with pytest.raises(ValueError, match=words):
        CNNClassifier(module=SevenOutputs).fit(*images)


@pytest.mark.parametrize("parameters", [{"lr": 1e20}, {"lr": 1e20, "early_stopping": True}])
def test_diverging_training_is_an_error(images, graphs, parameters):
    for model, (X, y) in ((CNNClassifier(), images), (MPNNClassifier(), graphs)):
        with pytest.raises(
            ValueError, match=r"training loss became (nan|inf) in epoch \d+, batch \d+: lower lr"
        ):
            model.set_params(**parameters).fit(X, y)
        assert not hasattr(model, "net_")
