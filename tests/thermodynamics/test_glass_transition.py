"""GlassTransition: known crossings, honest intervals, plain errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone

from glassclf.datasets import load_kob_andersen
from glassclf.thermodynamics import GlassTransition, cooling_curves

T = np.linspace(0.05, 1.0, 96)


def bent(tg=0.37, low_slope=0.005, high_slope=0.09):
    """Energies along T: two lines that meet at tg."""
    return -3.7 + np.where(T < tg, low_slope, high_slope) * (T - tg)


def noisy(n_runs, rng, tg=0.37):
    """Runs that differ in height and slope, as real ones do, with noise at each point."""
    shifts, tilts = rng.normal(0, 0.004, (n_runs, 1)), rng.normal(0, 0.012, (n_runs, 1))
    return bent(tg) + shifts + tilts * (T - 0.4) + rng.normal(0, 0.002, (n_runs, len(T)))


@pytest.mark.filterwarnings("ignore:there is one run")
def test_check_by_hand_of_two_pairs_of_points():
    transition = GlassTransition(low=(0.05, 0.245), high=(0.44, 0.557))
    energy = [-3.9033, -3.902, -3.8876, -3.8654]
    transition.fit([0.05, 0.245, 0.44, 0.557], energy)
    assert transition.tg_ == pytest.approx(0.3684, abs=5e-5)
    for (slope, intercept), points in zip(transition.lines_, (slice(0, 2), slice(2, 4))):
        at = slope * np.array([0.05, 0.245, 0.44, 0.557])[points] + intercept
        np.testing.assert_allclose(at, energy[points])


@pytest.mark.filterwarnings("ignore:there is one run")
def test_a_known_crossing_is_found_exactly():
    transition = GlassTransition().fit(T, bent(0.4, 0.01, 0.1))
    assert transition.tg_ == pytest.approx(0.4)
    np.testing.assert_allclose(transition.lines_[:, 0], [0.01, 0.1])
    np.testing.assert_allclose(transition.lines_ @ [0.4, 1], [-3.7, -3.7])
    assert transition.slope_ratio_ == pytest.approx(0.1)
    np.testing.assert_allclose(transition.tg_window_range_, 0.4)
    np.testing.assert_allclose(transition.windows_, [[0.05, 0.2], [0.5, 0.8]])


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for repeat in range(200):
        transition = GlassTransition(n_bootstrap=500, random_state=repeat).fit(T, noisy(16, rng))
        low, high = transition.tg_interval_
        covered += low <= 0.37 <= high
    # Two standard errors of 0.95 in 200 repeats are 0.03.
    assert 0.91 <= covered / 200 <= 0.985


def test_interval_shrinks_with_runs_and_grows_with_confidence():
    energy = noisy(32, np.random.default_rng(1))

    def width(**settings):
        rows = energy[: settings.pop("n_runs", 32)]
        return np.ptp(GlassTransition(random_state=0, **settings).fit(T, rows).tg_interval_)

    assert width() < 0.7 * width(n_runs=8)
    assert width(confidence=0.5) < width() < width(confidence=0.99)


@pytest.mark.filterwarnings("ignore:there are . runs")
@given(
    st.floats(0.01, 1e3),
    st.floats(-1e3, 1e3).filter(lambda factor: abs(factor) > 1e-3),
    st.floats(-100, 100),
    st.integers(0, 999),
)
def test_tg_scales_with_temperature_and_ignores_the_unit_of_energy(scale, factor, offset, seed):
    energy = noisy(4, np.random.default_rng(seed))
    settings = {"n_bootstrap": 100, "random_state": 0}
    plain = GlassTransition(**settings).fit(T, energy)
    windows = [tuple(scale * np.array(window)) for window in ((0.05, 0.2), (0.5, 0.8))]
    other = GlassTransition(*windows, **settings).fit(scale * T, factor * energy + offset)
    np.testing.assert_allclose(other.tg_, scale * plain.tg_, rtol=1e-4)
    np.testing.assert_allclose(other.tg_interval_, scale * plain.tg_interval_, rtol=1e-3)
    np.testing.assert_allclose(other.slope_ratio_, plain.slope_ratio_, rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore:there are . runs")
def test_order_of_points_and_shape_of_the_data_do_not_matter():
    energy = noisy(4, np.random.default_rng(0))
    rows = GlassTransition(random_state=0).fit(T, energy)
    back = GlassTransition(random_state=0).fit(T[::-1], energy[:, ::-1])
    grid = GlassTransition(random_state=0).fit(np.tile(T, (4, 1)), energy)
    shuffled = np.random.default_rng(0).permutation(energy.size)
    flat = GlassTransition(random_state=0).fit(
        np.tile(T, 4)[shuffled],
        energy.ravel()[shuffled],
        groups=np.repeat(list("abcd"), len(T))[shuffled],
    )
    for other in (back, grid, flat):
        assert other.tg_ == pytest.approx(rows.tg_)
        np.testing.assert_allclose(other.tg_interval_, rows.tg_interval_)
        np.testing.assert_allclose(other.energy_, energy.mean(axis=0))
        np.testing.assert_allclose(other.temperature_, T)
    assert flat.runs_.tolist() == list("abcd")
    assert rows.runs_ is None
    assert flat.n_runs_ == rows.n_runs_ == 4


def test_rows_of_one_run_are_drawn_together():
    energy = np.repeat(noisy(8, np.random.default_rng(0)), 4, axis=0)
    copies = GlassTransition(random_state=0).fit(T, energy)
    runs = GlassTransition(random_state=0).fit(T, energy, groups=np.repeat(np.arange(8), 4))
    assert copies.n_runs_ == 32
    assert runs.n_runs_ == 8
    assert runs.tg_ == pytest.approx(copies.tg_)
    assert np.ptp(runs.tg_interval_) > 1.7 * np.ptp(copies.tg_interval_)


def test_bundled_runs():
    curves = cooling_curves(load_kob_andersen())
    transition = GlassTransition(low=(0.05, 0.206), high=(0.479, 0.8), random_state=0)
    transition.fit(curves.temperature, curves.energy, groups=curves.runs)
    # Other runs of this protocol gave 0.371 [0.337, 0.396].
    assert transition.tg_ == pytest.approx(0.371, abs=0.02)
    assert 0.03 < np.ptp(transition.tg_interval_) < 0.09
    assert transition.tg_interval_[0] < transition.tg_ < transition.tg_interval_[1]
    # The choice of windows matters more than anything else.
    assert np.ptp(transition.tg_window_range_) > np.ptp(transition.tg_interval_)
    assert abs(transition.slope_ratio_) < 0.2


@pytest.mark.filterwarnings("ignore:there is one run")
def test_window_range_holds_what_other_windows_give():
    curved = -3.7 + 0.05 * T**2
    transition = GlassTransition().fit(T, curved)
    moved = GlassTransition(low=(0.0875, 0.2375), high=(0.575, 0.875)).fit(T, curved)
    lowest, highest = transition.tg_window_range_
    assert lowest < transition.tg_ < moved.tg_ <= highest
    assert transition.tg_ == pytest.approx(0.3875, abs=0.01)


def test_one_run_has_no_interval_and_says_so():
    with pytest.warns(UserWarning, match="there is one run: tg_interval_ is NaN. Give energy one"):
        transition = GlassTransition().fit(T, bent())
    assert np.isnan(transition.tg_interval_).all()
    assert transition.bootstrap_.shape == (0,)
    with pytest.warns(UserWarning, match="there are 4 runs: with fewer than 5, tg_interval_ is"):
        transition.fit(T, noisy(4, np.random.default_rng(0)))
    assert np.isfinite(transition.tg_interval_).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transition.fit(T, noisy(5, np.random.default_rng(0)))


def test_runs_that_hardly_bend_have_a_wide_interval_and_say_so():
    tilts = np.array([-0.15, -0.1, -0.02, 0.05, 0.15, 0.19])[:, None]
    energy = -3.7 + tilts * np.maximum(T - 0.37, 0)
    words = r"tg_interval_ \(-inf to inf\) reaches outside the data \(0.05 to 1\): the slopes of "
    with pytest.warns(UserWarning, match=words):
        transition = GlassTransition(random_state=0).fit(T, energy)
    assert transition.tg_interval_.tolist() == [-np.inf, np.inf]
    assert 0.05 < np.isnan(transition.bootstrap_).mean() < 0.5
    # All bend, and some so little that heights of 0.02 move their crossing by a lot.
    tilts = np.array([0.02, 0.05, 0.06, 0.06, 0.08, 0.09])[:, None]
    heights = 0.02 * np.array([1, 1, -1, 1, -1, -1])[:, None]
    with pytest.warns(UserWarning, match=r"tg_interval_ \(-\d.* to 0.\d+\) reaches outside"):
        transition.fit(T, -3.7 + (tilts * (T - 0.37) + heights) * (T > 0.37))
    assert np.isfinite(transition.tg_interval_).all()


def test_intervals_of_runs_that_hardly_bend_are_those_of_fieller():
    """The exact interval of a ratio of normal means, here of heights and slopes of the lines."""
    rng = np.random.default_rng(0)
    n, covered, unbounded = 7, 0, []
    quantile = stats.t.ppf(0.975, n - 1)
    for repeat in range(100):
        tilts, heights = rng.normal(0.034, 0.023, (n, 1)), rng.normal(0, 0.004, (n, 1))
        energy = -3.7 + tilts * (T - 0.37) * (T > 0.37) + heights * (T > 0.37)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            transition = GlassTransition(n_bootstrap=2000, random_state=repeat).fit(T, energy)
        low, high = transition.tg_interval_
        covered += low <= 0.37 <= high
        significance = abs(tilts.mean()) / stats.sem(tilts[:, 0])
        unbounded.append([not np.isfinite([low, high]).any(), significance < quantile])
    assert covered >= 91
    of_bootstrap, of_fieller = np.transpose(unbounded)
    # It is unbounded where Student's t does not tell the slopes apart, but for a few on the edge.
    assert 0.02 < of_fieller.mean() < 0.4
    assert (of_bootstrap == of_fieller).mean() > 0.9


def test_warnings_point_at_the_line_of_the_user():
    with pytest.warns(UserWarning, match="there is one run") as caught:
        GlassTransition().fit(T, bent())
    assert caught[0].filename == __file__


def test_same_seed_same_interval_and_the_input_is_left_alone():
    energy = noisy(6, np.random.default_rng(0))
    before = energy.copy()
    first = GlassTransition(random_state=3).fit(T, energy)
    second = clone(first).fit(T, energy)
    np.testing.assert_array_equal(first.bootstrap_, second.bootstrap_)
    assert first.bootstrap_.shape == (10_000,)
    np.testing.assert_array_equal(energy, before)


@pytest.mark.filterwarnings("ignore:there is one run")
def test_a_crossing_outside_the_data_is_warned_of():
    with pytest.warns(UserWarning, match=r"cross at 1.5\d*, outside the data, .* 0.05 to 1: this"):
        GlassTransition().fit(T, np.where(T < 0.4, 0.0, 0.15 - 0.1 * T))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"low": (0.2, 0.05)}, r"low must be a window of temperatures, \(lowest, highest\), got"),
        ({"high": (0.5, np.nan)}, "high must be a window"),
        ({"high": (0.5, 0.6, 0.7)}, "high must be a window"),
        ({"low": ("a", "b")}, "low must be a window"),
        ({"low": (0.05, 0.6)}, "low must end below the begin of high"),
        ({"confidence": 95}, "'confidence' parameter of GlassTransition must be a float in"),
        ({"n_bootstrap": 5}, "'n_bootstrap' parameter of GlassTransition must be an int in"),
        ({"low": (0.05, 0.055)}, r"low=\(0.05, 0.055\) must hold at least 2 .* \[0.05\]; the data"),
        ({"high": (2, 3)}, r"high=\(2, 3\) must hold at least 2 temperatures, it holds \[\]"),
    ],
)
def test_bad_parameters(settings, words):
    with pytest.raises(ValueError, match=words):
        GlassTransition(**settings).fit(T, bent())


@pytest.mark.parametrize("offset", [0.0, -3.7])
@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_parallel_lines_are_refused(slope, offset):
    with pytest.raises(ValueError, match="the two lines are parallel and cross nowhere"):
        GlassTransition().fit(T, slope * T + offset)


def with_nan(index):
    energy = np.tile(bent(), (3, 1))
    energy[index] = np.nan
    return energy


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((T, with_nan((1, 7))), r"energy must be finite, energy\[1, 7\] is nan: leave such points"),
        ((np.append(T[:-1], np.inf), bent()), r"temperature\[95\] is inf"),
        ((T, ["a"] * 96), "energy must be an array of numbers"),
        ((T[:-1], bent()), r"temperature must have the shape \(96,\).*; got the shape \(95,\)"),
        ((T, bent()[None, None]), r"energy must have the shape \(n_points,\) or \(n_runs, n_p"),
        ((T, []), r"and values; got the shape \(0,\)"),
        ((T, bent(), ["a"]), r"each point of energy, in the shape \(96,\); got the shape \(1,\)"),
        ((T, bent()[None], ["a", "b"]), r"each row of energy, in the shape \(1,\)"),
        ((T, bent(), [None] * 96), r"run of each point of energy, groups\[0\] is None: leave"),
        ((T, bent(), [1.0, np.nan] * 48), r"run of each point of energy, groups\[1\] is nan"),
        ((T, bent(), ["a"] * 95 + [None]), r"run of each point of energy, groups\[95\] is None"),
        ((T, np.tile(bent(), (2, 1)), ["a", None]), r"each row of energy, groups\[1\] is None"),
        ((T, bent(), np.array(["a", 1] * 48, dtype=object)), "all strings or all numbers"),
    ],
)
def test_bad_data(data, words):
    with pytest.raises(ValueError, match=words):
        GlassTransition().fit(*data)
