"""The parameter ``padding`` of the CNN estimators."""

import numpy as np
import pytest

from glassclf.estimators import CNNClassifier, CNNRegressor, Crops

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def films():
    """Images of 16 x 8 pixels: dense below, empty above, of two densities."""
    rng = np.random.default_rng(0)
    X = rng.random((16, 1, 16, 8)) * (np.arange(8) < 4)
    y = np.arange(16) % 2
    X[y == 1] *= 1.5
    return X, y


def small(**settings):
    return CNNClassifier(**{"n_filters": (4, 4), "max_epochs": 2, "random_state": 0, **settings})


def test_film_may_be_shifted_along_its_substrate(films):
    X, y = films
    model = small(padding=("circular", "zeros")).fit(X, y)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(np.roll(X, 4, axis=2)), expected, atol=1e-6)
    assert np.abs(model.predict_proba(np.roll(X, 4, axis=3)) - expected).max() > 1e-4


@pytest.mark.parametrize("padding", [("circular", "zeros"), ["zeros", "circular"]])
def test_padding_is_kept_as_it_was_given(films, padding):
    assert small(padding=padding).fit(*films).padding == padding


def test_only_circular_axes_need_room_for_the_kernel(films):
    X, y = films
    # Three blocks with a kernel of 9 need 13 pixels along a circular axis.
    settings = {"n_filters": (2, 2, 2), "kernel_size": 9, "max_epochs": 1}
    small(padding=("circular", "zeros"), **settings).fit(X, y)
    with pytest.raises(ValueError, match="at least 13 pixels along each circular axis, got X"):
        small(padding=("zeros", "circular"), **settings).fit(X, y)


def test_crops_need_room_for_the_kernel_too(films):
    X, y = films
    with pytest.raises(ValueError, match=r"got augmented X of shape \(16, 1, 4, 8\)"):
        small(kernel_size=9, augment=Crops(share=0.25, axes=0)).fit(X, y)


@pytest.mark.parametrize(
    ("padding", "words"),
    [
        (("circular",), r"one entry for each of the 2 spatial axes of X, got \('circular',\)"),
        (("circular", "reflect"), "'circular' or 'zeros' for each spatial axis, got"),
        ([["zeros"], "zeros"], "'circular' or 'zeros' for each spatial axis, got"),
        ("reflect", "'padding' parameter of CNNRegressor must be"),
    ],
)
def test_bad_padding(films, padding, words):
    with pytest.raises(ValueError, match=words):
        CNNRegressor(padding=padding).fit(*films)
