"""What is held out for validation: whole groups, and never all samples of a class."""

import contextlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier
from glassclf.estimators.validation_split import split_validation
from glassclf.featurizers import GraphFeaturizer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

fractions = st.floats(0.01, 0.99)
seeds = st.integers(0, 2**31 - 1)


@st.composite
def labels_and_groups(draw):
    n_samples = draw(st.integers(2, 40))
    one_each = st.lists(st.integers(0, 5), min_size=n_samples, max_size=n_samples)
    labels = draw(one_each.map(np.array))
    groups = draw(st.none() | one_each.map(lambda numbers: np.array([f"run {i}" for i in numbers])))
    return labels, groups


def classes_that_one_group_has(labels, groups):
    """Slow plain twin: the classes by the groups that cannot be held out because of them."""
    needed = {}
    for group in dict.fromkeys(groups):
        lost = set(labels.tolist()) - set(labels[groups != group].tolist())
        if lost:
            needed[group] = lost
    return needed


@given(labels_and_groups(), fractions, seeds)
def test_whole_groups_are_held_out_and_no_class_is_lost(data, fraction, seed):
    labels, groups = data
    n = len(labels)
    units = np.arange(n) if groups is None else groups
    needed = classes_that_one_group_has(labels, units)
    n_units = len(set(units.tolist()))
    assume(len(needed) < n_units and n_units > 1)
    train, valid = split_validation(n, fraction, labels=labels, groups=groups, random_state=seed)

    np.testing.assert_array_equal(np.sort(np.r_[train, valid]), np.arange(n))
    assert (np.diff(train) > 0).all()
    assert (np.diff(valid) > 0).all()
    assert not np.isin(units[valid], units[train]).any()
    assert set(labels[train].tolist()) == set(labels.tolist())

    n_valid = len(set(units[valid].tolist()))
    wanted = np.clip(round(fraction * n_units), 1, n_units - 1)
    n_classes = len(set(labels.tolist()))
    assert max(1, min(wanted, n_units - n_classes)) <= n_valid <= wanted

    again = split_validation(n, fraction, labels=labels, groups=groups, random_state=seed)
    np.testing.assert_array_equal(again[0], train)
    np.testing.assert_array_equal(again[1], valid)


@given(labels_and_groups(), fractions, seeds)
def test_only_impossible_splits_are_refused(data, fraction, seed):
    labels, groups = data
    units = np.arange(len(labels)) if groups is None else groups
    needed = classes_that_one_group_has(labels, units)
    n_units = len(set(units.tolist()))
    name = "sample" if groups is None else "group"
    if n_units < 2:
        words = f"needs at least 2 {name}s to hold one of them out, got {n_units}; use"
    elif len(needed) == n_units:
        named = "|".join(str(lost) for classes in needed.values() for lost in classes)
        words = (
            f"can hold out no {name} without losing a class from training: class ({named}), "
            f"for one, is found in one {name} only; give another {name} of that class, or use "
            "validation_fraction=None with early_stopping=False"
        )
    else:
        words = None
    raises = pytest.raises(ValueError, match=words) if words else contextlib.nullcontext()
    with raises:
        split_validation(len(labels), fraction, labels=labels, groups=groups, random_state=seed)


@pytest.mark.parametrize("labels", [list("aabb"), None])
def test_nothing_to_hold_out(labels):
    with pytest.raises(ValueError, match="fraction=0.5 needs at least 2 groups .* got 1; use"):
        split_validation(4, 0.5, labels=labels, groups=["one"] * 4)
    with pytest.raises(ValueError, match="needs at least 2 samples .* got 1; use"):
        split_validation(1, 0.5, labels=labels and labels[:1])


def test_the_advice_of_the_refusal_helps():
    labels, groups = ["glass", "glass", "liquid"], [0, 0, 1]
    with pytest.raises(ValueError, match="class 'glass', for one, is found in one group only"):
        split_validation(3, 0.5, labels=labels, groups=groups)
    train, valid = split_validation(4, 0.5, labels=[*labels, "glass"], groups=[*groups, 2])
    assert 2 in train
    assert len(valid) in {1, 2}


