"""Features are computed once for each setting of the featurizer, and thrown out in the end."""

import os
import sys
import tempfile
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import (
    ConfigurationFeaturizer,
    GraphFeaturizer,
    ImageFeaturizer,
    RDFFeaturizer,
)
from glassclf.model_selection import OptunaSearch
from glassclf.model_selection.feature_store import FeatureStore
from glassclf.testing import two_phases

# Processes of joblib cannot import this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

LAST = {"logisticregression__C": ("float", 0.1, 10, "log")}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Counting(ConfigurationFeaturizer):
    """Distances between particles, of which each computation is written down."""

    calls = []

    def __init__(self, n_bins=3, power=1, *, n_jobs=None):
        super().__init__(n_jobs=n_jobs)
        self.n_bins, self.power = n_bins, power

    def transform(self, X):
        self.calls.append((self.n_bins, len(X)))
        return super().transform(X)

    def _featurize(self, configuration):
        nearest = np.sort(np.linalg.norm(configuration.positions, axis=1))
        return nearest[: self.n_bins] ** self.power


class Failing(LogisticRegression):
    def fit(self, X, y):
        raise RuntimeError("not today")


@pytest.fixture
def phases():
    Counting.calls.clear()
    return two_phases(n_runs=8)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Folder in which temporary ones are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def identity(X):
    return X


def search_over(estimator, space=LAST, **parameters):
    defaults = {"n_trials": 5, "cv": GroupKFold(3), "random_state": 0}
    return OptunaSearch(estimator, space, **{**defaults, **parameters})


