"""Display of a study of Optuna: what is drawn is what the trials hold."""

import sys

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from glassclf.plotting import StudyDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

STEP = "mpnnclassifier__"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def make_study(objective, n_trials=12, direction="maximize"):
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=n_trials, catch=(FloatingPointError,))
    return study


def mixed(trial):
    """Pruned in every fourth trial, failed in every fifth; the rate matters most."""
    rate = trial.suggest_float(f"{STEP}optimizer__lr", 1e-5, 1e-1, log=True)
    sizes = trial.suggest_categorical(f"{STEP}hidden_sizes", ["(16,)", "(16, 32, 64)"])
    depth = trial.suggest_int("graphfeaturizer__n_layers", 1, 4)
    if trial.number % 5 == 4:
        raise FloatingPointError
    trial.report(0.25, 0)
    trial.report(0.3 + 0.001 * trial.number, 1)
    if trial.number % 4 == 3:
        raise optuna.TrialPruned
    return 1 - 0.1 * abs(np.log10(rate) + 3) + 0.001 * len(sizes) + 0.001 * depth


def linear(n):
    def objective(trial):
        return sum((i + 1) * trial.suggest_float(f"{STEP}p{i}", 0, 1) for i in range(n))

    return objective


def lines_with(ax, marker):
    """Lines of a marker that show something."""
    lines = (line for line in ax.lines if line.get_marker() == marker)
    return [line for line in lines if np.isfinite(line.get_xdata()).any()]


def star_of(ax):
    (star,) = lines_with(ax, "*")
    return [float(star.get_xdata()[0]), float(star.get_ydata()[0])]


def label_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def words(display):
    (text,) = display.ax_[1].texts
    assert not display.ax_[1].patches
    return text.get_text().replace("\n", " ")


def test_history_shows_every_finished_trial_by_its_state():
    study = make_study(mixed, 24)
    study.ask()
    study.enqueue_trial({})
    display = StudyDisplay.from_study(study)
    history = display.ax_[0]
    complete = study.get_trials(states=[TrialState.COMPLETE])
    pruned = study.get_trials(states=[TrialState.PRUNED])
    failed = study.get_trials(states=[TrialState.FAIL])
    assert len(complete) + len(pruned) + len(failed) == 24
    expected = [(trial.number, trial.value) for trial in complete]
    np.testing.assert_array_equal(history.collections[0].get_offsets(), expected)
    (hollow,) = lines_with(history, "o")
    assert hollow.get_markerfacecolor() == "none"
    expected = [(trial.number, 0.3 + 0.001 * trial.number) for trial in pruned]
    np.testing.assert_array_equal(hollow.get_xydata(), expected)
    (crosses,) = lines_with(history, "x")
    expected = [(trial.number, 0.03) for trial in failed]
    np.testing.assert_array_equal(crosses.get_xydata(), expected)
    # A share of the height of the axes, whatever the values.
    assert crosses.get_transform() == history.get_xaxis_transform()
    display.figure_.canvas.draw()
    best = study.best_trial
    assert star_of(history) == [best.number, best.value]
    label = f"best: {best.value:.4g} (trial {best.number})"
    assert label_texts(history) == ["best so far", label, "complete", "pruned", "failed"]
    assert history.get_ylabel() == "score"


@pytest.mark.parametrize(
    ("direction", "running"), [("maximize", np.maximum), ("minimize", np.minimum)]
)
def test_best_so_far_follows_the_direction_of_the_study(direction, running):
    study = make_study(linear(2), direction=direction)
    display = StudyDisplay.from_study(study, target_name="loss")
    (line,) = (line for line in display.ax_[0].lines if line.get_label() == "best so far")
    values = [trial.value for trial in study.trials]
    np.testing.assert_array_equal(line.get_ydata()[:-1], running.accumulate(values))
    assert line.get_drawstyle() == "steps-post"
    assert line.get_ydata()[-1] == study.best_value
    assert star_of(display.ax_[0]) == [study.best_trial.number, study.best_value]
    assert [ax.get_ylabel() for ax in display.ax_[::2]] == ["loss", "loss"]


def test_importances_are_those_of_optuna(monkeypatch):
    compute, found = optuna.importance.get_param_importances, {}

    # Random in older versions: computed once.
    def record(study):
        found.update(compute(study))
        return found

    monkeypatch.setattr(optuna.importance, "get_param_importances", record)
    display = StudyDisplay.from_study(make_study(linear(4), 30))
    assert display.importances == found
    assert len(found) == 4
    axis = display.ax_[1]
    widths = [bar.get_width() for bar in axis.patches]
    assert widths == sorted(widths, reverse=True) == list(display.importances.values())
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert [STEP + label for label in labels] == list(display.importances)
    # The most important one is on top.
    low, high = axis.get_ylim()
    assert low > high