@pytest.mark.parametrize("seed", range(30))
def test_two_groups_a_class_can_be_halved(seed):
    labels = np.repeat(np.arange(10), 2)
    train, valid = split_validation(20, 0.5, labels=labels, groups=np.arange(20), random_state=seed)
    np.testing.assert_array_equal(labels[train], np.arange(10))
    np.testing.assert_array_equal(labels[valid], np.arange(10))


@pytest.mark.parametrize("seed", range(10))
def test_the_only_group_that_can_be_held_out_is_found(seed):
    # Run 0 holds classes 0 to 99, each of which one other run holds, too, beside one of its own.
    # Hardly a random order brings all the others before run 0.
    run = np.arange(100)
    labels, groups = np.r_[run, run, 100 + run], np.r_[0 * run, 1 + run, 1 + run]
    _, valid = split_validation(300, 0.3, labels=labels, groups=groups, random_state=seed)
    np.testing.assert_array_equal(valid, run)


@pytest.mark.parametrize("seed", range(10))
def test_validation_part_mirrors_the_classes(seed):
    # Forty runs of one class each, four samples long. Eight drawn blindly are often 6 to 2.
    groups = np.repeat(np.arange(40), 4)
    labels = groups % 2
    _, valid = split_validation(160, 0.2, labels=labels, groups=groups, random_state=seed)
    assert len(valid) == 32
    assert abs(labels[valid].mean() - 0.5) <= 1 / 8


@pytest.mark.parametrize("seed", range(5))
def test_validation_part_is_as_large_as_wanted_where_it_can(seed):
    # Two runs hold all four classes, eight hold one: one of the two is enough for training.
    labels = np.r_[np.tile(np.arange(4), 2), np.arange(8) % 4]
    groups = np.r_[np.repeat([0, 1], 4), np.arange(2, 10)]
    train, _ = split_validation(16, 0.9, labels=labels, groups=groups, random_state=seed)
    assert np.unique(groups[train]).tolist() in ([0], [1])


def test_seeds_give_different_splits():
    splits = {tuple(split_validation(20, 0.3, random_state=seed)[1]) for seed in range(5)}
    assert len(splits) == 5


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (["a", "a", "b", None], "sample 3 has None"),
        ([None, 1, "b", 2], "sample 0 has None"),
        (["a", "b", float("nan"), "c"], "sample 2 has nan"),
        (np.array([0, 1, 2, np.nan]), "sample 3 has nan"),
        (np.array(["2020", "NaT", "2021", "2022"], dtype="M8[ns]"), "sample 1 has NaT"),
    ],
)
def test_missing_groups_are_refused(groups, words):
    with pytest.raises(ValueError, match=f"^groups must not be missing: {words}$"):
        split_validation(4, 0.5, groups=groups)


def test_missing_groups_of_pandas_are_refused():
    pd = pytest.importorskip("pandas")
    for groups in (pd.array(["a", "b", None], dtype="string"), pd.Categorical(["a", "b", None])):
        with pytest.raises(ValueError, match="groups must not be missing: sample 2 has"):
            split_validation(3, 0.5, groups=pd.Series(groups))


def test_groups_of_several_types():
    groups = np.array([1, "a", 1, "a", 2.5, 2.5], dtype=object)
    train, valid = split_validation(6, 0.3, groups=groups, random_state=0)
    assert len(valid) == 2
    assert groups[valid[0]] == groups[valid[1]]
    assert len(train) == 4


class Recorder(Callback):
    """Remember what each epoch was trained and validated on."""

    # One list for all copies that a meta-estimator may make.
    seen = []

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        valid = None if dataset_valid is None else dataset_valid.chosen
        self.seen.append((dataset_train.chosen, valid, dataset_train.weights.numpy()))


@pytest.fixture
def seen():
    Recorder.seen.clear()
    yield Recorder.seen
    Recorder.seen.clear()


def watched(kind, **parameters):
    given = {"max_epochs": 2, "validation_fraction": 0.3, "random_state": 0, **parameters}
    return kind(callbacks=[Recorder()], **given)


def assert_together(seen, groups, n_epochs=2):
    groups = np.asarray(groups)
    assert len(seen) == n_epochs
    for train, valid, _ in seen:
        assert len(valid) > 0
        np.testing.assert_array_equal(np.sort(np.r_[train, valid]), np.arange(len(groups)))
        assert not np.isin(groups[valid], groups[train]).any()


