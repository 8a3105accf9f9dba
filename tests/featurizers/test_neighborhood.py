"""Cubes around points of fields, and averages over shells around them."""

import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import glassclf
from glassclf.configurations import FieldPoints
from glassclf.featurizers import LazyNeighborhoods, NeighborhoodFeaturizer, ShellAverageFeaturizer
from glassclf.model_selection import BlockSplit
from glassclf.testing import all_classes

RNG = np.random.default_rng(0)
FIELDS = {2: RNG.random((2, 21, 24)), 3: RNG.random((2, 16, 15, 17)).astype(np.float32)}


def plain_cube(X, point, size, stride):
    """Cell after cell, as the docstring has it."""
    half = size // 2
    cubes = np.zeros((len(X.fields), *(size,) * X.n_dims))
    for number, field in enumerate(X.fields):
        for sample in np.ndindex(*(size,) * X.n_dims):
            middle = np.add(point, stride * np.subtract(sample, half))
            total = 0.0
            for step in np.ndindex(*(stride,) * X.n_dims):
                cell = middle + step - stride // 2
                if X.periodic:
                    total += field[tuple(cell % field.shape)]
                elif ((cell >= 0) & (cell < field.shape)).all():
                    total += field[tuple(cell)]
            cubes[(number, *sample)] = total / stride**X.n_dims
    return cubes


@st.composite
def some_points(draw):
    n_dims, periodic = draw(st.sampled_from([2, 3])), draw(st.booleans())
    shape = FIELDS[n_dims].shape[1:]
    cell = st.tuples(*(st.integers(0, n - 1) for n in shape))
    points = draw(st.lists(cell, min_size=1, max_size=3))
    return FieldPoints(FIELDS[n_dims], points, periodic)


@given(X=some_points(), size=st.sampled_from([1, 3, 5]), stride=st.sampled_from([1, 3]))
def test_cubes_are_those_of_a_plain_loop(X, size, stride):
    found = NeighborhoodFeaturizer(size, (stride,), lazy=False).fit_transform(X)
    assert found.dtype == np.float32
    for point, cubes in zip(X.points, found):
        np.testing.assert_allclose(cubes, plain_cube(X, point, size, stride), rtol=1e-5, atol=1e-12)


def test_levels_follow_each_other_and_scalars_come_last():
    info = {"redshift": [6.0, 7.0], "pair": [[1.0, 2.0], [3.0, 4.0]]}
    X = FieldPoints(FIELDS[3], [[0, 1, 2], [15, 14, 16]], info=info)
    settings = {"radii": (0, 2), "scalars": ("redshift", "pair")}
    featurizer = NeighborhoodFeaturizer(3, (1, 5), **settings).fit(X)
    cubes = featurizer.transform(X)
    assert featurizer.n_scalars_ == 2 * 2 + 3
    assert cubes.shape == (2, 2 * 2 + 7, 3, 3, 3)
    found = cubes.compute([1, 0])
    for row, point in zip(found, X.points[::-1]):
        expected = [plain_cube(X, point, 3, stride) for stride in (1, 5)]
        np.testing.assert_allclose(row[:4], np.concatenate(expected), rtol=1e-5, atol=1e-12)
        assert (row[4:] == row[4:, :1, :1, :1]).all()
    shells = ShellAverageFeaturizer((0, 2)).fit_transform(X)
    np.testing.assert_allclose(found[::-1, 4:8, 0, 0, 0], shells, rtol=1e-6)
    assert found[:, 8:, 1, 2, 0].tolist() == [[7.0, 3.0, 4.0], [6.0, 1.0, 2.0]]
    assert np.array_equal(np.asarray(cubes[[1]]), found[:1])


def test_a_sequence_is_lazy_small_and_knows_its_places():
    X = FieldPoints(FIELDS[3], RNG.integers(0, 15, (500, 3)), info={"run": np.arange(500)})
    cubes = NeighborhoodFeaturizer(9).fit_transform(X)
    assert isinstance(cubes, LazyNeighborhoods)
    part = cubes[::5]
    assert part.info["run"].tolist() == list(range(0, 500, 5))
    assert np.array_equal(part.points, X.points[::5])
    assert (part.field_shape, part.periodic) == (X.field_shape, True)
    assert part.fingerprint() != cubes.fingerprint()
    assert len(pickle.dumps(cubes)) < 100_000
    again = pickle.loads(pickle.dumps(part))
    assert np.array_equal(np.asarray(again), np.asarray(cubes)[::5])
    redshift = FieldPoints(FIELDS[3], X.points, info={"z": np.arange(500)})
    other = FieldPoints(FIELDS[3], X.points, info={"z": np.arange(500) + 1})
    told = [
        NeighborhoodFeaturizer(9, scalars=("z",)).fit_transform(each) for each in (redshift, other)
    ]
    assert told[0].fingerprint() != told[1].fingerprint()


def test_mapped_fields_give_the_same_cubes(tmp_path):
    np.save(tmp_path / "fields.npy", FIELDS[3])
    points = RNG.integers(0, 15, (40, 3))
    mapped = FieldPoints(np.load(tmp_path / "fields.npy", mmap_mode="r"), points)
    in_memory = FieldPoints(FIELDS[3], points)
    featurizer = NeighborhoodFeaturizer(5, (1, 3), radii=(1, 2), lazy=False)
    assert np.array_equal(featurizer.fit_transform(mapped), featurizer.fit_transform(in_memory))


def test_points_may_be_unsigned():
    points = np.array([[0, 1, 2], [15, 14, 16], [7, 7, 7]])
    featurizer = NeighborhoodFeaturizer(5, (1, 3), lazy=False)
    expected = featurizer.fit_transform(FieldPoints(FIELDS[3], points))
    found = featurizer.fit_transform(FieldPoints(FIELDS[3], points.astype(np.uint8)))
    assert np.array_equal(found, expected)


