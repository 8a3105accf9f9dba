"""The package's own file."""

import json
import pickle
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from safetensors.numpy import load_file

from glassclf.configurations import Configuration, Configurations, store


def make_set(n=4, n_dims=2, **info):
    rng = np.random.default_rng(0)
    items = []
    for index in range(n):
        n_particles = 3 + index
        cell = np.eye(n_dims) * 5 + np.tril(np.full((n_dims, n_dims), 0.5 * (index % 2)), -1)
        items.append(
            Configuration(
                rng.normal(size=(n_particles, n_dims)),
                rng.integers(0, 3, n_particles),
                cell,
                periodic=rng.random(n_dims) < 0.5,
                info={name: values[index] for name, values in info.items()},
            )
        )
    return Configurations(items)


def assert_equal_sets(one, two):
    for name in ("positions", "types", "offsets", "cells", "periodic"):
        left, right = getattr(one, name), getattr(two, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right, strict=True)
    assert list(one.info) == list(two.info)
    for name in one.info:
        np.testing.assert_array_equal(one.info[name], two.info[name], strict=True)


@pytest.fixture
def full_set():
    return make_set(
        temperature=[0.1, 0.2, 0.3, 0.4],
        run=["a", "bcd", "ef", ""],
        inherent=[True, False, True, True],
        cooling_steps=[1, 2, 3, 4],
        origin=np.arange(8.0).reshape(4, 2),
        names=[["x", "yy"]] * 4,
        day=np.array(["2026-01-01"] * 4, dtype="datetime64[D]"),
        phase=[1j, 2j, 3j, 4j],
        small=np.arange(4, dtype=np.float32),
        swapped=np.arange(4, dtype=">i4"),
    )


def test_a_set_comes_back_equal(tmp_path, full_set):
    full_set.save(tmp_path / "set.safetensors")
    assert_equal_sets(Configurations.open(tmp_path / "set.safetensors"), full_set)
    assert [file.name for file in tmp_path.iterdir()] == ["set.safetensors"]


@pytest.mark.parametrize("n_dims", [2, 3])
def test_an_empty_set_and_one_without_info_come_back(tmp_path, n_dims):
    X = make_set(n_dims=n_dims)
    for index, part in enumerate((X, X[:0], X[[2, 0]])):
        part.save(tmp_path / f"{index}")
        assert_equal_sets(Configurations.open(tmp_path / f"{index}"), part)


def test_arrays_are_mapped_read_only(tmp_path, full_set):
    full_set.save(tmp_path / "set")
    X = Configurations.open(str(tmp_path / "set"))
    base = X.positions
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        X.positions[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        X.info["run"][0] = "z"


def test_an_opened_set_is_indexed_and_pickled_as_the_original(tmp_path, full_set):
    full_set.save(tmp_path / "set")
    X = Configurations.open(tmp_path / "set")
    assert_equal_sets(X[[3, 1]], full_set[[3, 1]])
    assert_equal_sets(pickle.loads(pickle.dumps(X)), full_set)
    assert joblib.hash(X[:]) == joblib.hash(X) != joblib.hash(X[[0, 1]])
    for positions in Parallel(n_jobs=2)(delayed(attrgetter("positions"))(X) for _ in range(2)):
        np.testing.assert_array_equal(positions, full_set.positions)


def test_saving_over_the_opened_file_keeps_the_opened_set(tmp_path, full_set):
    path = tmp_path / "set"
    full_set.save(path)
    X = Configurations.open(path)
    X[:2].save(path)
    assert_equal_sets(X, full_set)
    assert len(Configurations.open(path)) == 2


def test_objects_are_refused_and_nothing_is_left_behind(tmp_path):
    X = make_set(n=2)
    X.info["notes"] = np.array([{}, None], dtype=object)
    with pytest.raises(ValueError, match=r"info\['notes'\] holds Python objects"):
        X.save(tmp_path / "set")
    X.info = {1: np.zeros(2)}
    with pytest.raises(ValueError, match="info names must be strings"):
        X.save(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.safetensors: no such file"):
        Configurations.open(tmp_path / "gone.safetensors")
    with pytest.raises(FileNotFoundError, match="the folder .*nowhere does not exist"):
        make_set().save(tmp_path / "nowhere" / "set")


def as_safetensors(header, data=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a safetensors file, or it is truncated"),
        (b"ITEM: TIMESTEP\n0\n", "not a safetensors file, or it is truncated"),
        (as_safetensors(b"{nonsense"), "its header is not JSON"),
        (as_safetensors(b"[" * 100_000 + b"]" * 100_000), "its header is not JSON"),
        (as_safetensors([1, 2]), "its header is not a table"),
        (as_safetensors({}), "not a glassclf set of configurations"),
        (
            as_safetensors({"__metadata__": {"format": "glassclf-configurations", "version": "9"}}),
            "version 9 of the format, this glassclf reads versions 1 and 2",
        ),
    ],
)
def test_a_foreign_file_is_named(tmp_path, content, message):
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"foreign\.safetensors .*{message}"):
        Configurations.open(path)


