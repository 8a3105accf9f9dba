"""Differences between coolings: paired or not, resolved or not, and where curves part."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from glassclf.thermodynamics import (
    CoolingCurves,
    GlassTransition,
    compare_energies,
    compare_glass_transitions,
    parting_temperature,
)

T = np.linspace(0.05, 1.0, 96)


def energies(n_runs, seed, tg=0.37):
    rng = np.random.default_rng(seed)
    shifts, tilts = rng.normal(0, 0.004, (n_runs, 1)), rng.normal(0, 0.012, (n_runs, 1))
    bent = -3.7 + np.where(T < tg, 0.005, 0.09) * (T - tg)
    return bent + shifts + tilts * (T - 0.4) + rng.normal(0, 0.002, (n_runs, len(T)))


def fit(energy, groups=None, **settings):
    return GlassTransition(random_state=0, **settings).fit(T, energy, groups=groups)


def test_differences_of_each_with_each():
    fitted = {f"{tg}": fit(energies(16, seed, tg)) for seed, tg in enumerate((0.45, 0.37, 0.36))}
    result = compare_glass_transitions(fitted, random_state=0)
    assert result.names == ["0.45", "0.37", "0.36"]
    assert result.pairs == [("0.45", "0.37"), ("0.45", "0.36"), ("0.37", "0.36")]
    np.testing.assert_allclose(result.tg, [each.tg_ for each in fitted.values()])
    assert result.difference[0] == pytest.approx(fitted["0.45"].tg_ - fitted["0.37"].tg_)
    assert (result.interval[:, 0] < result.difference).all()
    assert (result.difference < result.interval[:, 1]).all()
    assert result.resolved.tolist() == [True, True, False]
    assert not result.paired.any()
    assert result.sentences[0].startswith("Tg: 0.45 is 0.0")
    assert result.sentences[0].endswith(": resolved.")
    assert "95 % interval" in result.sentences[2]
    assert result.sentences[2].endswith(": not resolved.")
    # Half the width of an interval is about two standard errors of one.
    widths = [np.ptp(each.tg_interval_) for each in fitted.values()]
    np.testing.assert_allclose(result.standard_error, np.array(widths) / 4, rtol=0.2)


def test_the_same_runs_are_compared_in_pairs():
    energy = energies(16, 0)
    names = np.array([f"run-{index}" for index in range(16)])
    first = fit(energy, names)
    # The same runs in another order, and 0.01 warmer: nothing but the shift is left.
    order = np.random.default_rng(0).permutation(16)
    second = GlassTransition((0.06, 0.21), (0.51, 0.81)).fit(T + 0.01, energy[order], names[order])
    result = compare_glass_transitions({"a": first, "b": second}, random_state=0)
    assert result.paired.tolist() == [True]
    np.testing.assert_allclose(result.interval, [[-0.01, -0.01]], atol=1e-9)
    assert result.resolved.all()
    # Without names nobody knows that they are the same.
    unnamed = compare_glass_transitions({"a": fit(energy), "b": fit(energy + 0.0)}, random_state=0)
    assert unnamed.paired.tolist() == [False]
    assert np.ptp(unnamed.interval) > 0.02
    assert not unnamed.resolved.any()


def test_interval_of_a_difference_is_as_wide_as_the_fewer_runs_make_it():
    few, many = fit(energies(5, 0)), fit(energies(60, 1))
    result = compare_glass_transitions({"few": few, "many": many}, random_state=0)
    # The many add next to nothing, and do not lend the few their narrow tails.
    assert np.ptp(result.interval[0]) == pytest.approx(np.ptp(few.tg_interval_), rel=0.15)


def test_runs_that_do_not_bend_give_no_bounds():
    # Six runs with slopes of the liquid from -0.15 to 0.19 that of the mean cannot be told from 0.
    tilts = np.array([-0.15, -0.1, -0.02, 0.05, 0.15, 0.19])[:, None]
    with pytest.warns(UserWarning, match="reaches outside the data"):
        straight = fit(-3.7 + tilts * np.maximum(T - 0.37, 0))
    result = compare_glass_transitions({"a": straight, "b": fit(energies(6, 0))}, random_state=0)
    assert result.interval.tolist() == [[-np.inf, np.inf]]
    assert not result.resolved.any()
    assert result.sentences[0].endswith("95 % interval -inf to inf: not resolved.")
    assert result.standard_error[1] < 0.05


def test_standard_error_does_not_hang_on_nearly_parallel_lines():
    # The liquid of the mean rises, that of two runs hardly does: some resamples cross far away.
    tilts = np.array([0.0, 0.001, 0.1, 0.08, 0.09, 0.11])[:, None]
    energy = -3.7 + tilts * np.maximum(T - 0.37, 0) + 0.003 * np.array([1, -1] * 3)[:, None] * T
    fitted = fit(energy)
    result = compare_glass_transitions({"a": fitted, "b": fit(energies(6, 0))}, random_state=0)
    half = np.ptp(np.nanquantile(fitted.bootstrap_, [0.16, 0.84])) / 2
    assert half < result.standard_error[0] < 1.5 * half


def test_intervals_of_differences_cover_the_truth():
    covered = 0
    for seed in range(60):
        fitted = {
            "a": fit(energies(16, 2 * seed, 0.40), n_bootstrap=100),
            "b": fit(energies(16, 2 * seed + 1, 0.37), n_bootstrap=100),
        }
        result = compare_glass_transitions(fitted, n_bootstrap=1000, random_state=seed)
        ((low, high),) = result.interval
        covered += low <= 0.03 <= high
    assert covered >= 53


def curves(n_runs, seed, glass=-3.70):
    rng = np.random.default_rng(seed)
    frozen = np.maximum(-3.75 + 0.1 * T, glass)
    return CoolingCurves(T, frozen + rng.normal(0, 0.002, (n_runs, 1)))


def test_energies_at_one_temperature():
    sets = {"fast": curves(16, 0, -3.68), "slow": curves(16, 1, -3.70), "again": curves(16, 2)}
    result = compare_energies(sets)
    assert result.difference[0] == pytest.approx(0.02, abs=0.003)
    assert result.resolved.tolist() == [True, True, False]
    np.testing.assert_allclose(result.mean, [each.mean()[0] for each in sets.values()])
    expected = [each.standard_error()[0] for each in sets.values()]
    np.testing.assert_allclose(result.standard_error, expected)
    assert result.sentences[0].startswith("Energy at T = 0.05: fast is 0.0")
    np.testing.assert_allclose(result.interval.mean(axis=1), result.difference)
    assert not compare_energies(sets, temperature=0.9).resolved.any()
    assert np.ptp(compare_energies(sets, confidence=0.5).interval[0]) < np.ptp(result.interval[0])


def test_interval_of_energies_is_that_of_welch():
    stats = pytest.importorskip("scipy.stats")
    a, b = curves(5, 0), CoolingCurves(T, 3 * curves(9, 1).energy)
    ((low, high),) = compare_energies({"a": a, "b": b}).interval
    expected = stats.ttest_ind(a.energy[:, 0], b.energy[:, 0], equal_var=False)
    np.testing.assert_allclose([low, high], expected.confidence_interval(0.95))


def test_a_difference_below_is_told_as_such():
    sentence = compare_energies({"slow": curves(9, 0, -3.70), "fast": curves(9, 1, -3.60)})
    assert "slow is 0.0" in sentence.sentences[0] or "slow is 0.1" in sentence.sentences[0]
    assert " below fast, 95 % interval 0." in sentence.sentences[0]


def test_curves_part_where_one_freezes():
    # They freeze at T = 0.7 and at T = 0.5.
    first, second = curves(16, 0, -3.68), curves(16, 1, -3.70)
    assert parting_temperature(first, second) == pytest.approx(0.67, abs=0.04)
    assert parting_temperature(second, first) == pytest.approx(0.67, abs=0.04)
    assert np.isnan(parting_temperature(second, curves(16, 2)))
    # Other temperatures are interpolated, and a wider range is cut.
    wide = CoolingCurves(np.append(T[::3], 3.0), np.pad(first.energy[:, ::3], [(0, 0), (0, 1)]))
    assert parting_temperature(wide, second) == pytest.approx(0.67, abs=0.05)
    everywhere = CoolingCurves(T, first.energy + 1)
    assert parting_temperature(everywhere, second) == 1.0


@pytest.mark.parametrize("confidence", [95, 0, 1.0, np.nan, "0.9", None])
def test_confidence_is_a_share(confidence):
    fitted, sets = fit(energies(6, 0)), {"a": curves(4, 0), "b": curves(4, 1)}
    calls = [
        lambda: compare_glass_transitions({"a": fitted, "b": fitted}, confidence=confidence),
        lambda: compare_energies(sets, confidence=confidence),
        lambda: parting_temperature(*sets.values(), confidence=confidence),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="confidence must be a number between 0 and 1, got"):
            call()


def test_few_temperatures_do_not_make_curves_part():
    # The same curved energies: chords between far points lie above them.
    noise = 1e-4 * np.array([1, -1] * 4)[:, None]
    dense = CoolingCurves(T, T**2 + noise)
    coarse = CoolingCurves(T[::19], T[::19] ** 2 - noise)
    assert np.isnan(parting_temperature(dense, coarse))
    assert np.isnan(parting_temperature(coarse, dense))
    lower = CoolingCurves(T[::19], T[::19] ** 2 - 0.01 * (T[::19] < 0.5) - noise)
    assert parting_temperature(dense, lower) == parting_temperature(lower, dense) == T[38]


def test_bad_comparisons():
    good = fit(energies(6, 0))
    for n_bootstrap in (0, 99, 1e3):
        with pytest.raises(ValueError, match="n_bootstrap must be an integer of at least 100, got"):
            compare_glass_transitions({"a": good, "b": good}, n_bootstrap=n_bootstrap)
    with pytest.raises(TypeError, match="fitted must be a dict from names, got list"):
        compare_glass_transitions([good, good])
    with pytest.raises(ValueError, match="fitted must hold at least two to compare, it holds 1"):
        compare_glass_transitions({"a": good})
    with pytest.raises(NotFittedError):
        compare_glass_transitions({"a": good, "b": GlassTransition()})
    with pytest.warns(UserWarning, match="there is one run"):
        single = fit(energies(1, 0))
    with pytest.raises(
        ValueError, match="'b' was fitted to one run, which tells nothing of its er"
    ):
        compare_glass_transitions({"a": good, "b": single})
    with pytest.raises(TypeError, match="curves must be a dict from names, got CoolingCurves"):
        compare_energies(curves(4, 0))
    with pytest.raises(ValueError, match="'b' has one run, which tells nothing of its error"):
        compare_energies({"a": curves(4, 0), "b": curves(1, 0)})
    words = "'a' has no point within 0.005 of temperature=0.02, the nearest is 0.05"
    with pytest.raises(ValueError, match=words):
        compare_energies({"a": curves(4, 0), "b": curves(4, 1)}, temperature=0.02)
    with pytest.raises(ValueError, match="'second' has one run"):
        parting_temperature(curves(4, 0), curves(1, 0))
    hot = CoolingCurves(T + 2, curves(4, 0).energy)
    with pytest.raises(ValueError, match="two temperatures in common, first has 0.05 to 1 and sec"):
        parting_temperature(curves(4, 0), hot)