def test_what_does_not_fit_is_refused():
    X = FieldPoints(FIELDS[3], [[0, 0, 0]], info={"z": [1.0], "name": ["a"], "w": [1.0]})
    with pytest.raises(ValueError, match="size=9 at stride 3 are 27 cells wide, more than fields"):
        NeighborhoodFeaturizer(9, (1, 3)).fit(X)
    with pytest.raises(ValueError, match="strides must hold at least one stride"):
        NeighborhoodFeaturizer(3, ()).fit(X)
    for size, strides in ((4, (1,)), (3, (2,)), (3, (1.5,))):
        with pytest.raises(ValueError, match="size and strides must be odd integers"):
            NeighborhoodFeaturizer(size, strides).fit(X)
    with pytest.raises(
        ValueError, match=r"scalars: X.info has no 'q', it has \['name', 'w', 'z'\]"
    ):
        NeighborhoodFeaturizer(3, scalars=("q",)).fit(X)
    with pytest.raises(ValueError, match=r"X.info\['name'\] must hold finite numbers"):
        NeighborhoodFeaturizer(3, scalars=("name",)).fit(X)
    fitted = NeighborhoodFeaturizer(3, scalars=("z",)).fit(X)
    wide = FieldPoints(FIELDS[3], [[0, 0, 0]], info={"z": [[1.0, 2.0]]})
    with pytest.raises(ValueError, match="X has 2 scalars a point, .* was fitted on 1"):
        fitted.transform(wide)
    with pytest.raises(ValueError, match="X has 1 fields of 3 axes, .* was fitted on 2 of 3"):
        ShellAverageFeaturizer((0, 1)).fit(X).transform(FieldPoints(FIELDS[3][:1], [[0, 0, 0]]))
    with pytest.raises(ValueError, match="radii reach to 8 cells, fields of shape .* room for 7"):
        ShellAverageFeaturizer((0, 8)).fit(X)
    for radii in ((), (2, 1), (-1, 2), (0, np.nan)):
        with pytest.raises(ValueError, match="radii must rise from at least 0"):
            ShellAverageFeaturizer(radii).fit(X)
    # Distances of cells are 0, 1, 1.41, 1.73, 2, ...
    for radii, words in (((0, 0.5, 1), "0 and 0.5"), ((1, 2, 2.1), "2 and 2.1")):
        with pytest.raises(ValueError, match=f"radii: no cell lies between {words} cells"):
            NeighborhoodFeaturizer(3, radii=radii).fit(X)


def test_beyond_an_open_border_zeros_are_averaged_wherever_the_middle_lies():
    X = FieldPoints([np.ones((21, 21))], [[0, 10], [1, 10], [2, 10], [3, 10]], periodic=False)
    cubes = NeighborhoodFeaturizer(3, (3,), lazy=False).fit_transform(X)
    shares = [[0, 2 / 3, 1], [0, 1, 1], [1 / 3, 1, 1], [2 / 3, 1, 1]]
    np.testing.assert_allclose(cubes[:, 0, :, 1], shares, rtol=1e-6)


@pytest.mark.parametrize("periodic", [True, False])
def test_shells_do_not_depend_on_shifts_through_the_border(periodic):
    field = RNG.random((16, 16, 16))
    points = RNG.integers(5, 11, (10, 3))
    featurizer = ShellAverageFeaturizer((0, 1, 3.5))
    expected = featurizer.fit_transform(FieldPoints([field], points, periodic))
    shift = (2, -1, 3)
    rolled = FieldPoints([np.roll(field, shift, (0, 1, 2))], (points + shift) % 16, True)
    np.testing.assert_allclose(featurizer.fit_transform(rolled), expected, rtol=1e-9)
    turned = FieldPoints([field.transpose(2, 0, 1)], points[:, [2, 0, 1]], periodic)
    np.testing.assert_allclose(featurizer.fit_transform(turned), expected, rtol=1e-9)


def test_shells_in_a_search_over_blocks():
    field = RNG.random((24, 24, 24))
    X = FieldPoints([field], np.argwhere(field > 0.9))
    y = ShellAverageFeaturizer((2,)).fit_transform(X)[:, 0]
    model = make_pipeline(ShellAverageFeaturizer((0, 1, 2)), HistGradientBoostingRegressor())
    grid = {"shellaveragefeaturizer__radii": [(0,), (0, 1, 2)]}
    search = GridSearchCV(model, grid, cv=BlockSplit(3, block=8, gap=2, random_state=0))
    assert search.fit(X, y).best_params_["shellaveragefeaturizer__radii"] == (0, 1, 2)


@pytest.mark.parametrize("name", [name for name, _ in all_classes("field_featurizer")])
def test_every_featurizer_of_fields_is_kept(name, tmp_path):
    small = {"NeighborhoodFeaturizer": {"size": 3}, "ShellAverageFeaturizer": {"radii": (0, 2)}}
    X = FieldPoints(FIELDS[3], [[0, 0, 0], [1, 2, 3]])
    model = dict(all_classes())[name](**small[name]).fit(X)
    glassclf.save(model, tmp_path / "model")
    joblib.dump(model, tmp_path / "model.joblib")
    expected = np.asarray(model.transform(X))
    kept = (glassclf.load(tmp_path / "model"), joblib.load(tmp_path / "model.joblib"))
    for again in (*kept, clone(model).fit(X)):
        assert vars(again).keys() == vars(model).keys()
        np.testing.assert_array_equal(np.asarray(again.transform(X)), expected)