def test_a_truncated_file_is_refused_wherever_it_was_cut(tmp_path, full_set):
    path = tmp_path / "cut.safetensors"
    full_set.save(path)
    content = path.read_bytes()
    for length in (*range(0, len(content), 97), len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"cut\.safetensors is (not|truncated)"):
            Configurations.open(path)


@given(data=st.data())
@settings(max_examples=200)
def test_a_damaged_header_is_refused_or_the_set_is_whole(data):
    X = make_set(temperature=[0.1, 0.2, 0.3, 0.4], run=["a", "bcd", "ef", ""])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.safetensors"
        X.save(path)
        content = bytearray(path.read_bytes())
        end = 8 + int.from_bytes(content[:8], "little")
        position = data.draw(st.integers(0, end - 1))
        # Digits, brackets and letters keep the JSON valid more often than any byte would.
        content[position] = data.draw(
            st.one_of(st.sampled_from(b"0123456789,:[]FIUB8<>"), st.integers(0, 255))
        )
        path.write_bytes(content)
        opened, message = None, ""
        try:
            opened = Configurations.open(path)
        except ValueError as error:
            message = str(error)
        if opened is None:
            assert "damaged.safetensors" in message
            return
        # There is no checksum: the type of a value of info may have changed to one of its size.
        assert list(opened.info) == list(X.info)
        X.info = opened.info = {}
        assert_equal_sets(opened, X)


def _drop(*keys):
    def change(header):
        for key in keys[:-1]:
            header = header[key]
        del header[keys[-1]]

    return change


def _put(value, *keys):
    def change(header):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop("__metadata__", "dtypes"), "its header lacks 'dtypes'"),
        (_drop("__metadata__", "version"), "version None of the format"),
        (_put("3", "__metadata__", "dtypes"), "damaged: 'int' object"),
        (_put("[]", "__metadata__", "info"), r"its arrays must be \['positions', .*info/run"),
        (_put('["ran"]', "__metadata__", "info"), "its header lacks 'info/ran'"),
        (
            _put('{"types": "<f8"}', "__metadata__", "dtypes"),
            "types must be stored as bytes, got I",
        ),
        (_put('{"info/run": ",U3"}', "__metadata__", "dtypes"), "damaged: invalid syntax"),
        (_put([], "cells"), "damaged: list indices must be"),
        (_put("X9", "cells", "dtype"), "its header lacks 'X9'"),
        (_put("F32", "cells", "dtype"), r"64 bytes make an array of shape \[?.*there are 128"),
        (_put("I64", "cells", "dtype"), "cells must be an array of f8 with shape .* got int64"),
        (
            _put([8, 2, 2], "cells", "shape"),
            r"256 bytes make an array of shape \(8, 2, 2\), there a",
        ),
        (_put([2, 4, 2], "cells", "shape"), r"cells must be an array of f8 with shape \(4, 2, 2\)"),
        (_put([0, 0], "cells", "data_offsets"), "overlap or leave a gap"),
        (_put([8, 8], "digests", "shape"), r"digests must have shape \(4, 16\), got \(8, 8\)"),
        (_put([2, 2, 12], "info/run", "shape"), r"info\['run'\] must have 4 values, got 2"),
        (_put([9, 4], "positions", "shape"), r"types must be an array of i8 with shape \(9,\)"),
    ],
)
def test_a_damaged_header_is_told(tmp_path, change, message):
    path = tmp_path / "damaged.safetensors"
    make_set(run=["a", "bcd", "ef", ""]).save(path)
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    change(header)
    path.write_bytes(as_safetensors(header, content[start:]))
    with pytest.raises(ValueError, match=rf"damaged\.safetensors .*{message}"):
        Configurations.open(path)


