"""Displays of inspection: what is drawn is what was computed, and bad input is named."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configuration
from glassclf.estimators import CNNClassifier, MPNNClassifier, WindowedClassifier, WindowedRegressor
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.inspection import attribution, crossover
from glassclf.plotting import (
    ConfigurationDisplay,
    CrossoverDisplay,
    RDFDisplay,
    RegressionDisplay,
    TransferDisplay,
    WindowMapDisplay,
)
from glassclf.testing import noisy_lattice, two_phases

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def phases():
    return two_phases()


@pytest.fixture(scope="module")
def model(phases):
    X, y, _ = phases
    network = MPNNClassifier(hidden_size=4, n_layers=1, max_epochs=5, random_state=0)
    return make_pipeline(GraphFeaturizer(n_neighbors=4), network).fit(X, y)


@pytest.fixture(scope="module")
def windowed(phases):
    X, y, _ = phases
    pipe = make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), LogisticRegression())
    return WindowedClassifier(pipe, side=4.0).fit(X, y)


def test_particles_are_discs_of_their_true_diameters():
    configuration = Configuration([[1, 1], [3, 3]], [0, 1], [6.0, 6.0])
    display = ConfigurationDisplay(configuration).plot()
    (discs,) = display.ax_.collections
    assert discs.get_widths().tolist() == [1.0, 0.88]
    assert discs.get_offsets().tolist() == [[1, 1], [3, 3]]
    assert len(np.unique(discs.get_facecolors(), axis=0)) == 2
    own = ConfigurationDisplay(configuration, diameters=[0.5, 2.0]).plot()
    assert own.ax_.collections[0].get_widths().tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("periodic", "expected"),
    [
        (True, [[0.1, 0.1], [6.1, 0.1], [0.1, 6.1], [6.1, 6.1]]),
        ([True, False], [[0.1, 0.1], [6.1, 0.1]]),
        (False, [[0.1, 0.1]]),
    ],
)
def test_particles_across_a_periodic_border_are_drawn_at_both_sides(periodic, expected):
    configuration = Configuration([[0.1, 0.1]], [0], [6.0, 6.0], periodic)
    discs = ConfigurationDisplay(configuration).plot().ax_.collections[0]
    assert sorted(discs.get_offsets().round(9).tolist()) == sorted(expected)


def test_values_of_both_signs_diverge_from_zero():
    configuration = noisy_lattice(0.05)
    values = np.linspace(-1, 3, 42)
    discs = ConfigurationDisplay(configuration, values, label="share").plot().ax_.collections[0]
    low, high = discs.get_clim()
    assert low == -high
    assert discs.cmap.name == "PuOr_r"
    assert set(discs.get_array()) == set(values)
    positive = ConfigurationDisplay(configuration, values + 5).plot()
    assert positive.ax_.collections[0].cmap.name == "cividis"
    assert [ax.get_ylabel() for ax in discs.figure.axes] == ["y", "share"]


def test_one_value_for_all_is_drawn():
    ConfigurationDisplay(noisy_lattice(0.05), np.ones(42)).plot().figure_.canvas.draw()


def test_display_of_an_estimator_shows_its_attribution(model, phases):
    X = phases[0]
    figure, ax = pyplot.subplots()
    display = ConfigurationDisplay.from_estimator(model, X, 3, n_bonds=5, ax=ax)
    expected = attribution(model, X[[3]])
    assert np.array_equal(display.values, expected.particles[0])
    sources, vectors, widths = display.bonds
    assert len(sources) == len(vectors) == 5
    assert widths.max() == 1
    graph, chosen = model[0].transform(X[[3]])[0], np.argsort(-np.abs(expected.bonds[0]))[:5]
    assert np.array_equal(vectors, graph.vectors[chosen])
    assert display.ax_ is ax
    assert display.figure_ is figure
    figure.canvas.draw()


def test_configurations_that_cannot_be_drawn_are_refused(model, phases):
    with pytest.raises(ValueError, match="only two dimensions are drawn, the configuration has 3"):
        ConfigurationDisplay(noisy_lattice(0.1, n_cells=(3, 3, 3))).plot()
    skewed = Configuration([[0.5, 0.5]], [0], [[2.0, 0.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="only rectangular boxes are drawn, got lattice vectors"):
        ConfigurationDisplay(skewed).plot()


def test_window_map_draws_the_score_of_every_window(windowed, phases):
    X = phases[0]
    display = WindowMapDisplay.from_estimator(windowed, X, 1)
    corners, proba = windowed.window_scores(X[[1]])[0]
    assert np.array_equal(display.corners, corners)
    assert np.array_equal(display.values, proba[:, 1])
    windows = display.ax_.collections[0]
    assert windows.get_clim() == (0.0, 1.0)
    # And what goes on beyond a border.
    assert len(windows.get_paths()) == 4 * len(corners)
    glass = WindowMapDisplay.from_estimator(windowed, X, 1, target="glass")
    assert np.array_equal(glass.values, proba[:, 0])
    assert glass.label == "P(glass) of the window"
    with pytest.raises(ValueError, match=r"one of the classes \['glass', 'liquid'\], got 'gas'"):
        WindowMapDisplay.from_estimator(windowed, X, target="gas")


def test_window_map_of_a_regressor_by_particle_number(phases):
    X, y, _ = phases
    pipe = make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), Ridge())
    model = WindowedRegressor(pipe, n_particles=14).fit(X, (y == "glass") * 3.0)
    display = WindowMapDisplay.from_estimator(model, X)
    assert display.side == pytest.approx(np.sqrt(14))
    assert display.label == "prediction"
    solid = noisy_lattice(0.1, n_cells=(4, 4, 4))
    with pytest.raises(ValueError, match="only two dimensions are drawn, the configuration has 3"):
        WindowMapDisplay(solid, display.corners, 2.0, display.values).plot()


def test_transfer_display_writes_mean_and_spread():
    mean, std = np.array([[1.0, 0.6], [0.9, 0.8]]), np.array([[0.0, 0.1], [0.05, np.nan]])
    null = np.full((3, 2, 2), 0.5)
    display = TransferDisplay(["hot", "cold"], mean, std, null).plot()
    texts = [text.get_text() for text in display.ax_.texts]
    assert texts[:4] == ["1.00\n± 0.00", "0.60\n± 0.10", "0.90\n± 0.05", "0.80"]
    assert texts[4:] == ["0.50\n± 0.00"] * 2
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["hot", "cold", "shuffled labels"]
    assert len(TransferDisplay(["hot", "cold"], mean, std).plot().ax_.texts) == 4


def test_displays_refuse_results_of_other_functions():
    with pytest.raises(
        TypeError, match="TransferDisplay.from_result takes what transfer_matrix re"
    ):
        TransferDisplay.from_result({})
    with pytest.raises(
        TypeError, match="CrossoverDisplay.from_result takes what crossover returned"
    ):
        CrossoverDisplay.from_result({"one": {}})


def test_crossover_display_names_where_each_curve_turns():
    grid, rng = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]), np.random.default_rng(0)
    temperature, run = np.tile(grid, 6), np.repeat(np.arange(6), 8)
    odds = 2 - 20 * np.maximum(temperature - 0.35, 0) + 0.1 * rng.normal(size=48)
    proba = 1 / (1 + np.exp(-odds))
    line = 9.1 - 20 * temperature + 0.1 * rng.normal(size=48)
    with pytest.warns(UserWarning, match="thermometer"):
        straight = crossover(temperature, 1 / (1 + np.exp(-line)), run)
    results = {
        "kink": crossover(temperature, proba, run),
        "half": crossover(temperature, proba, run, method="half"),
        "straight": straight,
    }
    display = CrossoverDisplay.from_result(results, tg=(0.37, 0.34, 0.4))
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels[0] == "Tg = 0.370"
    kink, half = (results[name].temperature for name in ("kink", "half"))
    assert kink == pytest.approx(0.35, abs=0.01)
    assert half == pytest.approx(0.45, abs=0.01)
    assert labels[1].startswith(f"kink: turns at {kink:.3f} [")
    assert labels[2].startswith(f"half: P = 1/2 at {half:.3f} [")
    assert labels[3] == "straight: no crossover"
    display.figure_.canvas.draw()
    with pytest.raises(ValueError, match="at most 4 curves can be told apart, got 5"):
        CrossoverDisplay.from_result(dict.fromkeys("abcde", straight))


def test_rdf_display_draws_the_mean_of_each_class(phases):
    X, y, _ = phases
    display = RDFDisplay.from_configurations(X, y, r_max=2.0, n_bins=20)
    table = RDFFeaturizer(2.0, 20).fit_transform(X).reshape(len(X), 3, 20)
    assert display.pairs == ["0-0", "0-1", "1-1"]
    line = display.ax_[1].lines[0]
    assert np.allclose(line.get_ydata(), table[y == "glass", 1].mean(axis=0))
    assert [text.get_text() for text in display.ax_[0].get_legend().get_texts()] == [
        "glass",
        "liquid",
    ]
    whole = RDFDisplay.from_estimator(RDFFeaturizer(2.0, 20, partial=False), X)
    assert len(whole.ax_) == 1
    assert whole.ax_[0].get_legend() is None
    with pytest.raises(ValueError, match="at most 6 classes are drawn, got 16"):
        RDFDisplay.from_configurations(X, np.arange(16))


def test_estimators_without_values_for_particles_are_refused(phases):
    X, y, _ = phases
    table = make_pipeline(RDFFeaturizer(n_bins=5), CNNClassifier(n_filters=(2,), max_epochs=1))
    with pytest.raises(
        TypeError, match="the estimator gives no values for particles: give a pipel"
    ):
        ConfigurationDisplay.from_estimator(table.fit(X, y), X)


def test_values_that_are_not_finite_are_grey():
    configuration = noisy_lattice(0.1)
    values = np.linspace(1.0, 2.0, 42)
    values[3] = np.nan
    display = ConfigurationDisplay(configuration, values).plot()
    (discs,) = display.ax_.collections
    assert discs.get_clim()[0] > 0.9
    assert discs.get_array().mask.sum() >= 1
    grey = discs.to_rgba(np.ma.masked_invalid([np.nan]))[0]
    assert grey[:3] == pytest.approx([0.85] * 3)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda c: ConfigurationDisplay(c, np.arange(41)), "values must have one number for each"),
        (lambda c: ConfigurationDisplay(c, np.full(42, np.nan)), "values holds no finite number"),
        (lambda c: ConfigurationDisplay(c, diameters=-np.ones(42)), "diameters must be positive"),
        (lambda c: WindowMapDisplay(c, np.zeros((3, 2)), 1.0, [1, 2]), "each of the 3 windows"),
        (lambda c: TransferDisplay(["a"], np.ones((2, 2)), np.ones((2, 2))), r"shape \(1, 1\)"),
        (lambda c: CrossoverDisplay({}, tg=0.3), r"tg must be \(tg, low, high\), got 0.3"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw(noisy_lattice(0.1)).plot()


def test_what_is_drawn_must_be_of_its_kind(model, phases):
    X, y, _ = phases
    with pytest.raises(TypeError, match="one Configuration is drawn, got Configurations"):
        ConfigurationDisplay(X).plot()
    with pytest.raises(TypeError, match="windows are those of a WindowedClassifier .* Pipeline"):
        WindowMapDisplay.from_estimator(model, X)
    with pytest.raises(TypeError, match="results must be a dict of name to result of crossover"):
        CrossoverDisplay.from_result([])
    with pytest.raises(ValueError, match="y must have one label for each of the"):
        RDFDisplay.from_configurations(X, y[:3])
    with pytest.raises(ValueError, match="n_bonds must be 0 or more, got -1"):
        ConfigurationDisplay.from_estimator(model, X, n_bonds=-1)


def test_regression_display_draws_a_violin_for_each_value():
    truth = np.repeat([0.0, 1.0, 3.0], 30)
    found = truth + 0.1 * np.random.default_rng(0).normal(size=90)
    found[:30] = 0.05
    display = RegressionDisplay.from_predictions(truth, found, label="rate")
    # All predictions of the first are the same: it has a mean and no violin.
    assert len(display.ax_.collections) == 2
    means = display.ax_.lines[-1].get_xydata()
    assert means[:, 0].tolist() == [0.0, 1.0, 3.0]
    assert means[0, 1] == pytest.approx(0.05)
    assert display.ax_.get_title().startswith("r = 0.99")
    line = LinearRegression().fit(found[:, None], truth)
    display = RegressionDisplay.from_estimator(line, found[:, None], truth)
    assert display.y_pred == pytest.approx(line.predict(found[:, None]))
    display.figure_.canvas.draw()
