"""Cooling curves from configurations: averaging, and which runs belong together."""

import numpy as np
import pytest

from glassclf.configurations import Configurations, as_configurations
from glassclf.datasets import load_kob_andersen
from glassclf.thermodynamics import CoolingCurves, cooling_curves


@pytest.fixture(scope="module")
def data():
    return load_kob_andersen().data


def test_mean_and_standard_error():
    energy = np.random.default_rng(0).normal(size=(9, 5))
    curves = CoolingCurves(np.arange(5), energy)
    np.testing.assert_allclose(curves.mean(), energy.mean(axis=0))
    np.testing.assert_allclose(curves.standard_error(), energy.std(axis=0, ddof=1) / 3)
    assert len(curves) == 9


def test_temperature_rises_and_energies_follow():
    curves = CoolingCurves([2.0, 0.5, 1.0], [20.0, 5.0, 10.0])
    assert curves.temperature.tolist() == [0.5, 1.0, 2.0]
    assert curves.energy.tolist() == [[5.0, 10.0, 20.0]]
    assert curves.runs.tolist() == ["0"]
    assert np.isnan(curves.standard_error()).all()


def test_curves_of_the_bundled_runs(data):
    curves = cooling_curves(data)
    assert curves.cooling_steps == 200_000
    assert curves.energy.shape == (32, 13)
    assert curves.runs.tolist() == list(dict.fromkeys(data.info["run"].tolist()))
    info = data[(data.info["state"] == "inherent") & (data.info["temperature"] == 0.479)].info
    place = curves.temperature.tolist().index(0.479)
    np.testing.assert_array_equal(curves.energy[:, place], info["inherent_energy"])
    assert curves.mean()[0] == pytest.approx(-3.697, abs=0.003)


def test_one_state_gives_the_same_curves(data):
    # Both states of a snapshot carry the inherent energy.
    thermal = cooling_curves(data[data.info["state"] == "thermal"])
    np.testing.assert_array_equal(thermal.energy, cooling_curves(data).energy)


def with_two_rates(data):
    other = data[:26]
    other.info["cooling_steps"] = np.full(26, 20_000)
    other.info["run"] = np.full(26, "fast")
    return Configurations.concatenate([other, data[:52]])


def test_a_rate_is_chosen(data):
    both = with_two_rates(data)
    assert len(cooling_curves(both, cooling_steps=20_000)) == 1
    slow = cooling_curves(both, cooling_steps=200_000)
    assert len(slow) == 2
    assert slow.cooling_steps == 200_000
    with pytest.raises(ValueError, match=r"\[20000, 200000\]: choose one, such as cooling_steps=2"):
        cooling_curves(both)
    with pytest.raises(ValueError, match=r"cooling_steps=5 is not in data, which has \[20000, 2"):
        cooling_curves(both, cooling_steps=5)


def test_bad_sets_of_configurations(data):
    with pytest.raises(TypeError, match="data must be a Configurations or the Bunch .* got list"):
        cooling_curves([1, 2])
    with pytest.raises(ValueError, match="data is empty: there is no run to make a curve of"):
        cooling_curves(data[:0])
    with pytest.raises(ValueError, match=r"run 'ka2d.*001' must have the temperatures of run 'ka2"):
        cooling_curves(data[np.setdiff1d(np.arange(52), [30, 43])])
    one = data[:26]
    one.info.pop("run")
    with pytest.raises(ValueError, match=r"data.info must have .* it lacks \['run'\]"):
        cooling_curves(one)


def test_sizes_are_not_averaged(data):
    small = as_configurations([([[0.0, 0.0]], [0], [1.0, 1.0])] * 2)
    for name, values in data[:2].info.items():
        small.info[name] = values
    small.info["run"] = np.full(2, "small")
    with pytest.raises(ValueError, match=r"mixes sizes, n_particles=\[1, 1080\]: choose one"):
        cooling_curves(Configurations.concatenate([small, data[:26]]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [[1, 2, 3]]), r"energy \(n_runs, n_points\), got \(2,\) and \(1, 3\)"),
        (([[1, 2]], [[1, 2]]), r"temperature must have the shape \(n_points,\)"),
        (([], [[]]), "at least one run and one temperature, there is none"),
        (([1, np.nan], [1, 2]), r"temperature must be finite, temperature\[1\] is nan"),
        (([1, 2], [[1, 2], [np.inf, 1]]), r"energy must be finite, energy\[1, 0\] is inf"),
        ((["a", "b"], [1, 2]), "temperature must be an array of numbers: could not convert"),
        (([2, 1, 2], [1, 2, 3]), "hold each value once, 2 stands there twice"),
        (([1, 2], [[1, 2], [1, 2]], ["a", "a"]), "a name of its own for each of the 2 runs, got"),
        (([1, 2], [[1, 2], [1, 2]], ["a"]), "a name of its own for each of the 2 runs"),
    ],
)
def test_bad_curves(arguments, words):
    with pytest.raises(ValueError, match=words):
        CoolingCurves(*arguments)
