"""The info of a set: one value for each sample, checked when it is set."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.configurations.sample_info import SampleInfo


def make_set(n=8):
    return Configurations(
        Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info={"run": f"r{i}"}) for i in range(n)
    )


SETTERS = {
    "item": lambda X, values: X.info.__setitem__("run", values),
    "update": lambda X, values: X.info.update({"run": values}),
    "update by keyword": lambda X, values: X.info.update(run=values),
    "or": lambda X, values: X.info.__ior__({"run": values}),
    "setdefault": lambda X, values: (X.info.clear(), X.info.setdefault("run", values)),
    "attribute": lambda X, values: setattr(X, "info", {"run": values}),
    "arrays": lambda X, values: Configurations.from_arrays(
        X.positions, X.types, X.offsets, X.cells, X.periodic, {"run": values}
    ),
    "constructor": lambda X, values: SampleInfo(len(X), {"run": values}),
}


@pytest.mark.parametrize("way", SETTERS)
@pytest.mark.parametrize(
    ("values", "got"),
    [
        (np.arange(50), "got 50"),
        ([1, 2], "got 2"),
        ([], "got 0"),
        ("r1", r"got the single value 'r1'; np.full\(8, 'r1'\) repeats it"),
        (0.5, r"got the single value 0.5; np.full\(8, 0.5\) repeats it"),
        (None, "got the single value None"),
        ({"a": 1}, "got the single value {'a': 1}"),
    ],
)
def test_another_length_and_single_values_are_refused_in_every_way_to_set(way, values, got):
    message = r"info\['run'\] must have one value for each of the 8 configurations, " + got
    with pytest.raises(ValueError, match=message):
        SETTERS[way](make_set(), values)


def test_values_of_several_shapes_are_refused():
    with pytest.raises(ValueError, match=r"info\['v'\] must have one shape in all"):
        make_set(2).info["v"] = [[1.0], [1.0, 2.0]]


@pytest.mark.parametrize("info", [3, ["run"], "run"])
def test_other_things_than_dicts_are_refused(info):
    with pytest.raises(TypeError, match="info must be a dict or None, got"):
        make_set().info = info


def test_a_refused_update_changes_nothing():
    X = make_set(3)
    with pytest.raises(ValueError, match=r"info\['T'\]"):
        X.info.update(run=["a", "b", "c"], T=[1.0])
    assert {name: values.tolist() for name, values in X.info.items()} == {"run": ["r0", "r1", "r2"]}


def test_lists_and_tables_become_arrays_that_follow_the_index():
    X = make_set(3)
    X.info["run"] = ["a", "b", "c"]
    X.info.update({"v": [[1, 2], [3, 4], [5, 6]]}, T=(0.5, 1.0, 1.5))
    X.info |= {"k": range(3)}
    assert X.info.setdefault("k", None).tolist() == [0, 1, 2]
    assert X.info.setdefault("new", [7, 8, 9]).tolist() == [7, 8, 9]
    part = X[[2, 0]]
    assert isinstance(part.info, SampleInfo)
    assert {name: values.tolist() for name, values in part.info.items()} == {
        "run": ["c", "a"], "v": [[5, 6], [1, 2]], "T": [1.5, 0.5], "k": [2, 0], "new": [9, 7],
    }  # fmt: skip
    assert X[1].info["v"].tolist() == [3, 4]
    part.info["run"] = ["x", "y"]
    assert X.info["run"].tolist() == ["a", "b", "c"]
    X.info = None
    assert X.info == {}


def test_it_is_a_dict_and_copies_to_a_plain_one():
    info = make_set().info
    assert isinstance(info, dict)
    for plain in (dict(info), info.copy(), info | {}):
        assert type(plain) is dict
        assert list(plain) == ["run"]


def test_arrays_are_kept_and_not_copied(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(8.0))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    X = make_set()
    X.info["T"] = mapped
    assert X.info["T"] is mapped
    joblib.dump(X, tmp_path / "set")
    back = joblib.load(tmp_path / "set", mmap_mode="r")
    assert isinstance(back.info["T"], np.memmap)
    X.save(tmp_path / "set.safetensors")
    opened = Configurations.open(tmp_path / "set.safetensors")
    assert isinstance(opened.info, SampleInfo)
    assert not opened.info["T"].flags.owndata


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, copy.copy, lambda X: pickle.loads(pickle.dumps(X))]
)
def test_copies_check_too_and_hash_the_same(duplicate):
    X = make_set()
    X.info["T"] = np.arange(8.0)
    for one, twin in ((X, duplicate(X)), (X.info, duplicate(X.info))):
        assert joblib.hash(twin) == joblib.hash(one)
        info = twin.info if isinstance(twin, Configurations) else twin
        assert isinstance(info, SampleInfo)
        with pytest.raises(ValueError, match="each of the 8 configurations, got 3"):
            info["T"] = [1, 2, 3]
    deep = copy.deepcopy(X)
    deep.info["T"] += 1
    assert X.info["T"].tolist() == list(range(8))


def test_the_hash_follows_the_values_and_not_the_order_of_names():
    one, other = make_set(), make_set()
    one.info.update(a=np.arange(8), b=np.ones(8))
    other.info.update(b=np.ones(8), a=np.arange(8))
    assert joblib.hash(one) == joblib.hash(other)
    other.info["b"] = np.zeros(8)
    assert joblib.hash(one) != joblib.hash(other)


def test_strings_and_numbers_do_not_mix():
    X = make_set()
    message = (
        r"info\['run'\] mixes strings with others, got 7 for configuration 7: make all strings"
    )
    with pytest.raises(ValueError, match=message):
        X.info["run"] = [*"abcdefg", 7]
    X.info["run"] = list("abcdefgh")
    assert X.info["run"].tolist() == list("abcdefgh")
