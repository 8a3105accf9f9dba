"""Displays of cooling curves and of the glass transition: what is drawn is what was fitted."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from glassclf.plotting import CoolingCurvesDisplay, GlassTransitionDisplay
from glassclf.thermodynamics import CoolingCurves, GlassTransition, parting_temperature

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

T = np.linspace(0.05, 2.0, 79)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


def curves(n_runs, freezes_at, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.002, (n_runs, len(T)))
    return CoolingCurves(T, -3.75 + 0.1 * np.maximum(T, freezes_at) + noise)


def fitted(n_runs):
    return GlassTransition(random_state=0).fit(T, curves(n_runs, 0.4).energy)


def label_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_glass_transition_display():
    transition = fitted(8)
    figure, ax = pyplot.subplots()
    display = GlassTransitionDisplay.from_estimator(transition, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    points, glass, liquid = ax.lines[:3]
    shown = np.isin(transition.temperature_, points.get_xdata())
    np.testing.assert_array_equal(points.get_ydata(), transition.energy_[shown])
    # All of both windows is shown, and not all of the liquid far above them.
    assert points.get_xdata().min() == 0.05
    assert 0.8 < points.get_xdata().max() < 1.2
    for line, (slope, intercept), window in zip((glass, liquid), display.lines, display.windows):
        x, y = line.get_data()
        np.testing.assert_allclose(y, slope * x + intercept)
        assert x[0] <= window[0] < window[1] <= x[1]
        assert x[0] < transition.tg_ < x[1]
    crossing, _, (bar,) = ax.containers[0].lines
    assert list(crossing.get_xdata()) == [transition.tg_]
    low, high = transition.tg_interval_
    np.testing.assert_allclose(np.array(bar.get_segments()[0], dtype=float)[:, 0], [low, high])
    assert label_texts(ax)[-1] == f"Tg = {transition.tg_:.3f}\n[{low:.3f}, {high:.3f}], 95 %"
    shades = [patch.get_x() for patch in ax.patches]
    np.testing.assert_allclose(shades, [0.05, 0.5])
    figure.canvas.draw()


@pytest.mark.filterwarnings("ignore:there is one run")
def test_glass_transition_display_of_one_run_has_no_bar():
    transition = fitted(1)
    display = GlassTransitionDisplay.from_estimator(transition)
    assert label_texts(display.ax_)[-1] == f"Tg = {transition.tg_:.3f}"
    assert not display.ax_.containers[0].has_xerr


def test_glass_transition_display_of_runs_without_bounds():
    transition = fitted(8)
    display = GlassTransitionDisplay.from_estimator(transition)
    display.interval = np.array([-np.inf, np.inf])
    display.plot()
    assert label_texts(display.ax_)[-1] == f"Tg = {transition.tg_:.3f}\n[-inf, inf], 95 %"
    assert not display.ax_.containers[0].has_xerr
    display.figure_.canvas.draw()


def test_cooling_curves_display():
    sets = {20_000: curves(8, 0.9, 0), 200_000: curves(8, 0.5, 1), "own": curves(1, 0.3, 2)}
    display = CoolingCurvesDisplay.from_curves(sets)
    ax = display.ax_
    lines = [line for line in ax.lines if len(line.get_xdata()) == len(T)]
    (mark,) = set(ax.lines) - set(lines)
    for line, each in zip(lines, sets.values()):
        np.testing.assert_array_equal(line.get_xdata(), T)
        np.testing.assert_array_equal(line.get_ydata(), each.mean())
    # A single run has no error: no band, and no place where it parts.
    assert len(ax.collections) == 2
    expected = parting_temperature(sets[20_000], sets[200_000])
    assert display.parting[0] == expected == pytest.approx(0.85, abs=0.05)
    assert np.isnan(display.parting[1])
    assert mark.get_xdata()[0] == expected
    assert mark.get_color() == lines[1].get_color()
    assert label_texts(ax) == [
        "20,000 steps",
        f"200,000 steps: parts at T = {expected:.2f}",
        "own",
    ]
    # Told apart without colours, too.
    assert len({line.get_linestyle() for line in lines}) == 3
    display.figure_.canvas.draw()


def test_curves_that_end_before_they_part():
    high = CoolingCurves(T, curves(8, 0.4).energy + 0.1)
    display = CoolingCurvesDisplay.from_curves({20_000: high, 200_000: curves(8, 0.4, seed=1)})
    assert label_texts(display.ax_)[1] == "200,000 steps: parts above T = 2.00"


def test_cooling_curves_display_on_given_axes_with_a_confidence():
    sets = {"a": curves(8, 0.9, 0), "b": curves(8, 0.5, 1)}
    ax = pyplot.subplots()[1]
    display = CoolingCurvesDisplay.from_curves(sets, confidence=0.5, ax=ax)
    assert display.ax_ is ax
    assert display.parting[0] >= CoolingCurvesDisplay.from_curves(sets).parting[0]


def test_bad_input_of_the_displays():
    with pytest.raises(NotFittedError):
        GlassTransitionDisplay.from_estimator(GlassTransition())
    with pytest.raises(ValueError, match="drawing cooling curves needs 1 axes, got 2"):
        CoolingCurvesDisplay.from_curves({"a": curves(2, 0.5)}, ax=pyplot.subplots(1, 2)[1])


def test_curves_that_are_no_dict_of_cooling_curves_are_refused():
    one = curves(3, 0.4)
    for wrong in ([one, one], one):
        with pytest.raises(TypeError, match=f"curves must be a dict.*got {type(wrong).__name__}"):
            CoolingCurvesDisplay.from_curves(wrong)
    with pytest.raises(TypeError, match="curves\\['slow'\\] must be a CoolingCurves, got ndarray"):
        CoolingCurvesDisplay.from_curves({"fast": one, "slow": one.energy})
    with pytest.raises(ValueError, match="curves is empty"):
        CoolingCurvesDisplay.from_curves({})


def test_the_legend_of_a_curve_without_a_bend_hides_no_point():
    # The glass is at the upper left here, as after a very fast cooling.
    temperature = np.linspace(0.05, 0.85, 9)
    energy = np.where(temperature < 0.5, -3.618, -3.658 + 0.05 * temperature)
    transition = GlassTransition(random_state=0).fit(temperature, np.vstack([energy] * 6))
    display = GlassTransitionDisplay.from_estimator(transition)
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    points = display.ax_.transData.transform(display.ax_.lines[0].get_xydata())
    assert not any(legend.contains(*point) for point in points)
