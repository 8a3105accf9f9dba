"""The packed set, as scikit-learn and joblib use it."""

import pickle
from operator import attrgetter, methodcaller

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import resample, shuffle

from glassclf.configurations import Configuration, Configurations


def make_set(n=12, n_particles=5):
    rng = np.random.default_rng(0)
    return Configurations(
        Configuration(
            rng.random((n_particles + index % 3, 2)) * 4,
            rng.integers(0, 2, n_particles + index % 3),
            [4.0, 4.0 + index],
            info={"run": f"r{index // 3}", "temperature": index / 10, "number": index},
        )
        for index in range(n)
    )


def assert_holds(part, X, numbers):
    """The part is a set of exactly these members of X, in order."""
    assert isinstance(part, Configurations)
    assert len(part) == len(numbers)
    assert part.shape == (len(numbers),)
    assert part.info["number"].tolist() == list(numbers)
    for one, number in zip(part, numbers):
        assert one.positions.tolist() == X[number].positions.tolist()
        assert one.types.tolist() == X[number].types.tolist()
        assert one.box.tolist() == X[number].box.tolist()
        assert one.periodic.tolist() == X[number].periodic.tolist()
        assert one.info == X[number].info


def test_an_integer_gives_one_configuration():
    X = make_set()
    for key in (3, np.int64(3), -9, (3, Ellipsis)):
        assert isinstance(X[key], Configuration)
        assert X[key].info == {"run": "r1", "temperature": 0.3, "number": 3}
        assert X[key].box.tolist() == [4.0, 7.0]
    assert [one.info["number"] for one in X] == list(range(12))


@pytest.mark.parametrize(
    ("key", "numbers"),
    [
        (slice(2, 5), [2, 3, 4]),
        (slice(None, None, -1), list(range(11, -1, -1))),
        (slice(5, 5), []),
        ([4, 1, 1, -1], [4, 1, 1, 11]),
        ([], []),
        (np.array([0, 11], dtype=np.uint8), [0, 11]),
        (np.array([], dtype=int), []),
        (np.arange(12) % 5 == 0, [0, 5, 10]),
        ([True] + [False] * 11, [0]),
        (range(3), [0, 1, 2]),
    ],
)
def test_every_other_index_gives_a_set(key, numbers):
    X = make_set()
    assert_holds(X[key], X, numbers)
    assert_holds(X[(key, Ellipsis)], X, numbers)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (12, "sample 12 of a set of 12"),
        (-13, "sample -13 of a set of 12"),
        ([0, 12], "out of bounds"),
        ([True, False], "boolean index has 2 values for 12 samples"),
        ([0.5], "indexed by integers, slices or masks, got an array of float64"),
        (["run"], "indexed by integers, slices or masks, got an array of <U3"),
        (
            "run",
            r"^samples are indexed by integers, slices or masks, got 'run'; "
            r"for values of info write X\.info\['run'\]$",
        ),
        (1.5, r"^samples are indexed by integers, slices or masks, got 1\.5$"),
        (True, "^samples are indexed by integers, slices or masks, got True$"),
        (None, "^samples are indexed by integers, slices or masks, got None$"),
        ([[0, 1]], "a set of samples has one axis, got an index with 2"),
        ((0, 1), r"got the tuple \(0, 1\); for two samples write X\[\[0, 1\]\]"),
    ],
)
def test_bad_indices_are_refused(key, message):
    with pytest.raises(IndexError, match=message):
        make_set()[key]


def test_parts_are_views_where_members_follow_each_other():
    X = make_set()
    assert np.shares_memory(X[2:5].positions, X.positions)
    assert np.shares_memory(X[3].positions, X.positions)


def test_sets_are_checked_when_built():
    with pytest.raises(ValueError, match="a set needs at least one configuration, got none"):
        Configurations([])
    with pytest.raises(TypeError, match="configuration 1 must be a Configuration, got tuple"):
        Configurations([make_set()[0], ([[0, 0]], [0], [1, 1])])
    flat, solid = make_set()[0], Configuration([[0, 0, 0]], [0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="configuration 0 is 2D, configuration 1 is 3D"):
        Configurations([flat, solid])


def with_info(*infos):
    return Configurations(Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info=i) for i in infos)


def test_info_that_some_lack_is_nan_or_empty():
    X = with_info({"T": 1, "label": "a", "v": [1.0, 2.0]}, {}, {"T": 2.5, "ok": True})
    np.testing.assert_array_equal(X.info["T"], [1, np.nan, 2.5])
    assert X.info["label"].tolist() == ["a", "", ""]
    np.testing.assert_array_equal(X.info["v"], [[1, 2], [np.nan] * 2, [np.nan] * 2])
    np.testing.assert_array_equal(X.info["ok"], [np.nan, np.nan, 1.0])


