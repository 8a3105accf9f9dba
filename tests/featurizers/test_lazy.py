"""Lazy features equal eager ones, and stand wherever these do."""

import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, train_test_split
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configurations
from glassclf.featurizers import GraphFeaturizer, Graphs, ImageFeaturizer, LazyGraphs, LazyImages
from glassclf.testing import two_phases
from glassclf.testing.comparison import assert_equal

FEATURIZERS = [
    ImageFeaturizer(n_pixels=8),
    GraphFeaturizer(n_neighbors=4),
    GraphFeaturizer(r_max=1.5),
]
KEYS = [
    slice(2, 9),
    slice(None, None, -1),
    [3, 1, 1, -1],
    np.arange(24) % 3 == 0,
    (np.array([5, 0]), Ellipsis),
    [],
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A set in memory, and opened from a file."""
    X = two_phases(n_runs=12)[0]
    path = tmp_path_factory.mktemp("store") / "set.safetensors"
    X.save(path)
    return X, Configurations.open(path)


def lazy_and_eager(featurizer, X, **parameters):
    eager = clone(featurizer).fit(X)
    lazy = clone(featurizer).set_params(lazy=True, **parameters).fit(X)
    return lazy.transform(X), eager.transform(X)


def assert_same(lazy, eager):
    """The features of a sequence, computed at once, are bit for bit those of the eager set."""
    assert len(lazy) == len(eager)
    computed = lazy.compute(np.arange(len(lazy)))
    assert_equal(computed, eager, "lazy features")


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_lazy_features_are_the_eager_ones(featurizer, stored):
    for X in stored:
        lazy, eager = lazy_and_eager(featurizer, X)
        assert isinstance(lazy, (LazyImages, LazyGraphs))
        assert lazy.shape == eager.shape
        assert lazy.ndim == eager.ndim
        assert_equal(dict(lazy.info), dict(X.info), "info")
        assert_same(lazy, eager)
        assert_equal(lazy.compute([5, 0, 5]), eager[[5, 0, 5]], "a batch")
        assert_equal(lazy[7], eager[7], "one sample")
        for key in KEYS:
            part = lazy[key]
            assert type(part) is type(lazy)
            assert part.shape == eager[key].shape
            assert_same(part, eager[key])
            assert_equal(dict(part.info), dict(X[key].info), "info of a part")
            assert_same(part[:3], eager[key][:3])


def test_an_array_of_lazy_images_is_computed_and_graphs_make_none(stored):
    images, eager = lazy_and_eager(ImageFeaturizer(n_pixels=8), stored[1])
    assert images.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(images), eager, strict=True)
    assert np.asarray(images, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="lazy images are computed, which is a copy"):
        np.array(images, copy=False)
    graphs, _ = lazy_and_eager(GraphFeaturizer(), stored[1])
    with pytest.raises(TypeError, match="Graphs are for MPNNClassifier"):
        np.asarray(graphs)
    assert isinstance(graphs.compute([]), Graphs)
    assert len(graphs[:0].compute([])) == 0


def test_info_that_is_set_follows_and_leaves_the_configurations_alone(stored):
    for X in stored:
        images, _ = lazy_and_eager(ImageFeaturizer(n_pixels=8), X)
        images.info = {"number": np.arange(24)}
        assert images[[3, 1]].info["number"].tolist() == [3, 1]
        assert "number" not in X.info
        with pytest.raises(ValueError, match="one value for each of the 24"):
            images.info = {"number": [1]}


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_a_sequence_is_pickled_small_and_split_by_scikit_learn(featurizer, stored):
    X, opened = stored
    lazy, eager = lazy_and_eager(featurizer, opened)
    pickled = pickle.dumps(lazy)
    assert len(pickled) < 3000
    assert_same(pickle.loads(pickled), eager)
    assert joblib.hash(lazy) == joblib.hash(lazy[:])
    train, test = next(GroupKFold(3).split(lazy, groups=lazy.info["run"]))
    for part, rows in ((lazy[train], train), (pickle.loads(pickle.dumps(lazy[test])), test)):
        assert_same(part, eager[rows])
    left, right = train_test_split(lazy, random_state=0)
    assert isinstance(left, type(lazy))
    assert len(left) + len(right) == len(lazy)


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_a_fingerprint_tells_what_features_depend_on(featurizer, stored):
    X, opened = stored
    lazy = lazy_and_eager(featurizer, opened)[0]
    in_memory = lazy_and_eager(featurizer.set_params(n_jobs=1), X)[0]
    assert lazy.fingerprint() == in_memory.fingerprint()
    assert lazy[3:5].fingerprint() == in_memory[[3, 4]].fingerprint() != lazy.fingerprint()
    other = {"n_pixels": 9} if isinstance(featurizer, ImageFeaturizer) else {"connect": True}
    changed = lazy_and_eager(clone(featurizer).set_params(**other), X)[0]
    assert changed.fingerprint() != lazy.fingerprint()
    more = Configurations(X)
    more.types = np.where(np.arange(len(more.types)) < 30, 2, more.types)
    fitted = clone(featurizer).set_params(lazy=True).fit(more)
    assert fitted.transform(more)[1:].fingerprint() != lazy[1:].fingerprint()


def test_a_sequence_keeps_the_featurizer_as_it_was(stored):
    X = stored[0]
    featurizer = ImageFeaturizer(n_pixels=8, lazy=True).fit(X)
    images = featurizer.transform(X)
    featurizer.set_params(n_pixels=4).fit(X[:1])
    assert images[0].shape == (2, 8, 8)


def test_errors_and_warnings_name_what_is_amiss(stored, tmp_path):
    X = stored[1]
    with pytest.raises(ValueError, match=r"cache='.*' is used with lazy=True only"):
        ImageFeaturizer(cache=tmp_path).fit(X)
    graphs = GraphFeaturizer(n_neighbors=42, lazy=True).fit_transform(X)
    with pytest.raises(ValueError, match="configuration 7: n_neighbors must be smaller"):
        graphs.compute([7])
    with pytest.warns(UserWarning, match="no two particles of X are within r_max=0.001"):
        GraphFeaturizer(r_max=1e-3, lazy=True).fit_transform(X)
    images = ImageFeaturizer(n_pixels=8, lazy=True).fit(X)
    small = Configurations(X[:2])
    small.cells = small.cells * 2
    with pytest.warns(UserWarning, match="pixels of configuration 0 are"):
        images.transform(small)
    other = Configurations(X[:2])
    other.types = np.where(np.arange(len(other.types)) == 50, 5, other.types)
    with pytest.raises(ValueError, match="configuration 1 holds particles of type 5"):
        images.transform(other)


@pytest.mark.parametrize("lazy", [False, True])
def test_lazy_graphs_warn_of_units_as_eager_ones_do(lazy):
    far, near = (
        ([[0.5, 0.5], [4.0, 4.0]], [0, 0], [10.0] * 2),
        ([[1, 1], [1, 2]], [0, 0], [10.0] * 2),
    )
    featurizer = GraphFeaturizer(r_max=1.0, lazy=lazy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        featurizer.fit_transform([*[far] * 3, near, *[far] * 3])
        featurizer.fit_transform([([[1, 1]], [0], [10.0] * 2)] * 2)
    with pytest.warns(UserWarning, match="no two particles of X are within r_max=1:"):
        featurizer.fit_transform([far] * 9)


@pytest.mark.parametrize("lazy", [False, True])
def test_warnings_point_to_the_line_of_the_user(lazy):
    wide = ([[0.5, 0.5], [4.0, 4.0]], [0, 0], [10.0] * 2)
    narrow = ([[0.5, 0.5], [4.0, 4.0]], [0, 1], [5.0] * 2)
    calls = [
        ("missing", ImageFeaturizer(8, lazy=lazy).fit([narrow]), [wide] * 2),
        ("pixels", ImageFeaturizer(8, lazy=lazy).fit([narrow]), [wide] * 2),
        ("no two", GraphFeaturizer(r_max=1.0, lazy=lazy).fit([wide]), [wide] * 2),
        ("no two", make_pipeline(GraphFeaturizer(r_max=1.0, lazy=lazy)).fit([wide]), [wide] * 2),
    ]
    for message, featurizer, X in calls:
        with pytest.warns(UserWarning, match=message) as caught:
            featurizer.transform(X)
        assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(UserWarning, match="no two") as caught:
        GraphFeaturizer(r_max=1.0, lazy=lazy).fit_transform([wide])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"r_max": 2}, {"r_max": 2.0}, True),
        ({"r_max": np.float32(2)}, {"r_max": 2.0}, True),
        ({"r_max": np.float32(2.1)}, {"r_max": 2.1}, False),
        ({"r_max": 2.0}, {"r_max": 2.5}, False),
        ({"n_neighbors": np.int32(4)}, {"n_neighbors": 4}, True),
        ({"connect": np.False_}, {}, True),
        ({"connect": True}, {}, False),
    ],
)
def test_equal_parameters_make_equal_fingerprints(one, other, equal, stored):
    fingerprints = {
        GraphFeaturizer(lazy=True, **parameters).fit_transform(stored[1][:2]).fingerprint()
        for parameters in (one, other)
    }
    assert (len(fingerprints) == 1) is equal


class Anything(ImageFeaturizer):
    """An image featurizer with one parameter more, of any kind."""

    _parameter_constraints = {**ImageFeaturizer._parameter_constraints, "extra": "no_validation"}

    def __init__(self, n_pixels=8, *, blur=0.2, lazy=True, cache=None, n_jobs=None, extra=None):
        super().__init__(n_pixels, blur=blur, lazy=lazy, cache=cache, n_jobs=n_jobs)
        self.extra = extra


def itself():
    def function():
        return function

    return function


def test_parameters_of_any_kind_have_a_fingerprint(stored):
    def power(n):
        return lambda x: x**n

    extras = [
        None, 1, "1", 1.5, [1, 2], {"a": 1}, {"a": 2}, {1: 2}, len, np.add, np.mean, dict, itself,
        power(2), power(3), lambda x: x + 1, lambda x: x + 2, lambda x, y=1: y, lambda x, y=2: y,
        itself(), ImageFeaturizer(), ImageFeaturizer(8), np.array([1, 3]), Path("a"), "b", b"b",
        np.array([1, "a"], dtype=object), slice(3), "x".join, 1j,
    ]  # fmt: skip
    for _ in range(2):
        fingerprints = [
            Anything(extra=extra).fit_transform(stored[1][:1]).fingerprint() for extra in extras
        ]
        assert len(set(fingerprints)) == len(extras)
    again = Anything(extra=power(2)).fit_transform(stored[1][:1]).fingerprint()
    assert again == fingerprints[extras.index(itself) + 1]
