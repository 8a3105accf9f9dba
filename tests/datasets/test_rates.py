import pytest
from sklearn.utils import Bunch

from glassclf.datasets import select_rates

ROWS = [
    (f"{letter}{steps}", steps, temperature, -3.7)
    for letter in "ab"
    for steps in (9, 1000, 20_000)
    for temperature in (0.3, 0.05)
]


def test_two_rates_at_one_temperature(make_set):
    X, y, groups = select_rates(make_set(ROWS), (9, 1000), temperature=0.302)
    assert y.tolist() == ["9 steps"] * 2 + ["1000 steps"] * 2
    assert groups.tolist() == X.info["run"].tolist() == ["a9", "b9", "a1000", "b1000"]
    assert set(X.info["temperature"]) == {0.3}


def test_names_bunch_and_unequal_numbers(make_set):
    data = make_set([row for row in ROWS if row[0] != "b9"])
    labels = ("glass", "liquid")
    X, y, _ = select_rates(Bunch(data=data), [9, 1000], temperature=0.3, labels=labels)
    assert y.tolist() == ["glass", "liquid", "liquid"]
    assert X.info["cooling_steps"].tolist() == [9, 1000, 1000]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"cooling_steps": (9, 10)}, r"cooling_steps\[1\]=10 is not in data.*\[9, 1000, 20000\]"),
        ({"cooling_steps": 9}, "cooling_steps must be two values, .* got 9"),
        ({"cooling_steps": (9, 9)}, r"cooling_steps must be two different rates, got \(9, 9\)"),
        ({"temperature": 0.2}, r"temperature=0.2 is not a temperature .*\[0.05, 0.3\]"),
        ({"temperature": "x"}, "temperature must be a temperature, a number, got 'x'"),
        (
            {"state": "thermal"},
            r"state must be one of those in data, \['inherent'\], got 'thermal'",
        ),
        ({"labels": ("a", "a")}, "labels must be two different strings"),
    ],
)
def test_bad_input(make_set, parameters, words):
    with pytest.raises(ValueError, match=words):
        select_rates(make_set(ROWS), **{"cooling_steps": (9, 1000), **parameters})


def test_lacking_info(make_set):
    data = make_set(ROWS)
    del data.info["cooling_steps"]
    with pytest.raises(ValueError, match=r"it lacks \['cooling_steps'\]"):
        select_rates(data, (9, 1000))


def test_data_of_another_kind():
    with pytest.raises(TypeError, match="data must be a Configurations"):
        select_rates([1, 2])
