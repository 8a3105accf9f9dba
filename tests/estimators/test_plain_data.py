"""State as plain data comes back as it was, type by type, and nothing else is taken."""

import enum

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassclf.estimators.plain_data import from_plain, pack, to_plain, unpack

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.integers() | st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    leaves | st.frozensets(st.integers(), max_size=3).map(set),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=20,
)


def returned(value):
    return from_plain(unpack(pack(to_plain(value))))


def typed(value):
    """Values with their types, which comparison overlooks: 1 == 1.0 == True."""
    if isinstance(value, dict):
        return [(typed(key), typed(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    return type(value), value


@given(values)
def test_round_trip(value):
    assert typed(returned(value)) == typed(value)


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a")])
def test_numbers_of_numpy_become_those_of_python(value):
    assert typed(returned(value)) == typed(value.item())


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "i8", "u1", "?"])
def test_arrays_and_tensors(dtype):
    array = np.arange(6).reshape(2, 3).T.astype(dtype)
    for value in (array, torch.from_numpy(array)):
        back = returned([value, value])
        assert type(back[0]) is type(value)
        np.testing.assert_array_equal(back[0], value)
        np.testing.assert_array_equal(back[1], value)
        assert back[0].dtype == value.dtype


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize("value", [object(), Number.ONE, b"bytes", 1j, np.array(["a"]), {(1, len)}])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(TypeError, match="it is a "):
        to_plain([value])


def test_what_holds_itself_is_refused():
    circle = []
    circle.append(circle)
    with pytest.raises(TypeError, match="it holds itself"):
        to_plain(circle)


def test_a_later_change_does_not_reach_what_was_packed():
    tensor = torch.zeros(3)
    content = pack(to_plain({"tensor": tensor}))
    tensor += 1
    assert from_plain(unpack(content))["tensor"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("content", [b"", b"x" * 100, pack(to_plain([1]))[:-3]])
def test_other_bytes_are_refused(content):
    with pytest.raises(ValueError, match="no state of a training"):
        unpack(content)
