"""Crossover: the kink that was put in, and no number where there is none."""

import numpy as np
import pytest

from glassclf.inspection import crossover

GRID = np.array([0.05, 0.108, 0.206, 0.303, 0.333, 0.401, 0.479, 0.547, 0.635, 0.8, 1.0])


def scores(bend=0.36, low=0.0, high=-20.0, n_runs=12, noise=0.1, offset=2.0, seed=0):
    """Temperatures, probabilities and runs of log odds with a kink."""
    rng = np.random.default_rng(seed)
    temperature = np.tile(GRID, n_runs)
    log_odds = offset + np.where(
        temperature < bend, low * (temperature - bend), high * (temperature - bend)
    )
    log_odds = log_odds + noise * rng.normal(size=len(temperature))
    return temperature, 1 / (1 + np.exp(-log_odds)), np.repeat(np.arange(n_runs), len(GRID))


def test_kink_is_found_where_it_is():
    result = crossover(*scores())
    assert result.temperature == pytest.approx(0.36, abs=0.01)
    low, high = result.interval
    assert low < 0.36 < high
    assert high - low < 0.05
    assert abs(result.slope_ratio) < 0.05
    assert np.array_equal(result.log_odds[:, 0], GRID)
    assert result.log_odds[0, 1] == pytest.approx(2.0, abs=0.2)
    assert result.lines[1, 0] == pytest.approx(-20, rel=0.05)


def test_more_confidence_takes_a_wider_interval():
    narrow, wide = (crossover(*scores(), confidence=each).interval for each in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_thermometer_has_no_crossover():
    with pytest.warns(
        UserWarning, match="no crossover seen: this input is a thermometer.*is 1.5 of"
    ):
        result = crossover(*scores(low=-30.0, noise=0.01))
    assert np.isnan(result.temperature)
    assert np.isnan(result.interval).all()
    assert result.slope_ratio == pytest.approx(1.5, abs=0.02)


def test_half_depends_on_the_offset():
    found = [crossover(*scores(offset=each), method="half").temperature for each in (1.0, 3.0)]
    assert found == pytest.approx([0.41, 0.51], abs=0.02)
    result = crossover(*scores(), method="half")
    assert result.interval[0] < result.temperature < result.interval[1]
    assert np.isnan(result.slope_ratio)
    assert result.lines is None


def test_half_that_is_not_bracketed_is_not_invented():
    with pytest.warns(
        UserWarning, match="do not change sign exactly once between T = 0.05 and 1: "
    ):
        result = crossover(*scores(offset=20.0), method="half")
    assert np.isnan(result.temperature)
    assert np.isnan(result.interval).all()


def test_runs_need_not_share_their_temperatures():
    temperature, proba, run = scores(n_runs=20)
    keep = np.random.default_rng(1).random(len(run)) < 0.7
    for method, expected in (("kink", 0.36), ("half", 0.46)):
        result = crossover(temperature[keep], proba[keep], run[keep], method=method)
        assert result.temperature == pytest.approx(expected, abs=0.02)


def test_certain_probabilities_are_taken():
    temperature, proba, run = scores(noise=0.0)
    result = crossover(temperature, (proba > 0.5).astype(float), run, method="half")
    assert result.temperature == pytest.approx(0.44, abs=0.04)


@pytest.mark.parametrize("method", ["kink", "half"])
def test_too_few_runs_for_an_interval(method):
    with pytest.warns(UserWarning, match="there are 3 runs"):
        crossover(*scores(n_runs=3), method=method)


def test_one_run_has_no_interval():
    with pytest.warns(UserWarning, match="there are 1 runs: too few for an interval"):
        result = crossover(*scores(n_runs=1))
    assert np.isnan(result.interval).all()
    with pytest.warns(UserWarning, match="there are 1 runs: too few for an interval"):
        result = crossover(*scores(n_runs=1), method="half")
    assert np.isnan(result.interval).all()


def test_temperatures_that_do_not_fill_the_windows_are_refused():
    temperature, proba, run = scores()
    warm = temperature > 0.3
    with pytest.raises(ValueError, match="the window low=.* must hold at least 2 temperatures"):
        crossover(temperature[warm], proba[warm], run[warm])


def test_bad_probabilities_are_refused():
    temperature, proba, run = scores()
    with pytest.raises(ValueError, match="proba must hold probabilities between 0 and 1"):
        crossover(temperature, proba * 2, run)
    with pytest.raises(
        ValueError, match="one value for each configuration, got shapes .*the glass"
    ):
        crossover(temperature, np.column_stack([proba, 1 - proba]), run)


def linear_runs(temperature, log_odds, n_runs=6):
    temperature = np.tile(temperature, n_runs)
    odds = np.tile(log_odds, n_runs)
    return temperature, 1 / (1 + np.exp(-odds)), np.repeat(np.arange(n_runs), len(log_odds))


def test_a_mean_of_exactly_one_half_is_the_crossing():
    found = crossover(*linear_runs([0.1, 0.2, 0.3], [2.0, 0.0, -2.0]), method="half")
    assert found.temperature == pytest.approx(0.2)
    with pytest.warns(UserWarning, match="do not change sign exactly once"):
        found = crossover(*linear_runs([0.1, 0.2, 0.3], [2.0, 1.0, 0.0]), method="half")
    assert np.isnan(found.temperature)


EVEN = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8])


@pytest.mark.parametrize(
    ("log_odds", "words"),
    [
        (3 - 10 * EVEN, "no bend between the windows"),
        (np.where(EVEN < 0.36, 30.0, -30.0), "no bend between the windows"),
        (np.where(EVEN < 0.36, 5.0, 5.0 - 0.1 * (EVEN - 3)), "cross at 3, outside the data"),
    ],
    ids=["straight", "saturated", "outside"],
)
def test_no_number_is_invented_where_lines_do_not_cross_in_the_data(log_odds, words):
    with pytest.warns(UserWarning, match=f"no crossover seen: .*{words}"):
        found = crossover(*linear_runs(EVEN, log_odds))
    assert np.isnan(found.temperature)
    assert np.isnan(found.interval).all()


def test_bad_windows_and_empty_input_are_refused():
    with pytest.raises(ValueError, match="windows must be two pairs of temperatures"):
        crossover(*scores(), windows=(0.05, 0.2))
    with pytest.raises(ValueError, match="proba holds no configuration"):
        crossover([], [], [])
