import numpy as np
import pytest
from sklearn.utils import Bunch

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import select_glass_and_liquids, select_pair, select_temperatures

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
            r"mixes cooling rates, cooling_steps=\[9, 1000\]: choose one, such as "
            r'data\[data.info\["cooling_steps"\] == 9\], of a Bunch',
        ),
        (
            Bunch(data=Configurations.concatenate([_data(), _data(("c",), cooling_steps=9)])),
            {},
            r', of a Bunch data.data\[data.data.info\["cooling_steps"\] == 9\]$',
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


def test_two_temperatures_run_by_run():
    X, y, groups = select_temperatures(_data(), (1.0, 0.635), state="thermal")
    assert y.tolist() == ["T=1", "T=0.635"] * 2
    assert X.info["temperature"].tolist() == [1.0, 0.635] * 2
    assert set(X.info["state"]) == {"thermal"}
    assert groups.tolist() == X.info["run"].tolist() == ["b", "b", "a", "a"]


def test_two_temperatures_with_names():
    _, y, _ = select_temperatures(Bunch(data=_data()), [0.05, 1.0], labels=("cold", "hot"))
    assert y.tolist() == ["cold", "hot"] * 2


def test_glass_and_all_liquids_run_by_run():
    data = _data(temperatures=(1.0, 0.635, 0.401, 0.05))
    X, y, groups = select_glass_and_liquids(data)
    assert y.tolist() == ["glass", "liquid", "liquid"] * 2
    assert X.info["temperature"].tolist() == [0.05, 1.0, 0.635] * 2
    assert groups.tolist() == X.info["run"].tolist() == ["b"] * 3 + ["a"] * 3


def test_glass_and_chosen_liquids():
    X, y, _ = select_glass_and_liquids(_data(), liquids=[0.635], state="thermal")
    assert y.tolist() == ["glass", "liquid"] * 2
    assert X.info["temperature"].tolist() == [0.05, 0.635] * 2
    assert set(X.info["state"]) == {"thermal"}


@pytest.mark.parametrize(
    ("select", "parameters", "words"),
    [
        (
            select_temperatures,
            {"temperatures": 1.0},
            "temperatures must be two values, of the first and the second class, got 1.0",
        ),
        (
            select_temperatures,
            {"temperatures": (1.0, 0.5)},
            r"temperatures\[1\]=0.5 is not a temperature of data, which has \[0.05, 0.635, 1.0\]",
        ),
        (
            select_temperatures,
            {"temperatures": (1.0, 1.001)},
            r"temperatures\[0\]=1.0 and temperatures\[1\]=1.001 are the same temperature in data",
        ),
        (
            select_temperatures,
            {"labels": ("hot", "hot")},
            r"labels must be two different strings, got \('hot', 'hot'\)",
        ),
        (select_temperatures, {"labels": (1, 2)}, "labels must be two different strings"),
        (select_temperatures, {"labels": "hot"}, "labels must be two values"),
        (
            select_glass_and_liquids,
            {"liquids": []},
            r"liquids must be one or more temperatures, or None for all above 0.45 .*got \[\]",
        ),
        (select_glass_and_liquids, {"liquids": 1.0}, "liquids must be one or more temperatures"),
        (
            select_glass_and_liquids,
            {"liquids": (1.0, 0.5)},
            r"liquids\[1\]=0.5 is not a temperature",
        ),
        (
            select_glass_and_liquids,
            {"liquids": (1.0, 0.05)},
            r"glass=0.05 and liquids\[1\]=0.05 are the same temperature",
        ),
    ],
)
def test_bad_input_of_the_others(select, parameters, words):
    with pytest.raises(ValueError, match=words):
        select(_data(), **parameters)


def test_no_liquid_at_all():
    with pytest.raises(ValueError, match=r"liquids must be one or more.* in data, got \[\]"):
        select_glass_and_liquids(_data(temperatures=(0.3, 0.05)))


@pytest.mark.parametrize("select", [select_pair, select_temperatures, select_glass_and_liquids])
@pytest.mark.parametrize("kind", [lambda data: data, lambda data: Bunch(data=data)])
def test_an_empty_set(select, kind):
    with pytest.raises(ValueError, match="^data is empty: there is no run to choose from$"):
        select(kind(_data()[:0]))