def size_of(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def test_features_are_computed_once(phases, scratch):
    X, y, groups = phases
    pipe = make_pipeline(Counting(), StandardScaler(), LogisticRegression())
    search = search_over(pipe).fit(X, y, groups)
    # Once for all folds of all trials, and once more by the fit of the best parameters.
    assert Counting.calls == [(3, 16), (3, 16)]
    assert not any(scratch.iterdir())
    expected = cross_validate(
        clone(pipe).set_params(**search.best_params_), X, y, groups=groups, cv=GroupKFold(3)
    )
    best = [search.cv_results_[f"split{split}_test_score"] for split in range(3)]
    found = [column[search.best_index_] for column in best]
    np.testing.assert_array_equal(found, expected["test_score"])


def test_each_setting_is_computed_once(phases):
    X, y, groups = phases
    space = {"counting__n_bins": ("choice", (2, 3, 4)), **LAST}
    pipe = make_pipeline(Counting(), LogisticRegression())
    search = search_over(pipe, space, n_trials=12, refit=False).fit(X, y, groups)
    tried = {params["counting__n_bins"] for params in search.cv_results_["params"]}
    assert sorted(Counting.calls) == [(n_bins, 16) for n_bins in sorted(tried)]
    assert len(tried) > 1


NESTED = {
    "head": lambda: make_pipeline(
        make_pipeline(Counting(), StandardScaler()), FunctionTransformer(), LogisticRegression()
    ),
    "tail": lambda: make_pipeline(
        FunctionTransformer(identity),
        make_pipeline(Counting(), StandardScaler(), LogisticRegression()),
    ),
    "union": lambda: make_pipeline(
        FeatureUnion([("one", Counting(2)), ("two", Counting(3))]), LogisticRegression()
    ),
}


@pytest.mark.parametrize("kind", NESTED)
def test_what_is_learned_is_learned_from_the_training_part(phases, kind):
    X, y, groups = phases
    pipe = NESTED[kind]()
    (name,) = [name for name in pipe.get_params() if name.endswith("__C")]
    search = search_over(pipe, {name: LAST["logisticregression__C"]}, scoring="neg_log_loss")
    search.fit(X, y, groups)
    assert len(Counting.calls) == (4 if kind == "union" else 2)
    for fold, (train, test) in enumerate(GroupKFold(3).split(y, y, groups)):
        alone = clone(pipe).set_params(**search.best_params_).fit(X[train], y[train])
        found = search.cv_results_[f"split{fold}_test_score"][search.best_index_]
        assert found == search.scorer_(alone, X[test], y[test])


def test_lazy_features_are_left_to_themselves(phases):
    X, y, groups = phases
    network = CNNClassifier(n_filters=(2,), max_epochs=1, random_state=0)
    space = {"cnnclassifier__lr": ("float", 1e-3, 1e-2)}
    scores = [
        search_over(
            make_pipeline(ImageFeaturizer(8, lazy=lazy), network),
            space,
            n_trials=2,
            scoring="neg_log_loss",
        )
        .fit(X, y, groups)
        .best_score_
        for lazy in (False, True)
    ]
    assert scores[0] == scores[1]


def test_graphs_are_kept(phases, tmp_path):
    X, y, groups = phases
    network = MPNNClassifier(hidden_size=4, max_epochs=1, random_state=0)
    pipe = make_pipeline(GraphFeaturizer(n_neighbors=4), network)
    space = {"mpnnclassifier__lr": ("float", 1e-3, 1e-2)}
    search = search_over(pipe, space, n_trials=2, scoring="neg_log_loss", cache=tmp_path)
    search.fit(X, y, groups)
    train, test = next(GroupKFold(3).split(y, y, groups))
    alone = clone(pipe).set_params(**search.best_params_).fit(X[train], y[train])
    score = search.scorer_(alone, X[test], y[test])
    assert search.cv_results_["split0_test_score"][search.best_index_] == score
    assert any(tmp_path.rglob("*.pkl"))


def test_a_folder_of_ones_own_is_kept(phases, tmp_path):
    X, y, groups = phases
    pipe = make_pipeline(Counting(), LogisticRegression())
    search = search_over(pipe, cache=tmp_path, refit=False).fit(X, y, groups)
    assert Counting.calls == [(3, 16)]
    search.fit(X, y, groups)
    assert Counting.calls == [(3, 16)]
    assert size_of(tmp_path) > 0
    # Other samples have features of their own.
    other = two_phases(n_runs=8, random_state=1)
    search.fit(*other)
    assert len(Counting.calls) == 2


@pytest.mark.parametrize("limit", [20_000, "20K"])
def test_the_folder_is_bounded(phases, tmp_path, limit):
    X, y, groups = phases
    space = {"counting__n_bins": ("int", 1, 60), "counting__power": ("float", 0.5, 2)}
    pipe = make_pipeline(Counting(), LogisticRegression())
    search = search_over(pipe, space, n_trials=12, cache=tmp_path, refit=False)
    sizes = {}
    for name, size in (("bounded", limit), ("large", "4G")):
        folder = tmp_path / name
        search.set_params(cache=folder, cache_size=size).fit(X, y, groups)
        sizes[name] = sum(path.stat().st_size for path in folder.rglob("output.pkl"))
    assert 0 < sizes["bounded"] <= 20 * 1024 < sizes["large"]


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_temporary_folder_is_removed_after_an_error(phases, scratch, n_jobs):
    X, y, groups = phases
    pipe = make_pipeline(RDFFeaturizer(n_bins=4), Failing())
    search = search_over(pipe, {"failing__C": ("float", 0.1, 1)}, n_jobs=n_jobs)
    with pytest.raises(RuntimeError, match="not today"):
        search.fit(X, y, groups)
    left = [path.name for path in scratch.iterdir() if path.name.startswith("glassclf")]
    assert left == []


def test_bad_sizes_and_processes_are_refused_before_there_is_a_folder(phases, scratch):
    X, y, groups = phases
    pipe = make_pipeline(Counting(), LogisticRegression())
    for size in ("4X", "", "-1G"):
        text = f"cache_size must be a number of bytes, or a text such as .*got {size!r}"
        with pytest.raises(ValueError, match=text):
            search_over(pipe, cache_size=size).fit(X, y, groups)
    with pytest.raises(ValueError, match="The .n_jobs. parameter of OptunaSearch"):
        search_over(pipe, n_jobs=0).fit(X, y, groups)
    assert not any(scratch.iterdir())


@pytest.mark.slow
def test_processes_share_the_folder(phases, tmp_path):
    X, y, groups = phases
    pipe = make_pipeline(RDFFeaturizer(n_bins=4), LogisticRegression())
    search = search_over(pipe, cache=tmp_path, n_jobs=2, n_trials=6).fit(X, y, groups)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    alone = search_over(pipe, n_trials=6, n_jobs=2).fit(X, y, groups)
    assert alone.best_score_ == search.best_score_


def test_a_pipeline_is_cut_behind_its_last_featurizer(scratch):
    store = FeatureStore(None, "1M", "digits")
    assert not os.path.exists(store.folder)
    counting, scaler, last = Counting(), StandardScaler(), LogisticRegression()
    assert store.split(last) == ([], last)
    head, tail = store.split(make_pipeline(scaler, last))
    assert head == []
    assert [name for name, _ in tail.steps] == ["standardscaler", "logisticregression"]
    head, tail = store.split(make_pipeline("passthrough", counting, scaler, last))
    assert head == [counting]
    assert tail[-1] is last
    inner = make_pipeline(counting, scaler)
    assert store.split(make_pipeline(inner, scaler, last))[0] == [counting, scaler]
    head, tail = store.split(make_pipeline(scaler, make_pipeline(counting, scaler, last)))
    assert head == [scaler, counting]
    assert [name for name, _ in tail.steps] == ["pipeline"]
    assert [name for name, _ in tail[-1].steps] == ["standardscaler", "logisticregression"]
    assert store.split(make_pipeline(scaler, counting))[0] == []
    store.close()
    assert not os.path.exists(store.folder)
