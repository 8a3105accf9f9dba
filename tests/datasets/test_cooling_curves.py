"""The packed file of cooling curves gives back what went into it."""

import numpy as np

from glassclf.datasets import load_cooling_curves, load_kob_andersen
from glassclf.datasets.cooling_curves import pack_curves, unpack_curves
from glassclf.thermodynamics import CoolingCurves, compare_energies, cooling_curves


def test_packing_keeps_the_curves(tmp_path):
    rng = np.random.default_rng(0)
    temperature = np.linspace(0.05, 2, 7)
    curves = {
        steps: CoolingCurves(
            temperature + steps * 1e-9,
            rng.normal(-3.7, 0.01, (n_runs, 7)),
            [f"c{steps}-{index}" for index in range(n_runs)],
            steps,
        )
        for steps, n_runs in [(200_000, 3), (20_000, 2)]
    }
    np.savez_compressed(tmp_path / "curves.npz", **pack_curves(curves))
    with np.load(tmp_path / "curves.npz") as arrays:
        again = unpack_curves(arrays)
    assert list(again) == [20_000, 200_000]
    for steps, each in again.items():
        np.testing.assert_array_equal(each.temperature, curves[steps].temperature)
        np.testing.assert_allclose(each.energy, curves[steps].energy, rtol=1e-7)
        assert each.runs.tolist() == curves[steps].runs.tolist()
        assert each.cooling_steps == steps
        assert each.energy.dtype == np.float64


def test_bundled_curves():
    bunch = load_cooling_curves()
    assert {steps: each.energy.shape for steps, each in bunch.curves.items()} == {
        20_000: (16, 200),
        200_000: (16, 200),
        2_000_000: (16, 200),
    }
    runs = np.concatenate([each.runs for each in bunch.curves.values()])
    assert len(np.unique(runs)) == len(runs)
    for each in bunch.curves.values():
        np.testing.assert_allclose(each.temperature, np.linspace(0.05, 2, 200), atol=1e-4)
    assert "20,000 steps" in bunch.DESCR
    assert bunch.units["energy"] == "eps_AA per particle"


def test_slower_cooling_ends_deeper_beyond_its_error():
    result = compare_energies(load_cooling_curves().curves, temperature=0.05)
    assert result.resolved.all()
    assert (result.difference > 0).all()
    assert abs(result.mean[0] + 3.663) < 0.01


def test_bundled_curves_and_bundled_runs_agree():
    curves, runs = load_cooling_curves().curves[200_000], cooling_curves(load_kob_andersen())
    for place, temperature in enumerate(runs.temperature):
        mean = np.interp(temperature, curves.temperature, curves.mean())
        error = np.interp(temperature, curves.temperature, curves.standard_error())
        assert abs(mean - runs.mean()[place]) < 4 * np.hypot(error, runs.standard_error()[place])
