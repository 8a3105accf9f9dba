"""Groups and weights reach the splitter, the last step and its validation split, and no others."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from glassclf.configurations import Configurations
from glassclf.estimators import CNNClassifier, CNNRegressor
from glassclf.featurizers import ImageFeaturizer, RDFFeaturizer
from glassclf.model_selection import OptunaSearch
from glassclf.testing import two_phases
from glassclf.testing.samples import without_info


class Diary(Callback):
    """Writes down the samples of both parts of each training: the first value of an image."""

    def __init__(self):
        self.parts = []

    def __deepcopy__(self, memo):
        return self

    def on_train_begin(self, net, X=None, **kwargs):
        self.now = None

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        rows = [
            None if part is None else part.batch(np.arange(len(part)))[0][:, 0, 0, 0].tolist()
            for part in (dataset_train, dataset_valid)
        ]
        if not self.parts or self.parts[-1] != rows:
            self.parts.append(rows)


class Weighed(LogisticRegression):
    """Keeps what its fit was given."""

    calls = []

    def fit(self, X, y, sample_weight=None):
        self.calls.append((X.copy(), None if sample_weight is None else sample_weight.copy()))
        return super().fit(X, y, sample_weight)


@pytest.fixture
def numbered():
    """Images whose first value is the number of their group, of 12 groups with both classes."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 4)
    y = np.array(["bright", "dark"] * 24)
    X = rng.random((48, 1, 8, 8), dtype=np.float32)
    X[y == "bright"] += 0.5
    X[:, 0, 0, 0] = groups
    order = rng.permutation(48)
    return X[order], y[order], groups[order]


def small_network(**parameters):
    defaults = {"n_filters": (2,), "max_epochs": 2, "validation_fraction": 0.4, "random_state": 0}
    return CNNClassifier(**{**defaults, **parameters})


def search_over(estimator, name, **parameters):
    defaults = {"n_trials": 2, "random_state": 0, "cv": GroupKFold(3)}
    entry = ("float", 1e-3, 1e-2) if name.endswith("lr") else ("float", 0.1, 1)
    return OptunaSearch(estimator, {name: entry}, **{**defaults, **parameters})


def assert_groups_stay_whole(diary, n_trainings):
    assert len(diary.parts) == n_trainings
    for train, valid in diary.parts:
        assert not set(train) & set(valid)


def identity(X):
    return X


WRAPS = {
    "bare": (lambda network: network, ""),
    "pipe": (make_pipeline, "cnnclassifier__"),
    "nested": (
        lambda network: make_pipeline(
            FunctionTransformer(identity), make_pipeline(FunctionTransformer(identity), network)
        ),
        "pipeline__cnnclassifier__",
    ),
}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("wrap", WRAPS)
def test_no_group_is_on_both_sides(numbered, wrap, routing):
    X, y, groups = numbered
    diary = Diary()
    make, prefix = WRAPS[wrap]
    search = search_over(make(small_network(callbacks=[diary])), prefix + "lr")
    with config_context(enable_metadata_routing=routing):
        search.fit(X, y, groups)
    assert search.n_splits_ == 3
    assert_groups_stay_whole(diary, 2 * 3 + 1)
    # What a fold leaves out is what GroupKFold leaves out.
    learned = [set(train) | set(valid) for train, valid in diary.parts[:3]]
    for seen, (train, _) in zip(learned, GroupKFold(3).split(X, y, groups)):
        assert seen == set(groups[train])
    assert set(diary.parts[-1][0]) | set(diary.parts[-1][1]) == set(range(12))


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("wrap", WRAPS)
def test_groups_within_an_outer_cross_validation(numbered, wrap, routing):
    X, y, groups = numbered
    diary = Diary()
    make, prefix = WRAPS[wrap]
    search = search_over(make(small_network(callbacks=[diary])), prefix + "lr", cv=GroupKFold(2))
    outer = GroupKFold(2)
    # Without routing the outer splitter takes them from another parameter.
    given = {} if routing else {"cv": list(outer.split(X, y, groups))}
    with config_context(enable_metadata_routing=routing):
        result = cross_validate(
            search, X, y, **({"cv": outer} | given), params={"groups": groups}, error_score="raise"
        )
    assert len(result["test_score"]) == 2
    assert_groups_stay_whole(diary, 2 * (2 * 2 + 1))
    for number, (train, test) in enumerate(outer.split(X, y, groups)):
        for parts in diary.parts[5 * number : 5 * number + 5]:
            assert not set(parts[0] + parts[1]) & set(groups[test])
        assert set(sum(diary.parts[5 * number + 4], [])) == set(groups[train])


def test_without_groups_the_parts_share_them(numbered):
    X, y, groups = numbered
    diary = Diary()
    search_over(small_network(callbacks=[diary]), "lr", cv=3).fit(X, y)
    assert any(set(train) & set(valid) for train, valid in diary.parts)


@pytest.mark.parametrize("routing", [False, True])
def test_an_estimator_without_groups_is_given_none(numbered, routing):
    X, y, groups = numbered
    pipe = make_pipeline(LogisticRegression())
    search = search_over(pipe, "logisticregression__C", cv=StratifiedGroupKFold(3))
    with config_context(enable_metadata_routing=routing):
        search.fit(X.reshape(48, -1), y, groups)
        result = cross_validate(
            search,
            X.reshape(48, -1),
            y,
            cv=list(GroupKFold(3).split(X, y, groups)),
            params={"groups": groups},
            error_score="raise",
        )
    assert np.isfinite(result["test_score"]).all()
    assert search.n_splits_ == 3


