"""Displays: what is drawn is what was computed, on the axes that were given."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from glassclf.estimators import CNNClassifier
from glassclf.featurizers import ImageFeaturizer
from glassclf.model_selection import lr_range
from glassclf.plotting import LearningRateRangeDisplay, TrainingDisplay
from glassclf.testing import two_phases

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def images():
    X, y, _ = two_phases()
    return ImageFeaturizer(8).fit_transform(X), y


RANGE = Bunch(
    lr=np.geomspace(1e-4, 1, 5),
    loss=np.array([1.0, 0.9, 0.5, 0.7, 3.0]),
    smoothed_loss=np.array([1.0, 0.95, 0.8, 0.78, 2.0]),
    suggestion=0.01,
)
SEEDS = Bunch(
    history={
        "train_loss": np.array([[1.0, 0.5, 0.1], [1.0, 0.6, np.nan]]),
        "valid_loss": np.array([[1.1, 0.6, 0.3], [1.0, 0.7, np.nan]]),
        "valid_score": np.array([[0.5, 0.9, 1.0], [0.9, 0.5, np.nan]]),
        "lr": np.array([[1e-3, 1e-3, 1e-4], [1e-3, 1e-3, np.nan]]),
    },
    chance=np.array([0.5, 0.5]),
    collapsed=np.array([False, True]),
)


def test_range_display_draws_what_it_is_given():
    display = LearningRateRangeDisplay.from_result(RANGE)
    batches, average, suggestion = display.ax_.lines
    np.testing.assert_array_equal(batches.get_ydata(), RANGE.loss)
    np.testing.assert_array_equal(average.get_xdata(), RANGE.lr)
    np.testing.assert_array_equal(average.get_ydata(), RANGE.smoothed_loss)
    assert suggestion.get_xdata()[0] == 0.01
    assert display.ax_.get_xscale() == "log"
    assert display.figure_ is display.ax_.figure
    display.figure_.canvas.draw()


def test_range_display_without_a_suggestion():
    display = LearningRateRangeDisplay.from_result(Bunch(**{**RANGE, "suggestion": np.nan}))
    assert len(display.ax_.lines) == 2


@pytest.mark.filterwarnings("ignore:the loss was lowest at lr_max")
def test_range_display_from_an_estimator(images):
    network = CNNClassifier(n_filters=(2,), random_state=0)
    options = {"lr_min": 1e-5, "lr_max": 0.5, "n_batches": 20}
    figure, ax = pyplot.subplots()
    display = LearningRateRangeDisplay.from_estimator(network, *images, ax=ax, **options)
    expected = lr_range(network, *images, **options)
    np.testing.assert_array_equal(display.loss, expected.loss)
    assert display.ax_ is ax
    assert display.figure_ is figure


def test_training_display_draws_every_seed_and_marks_the_collapsed():
    display = TrainingDisplay.from_result(SEEDS)
    loss, score, rate = display.ax_
    assert len(loss.lines) == 4
    steady, collapsed, chance = score.lines
    np.testing.assert_array_equal(steady.get_ydata(), SEEDS.history["valid_score"][0])
    np.testing.assert_array_equal(steady.get_xdata(), [1, 2, 3])
    assert steady.get_color() != collapsed.get_color()
    assert chance.get_ydata()[0] == 0.5
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), SEEDS.history["lr"][0])
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]
    display.figure_.canvas.draw()


def test_training_display_of_a_fitted_network_and_pipeline(images):
    X, y = images
    network = CNNClassifier(n_filters=(2,), max_epochs=3, random_state=0).fit(X, y)
    axes = pyplot.subplots(1, 3)[1]
    display = TrainingDisplay.from_estimator(make_pipeline("passthrough", network), ax=axes)
    loss, score, _ = display.ax_
    assert list(display.ax_) == list(axes)
    # There is no validation part to draw.
    assert len(loss.lines) == 1
    assert len(score.lines) == 0
    assert [text.get_text() for text in score.texts] == ["no validation part"]
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), network.history_["train_loss"])


@pytest.mark.filterwarnings("error")
def test_training_display_of_trainings_that_never_finished_an_epoch():
    history = {name: rows[:, :0] for name, rows in SEEDS.history.items()}
    seeds = Bunch(history=history, chance=np.full(2, np.nan), collapsed=np.array([True, True]))
    display = TrainingDisplay.from_result(seeds)
    display.figure_.canvas.draw()
    assert not any(len(ax.lines) for ax in display.ax_)


def test_a_single_epoch_is_a_point():
    history = {name: rows[:, :1] for name, rows in SEEDS.history.items()}
    display = TrainingDisplay.from_result(Bunch(**{**SEEDS, "history": history}))
    assert [line.get_marker() for line in display.ax_[1].lines[:2]] == [".", "."]
    whole = TrainingDisplay.from_result(SEEDS)
    assert whole.ax_[1].lines[0].get_marker() == "None"


@pytest.mark.parametrize("name", ["train_loss", "lr"])
@pytest.mark.parametrize(
    "values", [(0.69, 0.68, 0.66), (0.7, 0.3, 0.08), (1.0, 0.01, 1e-5), (1e-3,) * 3]
)
def test_logarithmic_axes_have_a_few_ticks_with_labels(name, values):
    history = {**SEEDS.history, "valid_loss": np.full((2, 3), np.nan), name: np.array([values] * 2)}
    display = TrainingDisplay.from_result(Bunch(**{**SEEDS, "history": history}))
    assert not any(ax.texts for ax in display.ax_)
    display.figure_.canvas.draw()
    ax = display.ax_[0 if name == "train_loss" else 2]
    low, high = ax.get_ylim()
    ticks = zip(ax.get_yticks(), ax.yaxis.get_ticklabels())
    shown = [text.get_text() for value, text in ticks if low <= value <= high]
    assert 2 <= len(shown) <= 8
    assert all(shown)
    assert not any(text.get_text() for text in ax.yaxis.get_ticklabels(minor=True))


def test_results_of_another_function_are_refused():
    words = "takes what repeat_fit returned, got what lr_range returned: LearningRateRangeDisplay"
    with pytest.raises(TypeError, match=words):
        TrainingDisplay.from_result(RANGE)
    words = "takes what lr_range returned, got what repeat_fit returned: TrainingDisplay.from_r"
    with pytest.raises(TypeError, match=words):
        LearningRateRangeDisplay.from_result(SEEDS)
    with pytest.raises(TypeError, match="takes what repeat_fit returned, got dict"):
        TrainingDisplay.from_result({})


def test_bad_input_of_the_displays_is_refused():
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(CNNClassifier())
    with pytest.raises(ValueError, match="drawing a training needs 3 axes, got 1"):
        TrainingDisplay.from_result(SEEDS, ax=pyplot.subplots()[1])
    with pytest.raises(ValueError, match="drawing a training needs 3 axes, got 4"):
        TrainingDisplay.from_result(SEEDS, ax=pyplot.subplots(1, 4)[1])