def test_slices_show_the_values_along_the_parameters():
    study = make_study(mixed, 30)
    display = StudyDisplay.from_study(study)
    assert len(display.ax_) == 5
    complete = study.get_trials(states=[TrialState.COMPLETE])
    values = [trial.value for trial in complete]
    best = study.best_trial
    slices = {ax.get_xlabel(): ax for ax in display.ax_[2:]}
    assert set(slices) == {"lr", "hidden_sizes", "n_layers"}
    rate = slices["lr"]
    assert rate.get_xscale() == "log"
    name = f"{STEP}optimizer__lr"
    points = rate.collections[0]
    expected = np.transpose([[trial.params[name] for trial in complete], values])
    np.testing.assert_array_equal(points.get_offsets(), expected)
    np.testing.assert_array_equal(points.get_array(), [trial.number for trial in complete])
    assert star_of(rate) == [best.params[name], best.value]
    assert len(lines_with(rate, "o")) == len(lines_with(rate, "x")) == 1
    sizes = slices["hidden_sizes"]
    assert sizes.get_xscale() == "linear"
    labels = [text.get_text() for text in sizes.get_xticklabels()]
    assert labels == ["(16,)", "(16, 32, 64)"]
    drawn = np.round(sizes.collections[0].get_offsets()[:, 0]).astype(int)
    assert [labels[i] for i in drawn] == [trial.params[f"{STEP}hidden_sizes"] for trial in complete]
    again = StudyDisplay.from_study(study).ax_[list(display.ax_).index(sizes)]
    np.testing.assert_array_equal(
        again.collections[0].get_offsets(), sizes.collections[0].get_offsets()
    )
    assert set(slices["n_layers"].get_xticks()) >= {1, 2, 3, 4}


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_up_to_three_parameters_get_a_slice(n):
    study = make_study(linear(n) if n else lambda trial: trial.number % 5)
    display = StudyDisplay.from_study(study)
    assert len(display.ax_) == 2 + min(n, 3)
    assert all(ax.figure is display.figure_ for ax in display.ax_)
    display.figure_.canvas.draw()
    if n < 2:
        number = "one" if n else "no"
        assert words(display) == f"no importances: the trials have {number} parameter"
    else:
        drawn = [STEP + ax.get_xlabel() for ax in display.ax_[2:]]
        assert drawn == list(display.importances)[:3]


def test_importances_that_cannot_be_computed_are_told_in_words(monkeypatch):
    one = StudyDisplay.from_study(make_study(linear(4), 1))
    assert words(one) == "no importances: fewer than two different trials are complete"
    assert [ax.get_xlabel() for ax in one.ax_[2:]] == ["p0", "p1", "p2"]

    def constant(trial):
        return 0 * linear(2)(trial)

    told = words(StudyDisplay.from_study(make_study(constant)))
    assert told == "no importances: all complete trials have the same value"
    same = make_study(linear(2), 0)
    for _ in range(3):
        same.enqueue_trial({f"{STEP}p0": 0.5, f"{STEP}p1": 0.5})
    same.optimize(lambda trial: linear(2)(trial) + trial.number, n_trials=3)
    assert "fewer than two different trials" in words(StudyDisplay.from_study(same))

    # As the evaluator of older versions does.
    def refuse(study):
        raise RuntimeError("Encountered zero total variance in all trees.")

    monkeypatch.setattr(optuna.importance, "get_param_importances", refuse)
    told = words(StudyDisplay.from_study(make_study(linear(2))))
    assert told == "no importances: the complete trials do not tell the parameters apart"


def test_trials_that_all_failed_are_drawn():
    def fail(trial):
        linear(2)(trial)
        raise FloatingPointError

    display = StudyDisplay.from_study(make_study(fail, 3))
    display.figure_.canvas.draw()
    for ax in (display.ax_[0], *display.ax_[2:]):
        assert len(lines_with(ax, "x")[0].get_xdata()) == 3
        assert not lines_with(ax, "*")
    assert label_texts(display.ax_[0]) == ["failed"]
    assert "fewer than two" in words(display)


def test_values_that_are_infinite_or_missing_are_marked_at_the_bottom():
    def objective(trial):
        value = linear(2)(trial)
        if trial.number == 1:
            raise optuna.TrialPruned
        return np.inf if trial.number == 2 else value

    study = make_study(objective)
    display = StudyDisplay.from_study(study)
    assert list(display.state[:4]) == ["complete", "pruned", "failed", "complete"]
    assert list(np.isnan(display.value[:4])) == [False, True, True, False]
    history = display.ax_[0]
    for marker, number in (("o", 1), ("x", 2)):
        (line,) = lines_with(history, marker)
        np.testing.assert_array_equal(line.get_xydata(), [[number, 0.03]])
    display.figure_.canvas.draw()


