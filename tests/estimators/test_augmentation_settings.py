"""The parameter ``augment``: what it takes, what it refuses, how it is told apart."""

import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from glassclf.configurations import Configuration
from glassclf.estimators import CNNClassifier, Crops, Mirrors, QuarterTurns, Shifts
from glassclf.estimators.augmentation import make_augmentation
from glassclf.estimators.augmentation_base import Augmentation
from glassclf.estimators.fingerprint import describe
from glassclf.featurizers import ImageFeaturizer
from glassclf.networks import GraphBatch


def keep(batch):
    return batch


@pytest.mark.parametrize(
    ("given_augment", "n_spatial", "words"),
    [
        ("turns", 2, "augment must name one of quarter_turns, mirrors, shifts, crops, got 'turns'"),
        (["shifts", "flip"], 2, "got 'flip'"),
        ("shifts", 0, "Shifts needs samples with spatial axes.*X is a table"),
        ("quarter_turns", 1, "needs two of them, got .0,.*use Mirrors"),
        (QuarterTurns(axes=(1,)), 3, "needs two of them, got .1,"),
        (Shifts(axes=(2,)), 2, "axes of Shifts must be distinct numbers from 0 to 1.*got .2,."),
        (Mirrors(axes=(0, 0)), 2, "axes of Mirrors must be distinct"),
        (Mirrors(axes=(-1,)), 2, "from 0 to 1"),
        (Mirrors(axes=()), 2, "axes of Mirrors"),
        (Shifts(axes=(0.5,)), 2, "axes of Shifts"),
        (Shifts(axes="x"), 2, "'axes' parameter of Shifts"),
        (Crops(share=0.0), 2, "'share' parameter of Crops must be"),
        (Crops(share=1.5), 2, "'share' parameter of Crops must be"),
        (Crops(share=0.5, axes=(3,)), 3, "axes of Crops"),
        (QuarterTurns(vector_channels=[(0, 1)]), 3, "groups of 3 channels each.*3 spatial axes"),
        (Mirrors(orientation_channels=(0, 1)), 2, "orientation_channels of Mirrors.*of 4 channels"),
        (Mirrors(vector_channels=(0, "b")), 2, "vector_channels of Mirrors must be groups of 2"),
        (Mirrors(vector_channels=(-1, 0)), 2, "must number channels from 0, got"),
        (
            QuarterTurns(vector_channels=(0, 1), orientation_channels=(1, 2, 3, 4)),
            2,
            "was given a channel twice",
        ),
        (QuarterTurns(vector_channels=(0, 1)), None, "graphs have no channels"),
        ("shifts", None, "Shifts has nothing to do on graphs"),
        (Crops(axes=(0,)), None, "graphs are cropped by bonds"),
    ],
)
def test_bad_settings_are_refused_before_training(given_augment, n_spatial, words):
    with pytest.raises(ValueError, match=words):
        make_augmentation(given_augment, n_spatial)


@pytest.mark.parametrize(
    ("given_augment", "words"),
    [(Shifts, r"write Shifts\(\), not the class"), (3, "got 3"), ([None], "got None")],
)
def test_things_that_are_no_augmentation(given_augment, words):
    with pytest.raises(TypeError, match=words):
        make_augmentation(given_augment, 2)


def test_channel_that_is_not_there():
    with pytest.raises(ValueError, match=r"number channels from 0 to 1, got \(1, 2\)"):
        make_augmentation(Mirrors(vector_channels=[(1, 2)]), 2)(torch.zeros(1, 2, 3, 3))


def test_crop_without_pixels():
    with pytest.raises(ValueError, match="share=0.1 of Crops leaves no pixel of the 4"):
        make_augmentation(Crops(share=0.1), 2)(torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda batch: batch[:1], "must return a Tensor of 2 samples.*got Tensor of 1"),
        (lambda batch: None, "given as augment, must return .*got NoneType"),
        (torch.Tensor.double, "double, given as augment, .*return torch.float32.* torch.float64"),
        (lambda batch: batch / 0, "given as augment, must return finite numbers, got NaN"),
        (["shifts", lambda batch: batch / 0], "must return finite numbers"),
    ],
)
def test_own_function_that_returns_something_else(function, words):
    with pytest.raises(ValueError, match=words):
        make_augmentation(function, 2)(torch.zeros(2, 1, 3, 3))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vectors": torch.ones(2, 2).double()}, "return vectors of torch.float32.*float64"),
        ({"distances": torch.tensor([1.0, torch.nan])}, "return distances of finite numbers"),
        ({"types": torch.zeros(3)}, "return types of torch.int64, .* torch.float32"),
    ],
)
def test_own_function_that_spoils_graphs(changes, words):
    batch = GraphBatch(
        types=torch.tensor([0, 1, 0]),
        graph=torch.tensor([0, 0, 1]),
        n_nodes=torch.tensor([2, 1]),
        sources=torch.tensor([0, 1]),
        neighbors=torch.tensor([1, 0]),
        vectors=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
        distances=torch.tensor([1.0, 1.0]),
    )
    make_augmentation(lambda graphs: replace(graphs, vectors=-graphs.vectors))(batch)
    with pytest.raises(ValueError, match=words):
        make_augmentation(lambda graphs: replace(graphs, **changes))(batch)


