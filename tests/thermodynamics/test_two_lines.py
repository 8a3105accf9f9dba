"""The two-line fit against numpy's own, and its bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.thermodynamics.two_lines import (
    bootstrap_interval,
    fit_two_lines,
    in_window,
    resample_runs,
    resampled_crossings,
    sum_in_windows,
)

WINDOWS = ((0.05, 0.2), (0.5, 0.8))


def curves(n_runs, seed=0, n_points=40):
    rng = np.random.default_rng(seed)
    x = np.tile(np.linspace(0.05, 1.0, n_points), n_runs)
    return x, x**2 + rng.normal(0, 0.1, len(x)), np.repeat(np.arange(n_runs), n_points)


@given(st.integers(1, 4), st.integers(0, 999), st.floats(-1e3, 1e3))
def test_lines_are_those_of_polyfit(n_runs, seed, offset):
    x, y, run = curves(n_runs, seed)
    lines = fit_two_lines(sum_in_windows(x, y + offset, run, WINDOWS))
    for place, window in enumerate(WINDOWS):
        inside = (x >= window[0]) & (x <= window[1])
        expected = np.polyfit(x[inside], y[inside] + offset, 1)
        found = [lines.slopes[place], lines.intercepts[place]]
        np.testing.assert_allclose(found, expected, atol=1e-8)
    difference = np.diff(lines.slopes * lines.crossing + lines.intercepts)
    assert difference == pytest.approx(0, abs=1e-8)


def test_a_resample_is_a_fit_to_the_runs_it_drew():
    x, y, run = curves(3)
    weights = np.array([[2.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    lines = fit_two_lines(sum_in_windows(x, y, run, WINDOWS), weights)
    drawn = np.concatenate([np.flatnonzero(run == index) for index in (0, 0, 2)])
    again = fit_two_lines(sum_in_windows(x[drawn], y[drawn], np.zeros_like(drawn), WINDOWS))
    np.testing.assert_allclose(lines.slopes[0], again.slopes)
    np.testing.assert_allclose(lines.crossing[0], again.crossing)
    assert lines.crossing.shape == (2,)


def test_runs_of_different_temperatures_are_pooled():
    x, y, run = curves(2)
    kept = np.random.default_rng(0).permutation(len(x))[:50]
    lines = fit_two_lines(sum_in_windows(x[kept], y[kept], run[kept], WINDOWS))
    inside = (x[kept] >= 0.5) & (x[kept] <= 0.8)
    slope, _ = np.polyfit(x[kept][inside], y[kept][inside], 1)
    assert lines.slopes[1] == pytest.approx(slope)


@pytest.mark.filterwarnings("error")
def test_a_resample_without_a_line_is_nan():
    # Each run holds a single temperature of the low window: drawn alone it makes no line.
    x = np.array([0.1, 0.5, 0.8, 0.2, 0.5, 0.8])
    run = np.repeat([0, 1], 3)
    sums = sum_in_windows(x, x**2, run, WINDOWS)
    crossing = fit_two_lines(sums, np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])).crossing
    assert np.isnan(crossing).tolist() == [False, True, True]


@given(st.floats(0.05, 0.2), st.integers(2, 50))
def test_one_temperature_many_times_makes_no_line(temperature, n):
    # Its spread is 0, but for rounding.
    x = np.append(np.full(n, temperature), [0.5, 0.8])
    y = np.random.default_rng(n).normal(size=len(x))
    lines = fit_two_lines(sum_in_windows(x, y, np.zeros(len(x), int), WINDOWS))
    assert np.isnan(lines.slopes).tolist() == [True, False]


def test_windows_hold_their_edges_as_files_round_them():
    x = np.array([0.05 - 1e-9, 0.05, 0.2, 0.2 + 1e-9, 0.2001, 0.0499])
    assert in_window(x, (0.05, 0.2)).tolist() == [True, True, True, True, False, False]


def test_resamples_draw_as_many_runs_as_there_are():
    weights = resample_runs(7, 500, np.random.RandomState(0))
    assert weights.shape == (500, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.mean() == 1
    assert 0.8 < weights.var() < 1


def test_interval_is_wider_than_percentiles_for_few_runs_and_equal_for_many():
    values = np.random.default_rng(0).normal(size=100_001)
    plain = np.quantile(values, [0.025, 0.975])
    few, many = (bootstrap_interval(values, n, 0.95) for n in (6, 100_000))
    assert few[0] < plain[0] < plain[1] < few[1]
    np.testing.assert_allclose(many, plain, atol=0.01)
    # sqrt(6 / 5) t(0.975, 5) standard errors, where percentiles have 1.96.
    assert few[1] == pytest.approx(np.sqrt(6 / 5) * 2.571, abs=0.06)


def test_a_resample_that_bends_the_other_way_has_no_crossing():
    # Two runs bend upwards at 0.35, the third downwards.
    x = np.array([0.05, 0.2, 0.5, 0.8])
    y = np.concatenate([bend * np.maximum(x - 0.35, 0) for bend in (1.0, 1.0, -1.0)])
    sums = sum_in_windows(np.tile(x, 3), y, np.repeat(np.arange(3), 4), WINDOWS)
    weights = np.array([[3.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    crossings = resampled_crossings(sums, weights)
    np.testing.assert_allclose(crossings, [0.35, 0.35, np.nan, np.nan])
    # The same upside down.
    upside_down = sum_in_windows(np.tile(x, 3), -y, np.repeat(np.arange(3), 4), WINDOWS)
    np.testing.assert_allclose(resampled_crossings(upside_down, weights), crossings)


def test_resamples_without_a_crossing_widen_both_ends():
    values = np.append(np.linspace(0, 1, 1000), [np.nan] * 20)
    # 5 % of 1020 resamples are 51, and 20 of them may lie anywhere.
    np.testing.assert_allclose(bootstrap_interval(values, 10_000, 0.9), [0.03, 0.97], atol=0.002)
    # More than the tail: nothing is known of either end.
    values = np.append(np.linspace(0, 1, 1000), [np.nan] * 60)
    assert bootstrap_interval(values, 10_000, 0.9).tolist() == [-np.inf, np.inf]


def test_ends_of_an_interval_are_resamples():
    values = np.random.default_rng(0).normal(size=1000)
    for n_runs in (2, 5, 30):
        assert np.isin(bootstrap_interval(values, n_runs, 0.95), values).all()
    # So few runs widen it to the outermost of a thousand.
    assert bootstrap_interval(values, 2, 0.95).tolist() == [values.min(), values.max()]