# Runs of five samples, so that a split that ignores them cuts some for every seed.
GROUPS = [f"run {i}" for i in np.arange(20) // 5]


@pytest.mark.parametrize("kind", [CNNClassifier, CNNRegressor])
def test_groups_given_to_fit_are_kept_together(kind, images, seen):
    X, y = images
    y = y if kind is CNNClassifier else np.arange(len(y), dtype=float)
    watched(kind).fit(X, y, groups=GROUPS)
    assert_together(seen, GROUPS)
    seen.clear()
    watched(kind, validation_fraction=None, early_stopping=True).fit(X, y, groups=GROUPS)
    assert_together(seen, GROUPS)


def test_samples_are_split_without_groups(images, seen):
    watched(CNNClassifier).fit(*images)
    with pytest.raises(AssertionError):
        assert_together(seen, GROUPS)
    assert [len(valid) for _, valid, _ in seen] == [6, 6]


def test_without_validation_everything_is_trained_on(images, seen):
    watched(CNNClassifier, validation_fraction=None).fit(*images, groups=GROUPS)
    assert [valid for _, valid, _ in seen] == [None, None]
    np.testing.assert_array_equal(seen[0][0], np.arange(20))


def test_runs_of_graphs_are_kept_together_unasked(graphs, seen):
    X, y = graphs
    watched(MPNNClassifier, validation_fraction=0.5).fit(X, y)
    assert_together(seen, X.info["run"])


def test_groups_given_to_fit_outrank_the_runs(graphs, seen):
    X, y = graphs
    watched(MPNNClassifier, validation_fraction=0.5).fit(X, y, groups=GROUPS)
    assert_together(seen, GROUPS)


def test_runs_of_configurations_reach_the_network_behind_a_featurizer(crystals_and_gases, seen):
    X, y = crystals_and_gases(6)
    network = watched(MPNNClassifier, validation_fraction=0.5)
    make_pipeline(GraphFeaturizer(n_neighbors=4), network).fit(X, y)
    assert_together(seen, X.info["run"])


def test_groups_reach_the_last_step_of_a_pipeline(images, seen):
    X, y = images
    pipeline = make_pipeline(FunctionTransformer(), watched(CNNClassifier))
    pipeline.fit(X, y, cnnclassifier__groups=GROUPS)
    assert_together(seen, GROUPS)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_network_through_cross_validation(routing, images, seen):
    X, y = images
    pipeline = make_pipeline(FunctionTransformer(), watched(CNNClassifier))
    groups = np.array(GROUPS)
    given = (
        {"params": {"groups": groups}}
        if routing
        else {"groups": groups, "params": {"cnnclassifier__groups": groups}}
    )
    with config_context(enable_metadata_routing=routing):
        outcome = cross_validate(
            pipeline, X, y, cv=GroupKFold(2), return_indices=True, error_score="raise", **given
        )
    parts = outcome["indices"]["train"]
    assert len(seen) == 2 * len(parts)
    for fold, part in enumerate(parts):
        assert_together(seen[2 * fold : 2 * fold + 2], groups[part])


@pytest.mark.parametrize("kind", [CNNClassifier, CNNRegressor])
def test_partial_fit_hands_on_groups_and_weights(kind, images, seen):
    X, y = images
    first = {"classes": np.unique(y)} if kind is CNNClassifier else {}
    y = y if kind is CNNClassifier else np.arange(len(y), dtype=float)
    weight = np.arange(1.0, 21.0)
    model = watched(kind)
    model.partial_fit(X, y, groups=GROUPS, sample_weight=weight, **first)
    model.partial_fit(X, y, groups=GROUPS, sample_weight=weight)
    assert_together(seen, GROUPS)
    for _, _, used in seen:
        np.testing.assert_allclose(used, weight / weight.mean(), rtol=1e-6)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_groups_are_refused_by_fit(images, missing):
    groups = np.array(GROUPS, dtype=object)
    groups[3] = missing
    with pytest.raises(ValueError, match=f"groups must not be missing: sample 3 has {missing}"):
        watched(CNNClassifier).fit(*images, groups=groups)


def test_impossible_split_is_refused_by_fit(images):
    X, y = images
    with pytest.raises(ValueError, match="class 'bright', for one, is found in one group only"):
        watched(CNNClassifier).fit(X, y, groups=y)
