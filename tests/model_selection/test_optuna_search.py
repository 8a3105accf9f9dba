"""A search gives what scikit-learn's searches give, from the trials of a study."""

import copy
import pickle
import sys
import time

import cloudpickle
import joblib
import numpy as np
import optuna
import pytest
from optuna.samplers import BruteForceSampler, GridSampler, RandomSampler
from optuna.storages import InMemoryStorage
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from glassclf.model_selection import OptunaSearch

# Processes of joblib cannot import this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

GRID = {"C": [1e-3, 1e-2, 1.0, 100.0], "fit_intercept": [True, False]}
SPACE = {name: ("choice", values) for name, values in GRID.items()}
RATES = {"C": ("float", 1e-3, 1e3, "log")}


@pytest.fixture(scope="module")
def table():
    return make_classification(60, 5, flip_y=0.2, random_state=0)


def search_over(space=RATES, **parameters):
    defaults = {"n_trials": 4, "cv": 3, "random_state": 0}
    return OptunaSearch(LogisticRegression(), space, **{**defaults, **parameters})


def trials_of(search):
    return [(trial.params, trial.values, trial.state.name) for trial in search.study_.trials]


class Picky(LogisticRegression):
    """Fails for large C."""

    def fit(self, X, y):
        if self.C > 1:
            raise RuntimeError(f"C={self.C} is too much for me")
        return super().fit(X, y)


