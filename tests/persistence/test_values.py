"""Every kind of plain value comes back as it was, type and all."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.base import BaseEstimator

import glassclf


class Holder(BaseEstimator):
    """Keeps one value."""

    def __init__(self, value=None):
        self.value = value


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("values") / "value.safetensors"

    def kept(value):
        glassclf.save(Holder(value), path)
        return glassclf.load(path, trusted=(f"{__name__}.Holder",)).value

    return kept


def assert_same(got, expected):
    assert type(got) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert len(got) == len(expected)
        for (key, value), (other, held) in zip(got.items(), expected.items()):
            assert_same(key, other)
            assert_same(value, held)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        assert got.dtype.kind == "O" or got.tobytes() == expected.tobytes()
        assert_same(got.tolist(), expected.tolist())
    elif isinstance(expected, float):
        assert math.isnan(expected) == math.isnan(got)
        assert math.isnan(got) or (got == expected and math.copysign(1, got * expected) == 1)
    else:
        assert got == expected


dtypes = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?"),
    arrays.complex_number_dtypes(),
    arrays.datetime64_dtypes(),
    arrays.byte_string_dtypes(min_len=1),
    arrays.unicode_string_dtypes(min_len=1),
)
any_array = arrays.arrays(
    dtypes, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**200, max_value=2**201),
    st.floats(),
    st.text(st.characters(codec=None)),
)
values = st.recursive(
    plain | any_array,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(plain | st.tuples(plain, plain), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=values)
def test_values_come_back_as_they_were(kept, value):
    assert_same(kept(value), value)


@given(array=arrays.arrays(np.float64, (3, 4)))
def test_the_order_in_memory_is_kept(kept, array):
    for one in (array, np.asfortranarray(array), array[:, ::2], array[::-1], array.T):
        got = kept(one)
        assert_same(got, one)
        assert got.flags.f_contiguous == one.flags.f_contiguous
        assert got.flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        np.float64(0.1),
        np.float32(np.nan),
        np.int8(-3),
        np.bool_(True),
        np.str_("glass"),
        np.bytes_(b"glass"),
        np.datetime64("2020-02-01"),
        np.array(["a", None, 1.5], dtype=object),
        np.array([["a"], ["b"]], dtype=object),
        np.empty((0, 3), dtype=object),
        np.zeros(2, dtype="U0"),
        slice(None, 3, np.int64(2)),
        {1: "a", "1": "b", (1, None): "c", 1.5: [np.inf, -0.0]},
        torch.device("cuda:1"),
        Path("runs") / "{data}",
        torch.optim.SGD,
        glassclf.networks.ConvolutionalNetwork,
        "\ud800 a lone surrogate, \x1b an escape",
    ],
    ids=repr,
)
def test_kinds_of_values(kept, value):
    assert_same(kept(value), value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int64])
def test_tensors(kept, dtype):
    for tensor in (torch.arange(6).reshape(2, 3).to(dtype), torch.tensor(3, dtype=dtype)):
        got = kept({"a": [tensor, tensor.bool()]})["a"]
        assert torch.equal(got[0], tensor)
        assert got[0].dtype is dtype
        assert got[1].dtype is torch.bool


def test_random_generators_go_on_alike(kept):
    state = np.random.RandomState(3)
    state.normal()
    again = kept(state)
    assert again.normal(size=3).tolist() == state.normal(size=3).tolist()
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        generator = np.random.Generator(kind(5))
        generator.integers(3)
        again = kept(generator)
        assert again.normal(size=3).tolist() == generator.normal(size=3).tolist()


def test_equal_names_of_places_do_not_collide(kept):
    value = {1: np.zeros(2), "1": np.ones(2), "a/b": np.ones(3), "a": {"b": np.zeros(3)}}
    assert_same(kept(value), value)
