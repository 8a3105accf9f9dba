"""What is opened from a file: its fingerprint, its parts, and how it is pickled."""

import json
import pickle
import re
import tracemalloc

import numpy as np
import pytest

from glassclf.configurations import Configuration, Configurations
from glassclf.configurations.digests import CHUNK, present_types


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
    return make_set(temperature=[0.1, 0.2, 0.3, 0.4], run=["a", "bcd", "ef", ""])


def as_version_1(path):
    """Take the digests out of a file, as it was written before they came."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    first, last = header.pop("digests")["data_offsets"]
    header["__metadata__"]["version"] = "1"
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["data_offsets"][0] >= last:
            tensor["data_offsets"] = [end - (last - first) for end in tensor["data_offsets"]]
    data = content[start : start + first] + content[start + last :]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_a_fingerprint_is_that_of_the_particles_and_not_of_the_route(tmp_path, full_set):
    path = tmp_path / "set"
    full_set.save(path)
    old = tmp_path / "old"
    full_set.save(old)
    as_version_1(old)
    opened, opened_old = Configurations.open(path), Configurations.open(old)
    assert_equal_sets(opened_old, full_set)
    opened.info["temperature"] = np.zeros(4)
    for rows in (slice(None), slice(1, 3), [3, 1], [False, True, True, False]):
        expected = Configurations(full_set[rows]).fingerprint()
        assert re.fullmatch("[0-9a-f]{64}", expected)
        for X in (full_set, opened, opened_old):
            assert X[rows].fingerprint() == expected
    assert full_set[[0, 1]].fingerprint() != full_set[[1, 0]].fingerprint()
    for name in ("positions", "types", "cells", "periodic"):
        changed = Configurations(full_set)
        values = getattr(changed, name).copy()
        values[-1] = ~values[-1] if name == "periodic" else values[-1] + 1
        setattr(changed, name, values)
        assert changed.fingerprint() != full_set.fingerprint()


def test_a_fingerprint_is_read_and_not_computed(tmp_path, full_set):
    full_set.save(tmp_path / "set")
    X = Configurations.open(tmp_path / "set")
    fingerprint = X.fingerprint()
    content = bytearray((tmp_path / "set").read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[start : start + 64] = bytes(64)
    (tmp_path / "set").write_bytes(content)
    assert Configurations.open(tmp_path / "set").fingerprint() == fingerprint


def test_an_opened_set_and_its_parts_are_pickled_by_path(tmp_path):
    X = Configurations(make_set()[np.arange(400) % 4])
    X.info["run"] = np.arange(400)
    X.save(tmp_path / "set")
    opened = Configurations.open(tmp_path / "set")
    assert len(pickle.dumps(opened)) < 1000
    assert len(pickle.dumps(opened[10:20])) < 1500
    opened.info["label"] = np.arange(400) % 2
    del opened.info["run"]
    part = opened[[7, 300, 7]]
    again = pickle.loads(pickle.dumps(part))
    assert_equal_sets(again, part)
    assert_equal_sets(part[1:], Configurations(again)[1:])
    assert [one.positions.tolist() for one in again] == [
        one.positions.tolist() for one in X[[7, 300, 7]]
    ]
    with pytest.raises(AttributeError, match=r"read-only: Configurations\(X\) is a copy in memory"):
        part.positions = part.positions + 1
    with pytest.raises(ValueError, match="read-only"):
        part.positions[0] = 1
    assert repr(part) == (
        "Configurations(n=3, n_dims=2, n_particles=3 to 6, info=['label'], file='set')"
    )


@pytest.mark.parametrize("rows", [slice(None, None, 2), np.arange(20) % 4 > 0, [19, 3, 3, 0]])
def test_a_part_is_taken_without_the_memory_of_its_particles(tmp_path, rows):
    rng = np.random.default_rng(0)
    n, n_particles = 20, 10_000
    Configurations.from_arrays(
        positions=rng.random((n * n_particles, 2)),
        types=np.zeros(n * n_particles, dtype=np.int64),
        offsets=np.arange(n + 1) * n_particles,
        cells=np.tile(np.eye(2), (n, 1, 1)),
        periodic=np.ones((n, 2), dtype=bool),
    ).save(tmp_path / "set")
    X = Configurations.open(tmp_path / "set")
    X[rows]
    tracemalloc.start()
    try:
        part = X[rows]
        assert tracemalloc.get_traced_memory()[1] < n_particles
    finally:
        tracemalloc.stop()
    assert_equal_sets(part, Configurations(X)[rows])


@pytest.mark.parametrize("old", [False, True])
def test_a_pickle_of_another_file_is_refused(tmp_path, old):
    path = tmp_path / "set"
    make_set().save(path)
    if old:
        as_version_1(path)
    opened = Configurations.open(path)
    pickled = pickle.dumps(opened)
    assert_equal_sets(pickle.loads(pickled), make_set())
    make_set(n=5).save(path)
    with pytest.raises(ValueError, match="set has changed since the set was opened that is now"):
        pickle.loads(pickled)
    # The opened set still holds the old file, and so is pickled whole.
    assert_equal_sets(pickle.loads(pickle.dumps(opened)), make_set())
    path.unlink()
    assert_equal_sets(pickle.loads(pickle.dumps(opened)), make_set())
    with pytest.raises(FileNotFoundError, match="set: no such file"):
        pickle.loads(pickled)


def test_a_pickle_of_a_relabelled_file_is_refused(tmp_path):
    X = make_set(label=["a", "b", "a", "b"], time=np.array([1, 2, 3, 4], "M8[s]"))
    X.save(tmp_path / "set")
    opened = Configurations.open(tmp_path / "set")
    pickled = pickle.dumps(opened[[1, 2]])
    for name, values in (("label", ["a", "b", "b", "b"]), ("time", X.info["time"][::-1])):
        changed = Configurations(X)
        changed.info[name] = values
        changed.save(tmp_path / "set")
        with pytest.raises(ValueError, match="set has changed since the set was opened"):
            pickle.loads(pickled)
    X.save(tmp_path / "set")
    assert pickle.loads(pickled).info["label"].tolist() == ["b", "a"]


def test_a_negative_zero_makes_no_other_fingerprint(tmp_path, full_set):
    full_set.positions[0] = full_set.cells[:, 0, 1] = 0.0
    fingerprint = full_set.fingerprint()
    full_set.positions[0] = full_set.cells[:, 0, 1] = -0.0
    assert full_set.fingerprint() == fingerprint
    full_set.save(tmp_path / "set")
    assert Configurations.open(tmp_path / "set").fingerprint() == fingerprint
    assert np.signbit(Configurations.open(tmp_path / "set").positions[0]).all()


def test_types_are_found_in_every_part_of_a_large_set():
    n, n_particles = 4, CHUNK // 2
    types = np.zeros(n * n_particles, dtype=np.int64)
    types[[5, -1]] = 7, 3
    X = Configurations.from_arrays(
        positions=np.zeros((len(types), 2)),
        types=types,
        offsets=np.arange(n + 1) * n_particles,
        cells=np.tile(np.eye(2), (n, 1, 1)),
        periodic=np.ones((n, 2), dtype=bool),
    )
    assert present_types(X).tolist() == [0, 3, 7]
    assert present_types(X, known=np.array([0, 3, 7])).tolist() == [0, 3, 7]
    # All known types are in the first part: the rest is not read.
    assert present_types(X, known=np.array([0, 7])).tolist() == [0, 7]