@pytest.mark.parametrize("given", [Configurations, list])
@pytest.mark.parametrize("routing", [False, True])
def test_runs_of_the_input_are_its_groups(given, routing):
    X, y, groups = two_phases(n_runs=8)
    pipe = make_pipeline(ImageFeaturizer(8), small_network(max_epochs=1))
    search = search_over(pipe, "cnnclassifier__lr", cv=None)
    with config_context(enable_metadata_routing=routing):
        named = search.fit(given(X), y, groups).study_.trials
        found = search.fit(given(X), y).study_.trials
        assert [trial.values for trial in found] == [trial.values for trial in named]
        assert search.n_splits_ == 5
        # All runs are one: there is no fold without it.
        with pytest.raises(ValueError, match="groups holds one group only, which cannot be both"):
            search.fit(given(X), y, ["the same"] * 16)
    search.fit(without_info(X), y)
    default = StratifiedKFold(5).split(np.empty(16), y)
    for mine, theirs in zip(search._run.task.folds, default):
        np.testing.assert_array_equal(mine[1], theirs[1])


def test_folds_without_cv(numbered):
    X, y, groups = numbered
    flat = X.reshape(48, -1)

    def folds(estimator, y, groups, name):
        search = search_over(estimator, name, cv=None, n_trials=1).fit(flat, y, groups)
        return [test.tolist() for _, test in search._run.task.folds]

    def as_lists(cv, y, groups):
        return [test.tolist() for _, test in cv.split(flat, y, groups)]

    classifier = LogisticRegression()
    assert folds(classifier, y, groups, "C") == as_lists(StratifiedGroupKFold(5), y, groups)
    few = groups % 3
    assert folds(classifier, y, few, "C") == as_lists(StratifiedGroupKFold(3), y, few)
    rare = np.where(np.arange(48) % 12 == 0, "rare", "common")
    assert len(folds(classifier, rare, groups, "C")) == 4
    network = CNNRegressor(n_filters=(2,), max_epochs=1)
    search = search_over(network, "lr", cv=None, n_trials=1).fit(X, (y == "dark") * 1.0, groups)
    found = [test.tolist() for _, test in search._run.task.folds]
    assert found == as_lists(GroupKFold(5), y, groups)


def test_splitters_of_all_kinds(numbered):
    X, y, groups = numbered
    shuffled = GroupShuffleSplit(2, random_state=0)
    pairs = [(np.arange(0, 24), np.arange(24, 48))]
    for cv, n_splits in ((shuffled, 2), (KFold(2), 2), (pairs, 1), (2, 2), (iter(pairs), 1)):
        search = search_over(LogisticRegression(), "C", cv=cv).fit(X.reshape(48, -1), y, groups)
        assert search.n_splits_ == n_splits


def test_a_last_step_that_is_chosen_gets_its_groups(numbered):
    X, y, groups = numbered
    diary = Diary()
    pipe = make_pipeline(FunctionTransformer(identity), small_network()).set_params(
        cnnclassifier=KNeighborsClassifier()
    )
    space = {"cnnclassifier": ("choice", (small_network(callbacks=[diary]),))}
    OptunaSearch(pipe, space, n_trials=1, cv=GroupKFold(3)).fit(X, y, groups)
    assert_groups_stay_whole(diary, 3 + 1)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_weights_are_split_with_the_samples(piped, routing):
    X, y = make_classification(30, 4, random_state=0)
    weight = np.arange(30.0) + 1
    X[:, 0] = weight
    Weighed.calls.clear()
    with config_context(enable_metadata_routing=routing):
        last = Weighed()
        if routing:
            last.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        estimator = make_pipeline(FunctionTransformer(identity), last) if piped else last
        search = search_over(estimator, "weighed__C" if piped else "C", cv=2, n_trials=1)
        search.fit(X, y, sample_weight=weight)
    assert len(Weighed.calls) == 2 + 1
    for seen, given in Weighed.calls:
        np.testing.assert_array_equal(seen[:, 0], given)
    Weighed.calls.clear()
    search.fit(X, y)
    assert [given for _, given in Weighed.calls] == [None] * 3


def test_weights_count_in_the_score():
    X, y = make_classification(40, 4, flip_y=0.3, random_state=0)
    weight = np.random.default_rng(0).random(40)
    search = search_over(LogisticRegression(), "C", cv=2, n_trials=1, scoring="accuracy")
    search.fit(X, y, sample_weight=weight)
    train, test = search._run.task.folds[0]
    model = LogisticRegression(**search.best_params_).fit(X[train], y[train], weight[train])
    expected = np.average(model.predict(X[test]) == y[test], weights=weight[test])
    assert search.cv_results_["split0_test_score"][0] == pytest.approx(expected)


def test_what_nobody_takes_is_refused():
    X, y = make_classification(30, 4, random_state=0)
    search = search_over(LogisticRegression(), "C", cv=2)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        search.fit(X, y, colour="red")


def test_parameters_of_a_step_are_handed_on():
    X, y, groups = two_phases(n_runs=6)
    Weighed.calls.clear()
    pipe = make_pipeline(RDFFeaturizer(n_bins=5), Weighed())
    search = search_over(pipe, "weighed__C", n_trials=1, cv=GroupKFold(2))
    search.fit(X, y, groups, weighed__sample_weight=np.arange(12.0) + 1)
    folds = list(GroupKFold(2).split(y, y, groups))
    for (_, given), rows in zip(Weighed.calls, [folds[0][0], folds[1][0], np.arange(12)]):
        np.testing.assert_array_equal(given, rows + 1.0)
