"""What a search optimises: one score, several, and what they cost."""

import math

import numpy as np
import pytest
from optuna.pruners import MedianPruner
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from glassclf.estimators import CNNClassifier
from glassclf.model_selection import OptunaSearch
from glassclf.model_selection.search_scoring import Objectives, is_multimetric, scorer_of

GRID = {"C": [1e-3, 1e-2, 1.0, 100.0]}
SPACE = {"C": ("choice", GRID["C"])}


@pytest.fixture(scope="module")
def table():
    return make_classification(60, 5, flip_y=0.2, random_state=0)


def search_with(scoring, refit=True, **parameters):
    defaults = {"n_trials": 5, "cv": 3, "random_state": 0}
    return OptunaSearch(
        LogisticRegression(), SPACE, scoring=scoring, refit=refit, **{**defaults, **parameters}
    )


def two_scores(estimator, X, y):
    return {
        "hits": accuracy_score(y, estimator.predict(X)),
        "area": roc_auc_score(y, estimator.decision_function(X)),
    }


def cost_of_size(estimator, X, y):
    return -abs(math.log10(estimator.C) - 2)


def nan_score(estimator, X, y):
    return math.nan


def grid_twin(search, X, y, scoring, refit):
    """Grid search, and its row for each trial of a search."""
    grid = GridSearchCV(LogisticRegression(), GRID, scoring=scoring, refit=refit, cv=3).fit(X, y)
    rows = [grid.cv_results_["params"].index(each) for each in search.cv_results_["params"]]
    return grid, rows


@pytest.mark.parametrize("refit", ["hits", "area"])
@pytest.mark.parametrize("kind", [dict, list, callable])
def test_refit_names_the_score_that_counts(table, kind, refit):
    names = {"hits": "accuracy", "area": "roc_auc"}
    scoring = {dict: names, list: list(names.values()), callable: two_scores}[kind]
    refit = names[refit] if kind is list else refit
    search = search_with(scoring, refit).fit(*table)
    grid, rows = grid_twin(search, *table, scoring, refit)
    columns = [name for name in grid.cv_results_ if "_test_" in name and "rank" not in name]
    assert len(columns) == 2 * 5
    for name in columns:
        np.testing.assert_array_equal(search.cv_results_[name], grid.cv_results_[name][rows])
    means = search.cv_results_[f"mean_test_{refit}"]
    assert search.best_score_ == means.max() == means[search.best_index_]
    assert search.study_.best_value == search.best_score_
    assert search.multimetric_ is True
    assert type(search.scorer_) is type(grid.scorer_)
    if search.best_params_ == grid.best_params_:
        assert search.score(*table) == grid.score(*table)
    assert search.score(*table) == search._get_scorers()[0](search.best_estimator_, *table)[refit]


