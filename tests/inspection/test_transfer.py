"""Transfer matrix: what is fitted how often, on whom, and what is refused."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

from glassclf.estimators import MPNNClassifier
from glassclf.featurizers import GraphFeaturizer, RDFFeaturizer
from glassclf.inspection import transfer_matrix
from glassclf.testing import two_phases

FITS = []


class Counting(ClassifierMixin, BaseEstimator):
    """Notes the training sets, and separates by the sign of the first column."""

    def fit(self, X, y, groups=None):
        FITS.append((X[:, 1], np.array(y), groups))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > 0).astype(int)]

    def decision_function(self, X):
        return X[:, 0]


def task(first_run=0, n_runs=10, sign=1.0, seed=0):
    """Two samples of each run, of either class; columns: a number that tells it, and the run."""
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(first_run, first_run + n_runs), 2)
    y = np.tile(["glass", "liquid"], n_runs)
    told = sign * (np.where(y == "liquid", 1.0, -1.0) + 0.1 * rng.normal(size=len(y)))
    return np.column_stack([told, run]), y, run


@pytest.fixture(autouse=True)
def count():
    FITS.clear()


def test_one_fit_for_each_task_and_fold_on_runs_that_are_not_tested():
    tasks = {name: task(seed=number) for number, name in enumerate("abc")}
    result = transfer_matrix(Counting(), tasks, cv=5, random_state=0)
    assert len(FITS) == 3 * 5
    assert result.names == ["a", "b", "c"]
    assert result.mean.shape == result.std.shape == (3, 3)
    assert result.scores.shape == (5, 3, 3)
    assert np.all(result.mean == 1)
    assert result.null is None
    # Folds of all tasks are the same: the runs left out of the three fits of a fold are.
    for fold in range(5):
        left_out = [
            set(range(10)) - set(runs.tolist()) for runs, _, _ in FITS[3 * fold : 3 * fold + 3]
        ]
        assert left_out[0] == left_out[1] == left_out[2]
        assert len(left_out[0]) == 2
    assert all(np.array_equal(runs, groups) for runs, _, groups in FITS)


def test_tasks_of_different_runs_are_all_spread_over_the_folds():
    tasks = {"old": task(0, 8), "new": task(100, 6), "both": task(4, 8)}
    result = transfer_matrix(Counting(), tasks, cv=3, random_state=1)
    assert result.mean.min() == 1
    sizes = [len(y) for _, y, _ in FITS]
    assert sorted(set(sizes[0::3])) in ([10], [10, 12])
    assert set(sizes[1::3]) == {8}


def test_null_takes_as_many_fits_again_with_shuffled_labels():
    tasks = {"a": task(), "b": task(seed=1)}
    pipe = LogisticRegression()
    result = transfer_matrix(pipe, tasks, cv=5, n_permutations=20, random_state=0)
    assert result.null.shape == (20, 2, 2)
    assert abs(result.null.mean() - 0.5) < 0.15
    transfer_matrix(Counting(), tasks, cv=2, n_permutations=1, random_state=0)
    assert len(FITS) == 2 * 2 * 2


def test_result_depends_on_the_seed_alone():
    X, y, run = task()
    noisy = {"a": (X + np.random.default_rng(5).normal(size=X.shape) * 2, y, run)}
    settings = {"cv": 4, "n_permutations": 2}
    one, same, other = (
        transfer_matrix(LogisticRegression(), noisy, **settings, random_state=seed)
        for seed in (0, 0, 1)
    )
    two_jobs = transfer_matrix(LogisticRegression(), noisy, **settings, random_state=0, n_jobs=2)
    assert np.array_equal(one.scores, same.scores)
    assert np.array_equal(one.scores, two_jobs.scores)
    assert np.array_equal(one.null, two_jobs.null)
    assert not np.array_equal(one.scores, other.scores)


def test_swapped_labels_are_suspected():
    tasks = {"right": task(), "wrong": task(20, sign=-1.0)}
    words = "trained on 'right', the AUC on 'wrong' is 0.00 .* below chance: are the labels"
    with pytest.warns(UserWarning, match=words):
        result = transfer_matrix(LogisticRegression(), tasks, cv=5, random_state=0)
    assert result.mean.round(2).tolist() == [[1, 0], [0, 1]]


def test_splitters_and_lists_of_folds_are_taken():
    tasks = {"a": task(), "b": task(seed=1)}
    assert transfer_matrix(Counting(), tasks, cv=LeaveOneGroupOut()).scores.shape == (10, 2, 2)
    assert transfer_matrix(Counting(), tasks, cv=GroupKFold(4)).scores.shape == (4, 2, 2)
    everyone = np.concatenate([task()[2]] * 2)
    folds = [(np.flatnonzero(everyone > 3), np.flatnonzero(everyone <= 3))]
    result = transfer_matrix(Counting(), tasks, cv=folds)
    assert result.scores.shape == (1, 2, 2)
    assert np.isnan(result.std).all()


def test_configurations_carry_their_runs():
    X, y, groups = two_phases(n_runs=8)
    pipe = make_pipeline(RDFFeaturizer(n_bins=10), LogisticRegression())
    network = MPNNClassifier(
        hidden_size=4, n_layers=1, max_epochs=2, validation_fraction=0.4, random_state=0
    )
    tasks = {"all": (X, y, None), "some": (X[:8], y[:8], None)}
    for model in (pipe, make_pipeline(GraphFeaturizer(n_neighbors=4), network)):
        result = transfer_matrix(model, tasks, cv=2, random_state=0)
        assert result.mean.shape == (2, 2)
    as_list = {"list": (list(X), y, groups)}
    assert transfer_matrix(pipe, as_list, cv=2, random_state=0).mean.shape == (1, 1)


@pytest.mark.parametrize("asks", [True, False])
def test_groups_are_routed_to_who_asks_for_them(asks):
    with sklearn.config_context(enable_metadata_routing=True):
        model = Counting().set_fit_request(groups=asks)
        transfer_matrix(model, {"a": task()}, cv=2, random_state=0)
    assert all((groups is not None) == asks for _, _, groups in FITS)


def test_regression_tasks():
    X, y, run = task()
    numbers = np.where(y == "glass", 0.1, 0.9) + 0.01 * run
    result = transfer_matrix(
        Ridge(), {"a": (X, numbers, run), "b": (X, 2 * numbers, run)}, scoring="r2", random_state=0
    )
    assert result.mean[0, 0] > 0.9
    assert result.mean[0, 1] < 0.5


def test_bad_tasks_are_refused():
    X, y, run = task()
    one = (X[:2], y[:2], run[:2])
    cases = [
        ({}, "tasks holds none: give a dict of name to"),
        ({"a": (X, y)}, r"task 'a' must be \(X, y, groups\), got 2 things"),
        ({"a": (X, y, None)}, "task 'a' has no groups: give the run of each sample"),
        (
            {"a": (X, y, run[:-1])},
            r"task 'a' has X, y and groups of different lengths: \[20, 20, 19",
        ),
        (
            {"a": (X, y, run), "b": (X, np.char.upper(y), run)},
            r"'a' has \['glass', 'liquid'\], 'b' has \['GLASS', 'LIQUID'\]",
        ),
        ({"a": (X, y, run), "b": one}, "task 'b' has one run: nothing is left to test on"),
    ]
    for tasks, words in cases:
        with pytest.raises(ValueError, match=words):
            transfer_matrix(Counting(), tasks)


def test_bad_splits_are_refused():
    tasks = {"a": task(), "few": task(0, 2)}
    with pytest.raises(ValueError, match="fold 0 of cv has run .* in both parts: use a splitter"):
        transfer_matrix(Counting(), tasks, cv=KFold(3, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match="leaves task 'few' without test runs: use fewer folds"):
        transfer_matrix(Counting(), tasks, cv=5)
    folds = [(np.flatnonzero(np.concatenate([task()[2], task(0, 2)[2]]) > 1), np.arange(4))]
    with pytest.raises(ValueError, match="fold 0 leaves task 'few' without training runs"):
        transfer_matrix(Counting(), tasks, cv=folds)


def test_runs_of_one_class_are_spread_by_class():
    y, run = np.repeat(["crystal", "liquid"], 12), np.repeat(np.arange(8), 3)
    X = np.random.default_rng(0).normal(size=(24, 3))
    for seed in range(10):
        result = transfer_matrix(LogisticRegression(), {"a": (X, y, run)}, cv=4, random_state=seed)
        assert np.isfinite(result.scores).all()


def test_runs_named_by_strings_and_by_numbers_are_refused():
    X, y, run = task()
    tasks = {"a": (X, y, run), "b": (X, y, run.astype(str))}
    with pytest.raises(ValueError, match="'a' and of task 'b' must both be strings or both"):
        transfer_matrix(Counting(), tasks)
