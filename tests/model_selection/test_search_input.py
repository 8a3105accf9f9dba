"""What a search refuses, warns of, and survives: each with one clear message."""

import subprocess
import sys
import textwrap

import numpy as np
import optuna
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from glassclf.featurizers import RDFFeaturizer
from glassclf.model_selection import OptunaSearch
from glassclf.testing import two_phases

C = {"C": ("float", 0.01, 10.0, "log")}


@pytest.fixture(scope="module")
def data():
    return make_classification(60, random_state=0)


def search_over(estimator=None, space=C, **parameters):
    estimator = LogisticRegression() if estimator is None else estimator
    return OptunaSearch(estimator, space, **{"n_trials": 2, "random_state": 0, **parameters})


class Fails(LogisticRegression):
    def fit(self, X, y):
        if self.C < 1:
            raise ValueError("C is too small")
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"estimator": LogisticRegression}, TypeError, "estimator must be an instance, got the cl"),
        ({"sampler": optuna.samplers.RandomSampler}, TypeError, r"write RandomSampler\(\)"),
        ({"pruner": optuna.pruners.MedianPruner}, TypeError, "pruner must be an instance"),
        ({"n_jobs": 0}, ValueError, "The 'n_jobs' parameter of OptunaSearch must be"),
        ({"cv": []}, ValueError, r"cv=\[\] gives no folds"),
        ({"storage": ""}, ValueError, "storage='' names no file: storage=None keeps"),
    ],
)
def test_bad_parameters(data, parameters, error, message):
    with pytest.raises(error, match=message):
        search_over(**parameters).fit(*data)


def test_folds_that_tear_groups_apart_are_told():
    X, y, groups = two_phases(n_runs=8)
    pipe = make_pipeline(RDFFeaturizer(n_bins=10), LogisticRegression())
    space = {"logisticregression__C": C["C"]}
    torn = KFold(2, shuffle=True, random_state=0)
    for cv in (torn, list(torn.split(y))):
        with pytest.warns(UserWarning, match="cv puts samples of one group.*such as GroupKFold"):
            search_over(pipe, space, cv=cv).fit(X, y)


@pytest.mark.filterwarnings("error::UserWarning")
def test_folds_that_keep_groups_together_are_no_matter():
    X, y, groups = two_phases(n_runs=8)
    pipe = make_pipeline(RDFFeaturizer(n_bins=10), LogisticRegression())
    space = {"logisticregression__C": C["C"]}
    # Neighbouring samples are those of one run; KFold does not know, and does well all the same.
    for cv in (GroupKFold(2), KFold(4)):
        search_over(pipe, space, cv=cv).fit(X, y)


def test_weights_that_nobody_takes_are_refused(data):
    X, y = data
    search = search_over(KNeighborsClassifier(), {"n_neighbors": ("int", 1, 3)})
    with pytest.raises(TypeError, match="sample_weight was given, but fit of KNeighborsClassifier"):
        search.fit(X, y, sample_weight=np.ones(len(y)))


def test_an_error_names_its_trial(data):
    with pytest.raises(ValueError, match="C is too small") as caught:
        search_over(Fails(), {"C": ("float", 0.5, 0.6)}).fit(*data)
    assert caught.value.__notes__[-1].startswith("in trial 0 with {'C': 0.5")


def test_a_failed_trial_is_never_the_best(data):
    search = search_over(Fails(), n_trials=6, error_score=2.0)
    with pytest.warns(RuntimeWarning, match="counts as 2.0: ValueError: C is too small"):
        search.fit(*data)
    table = search.cv_results_
    failed = table["state"] == "fail"
    assert 0 < failed.sum() < 6
    assert (table["mean_test_score"][failed] == 2).all()
    assert table["rank_test_score"][search.best_index_] == 1
    assert (table["rank_test_score"][failed] > table["rank_test_score"][~failed].max()).all()


def test_a_space_may_refuse_what_it_was_given(data):
    def space(trial):
        value = trial.suggest_float("C", 0.01, 10.0)
        if trial.number == 1:
            raise optuna.TrialPruned
        return {"C": value}

    search = search_over(space=space, n_trials=3).fit(*data)
    states = [trial.state.name for trial in search.study_.trials]
    assert states == ["COMPLETE", "PRUNED", "COMPLETE"]


