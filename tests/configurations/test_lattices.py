"""Sets of lattice snapshots: what they hold, how they are indexed, and what they refuse."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassclf.configurations import Lattices, as_lattices

SITES = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 8), st.integers(1, 5), st.integers(1, 5)),
    elements=st.integers(0, 4),
)


@given(sites=SITES, data=st.data())
def test_rows_follow_every_indexing(sites, data):
    n = len(sites)
    X = Lattices(sites, {"number": np.arange(n)})
    rows = data.draw(st.lists(st.integers(-n, n - 1), max_size=6))
    cut = data.draw(st.integers(0, n))
    for key in (slice(cut, None, 2), rows, np.arange(n) % 2 == 0):
        part = X[key]
        assert np.array_equal(np.asarray(part), sites[key])
        assert np.array_equal(part.info["number"], np.arange(n)[key])
        again = part[::-1]
        assert np.array_equal(again.sites, sites[key][::-1])
    assert np.array_equal(X[n - 1], sites[n - 1])
    assert np.array_equal(X[(slice(None), ...)].sites, sites)
    assert X.density == pytest.approx((sites > 0).mean(axis=(1, 2)))


@given(sites=SITES, cut=st.integers(0, 8))
def test_parts_are_joined_without_a_difference(sites, cut):
    parts = [part for part in (sites[:cut], sites[cut:]) if len(part)]
    joined, whole = Lattices(parts), Lattices(sites)
    assert np.array_equal(joined.sites, sites)
    assert joined.fingerprint() == whole.fingerprint()
    chained = Lattices.concatenate([whole[:cut], whole[cut:]] if 0 < cut < len(sites) else [whole])
    assert chained.fingerprint() == whole.fingerprint()
    assert pickle.loads(pickle.dumps(joined)).fingerprint() == whole.fingerprint()


def test_fingerprint_knows_order_and_shape():
    sites = np.array([[[0, 1], [2, 0]], [[3, 0], [0, 4]]])
    X = Lattices(sites)
    assert X.fingerprint() != X[::-1].fingerprint()
    assert X.fingerprint() != Lattices(sites.reshape(2, 1, 4)).fingerprint()


def test_mapped_files_are_read_where_they_are_used(tmp_path):
    sites = np.arange(24, dtype=np.uint8).reshape(6, 2, 2) % 5
    np.save(tmp_path / "run.npy", sites)
    X = Lattices.from_parts([np.load(tmp_path / "run.npy", mmap_mode="r")], {"run": ["a"] * 6})
    assert isinstance(X[2:4]._parts[0], np.memmap)
    assert np.array_equal(X[[4, 1]].sites, sites[[4, 1]])


def test_concatenation_keeps_what_all_have():
    one = Lattices(np.zeros((1, 2, 2)), {"run": ["a"], "density": [0.0]})
    two = Lattices(np.ones((2, 2, 2)), {"run": ["b", "c"]})
    joined = Lattices.concatenate([one, two])
    assert {name: values.tolist() for name, values in joined.info.items()} == {
        "run": ["a", "b", "c"]
    }


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ([[0, 1]], r"sites must have shape \(n, n_rows, n_columns\), got \(1, 2\); for one"),
        ([[[0, 1], [0]]], "sites must be lattices of one shape, got lists of several"),
        ([[[0, 5]]], r"1 to 4, got 5 at site \(0, 1\) of snapshot 0"),
        ([[[0.5, 1]]], r"got 0.5 at site \(0, 0\)"),
        ([[[0, np.nan]]], r"got nan at site \(0, 1\)"),
        ([[[0, -1]]], "got -1 at site"),
        ([[["a"]]], "sites must be numbers"),
        ([np.zeros((1, 2, 2)), np.full((2, 2, 2), 7)], r"at site \(0, 0\) of snapshot 1"),
        ([np.zeros((1, 2, 2)), np.zeros((1, 3, 2))], r"one shape, got \(2, 2\) and \(3, 2\)"),
    ],
)
def test_what_is_no_lattice_is_refused(sites, words):
    with pytest.raises(ValueError, match=words):
        as_lattices(sites)


def test_an_empty_set_and_wrong_info_are_refused():
    with pytest.raises(ValueError, match="a set needs at least one snapshot, got none"):
        Lattices.concatenate([])
    with pytest.raises(ValueError, match="a set needs at least one snapshot, got none"):
        Lattices.from_parts([])
    with pytest.raises(ValueError, match="must have one value for each of the 1 "):
        Lattices(np.zeros((1, 2, 2)), {"run": ["a", "b"]})
    with pytest.raises(ValueError, match="snapshots are read, which is a copy"):
        Lattices(np.zeros((1, 2, 2))).__array__(copy=False)


def test_what_was_checked_cannot_be_changed_through_a_snapshot():
    sites = np.array([[[0, 1], [2, 0]]], dtype=np.uint8)
    X = Lattices(sites)
    with pytest.raises(ValueError, match="read-only"):
        X[0][0, 0] = 9
    sites[0, 0, 0] = 3
    assert sites.flags.writeable