@pytest.mark.parametrize(
    "scoring",
    [None, "roc_auc", make_scorer(accuracy_score), cost_of_size],
    ids=["none", "name", "scorer", "function"],
)
def test_one_score_needs_no_name(table, scoring):
    # As in GridSearchCV any text will do, but a callable could return a dict.
    search = search_with(scoring, True if callable(scoring) else "anything").fit(*table)
    grid, rows = grid_twin(search, *table, scoring, True)
    for name in ("mean_test_score", "std_test_score", "split2_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], grid.cv_results_[name][rows])
    assert search.multimetric_ is False
    fixed = grid.estimator.set_params(**search.best_params_).fit(*table)
    assert search.score(*table) == search.scorer_(fixed, *table)


def test_costs_are_listed_beside_the_score(table):
    scoring = ["accuracy", "fit_time", "n_parameters"]
    search = search_with(scoring, "accuracy").fit(*table)
    assert len(search.study_.directions) == 1
    assert (search.cv_results_["n_parameters"] == 6).all()
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert set(search.scorer_) == {"accuracy"}
    assert 0 < search.score(*table) <= 1


def test_several_objectives_have_a_front(table):
    scoring = {"hits": "accuracy", "size": cost_of_size, "fit_time": "fit_time"}
    search = search_with(scoring, refit=False, n_trials=8).fit(*table)
    assert [direction.name for direction in search.study_.directions] == [
        "MAXIMIZE",
        "MAXIMIZE",
        "MINIMIZE",
    ]
    results = search.cv_results_
    values = np.column_stack(
        [results["mean_test_hits"], results["mean_test_size"], -results["mean_fit_time"]]
    )
    # A slow twin: what no other trial beats in all of them.
    front = [
        row
        for row, own in enumerate(values)
        if not any((other >= own).all() and (other > own).any() for other in values)
    ]
    assert (
        sorted(each["number"] for each in search.pareto_front_) == results["number"][front].tolist()
    )
    for each in search.pareto_front_:
        row = results["number"].tolist().index(each["number"])
        assert each["params"] == results["params"][row]
        assert list(each["values"]) == ["hits", "size", "fit_time"]
        assert each["values"]["hits"] == results["mean_test_hits"][row]
        assert each["values"]["fit_time"] == results["mean_fit_time"][row]
    hits = [each["values"]["hits"] for each in search.pareto_front_]
    assert hits == sorted(hits, reverse=True)
    for name in ("best_params_", "best_score_", "best_index_", "best_estimator_"):
        assert not hasattr(search, name)
    with pytest.raises(ValueError, match="best_ensemble needs one objective: set refit to the"):
        search.best_ensemble(2)
    assert search.cv_results_["rank_test_hits"].min() == 1


def test_numbers_of_weights_are_counted(images):
    X, y, _ = images
    network = CNNClassifier(max_epochs=1, batch_size=32)
    search = OptunaSearch(
        network,
        {"n_filters": ("choice", ((2,), (4,)))},
        scoring=["accuracy", "n_parameters", "score_time"],
        refit=False,
        n_trials=3,
        cv=2,
        random_state=0,
    ).fit(X, y)
    for params, number in zip(search.cv_results_["params"], search.cv_results_["n_parameters"]):
        weights = network.set_params(**params).fit(X, y).net_.module_.parameters()
        assert number == sum(weight.numel() for weight in weights)
    values = [each["values"] for each in search.pareto_front_]
    assert all(each["score_time"] > 0 for each in values)
    assert {each["n_parameters"] for each in values} <= set(search.cv_results_["n_parameters"])


def test_without_a_target(table):
    X, _ = table
    space = {"n_clusters": ("int", 2, 4)}
    search = OptunaSearch(KMeans(n_init=1, random_state=0), space, n_trials=4, cv=2).fit(X)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert "n_parameters" not in search.cv_results_
    assert search.transform(X).shape == (60, search.best_params_["n_clusters"])


def test_what_cannot_be_counted(table):
    space = {"max_depth": ("int", 1, 3)}
    search = OptunaSearch(DecisionTreeClassifier(), space, n_trials=2, cv=2)
    search.set_params(scoring=["accuracy", "n_parameters"], refit=False)
    with pytest.raises(ValueError, match="n_parameters is known of the networks of glassclf and"):
        search.fit(*table)
    search.set_params(refit="accuracy").fit(*table)  # then nobody asks
    assert "n_parameters" not in search.cv_results_


@pytest.mark.parametrize("value", [nan_score, lambda estimator, X, y: "good"], ids=["nan", "text"])
def test_a_score_is_a_finite_number(table, value):
    with pytest.raises(ValueError, match="the score of a fold must be a finite number, got "):
        search_with(value).fit(*table)
    with pytest.raises(ValueError, match="the odd of a fold must be a finite number, got "):
        search_with({"odd": value, "even": "accuracy"}, "even").fit(*table)


def test_errors_of_a_scorer_are_shown(table):
    def failing(estimator, X, y):
        raise ArithmeticError("this does not add up")

    for scoring in (failing, {"good": "accuracy", "bad": failing}):
        with pytest.raises(ArithmeticError, match="this does not add up"):
            search_with(scoring, "good" if isinstance(scoring, dict) else True).fit(*table)


def test_bad_scoring_is_refused(table):
    several = ["accuracy", "roc_auc"]
    text = "refit must name the score that counts, one of accuracy, roc_auc, or be False.*got "
    for refit in (True, "f1"):
        with pytest.raises(ValueError, match=text + repr(refit)):
            search_with(several, refit).fit(*table)
    with pytest.raises(ValueError, match=r"scoring names costs only \(fit_time\): add a score"):
        search_with(["fit_time"], refit=False).fit(*table)
    with pytest.raises(ValueError, match="gives 'fit_time' the name 'speed': costs keep theirs"):
        search_with({"speed": "fit_time", "hits": "accuracy"}, refit=False).fit(*table)
    for refit, name in ((True, "score"), ("hit", "hit"), (False, "score")):
        text = f"'{name}' is none of the scores: set refit to the one that counts of hits, area"
        with pytest.raises(ValueError, match=text):
            search_with(two_scores, refit).fit(*table)
    with pytest.raises(ValueError, match="pruner compares trials by one score, but here are sev"):
        search_with(several, refit=False, pruner=MedianPruner()).fit(*table)
    with pytest.raises(ValueError, match="'scoring' parameter of OptunaSearch"):
        search_with("no such score").fit(*table)


def test_parts_of_scoring():
    objectives = Objectives.of(["accuracy", "n_parameters"], False)
    assert objectives.scoring == ["accuracy"]
    assert objectives.directions == {"accuracy": "maximize", "n_parameters": "minimize"}
    assert is_multimetric(scorer_of(Ridge(), ["r2"]))
    assert not is_multimetric(scorer_of(Ridge(), "r2"))
    assert scorer_of(Ridge(), two_scores) is two_scores