@pytest.mark.parametrize("k", [0, 3, "2", 2.0, True, None])
def test_bad_numbers_of_members(data, k):
    search = search_over().fit(*data)
    with pytest.raises(ValueError, match="k must be an int from 1 to 2, the number of complete"):
        search.best_ensemble(k)


def test_an_ensemble_of_other_data_is_refused(data):
    X, y = data[0].copy(), data[1]
    search = search_over().fit(X, y)
    X[0] = 0
    with pytest.raises(ValueError, match="X, y or groups were changed in place since the search"):
        search.best_ensemble(1)


def test_ensembles_that_cannot_be_averaged(data):
    X, y = make_regression(40, n_targets=2, random_state=0)
    search = search_over(Ridge(), {"alpha": ("float", 0.1, 1.0)}).fit(X, y)
    with pytest.raises(ValueError, match=r"averages one target, got y of shape \(40, 2\)"):
        search.best_ensemble(1)
    pipe = make_pipeline(LogisticRegression())
    ends = {"logisticregression": ("choice", (SVC(), DecisionTreeClassifier()))}
    search = search_over(pipe, ends, n_trials=4, sampler=optuna.samplers.RandomSampler(0))
    search.fit(*data)
    with pytest.raises(TypeError, match=r"trial\d ended in SVC, which has no predict_proba"):
        search.best_ensemble(2)


@pytest.mark.parametrize(
    "content", [b"no journal\n", b"SQLite format 3\x00\xff", b'{\n{"op": 1}\n']
)
def test_a_file_of_another_kind_is_refused_and_left(data, tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match="is no journal file of Optuna, or is damaged: take.*sqlite://"
    ):
        search_over(storage=path).fit(*data)
    assert path.read_bytes() == content


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_journal_whose_writer_was_killed_goes_on(data, tmp_path, cut):
    path = tmp_path / "study.journal"
    whole = search_over(storage=path, n_trials=4).fit(*data)
    path.write_bytes(path.read_bytes()[:-cut])
    for _ in "ab":
        again = search_over(storage=path, n_trials=4, grace_period=0.2).fit(*data)
        assert len(again.cv_results_["params"]) == 4
        assert again.best_score_ >= whole.best_score_ or cut > 1


def test_a_cache_that_is_a_file_is_refused(data, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="cache='.*file' is a file: give the path"):
        search_over(cache=tmp_path / "file").fit(*data)


def test_another_estimator_is_told_by_what_differs(data):
    storage = optuna.storages.InMemoryStorage()
    search_over(storage=storage).fit(*data)
    changed = LogisticRegression(max_iter=7, tol=0.1)
    with pytest.raises(
        ValueError, match=r"another estimator: max_iter \(there 100, here 7\) and 1"
    ):
        search_over(changed, storage=storage).fit(*data)


@pytest.mark.slow
def test_features_are_computed_again_when_their_code_changes(tmp_path):
    """A cache that stays must not hold what an older version of a class has computed."""
    script = textwrap.dedent(
        """
        import sys
        from sklearn.preprocessing import FunctionTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from own import Scaled
        from glassclf.model_selection import OptunaSearch
        from glassclf.testing import two_phases

        def largest(estimator, X, y):
            return float(X.max())

        X, y, _ = two_phases(n_runs=4)
        pipe = make_pipeline(Scaled(n_bins=5), FunctionTransformer(), LogisticRegression())
        space = {"logisticregression__C": ("float", 0.1, 1.0)}
        search = OptunaSearch(pipe, space, n_trials=1, cv=2, scoring=largest, cache="features")
        print(search.fit(X, y).best_score_)
        """
    )
    scores = []
    for factor in (1, 7):
        (tmp_path / "own.py").write_text(
            "from glassclf.featurizers import RDFFeaturizer\n"
            "class Scaled(RDFFeaturizer):\n"
            f"    def transform(self, X): return {factor} * super().transform(X)\n"
        )
        command = [sys.executable, "-W", "ignore", "-B", "-c", script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        scores.append(float(done.stdout))
    assert scores[1] == pytest.approx(7 * scores[0])