def test_info_that_does_not_stack_is_named():
    with pytest.raises(ValueError, match=r"info\['v'\] must have one shape in all"):
        with_info({"v": [1.0]}, {"v": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"info\['d'\] is missing from some configurations"):
        with_info({"d": {}}, {})


@pytest.mark.parametrize("run", ["a", 1])
def test_a_run_that_some_lack_is_told(run):
    message = r"info\['run'\] is missing from configuration 1, in all from 2 of 3: as groups"
    with pytest.warns(UserWarning, match=message) as caught:
        with_info({"run": run}, {"T": 1.0}, {})
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=message):
        Configurations.concatenate([with_info({"run": run}), with_info({}, {})])


@pytest.mark.parametrize(
    "infos",
    [
        ({"run": "a"}, {"run": 1}),
        ({"T": "hot"}, {"T": 0.5}, {}),
        ({}, {"n": 1}, {"n": "x"}),
        ({"n": "x"}, {"n": True}),
    ],
)
def test_strings_and_numbers_do_not_mix(infos):
    with pytest.raises(
        ValueError, match=r"info\['.*'\] mixes strings with others, got .* for conf"
    ):
        with_info(*infos)
    with pytest.raises(ValueError, match="mixes strings with others, got 'b' for configuration 2"):
        Configurations.concatenate([with_info({"run": 1}, {"run": 2}), with_info({"run": "b"})])


def test_sets_are_joined_in_order():
    X = make_set()
    assert_holds(Configurations.concatenate([X[4:6], X[:1]]), X, [4, 5, 0])


def test_repr_says_what_is_inside():
    X = make_set()
    assert repr(X[:1]).startswith("Configurations(n=1, n_dims=2, n_particles=5, types=[")
    assert "n_particles=5 to 7" in repr(X)
    assert repr(X[:0]) == "Configurations(n=0, n_dims=2)"
    assert "triclinic" in repr(Configurations([Configuration([[0, 0]], [0], [[1, 0], [0.1, 1]])]))


def test_pickle_and_hash_are_stable():
    X = make_set()
    assert_holds(pickle.loads(pickle.dumps(X)), X, range(12))
    assert joblib.hash(X) == joblib.hash(make_set()) == joblib.hash(pickle.loads(pickle.dumps(X)))
    assert joblib.hash(X) != joblib.hash(X[::-1])


def test_joblib_maps_large_sets_read_only():
    X = make_set(n=8, n_particles=20_000)
    look = delayed(attrgetter("positions.flags.writeable", "info"))
    for writeable, info in Parallel(n_jobs=2, max_nbytes="1M")(look(X) for _ in range(2)):
        assert not writeable
        assert info["run"].tolist() == X.info["run"].tolist()


def test_joblib_loads_with_a_memory_map(tmp_path):
    X = make_set()
    joblib.dump(X, tmp_path / "set")
    assert_holds(joblib.load(tmp_path / "set", mmap_mode="r"), X, range(12))


def box_features():
    """A featurizer of importable parts, so that worker processes can load it."""
    return make_pipeline(
        FunctionTransformer(attrgetter("cells")),
        FunctionTransformer(methodcaller("reshape", -1, 4)),
    )


class Majority(ClassifierMixin, BaseEstimator):
    def __init__(self, label=None):
        self.label = label

    def fit(self, X, y):
        assert isinstance(X, Configurations)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_sklearn_splits_the_set():
    X = make_set()
    y = np.arange(12) % 2
    left, right, y_left, y_right = train_test_split(X, y, random_state=0, stratify=y)
    assert_holds(left, X, left.info["number"])
    assert sorted([*left.info["number"], *right.info["number"]]) == list(range(12))
    assert (left.info["number"] % 2 == y_left).all()
    assert (right.info["number"] % 2 == y_right).all()
    for train, test in GroupKFold(4).split(X, y, X.info["run"]):
        assert not set(X[train].info["run"]) & set(X[test].info["run"])
    assert_holds(resample(X, random_state=0), X, resample(np.arange(12), random_state=0))
    assert_holds(shuffle(X, random_state=0), X, shuffle(np.arange(12), random_state=0))


def test_sklearn_validates_over_the_set():
    X, y = make_set(), np.array(["glass", "liquid"])[np.arange(12) % 2]
    groups = X.info["run"]
    pipeline = make_pipeline(box_features(), LogisticRegression())
    for n_jobs in (1, 2):
        scores = cross_validate(
            pipeline, X, y, groups=groups, cv=GroupKFold(4), n_jobs=n_jobs, error_score="raise"
        )
        assert len(scores["test_score"]) == 4
    assert len(cross_val_predict(pipeline, X, y, groups=groups, cv=GroupKFold(4))) == 12
    learning_curve(Majority(), X, y, cv=3, error_score="raise", shuffle=True, random_state=0)
    search = GridSearchCV(Majority(), {"label": [1, 2]}, cv=3, error_score="raise").fit(X, y)
    assert search.predict(X).tolist() == ["glass"] * 12


def test_a_pipeline_with_memory_finds_the_same_set_again(tmp_path):
    X, y = make_set(), np.arange(12) % 2
    pipeline = make_pipeline(box_features(), LogisticRegression(), memory=str(tmp_path))
    assert pipeline.fit(X, y).score(X, y) == pipeline.fit(make_set(), y).score(X, y)