def test_a_header_of_any_depth_or_length_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "set"
    make_set(run=["a", "bcd", "ef", ""]).save(path)
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    for name in ("dtypes", "info"):
        metadata = {**header["__metadata__"], name: "[" * 100_000 + "]" * 100_000}
        path.write_bytes(as_safetensors({**header, "__metadata__": metadata}, content[start:]))
        with pytest.raises(ValueError, match="set is truncated or damaged: .*recursion"):
            Configurations.open(path)
    path.write_bytes(content)
    monkeypatch.setattr(store, "LONGEST_HEADER", start - 8)
    Configurations.open(path)
    monkeypatch.setattr(store, "LONGEST_HEADER", start - 9)
    with pytest.raises(ValueError, match="set is not a safetensors file, or it is truncated"):
        Configurations.open(path)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([1, 7, 12, 18], "offsets must lead from 0 to 18"),
        ([0, 3, 7, 12, 17], "offsets must lead from 0 to 18"),
        ([0, 7, 3, 12, 18], "offsets must increase"),
    ],
)
def test_offsets_that_do_not_fit_are_refused(tmp_path, offsets, message):
    path = tmp_path / "bad"
    make_set().save(path)
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    if len(offsets) == 4:
        for name, shape in (("cells", [3, 2, 2]), ("periodic", [3, 2]), ("digests", [3, 16])):
            header[name]["shape"] = shape
    begin = start + header["offsets"]["data_offsets"][0]
    damaged = np.array(offsets).tobytes()
    path.write_bytes(content[:begin] + damaged + content[begin + len(damaged) :])
    with pytest.raises(ValueError, match=f"bad is truncated or damaged: {message}"):
        Configurations.open(path)


def test_a_file_is_readable_by_safetensors(tmp_path, full_set):
    full_set.save(tmp_path / "set.safetensors")
    arrays = load_file(tmp_path / "set.safetensors")
    np.testing.assert_array_equal(arrays["positions"], full_set.positions)
    np.testing.assert_array_equal(arrays["info/temperature"], full_set.info["temperature"])


def test_sets_saved_one_after_another_are_one_set(tmp_path, full_set):
    parts = (full_set[rows] for rows in (slice(0, 1), slice(1, 1), slice(1, 4)))
    Configurations.save_concatenated(tmp_path / "parts", parts)
    opened = Configurations.open(tmp_path / "parts")
    assert_equal_sets(opened, full_set)
    assert opened.fingerprint() == full_set.fingerprint()
    wide = make_set(n=1, run=["a name that is longer than those of the first part"])
    Configurations.save_concatenated(tmp_path / "wide", [make_set(n=1, run=["a"]), wide])
    assert Configurations.open(tmp_path / "wide").info["run"].tolist() == [
        "a",
        *wide.info["run"].tolist(),
    ]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([], "at least one configuration, got no set to save"),
        ([make_set(), make_set(n_dims=3)], "set 0 is 2D, set 1 is 3D"),
        (
            [make_set(2, a=[1, 2]), make_set(2, b=[1, 2])],
            r"same names in info: set 0 has \['a'\], set 1 has \['b'\]",
        ),
        (
            [make_set(2, a=[1, 2]), make_set(2, a=["x", "y"])],
            r"info\['a'\] of set 0 is int64 of shape \(n, \*\(\)\), of set 1 <U1",
        ),
        (
            [make_set(2, a=[1, 2]), make_set(2, a=np.array(["2020-01-01"] * 2, "M8[D]")), None],
            r"info\['a'\] of set 0 is int64 of shape .*, of set 1 datetime64\[D\]",
        ),
        (
            [make_set(1, a=[1]), make_set(1, a=np.ones(1, "m8[s]")), make_set(1, a=[0.5]), None],
            r"info\['a'\] of set 0 is int64 of shape .*, of set 2 float64",
        ),
    ],
)
def test_sets_that_do_not_go_together_are_not_saved(tmp_path, sets, message):
    with pytest.raises(ValueError, match=message):
        Configurations.save_concatenated(tmp_path / "set", sets)
    assert list(tmp_path.iterdir()) == []
