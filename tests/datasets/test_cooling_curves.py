"""The packed file of cooling curves gives back what went into it."""

import numpy as np

from glassclf.datasets.cooling_curves import pack_curves, unpack_curves
from glassclf.thermodynamics import CoolingCurves


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
