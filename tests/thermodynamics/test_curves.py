"""Cooling curves from configurations: averaging, and which runs belong together."""

import numpy as np
import pytest

from glassclf.configurations import Configurations, as_configurations
from glassclf.datasets import load_equal_energy, load_kob_andersen
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


@pytest.mark.parametrize("steps", [None, 1, np.int64(20_000)])
def test_cooling_steps_are_kept(steps):
    assert CoolingCurves([1, 2], [1, 2], cooling_steps=steps).cooling_steps == steps


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
    with pytest.raises(ValueError, match=r"1 of 2 runs have .*, run 'ka2d.*001' has \["):
        cooling_curves(data[np.setdiff1d(np.arange(52), [30, 43])])
    one = data[:26]
    one.info.pop("run")
    with pytest.raises(ValueError, match=r"data.info must have .* it lacks \['run'\]"):
        cooling_curves(one)


def test_runs_of_other_temperatures_are_left_out_as_the_message_says(data):
    # One run lacks a temperature, and by the code in the message the other 31 are chosen.
    lacking = (data.info["run"] == data.info["run"][0]) & (data.info["temperature"] == 0.635)
    data = data[~lacking]
    with pytest.raises(
        ValueError, match=r"31 of 32 runs have \[0.05, .*, run '.*000' has \["
    ) as error:
        cooling_curves(data)
    code = str(error.value).split("such as by ")[1]
    chosen = eval(code, {"data": data})
    curves = cooling_curves(chosen)
    assert curves.energy.shape == (31, 13)
    assert data.info["run"][0] not in curves.runs


def test_most_runs_may_have_one_temperature():
    data = load_equal_energy().fast_runs
    with pytest.raises(ValueError, match=r"96 of 128 runs have \[0.05\], run") as error:
        cooling_curves(data)
    code = str(error.value).split("such as by ")[1]
    assert cooling_curves(eval(code, {"data": data})).energy.shape == (96, 1)


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
        (([1, 2], [1, 2], None, -4), "cooling_steps must be None or an integer .* 1, got -4"),
        (([1, 2], [1, 2], None, 0), "cooling_steps must be None or an integer .* 1, got 0"),
        (([1, 2], [1, 2], None, True), "cooling_steps must be None or an integer .* got True"),
        (([1, 2], [1, 2], None, "x"), "cooling_steps must be None or an integer .* got 'x'"),
    ],
)
def test_bad_curves(arguments, words):
    with pytest.raises(ValueError, match=words):
        CoolingCurves(*arguments)