# Settings as plain parameters ---------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_nothing_to_do(nothing):
    assert make_augmentation(nothing, 2) is None


def test_own_function_is_called():
    out = make_augmentation([keep, lambda batch: batch + 1], 2)(torch.zeros(2, 1, 3, 3))
    assert (out == 1).all()


def test_own_function_may_work_on_tables():
    assert make_augmentation(keep, 0) is not None


def test_quarter_turns_warn_of_boxes_that_are_not_square():
    rng = np.random.default_rng(0)
    flat, square = (
        [Configuration(rng.random((9, 2)) * box, [0] * 9, box) for _ in range(8)]
        for box in ([5.0, 8.0], [5.0, 5.0])
    )
    y = [0, 1] * 4
    network = CNNClassifier(n_filters=(2,), max_epochs=1, augment="quarter_turns")
    words = "quarter turns deform images whose pixels are 0.625 wide along one axis and 1 along"
    featurizer = ImageFeaturizer(8, lazy=True)
    with pytest.warns(UserWarning, match=words) as record:
        network.fit(featurizer.fit_transform(flat), y)
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(featurizer.fit_transform(square), y)
        network.set_params(augment=["mirrors", "shifts", keep])
        network.fit(featurizer.fit_transform(flat), y)


class Darker(Augmentation):
    """An own subclass that states no constraints on its parameters."""

    def __init__(self, factor=0.5):
        self.factor = factor

    def _augment_images(self, images):
        return self.factor * images


def test_own_subclass():
    X = np.random.default_rng(0).random((8, 1, 6, 6))
    CNNClassifier(n_filters=(2,), max_epochs=1, augment=Darker()).fit(X, [0, 1] * 4)
    assert (make_augmentation(Darker(), 2)(torch.ones(2, 1, 3, 3)) == 0.5).all()


def test_extent_behind_an_own_function_is_unknown():
    crops = Crops(share=0.5)
    assert make_augmentation([crops, Darker(), crops], 2).extent_after((8, 8)) == (2, 2)
    assert make_augmentation([keep, crops], 2).extent_after((8, 8)) is None
    # Cropped alone the images would be too small for the network.
    X = np.random.default_rng(0).random((8, 1, 8, 8))
    network = CNNClassifier(n_filters=(2, 2), kernel_size=7, max_epochs=1)
    with pytest.raises(ValueError, match="got augmented X of shape"):
        network.set_params(augment=crops).fit(X, [0, 1] * 4)
    network.set_params(augment=[enlarge, crops]).fit(X, [0, 1] * 4)


def enlarge(batch):
    return batch.repeat(1, 1, 2, 2)


def test_description_tells_settings_apart():
    """A training that resumes compares them by it."""
    texts = [
        describe(make_augmentation(given_augment, 2).parts)
        for given_augment in (
            "shifts",
            Shifts(axes=(0,)),
            "crops",
            Crops(share=0.25),
            ["shifts", "crops"],
            ["crops", "shifts"],
            keep,
        )
    ]
    assert len(set(texts)) == len(texts)
    assert texts[0] == describe([Shifts()])


class Noise:
    """An own augmentation that writes no repr."""

    def __init__(self, width):
        self.width = width

    def __call__(self, batch):
        return batch + self.width * torch.randn_like(batch)


def test_description_of_own_functions_has_no_addresses():
    def text_of(*parts):
        return describe(make_augmentation(list(parts), 2).parts)

    text = text_of(keep, Noise(0.1), partial(torch.roll, shifts=1))
    assert text == text_of(keep, Noise(0.1), partial(torch.roll, shifts=1))
    assert text != text_of(keep, Noise(0.2), partial(torch.roll, shifts=1))
    assert text != text_of(keep, Noise(0.1), partial(torch.roll, shifts=2))
    assert "0x" not in text


@pytest.mark.parametrize("part", [QuarterTurns(axes=(0, 1)), Mirrors(axes=0), Shifts(), Crops()])
def test_augmentations_are_cloned_like_estimators(part):
    copy = clone(part)
    assert copy is not part
    assert repr(copy) == repr(part)
    assert copy.get_params() == part.get_params()