class Unwieldy(Exception):
    """Cannot be unpickled: it needs two arguments."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


class Hopeless(LogisticRegression):
    def fit(self, X, y):
        raise Unwieldy("hopeless", "it always fails")


def test_same_results_as_a_grid_search(table):
    grid = GridSearchCV(LogisticRegression(), GRID, cv=4).fit(*table)
    sampler = GridSampler(GRID, seed=0)
    search = search_over(SPACE, n_trials=100, cv=4, sampler=sampler).fit(*table)
    assert len(search.study_.trials) == len(grid.cv_results_["params"])  # a used-up grid is the end
    order = [search.cv_results_["params"].index(each) for each in grid.cv_results_["params"]]
    for name, column in grid.cv_results_.items():
        ours = np.array(search.cv_results_[name], dtype=object)[order]
        assert np.asarray(search.cv_results_[name]).dtype == np.asarray(column).dtype
        if not name.endswith("_time"):
            assert ours.tolist() == np.array(column, dtype=object).tolist()
    assert search.best_score_ == grid.best_score_
    # Of equals the first one is taken, and the sampler has an order of its own.
    first = np.flatnonzero(grid.cv_results_["rank_test_score"] == 1)
    assert search.best_params_ in [grid.cv_results_["params"][row] for row in first]
    assert search.n_splits_ == grid.n_splits_ == 4
    assert search.cv_results_["params"][search.best_index_] == search.best_params_
    alone = LogisticRegression(**search.best_params_).fit(*table)
    np.testing.assert_array_equal(search.best_estimator_.coef_, alone.coef_)
    assert search.refit_time_ > 0


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [GridSampler, BruteForceSampler])
def test_a_sampler_without_further_points_ends_the_search(table, kind, n_jobs):
    values = [0.1, 1.0, 10.0]
    sampler = kind({"C": values}, seed=0) if kind is GridSampler else kind(seed=0)
    search = search_over({"C": ("choice", values)}, sampler=sampler, n_trials=50, n_jobs=n_jobs)
    search.set_params(storage=InMemoryStorage()).fit(*table)
    n_trials = len(search.study_.trials)
    assert sorted({trial.params["C"] for trial in search.study_.trials}) == values
    assert n_trials - len(values) < n_jobs  # the last batch may have room for one more
    assert len(search.fit(*table).study_.trials) == n_trials


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "space"),
    [(LogisticRegression(), RATES), (Ridge(), {"alpha": ("float", 1e-3, 1e3, "log")})],
)
def test_checks_of_scikit_learn(estimator, space):
    search = OptunaSearch(estimator, space, n_trials=2, cv=2, random_state=0)
    results = check_estimator(search, on_fail=None, on_skip=None)
    failed = [result["check_name"] for result in results if result["status"] == "failed"]
    assert not failed
    assert len(results) > 40


def test_it_is_what_its_estimator_is(table):
    X, y = table
    labels = np.array(["no", "yes"])[y]
    search = search_over(scoring="balanced_accuracy")
    assert is_classifier(search)
    assert is_regressor(OptunaSearch(Ridge()))
    with pytest.raises(NotFittedError):
        search.predict(X)
    search.fit(X, labels)
    assert search.classes_.tolist() == ["no", "yes"]
    assert search.n_features_in_ == 5
    assert not hasattr(search, "feature_names_in_")
    scored = search.scorer_(search.best_estimator_, X, labels)
    assert search.score(X, labels) == scored
    np.testing.assert_array_equal(
        search.decision_function(X), search.best_estimator_.decision_function(X)
    )
    assert not hasattr(search_over(), "transform")


def test_names_of_features_are_taken_over(table):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(table[0], columns=list("abcde"))
    search = search_over(n_trials=2).fit(X, table[1])
    assert search.feature_names_in_.tolist() == list("abcde")


def test_a_target_must_be_there(table):
    with pytest.raises(ValueError, match="LogisticRegression requires y to be passed, but the"):
        search_over().fit(table[0])


def test_nothing_passed_in_is_modified(table):
    X, y = table
    estimator, space = make_pipeline(StandardScaler(), Ridge()), {"ridge": ("choice", (Ridge(),))}
    sampler, pruner = RandomSampler(seed=3), optuna.pruners.HyperbandPruner()
    before, before_rng = copy.deepcopy(vars(pruner)), sampler._rng.rng.get_state()[1].copy()
    X_before, y_before = X.copy(), y.copy()
    search = OptunaSearch(
        estimator, space, n_trials=3, cv=2, sampler=sampler, pruner=pruner, scoring="r2"
    ).fit(X, y)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    assert not hasattr(estimator[-1], "coef_")
    assert not hasattr(space["ridge"][1][0], "coef_")
    assert search.best_params_["ridge"] is space["ridge"][1][0]
    assert vars(pruner) == before
    np.testing.assert_array_equal(sampler._rng.rng.get_state()[1], before_rng)
    assert search.study_.sampler is not sampler


def test_the_search_within_a_cross_validation(table):
    X, y = table
    outer = KFold(3, shuffle=True, random_state=1)
    search = search_over(storage=InMemoryStorage())
    result = cross_validate(search, X, y, cv=outer, return_estimator=True)
    names = set()
    for score, fitted, (train, test) in zip(
        result["test_score"], result["estimator"], outer.split(X)
    ):
        alone = search_over().fit(X[train], y[train])
        assert trials_of(fitted) == trials_of(alone)
        assert score == alone.score(X[test], y[test])
        names.add(fitted.study_.study_name)
        assert fitted.storage is search.storage
    assert len(names) == 3


def test_a_function_may_be_the_space(table):
    def space(trial):
        penalty = trial.suggest_categorical("kind", ["weak", "strong"])
        low, high = (1.0, 10.0) if penalty == "weak" else (0.01, 0.1)
        return {"C": trial.suggest_float(penalty, low, high)}

    search = search_over(space, n_trials=5).fit(*table)
    assert all(set(params) == {"C"} for params in search.cv_results_["params"])
    trial = search.study_.best_trial
    assert search.best_params_ == {"C": trial.params[trial.params["kind"]]}
    assert search.best_estimator_.C == search.best_params_["C"]

    def broken(trial):
        trial.suggest_float("C", 1, 2)
        raise LookupError("no such table")

    failing = search_over(broken, error_score=0.0)
    with pytest.raises(LookupError, match="no such table"):
        failing.fit(*table)


def test_an_error_ends_the_search(table):
    search = OptunaSearch(Picky(), {"C": ("choice", [2.0])}, n_trials=3, cv=2)
    with pytest.raises(RuntimeError, match=r"C=2.0 is too much for me"):
        search.fit(*table)
    (trial,) = search.study_.trials
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["error"] == "RuntimeError: C=2.0 is too much for me"
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_failed_trials_count_as_error_score(table, n_jobs):
    search = OptunaSearch(
        Picky(), {"C": ("choice", [0.1, 2.0])}, n_trials=6, cv=2, error_score=-1.0, n_jobs=n_jobs
    ).set_params(sampler=RandomSampler(seed=0))
    with pytest.warns(FitFailedWarning, match="failed and counts as -1.0: RuntimeError: C=2.0 is"):
        search.fit(*table)
    table_ = search.cv_results_
    failed = table_["state"] == "fail"
    assert 0 < failed.sum() < 6
    assert failed.tolist() == (table_["param_C"] == 2.0).tolist()
    for name in ("split0_test_score", "mean_test_score"):
        assert (table_[name][failed] == -1.0).all()
        assert (table_[name][~failed] > 0).all()
    assert np.isnan(table_["mean_fit_time"][failed]).all()
    assert search.best_params_ == {"C": 0.1}
    assert (table_["rank_test_score"][failed] > (~failed).sum()).all()


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_all_trials_failing_is_an_error(table, n_jobs):
    search = OptunaSearch(Hopeless(), RATES, n_trials=3, cv=2, error_score=np.nan, n_jobs=n_jobs)
    text = r"all 3 trials failed; the first one with Unwieldy: hopeless: it always fails\n\(error"
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match=text):
        search.fit(*table)


@pytest.mark.slow
def test_an_error_in_another_process_tells_where_it_was(table):
    search = OptunaSearch(Hopeless(), RATES, n_trials=2, cv=2, n_jobs=2)
    with pytest.raises(RuntimeError, match="Unwieldy: hopeless: it always fails") as caught:
        search.fit(*table)
    assert "in fit" in caught.value.__notes__[0]


def test_a_timeout_ends_the_search(table):
    begin = time.monotonic()
    search = search_over(n_trials=10**6, timeout=1.0).fit(*table)
    assert 1.0 <= time.monotonic() - begin < 30
    assert 1 <= len(search.cv_results_["params"]) < 10**6
    with pytest.raises(ValueError, match="no trial of study 'search-.*timeout=1e-09: raise"):
        search_over(timeout=1e-9).fit(*table)


def test_a_seed_fixes_the_trials(table):
    first, again, other = (search_over(random_state=seed, n_trials=14) for seed in (1, 1, 2))
    assert trials_of(first.fit(*table)) == trials_of(again.fit(*table))
    assert trials_of(first) != trials_of(other.fit(*table))
    assert trials_of(again.fit(*table)) == trials_of(first)


@pytest.mark.slow
def test_processes_give_the_same_anywhere(table):
    X, y = table
    search = search_over(n_jobs=2, n_trials=13)
    alone = clone(search).fit(X, y)
    assert trials_of(alone) == trials_of(clone(search).fit(X, y))
    # Two folds of which each learns from a half.
    halves = [(np.arange(0, 30), np.arange(30, 60)), (np.arange(30, 60), np.arange(0, 30))]
    nested = cross_validate(search, X, y, cv=halves, n_jobs=2, return_estimator=True)
    for fitted, (train, _) in zip(nested["estimator"], halves):
        assert trials_of(fitted) == trials_of(clone(search).fit(X[train], y[train]))


def test_threads_are_refused(table):
    with joblib.parallel_config(backend="threading"):
        with pytest.raises(ValueError, match="n_jobs=2 needs processes, as threads share"):
            search_over(n_jobs=2).fit(*table)


@pytest.mark.slow
def test_processes_that_are_forked(table):
    with joblib.parallel_config(backend="multiprocessing"):
        forked = search_over(n_jobs=2).fit(*table)
    assert trials_of(forked) == trials_of(search_over(n_jobs=2).fit(*table))


def test_a_complete_study_is_not_extended(table):
    storage = InMemoryStorage()
    first = search_over(storage=storage).fit(*table)
    again = search_over(storage=storage).fit(*table)
    assert trials_of(again) == trials_of(first)
    assert again.best_params_ == first.best_params_
    np.testing.assert_array_equal(again.best_estimator_.coef_, first.best_estimator_.coef_)
    before = trials_of(first)
    more = search_over(storage=storage, n_trials=6).fit(*table)
    assert trials_of(more)[:4] == before
    assert len(trials_of(more)) == 6
    # Nothing is proposed twice by a sampler that starts over.
    assert len({trial.params["C"] for trial in more.study_.trials}) == 6


def test_without_refit_there_is_no_estimator(table):
    search = search_over(refit=False).fit(*table)
    assert set(search.best_params_) == {"C"}
    assert not hasattr(search, "best_estimator_")
    with pytest.raises(AttributeError, match="predict"):
        search.predict(table[0])


def test_an_ensemble_of_the_best(table):
    X, y = table
    labels = np.array(["no", "yes"])[y]
    search = search_over(SPACE, n_trials=6).fit(X, labels)
    ensemble = search.best_ensemble(2)
    (first, one), (_, two) = ensemble.estimators
    assert first == f"trial{search.study_.best_trial.number}"
    mean = (one.predict_proba(X) + two.predict_proba(X)) / 2
    np.testing.assert_allclose(ensemble.predict_proba(X), mean)
    assert ensemble.predict(X).tolist() == ensemble.classes_[mean.argmax(axis=1)].tolist()
    parameters = [model.estimator.C for _, model in ensemble.estimators]
    assert parameters[0] == search.best_params_["C"]
    n_different = len({str(each) for each in search.cv_results_["params"]})
    for k in (0, n_different + 1):
        with pytest.raises(
            ValueError, match=f"k must be an int from 1 to {n_different}, .*got {k}"
        ):
            search.best_ensemble(k)
    with pytest.raises(ValueError, match="the data are not saved with a search: call fit first"):
        pickle.loads(pickle.dumps(search)).best_ensemble(1)
    with pytest.raises(NotFittedError):
        search_over().best_ensemble(1)
    bare = OptunaSearch(RidgeClassifier(), {"alpha": ("float", 0.1, 1)}, n_trials=2, cv=2)
    with pytest.raises(TypeError, match="ended in RidgeClassifier, which has no predict_proba"):
        bare.fit(X, labels).best_ensemble(2)


def test_an_ensemble_of_regressors():
    X, y = make_regression(40, 3, noise=5, random_state=0)
    search = OptunaSearch(Ridge(), {"alpha": ("float", 0.1, 100, "log")}, n_trials=4, cv=3)
    ensemble = search.fit(X, y).best_ensemble(3)
    mean = np.mean([model.predict(X) for _, model in ensemble.estimators], axis=0)
    np.testing.assert_allclose(ensemble.predict(X), mean)
    best = Ridge(**search.best_params_).fit(X, y).predict(X)
    np.testing.assert_array_equal(ensemble.estimators[0][1].predict(X), best)


def test_a_fitted_search_is_saved_without_the_data(table, tmp_path):
    X, y = np.tile(table[0], (200, 1)), np.tile(table[1], 200)
    search = search_over(storage=InMemoryStorage()).fit(X, y)
    joblib.dump(search, tmp_path / "search.joblib")
    assert (tmp_path / "search.joblib").stat().st_size < X.nbytes / 10
    read = joblib.load(tmp_path / "search.joblib")
    np.testing.assert_array_equal(read.predict(X), search.predict(X))
    assert trials_of(read) == trials_of(search)
    assert read.cv_results_["params"] == search.cv_results_["params"]


def test_it_is_shown_and_copied(table):
    search = search_over(storage=InMemoryStorage(), cv=KFold(2))
    assert repr(search).startswith("OptunaSearch(cv=KFold(n_splits=2")
    for each in (search, search.fit(*table)):
        assert "LogisticRegression" in each._repr_html_()
    search.set_params(estimator__C=5.0, n_trials=7)
    new = clone(search)
    assert new.get_params()["estimator__C"] == 5.0
    assert new.n_trials == 7
    assert new.storage is search.storage
    assert not hasattr(new, "study_")


def test_progress_is_told(table, capfd):
    search_over(n_trials=2, verbose=2).fit(*table)
    shown = "".join(capfd.readouterr())
    assert "2/2 trials" in shown
    assert "best 0." in shown
    assert "trial 1 complete: 0." in shown
    search_over(n_trials=2).fit(*table)
    assert capfd.readouterr() == ("", "")