@pytest.mark.filterwarnings("ignore:Some regimes for parameter")
def test_parameters_that_only_some_trials_have():
    def objective(trial):
        if trial.suggest_categorical("kind", ["cnn", None]) == "cnn":
            return trial.suggest_float("width", 1, 2)
        return trial.suggest_int("depth", 3, 9)

    study = make_study(objective, 30)
    display = StudyDisplay.from_study(study)
    assert display.categories == {"kind": ["cnn", "None"]}
    slices = {ax.get_xlabel(): ax for ax in display.ax_[2:]}
    assert set(slices) == {"kind", "width", "depth"}
    wide = [trial.params["width"] for trial in study.trials if "width" in trial.params]
    offsets = slices["width"].collections[0].get_offsets()
    np.testing.assert_array_equal(offsets[:, 0], wide)
    # The best trial is a deep one.
    assert not lines_with(slices["width"], "*")
    assert star_of(slices["depth"]) == [study.best_params["depth"], study.best_value]
    display.figure_.canvas.draw()


def test_choices_that_grew_between_trials():
    study = optuna.create_study()
    for choices in (["a", "b"], ["c", "b"]):
        distributions = {"kind": CategoricalDistribution(choices)}
        trial = optuna.create_trial(
            params={"kind": choices[0]}, distributions=distributions, value=0.0
        )
        study.add_trial(trial)
    display = StudyDisplay.from_study(study)
    assert display.categories == {"kind": ["a", "b", "c"]}
    np.testing.assert_array_equal(display.parameters["kind"], [0, 2])


def test_names_are_as_short_as_they_can_be_told_apart():
    names = ["a__cutoff", "b__cutoff", "c__d__lr", "lr", "c__a_rather_long_name_of_a_parameter"]
    study = make_study(lambda trial: sum(trial.suggest_float(name, 0, 1) for name in names), 20)
    display = StudyDisplay.from_study(study)
    labels = {text.get_text() for text in display.ax_[1].get_yticklabels()}
    long = "a_rather_long_name_of_a_\nparameter"
    assert labels == {"a__cutoff", "b__cutoff", "d__lr", "lr", long}


@pytest.mark.parametrize("high", [1e-4, 3e-4, 1.5e-3, 8e-3, 1e-1, 1e6])
def test_logarithmic_slices_have_a_few_ticks_with_labels(high):
    study = make_study(lambda trial: trial.suggest_float("rate", 1e-4, high, log=True), 20)
    ax = StudyDisplay.from_study(study).ax_[2]
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels())
    shown = [text.get_text() for value, text in ticks if low <= value <= high]
    assert 1 + (high > 1.5 * low) <= len(shown) <= 6
    assert all(shown)


def test_study_on_given_axes():
    study = make_study(linear(2))
    figure, axes = pyplot.subplots(2, 2, layout="constrained")
    display = StudyDisplay.from_study(study, ax=axes.ravel())
    assert list(display.ax_) == list(axes.ravel())
    assert display.figure_ is figure
    assert pyplot.get_fignums() == [figure.number]
    figure.canvas.draw()


class Search(BaseEstimator):
    def __init__(self, n_trials=3):
        self.n_trials = n_trials

    def fit(self, X=None, y=None):
        self.study_ = make_study(linear(2))
        return self


def test_study_of_a_fitted_search():
    search = Search()
    with pytest.raises(NotFittedError):
        StudyDisplay.from_estimator(search)
    search.fit()
    axes = pyplot.subplots(1, 4)[1]
    display = StudyDisplay.from_estimator(search, ax=axes)
    assert list(display.ax_) == list(axes)
    values = [trial.value for trial in search.study_.trials]
    np.testing.assert_array_equal(display.value, values)


def test_drawing_needs_no_plots_of_optuna_and_reads_no_study_again(monkeypatch):
    for name in ("plotly", "optuna.visualization", "optuna.visualization.matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)
    display = StudyDisplay.from_study(make_study(mixed, 20))
    monkeypatch.setattr(optuna.Study, "get_trials", None)
    monkeypatch.setattr(optuna.importance, "get_param_importances", None)
    before = display.ax_
    after = display.plot().ax_
    assert len(before) == len(after)
    assert before[0] is not after[0]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_plots_of_optuna_work_on_the_same_study():
    study = make_study(mixed, 20)
    ax = optuna.visualization.matplotlib.plot_optimization_history(study)
    n_complete = len(study.get_trials(states=[TrialState.COMPLETE]))
    assert len(ax.collections[0].get_offsets()) == n_complete
    ax.figure.canvas.draw()


def test_bad_input_of_the_display():
    study = make_study(linear(2), 3)
    with pytest.raises(ValueError, match="drawing a study needs 4 axes, got 3"):
        StudyDisplay.from_study(study, ax=pyplot.subplots(1, 3)[1])
    with pytest.raises(TypeError, match="must be an optuna.Study, got Search: .*from_estimator"):
        StudyDisplay.from_study(Search().fit())
    with pytest.raises(TypeError, match="such as OptunaSearch, got Study; a study itself is drawn"):
        StudyDisplay.from_estimator(study)
    two = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match="has 2 objectives.*visualization.plot_pareto_front"):
        StudyDisplay.from_study(two)
    running = optuna.create_study()
    running.ask()
    with pytest.raises(ValueError, match="no finished trial to draw: run study.optimize first"):
        StudyDisplay.from_study(running)
