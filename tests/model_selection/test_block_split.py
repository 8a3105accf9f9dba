"""Splits that keep test points away from training points."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_validate, learning_curve
from sklearn.pipeline import make_pipeline

from glassclf.configurations import FieldPoints
from glassclf.featurizers import NeighborhoodFeaturizer, ShellAverageFeaturizer
from glassclf.model_selection import BlockSplit, OptunaSearch


def closest(one, other, box):
    """Smallest of the largest differences along an axis, pair by pair."""
    steps = np.abs(one[:, None] - other[None])
    if box is not None:
        steps = np.minimum(steps, box - steps)
    return steps.max(axis=2).min()


@given(
    shape=st.sampled_from([(16, 20), (20, 17, 16)]),
    n=st.integers(60, 200),
    gap=st.floats(0, 4),
    block=st.sampled_from([4, 5.5, 8]),
    periodic=st.booleans(),
    seed=st.integers(0, 50),
)
def test_no_training_point_is_closer_than_the_gap(shape, n, gap, block, periodic, seed):
    rng = np.random.default_rng(seed)
    X = FieldPoints([np.zeros(shape)], rng.integers(0, shape, (n, len(shape))), periodic)
    cv = BlockSplit(4, block=block, gap=gap, random_state=seed)
    try:
        splits = list(cv.split(X))
    except ValueError:
        assume(False)
    assert len(splits) == cv.get_n_splits() == 4
    tested = np.concatenate([test for _, test in splits])
    assert sorted(tested) == list(range(n))
    box = np.array(shape) if periodic else None
    for train, test in splits:
        assert closest(X.points[train], X.points[test], box) >= gap
        # And no point is left out that need not be.
        for row in np.setdiff1d(np.arange(n), [*train, *test]):
            assert closest(X.points[[row]], X.points[test], box) < gap


def test_splits_are_seeded_and_the_same_for_cubes_and_groups():
    X = FieldPoints([np.zeros((24, 24))], np.argwhere(np.ones((24, 24))))
    cv = BlockSplit(3, block=8, gap=2, random_state=1)
    cubes = NeighborhoodFeaturizer(3).fit_transform(X)
    placed = BlockSplit(3, block=8, gap=2, box=(24, 24), random_state=1)
    for one, other, third, again in zip(
        cv.split(X), cv.split(cubes), placed.split(None, groups=X.points), cv.split(X)
    ):
        for part in range(2):
            assert np.array_equal(one[part], other[part])
            assert np.array_equal(one[part], third[part])
            assert np.array_equal(one[part], again[part])
    other = BlockSplit(3, block=8, gap=2, random_state=2)
    assert not np.array_equal(next(cv.split(X))[1], next(other.split(X))[1])


def test_the_tools_of_scikit_learn_take_it():
    field = np.random.default_rng(0).random((16, 16, 16))
    X = FieldPoints([field], np.argwhere(field > 0.9))
    y = field[tuple(X.points.T)]
    cv = BlockSplit(4, block=8, gap=2, random_state=0)
    table = ShellAverageFeaturizer((0, 1)).fit_transform(X)
    placed = BlockSplit(4, block=8, gap=2, box=field.shape, random_state=0)
    scores = cross_validate(DummyRegressor(), table, y, groups=X.points, cv=placed)["test_score"]
    expected = [DummyRegressor().fit(table[a], y[a]).score(table[b], y[b]) for a, b in cv.split(X)]
    np.testing.assert_allclose(scores, expected)
    with config_context(enable_metadata_routing=True):
        routed = cross_validate(DummyRegressor(), table, y, params={"groups": X.points}, cv=placed)
        unrouted = cross_validate(
            make_pipeline(ShellAverageFeaturizer((0, 1)), DummyRegressor()), X, y, cv=cv
        )
    np.testing.assert_allclose(routed["test_score"], expected)
    np.testing.assert_allclose(unrouted["test_score"], expected)
    sizes, _, _ = learning_curve(DummyRegressor(), table, y, groups=X.points, cv=placed)
    assert len(sizes) == 5


def test_a_search_of_optuna_takes_it():
    field = np.random.default_rng(0).random((16, 16, 16))
    X = FieldPoints([field], np.argwhere(field > 0.9))
    y = field[tuple(X.points.T)]
    model = make_pipeline(ShellAverageFeaturizer((0, 1)), Ridge())
    cv = BlockSplit(4, block=8, gap=2, random_state=0)
    space = {"ridge__alpha": ("float", 1e-6, 10.0, "log")}
    search = OptunaSearch(model, space, n_trials=4, cv=cv, random_state=0).fit(X, y)
    expected = cross_validate(search.best_estimator_, X, y, cv=cv)["test_score"].mean()
    assert search.best_score_ == pytest.approx(expected)


def test_what_cannot_be_split_is_refused():
    X = FieldPoints([np.zeros((16, 16))], np.argwhere(np.ones((16, 16))))

    def split(*args, groups=None, X=X, **kwargs):
        return list(BlockSplit(*args, **kwargs).split(X, groups=groups))

    with pytest.raises(ValueError, match="n_splits must be an integer of at least 2, got 1"):
        split(1)
    with pytest.raises(ValueError, match="block must be positive, got 0"):
        split(block=0)
    with pytest.raises(ValueError, match="gap must be at least 0, got -1"):
        split(gap=-1)
    with pytest.raises(ValueError, match="periodic must be True or False, got 'no'"):
        split(periodic="no")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        split(box=(16, 16), X=np.zeros((4, 3)), groups=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="n_splits=5 needs as many blocks with points, block=8"):
        split(block=8)
    with pytest.raises(ValueError, match="gap=8 around blocks of 4 cells leaves nothing"):
        split(block=4)
    with pytest.raises(ValueError, match="BlockSplit needs to know where samples are"):
        split(X=np.zeros((4, 2)))
    with pytest.raises(ValueError, match="groups must be points of shape"):
        split(X=None, groups=[1, 2], box=(4, 4))
    with pytest.raises(ValueError, match=r"point 1 is \[0.0, 4.0\], outside the box \[4.0, 4.0\]"):
        split(X=None, groups=[[0, 0], [0, 4]], box=(4, 4))
