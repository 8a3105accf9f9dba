"""Measures that separate, that a score follows, and that tell nothing."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from glassclf.inspection import compare_measures

RNG = np.random.default_rng(0)
RUN = np.repeat(np.arange(30), 2)
Y = np.tile(["glass", "liquid"], 30)
IS_LIQUID = Y == "liquid"
MEASURES = {
    "energy": -3.7 + 0.1 * IS_LIQUID + 0.02 * RNG.normal(size=60),
    "order": 1.0 - IS_LIQUID,
    "noise": RNG.normal(size=60),
}


def test_auc_is_that_of_the_measure_itself():
    result = compare_measures(MEASURES, Y, groups=RUN, random_state=0)
    assert result.names == ["energy", "order", "noise"]
    expected = [roc_auc_score(IS_LIQUID, values) for values in MEASURES.values()]
    assert np.allclose(result.auc, expected)
    assert result.auc[:2] == pytest.approx([1.0, 0.0], abs=0.01)
    assert abs(result.auc[2] - 0.5) < 3 * result.auc_error[2]
    assert result.auc_error[1] == 0
    # The error of an AUC of 30 against 30 without any difference is known.
    assert result.auc_error[2] == pytest.approx(np.sqrt(61 / (12 * 900)), rel=0.3)
    assert result.correlation is result.explained is result.explained_by_all is None


def test_shares_of_the_score():
    score = 10 * MEASURES["energy"] + 0.5 * MEASURES["noise"]
    result = compare_measures(MEASURES, Y, score, groups=RUN, random_state=0)
    assert result.explained_by_all == pytest.approx(1.0)
    assert result.explained[0] == pytest.approx(np.corrcoef(MEASURES["energy"], score)[0, 1] ** 2)
    assert result.correlation[0] > 0.5
    assert result.correlation[1] < -0.5
    monotonous = compare_measures(MEASURES, Y, np.exp(50 * MEASURES["energy"] + 185))
    assert monotonous.correlation[0] == pytest.approx(1.0)


def test_error_is_over_runs():
    runs = np.repeat(np.arange(6), 10)
    y = np.where(runs < 3, "glass", "liquid")
    values = np.array([0.0, 2.0, 4.0, 1.0, 3.0, 5.0])[runs] + 0.01 * RNG.normal(size=60)
    by_run, alone = (
        compare_measures({"value": values}, y, groups=groups, random_state=0).auc_error[0]
        for groups in (runs, None)
    )
    assert by_run > 1.5 * alone


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"y must hold two classes, got \['glass'\]"):
        compare_measures(MEASURES, ["glass"] * 60)
    with pytest.raises(ValueError, match="measures holds none"):
        compare_measures({}, Y)
    with pytest.raises(ValueError, match=r"short must have shape \(60,\), as y has, got \(59,\)"):
        compare_measures({"short": np.zeros(59)}, Y)
    holes = np.where(np.arange(60) == 7, np.nan, 0.0)
    with pytest.raises(ValueError, match="holes must be finite, got nan for configuration 7"):
        compare_measures({"holes": holes}, Y)
    with pytest.raises(ValueError, match="score must have shape"):
        compare_measures(MEASURES, Y, np.zeros(3))


def test_no_error_is_claimed_where_runs_are_too_few():
    for groups in (np.zeros(60), Y):
        result = compare_measures(MEASURES, Y, groups=groups, random_state=0)
        assert np.isnan(result.auc_error).all()


def test_a_table_is_taken_and_a_constant_score_is_refused():
    pandas = pytest.importorskip("pandas")
    result = compare_measures(pandas.DataFrame(MEASURES), Y, random_state=0)
    assert result.names == list(MEASURES)
    with pytest.raises(ValueError, match="score is 1.0 for all configurations"):
        compare_measures(MEASURES, Y, np.ones(60))
