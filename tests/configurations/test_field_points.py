"""Points in a stack of fields, how they are drawn, and averages over spheres."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import FieldPoints, sample_points
from glassclf.configurations.field_points import as_field_points
from glassclf.configurations.spheres import SphericalAverages

SHAPE = (5, 6, 7)
FIELDS = np.random.default_rng(0).random((2, *SHAPE))
POINTS = np.array([[0, 0, 0], [4, 5, 6], [2, 3, 1]])


def test_smaller_sets_share_the_fields_and_follow_info():
    X = FieldPoints(FIELDS, POINTS, info={"redshift": [6.0, 7.0, 8.0]})
    assert X.shape == (3,)
    chosen = X[[2, 0]]
    assert chosen.points.tolist() == [[2, 3, 1], [0, 0, 0]]
    assert chosen.info["redshift"].tolist() == [8.0, 6.0]
    assert chosen.fields is X.fields
    assert np.shares_memory(chosen.fields[0], FIELDS)
    assert chosen.coarse(3)[0] is X.coarse(3)[0]
    assert X[-1].points.tolist() == [[2, 3, 1]]
    assert len(X[np.array([True, False, True])]) == 2
    again = pickle.loads(pickle.dumps(X))
    assert again.fingerprint() == X.fingerprint() != X[:2].fingerprint()


@pytest.mark.parametrize("periodic", [True, False])
def test_coarse_fields_are_averages_over_cubes(periodic):
    X = FieldPoints(FIELDS, POINTS, periodic)
    mode = "wrap" if periodic else "constant"
    padded = np.pad(FIELDS[0], 1, mode=mode)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
    np.testing.assert_allclose(X.coarse(3)[0], windows.mean(axis=(3, 4, 5)), rtol=1e-6)


def test_mapped_fields_stay_mapped(tmp_path):
    np.save(tmp_path / "fields.npy", FIELDS)
    mapped = np.load(tmp_path / "fields.npy", mmap_mode="r")
    X = FieldPoints(mapped, POINTS)
    assert all(isinstance(field, np.memmap) for field in X.fields)
    assert X.fingerprint() == FieldPoints(FIELDS, POINTS).fingerprint()


def test_fields_of_another_order_are_copied():
    X = FieldPoints([FIELDS[0].T], [[6, 5, 4]])
    assert X.fields[0].flags.c_contiguous
    assert X.fields[0][6, 5, 4] == FIELDS[0, 4, 5, 6]


def test_bad_fields_and_points_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(5, 6, 7\) for field 0 and \(5, 6, 8\)"):
        FieldPoints([FIELDS[0], np.zeros((5, 6, 8))], POINTS)
    with pytest.raises(ValueError, match="at least one field, got none"):
        FieldPoints([], POINTS)
    with pytest.raises(ValueError, match=r"2D or 3D fields, got shape \(7,\) for field 0"):
        FieldPoints(np.zeros((2, 7)), POINTS)
    with pytest.raises(ValueError, match="fields must be numbers, got <U1 for field 1"):
        FieldPoints([FIELDS[0], np.full(SHAPE, "a")], POINTS)
    broken = FIELDS.copy()
    broken[1, 2, 0, 6] = np.nan
    with pytest.raises(ValueError, match=r"finite, got nan at cell \(2, 0, 6\) of field 1"):
        FieldPoints(broken, POINTS)
    with pytest.raises(ValueError, match=r"point 1 is \[4, 6, 0\], outside the fields of shape"):
        FieldPoints(FIELDS, [[0, 0, 0], [4, 6, 0]])
    with pytest.raises(ValueError, match=r"points must have shape \(n, 3\)"):
        FieldPoints(FIELDS, [[0, 0]])
    with pytest.raises(ValueError, match="points must be cells, integers, got float64"):
        FieldPoints(FIELDS, [[0.0, 0.0, 0.0]])
    with pytest.raises(TypeError, match="periodic must be True or False, got 'yes'"):
        FieldPoints(FIELDS, POINTS, "yes")
    with pytest.raises(TypeError, match="FieldPoints are no table"):
        np.asarray(FieldPoints(FIELDS, POINTS))
    with pytest.raises(TypeError, match="X must be FieldPoints.fields, points., got ndarray"):
        as_field_points(POINTS)
    with pytest.raises(ValueError, match="at least one point, got an empty set"):
        as_field_points(FieldPoints(FIELDS, []))


@given(n=st.integers(1, 60), n_strata=st.none() | st.integers(1, 6), seed=st.integers(0, 99))
def test_no_point_is_drawn_twice_and_weights_undo_the_strata(n, n_strata, seed):
    target = np.zeros((8, 9))
    target.flat[:5] = 1
    points, weights = sample_points(target, n, n_strata=n_strata, random_state=seed)
    assert len(np.unique(points, axis=0)) == n == len(points)
    assert weights.mean() == pytest.approx(1)
    again, _ = sample_points(target, n, n_strata=n_strata, random_state=seed)
    assert np.array_equal(points, again)
    if n_strata is not None and n_strata > 1 and n > 1:
        drawn = target[tuple(points.T)]
        assert np.count_nonzero(drawn) == min(5, n // 2)
        assert np.average(drawn, weights=weights) == pytest.approx(5 / 72)


def test_a_constant_target_has_one_stratum():
    points, weights = sample_points(np.ones((4, 4)), 16, n_strata=3, random_state=0)
    assert len(np.unique(points, axis=0)) == 16
    assert np.array_equal(weights, np.ones(16))


def test_bad_choices_of_points_are_refused():
    with pytest.raises(ValueError, match="n_points=17 is more than the 16 cells"):
        sample_points(np.ones((4, 4)), 17)
    for value in (0, 2.5, True):
        with pytest.raises(ValueError, match=f"n_points must be an integer .* got {value}"):
            sample_points(np.ones((4, 4)), value)
    with pytest.raises(ValueError, match="n_strata must be an integer of at least 1, got 0"):
        sample_points(np.ones((4, 4)), 2, n_strata=0)
    with pytest.raises(ValueError, match="target must be finite"):
        sample_points(np.full((4, 4), np.nan), 2, n_strata=2)


def plain_average(field, cell, outer, inner, periodic):
    """One cell after the other, as it is written down."""
    values = []
    for other in np.ndindex(field.shape):
        steps = np.abs(np.subtract(other, cell))
        steps = np.minimum(steps, np.subtract(field.shape, steps)) if periodic else steps
        square = (steps**2).sum()
        if square <= outer**2 and (inner < 0 or square > inner**2):
            values.append(field[other])
    return np.mean(values) if values else 0.0


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("outer", "inner"), [(0, -1), (2.3, -1), (2, 1), (1.5, 1), (2, 0)])
def test_averages_are_those_of_a_plain_loop(outer, inner, periodic):
    rng = np.random.default_rng(1)
    for shape in ((5, 6, 7), (6, 9)):
        field = rng.random(shape)
        found = SphericalAverages([field], 3, periodic).over(outer, inner)[0]
        for cell in ((0,) * len(shape), tuple(n // 2 for n in shape)):
            expected = plain_average(field, cell, outer, inner, periodic)
            assert found[cell] == pytest.approx(expected, abs=1e-12)
        assert np.isfinite(found).all()


def test_averages_are_of_the_precision_of_the_field():
    field = np.random.default_rng(1).random((8, 8, 8))
    single = SphericalAverages([field.astype(np.float32)], 2).over(2)[0]
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, SphericalAverages([field], 2).over(2)[0], rtol=1e-5)
