import numpy as np
import pytest
from sklearn.utils import Bunch

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import select_pair

TEMPERATURES = (1.0, 0.635, 0.05)


def _data(runs=("b", "a"), temperatures=TEMPERATURES, cooling_steps=1000):
    return Configurations(
        Configuration(
            [[0.5, 0.5]],
            [0],
            [1.0, 1.0],
            info={
                "temperature": temperature,
                "run": run,
                "state": state,
                "cooling_steps": cooling_steps,
            },
        )
        for run in runs
        for state in ("thermal", "inherent")
        for temperature in temperatures
    )


def test_rows_run_by_run_glass_first():
    X, y, groups = select_pair(_data())
    assert y.tolist() == ["glass", "liquid", "glass", "liquid"]
    assert groups.tolist() == ["b", "b", "a", "a"]
    assert X.info["run"].tolist() == ["b", "b", "a", "a"]
    assert X.info["temperature"].tolist() == [0.05, 0.635, 0.05, 0.635]
    assert X.info["state"].tolist() == ["inherent"] * 4


def test_bunch_other_state_and_tolerance():
    X, y, groups = select_pair(Bunch(data=_data()), glass=0.054, liquid=0.996, state="thermal")
    assert X.info["temperature"].tolist() == [0.05, 1.0, 0.05, 1.0]
    assert set(X.info["state"]) == {"thermal"}
    assert len(X) == len(y) == len(groups)


def test_runs_that_are_not_together_in_the_set():
    data = _data()
    X, y, groups = select_pair(data[np.arange(len(data)).reshape(2, -1).T.ravel()])
    assert groups.tolist() == ["b", "b", "a", "a"]
    assert y.tolist() == ["glass", "liquid"] * 2


def test_mixed_rates_after_choosing_one():
    both = Configurations.concatenate([_data(), _data(("c",), cooling_steps=9)])
    X, _, _ = select_pair(both[both.info["cooling_steps"] == 9])
    assert X.info["run"].tolist() == ["c", "c"]


def _without(name):
    data = _data()
    del data.info[name]
    return data


@pytest.mark.parametrize(
    ("data", "parameters", "words"),
    [
        (_data(), {"glass": 0.2}, r"glass=0.2 is not a temperature .*\[0.05, 0.635, 1.0\]"),
        (_data(), {"liquid": 0.6}, r"liquid=0.6 is not a temperature .*\[0.05, 0.635, 1.0\]"),
        (_data(), {"glass": "x"}, "glass must be a temperature, a number, got 'x'"),
        (_data(), {"liquid": None}, "liquid must be a temperature, a number, got None"),
        (_data(), {"glass": True}, "glass must be a temperature, a number, got True"),
        (_data(), {"liquid": 0.05}, "glass=0.05 and liquid=0.05 are the same temperature"),
        (_data(), {"state": "frozen"}, r"state must be one of .*\['inherent', 'thermal'\].*frozen"),
        (
            Configurations.concatenate([_data(), _data(("c",), cooling_steps=9)]),
            {},
            r"mixes cooling rates, cooling_steps=\[9, 1000\]: choose one",
        ),
        (
            Configurations.concatenate([_data(), _data(("c",), temperatures=(0.05,))]),
            {},
            "run 'c' must have exactly one inherent configuration within 0.005 of liquid=0.635, "
            "it has 0",
        ),
        (
            _data(temperatures=(0.635, 0.05, 0.052)),
            {},
            "run 'b' must have exactly one inherent configuration .*glass=0.05, it has 2",
        ),
        (_without("run"), {}, r"data.info must have .* it lacks \['run'\]"),
        (_without("state"), {}, r"data.info must have .* it lacks \['state'\]"),
    ],
)
def test_bad_input(data, parameters, words):
    with pytest.raises(ValueError, match=words):
        select_pair(data, **parameters)


@pytest.mark.parametrize("data", [[1, 2], None, Bunch(DESCR="")])
def test_data_of_another_kind(data):
    with pytest.raises(TypeError, match="data must be a Configurations or the Bunch of load_kob"):
        select_pair(data)
