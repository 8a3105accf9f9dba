"""The report of a regression: numbers that can be checked by hand, and honest intervals."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error

from glassclf.inspection import regression_report

RNG = np.random.default_rng(0)


def simulated(bias=0.0, run_spread=0.0, n_runs=6, n=20, noise=0.1):
    """Three values, several runs of each, several samples of each run."""
    value = np.repeat([-3.0, -2.0, -1.0], n_runs * n)
    run = np.repeat(np.arange(3 * n_runs), n)
    shifts = run_spread * RNG.normal(size=3 * n_runs)
    return value, value + bias + shifts[run] + noise * RNG.normal(size=len(value)), run


def test_numbers_are_those_of_other_libraries():
    y, found, run = simulated(bias=0.05)
    report = regression_report(y, found, groups=run)
    assert report.r == pytest.approx(np.corrcoef(y, found)[0, 1])
    assert report.mae == pytest.approx(mean_absolute_error(y, found))
    assert report.value.tolist() == [-3.0, -2.0, -1.0]
    assert report.n_runs.tolist() == [6, 6, 6]
    for number, value in enumerate(report.value):
        mine = found[y == value]
        assert report.mean[number] == pytest.approx(mine.mean())
        assert report.spread[number] == pytest.approx(mine.std())
        assert report.bias[number] == pytest.approx(mine.mean() - value)


def test_the_interval_of_the_bias_is_over_runs():
    # Runs that are off by themselves: many samples of each do not make the bias better known.
    missed = [0, 0]
    for _ in range(60):
        y, found, run = simulated(run_spread=0.2)
        for place, groups in enumerate((run, None)):
            low, high = regression_report(y, found, groups=groups).bias_interval.T
            missed[place] += ((low > 0) | (high < 0)).sum()
    assert missed[0] < 0.1 * 180
    assert missed[1] > 0.3 * 180
    one = regression_report([0, 0, 1, 1], [0.1, 0.2, 1, 1], groups=[0, 0, 1, 1])
    assert np.isnan(one.bias_interval).all()


def test_calibration_of_an_uncertainty():
    y = np.repeat([0.0, 1.0], 5000)
    found = y + RNG.normal(size=10_000)
    right = regression_report(y, found, std=np.ones(10_000))
    assert right.coverage == pytest.approx([0.683, 0.954], abs=0.02)
    assert right.scale == pytest.approx(1.0, abs=0.03)
    sure = regression_report(y, found, std=np.full(10_000, 0.25))
    assert sure.scale == pytest.approx(4.0, abs=0.1)
    assert sure.coverage[0] < 0.25
    assert regression_report(y, found).coverage is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.0, 1.0], [0.0, np.nan]), "y_pred must be finite, got nan for sample 1"),
        (([[0.0], [1.0]], [0.0, 1.0]), r"y_true must have shape \(n,\), got \(2, 1\)"),
        (([0.0, 1.0], [0.0]), "inconsistent numbers of samples"),
        (([1.0, 1.0], [0.0, 1.0]), r"at least two values, got \[1.0\]"),
    ],
)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        regression_report(*arguments)


@pytest.mark.parametrize("confidence", [95, 0, 1, -1, "0.9"])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\), got"):
        regression_report([0, 1], [0, 1], confidence=confidence)


def test_bad_uncertainties_are_refused():
    with pytest.raises(ValueError, match="std must be positive"):
        regression_report([0, 1], [0, 1], std=[0.1, 0.0])
