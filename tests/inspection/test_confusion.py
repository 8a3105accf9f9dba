"""Learning by confusion against one classifier for each border, and on what it must show."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB

from glassclf.inspection import learn_by_confusion

GRID = np.array([0.1, 0.2, 0.3, 0.4, 0.5])


def structures(law, n_runs=16, noise=0.3, seed=0):
    """A number that follows temperature by a law, in runs."""
    rng = np.random.default_rng(seed)
    temperature = np.tile(GRID, n_runs)
    X = law(temperature)[:, None] + noise * rng.normal(size=(len(temperature), 1))
    return X, temperature, np.repeat(np.arange(n_runs), len(GRID))


def test_score_falls_where_structures_no_longer_differ():
    X, temperature, run = structures(lambda T: 10 * np.maximum(T - 0.25, 0), noise=0.1)
    result = learn_by_confusion(GaussianNB(), X, temperature, run)
    assert result.border == pytest.approx([0.15, 0.25, 0.35, 0.45])
    assert result.scores.shape == (4, 4)
    # 0.1 and 0.2 look the same: all of the first and a quarter of the others are put below 0.15.
    assert result.mean[0] == pytest.approx((1 + 3 / 4) / 2, abs=0.1)
    assert result.mean[1:].min() > 0.95
    assert np.allclose(result.std, result.scores.std(axis=0, ddof=1))


def test_phase_change_shows_as_a_maximum():
    X, temperature, run = structures(lambda T: 2.0 * (T > 0.35))
    result = learn_by_confusion(GaussianNB(), X, temperature, run)
    assert np.argmax(result.mean) == 2
    assert result.mean[2] > 0.95


def test_one_fit_serves_all_borders():
    X, temperature, run = structures(lambda T: 3 * T, noise=0.2, n_runs=40)
    result = learn_by_confusion(GaussianNB(), X, temperature, run, cv=GroupKFold(4))
    for number, border in enumerate(result.border):
        scores = []
        for train, test in GroupKFold(4).split(X, groups=run):
            model = GaussianNB(priors=[0.5, 0.5]).fit(X[train], temperature[train] < border)
            below, truth = model.predict(X[test]), temperature[test] < border
            scores.append((below[truth].mean() + (~below[~truth]).mean()) / 2)
        assert result.mean[number] == pytest.approx(np.mean(scores), abs=0.05)


def test_a_fold_without_a_temperature_is_no_obstacle():
    X, temperature, run = structures(lambda T: 3 * T, n_runs=4)
    keep = (temperature != 0.5) | (run == 3)
    X, temperature, run = X[keep], temperature[keep], run[keep]
    result = learn_by_confusion(LogisticRegression(), X, temperature, run, cv=LeaveOneGroupOut())
    assert result.scores.shape == (4, 4)


def test_too_few_temperatures_and_missing_groups_are_refused():
    X, temperature, run = structures(lambda T: T)
    two = temperature < 0.25
    with pytest.raises(ValueError, match=r"at least 3 temperatures, got \[0.1, 0.2\]"):
        learn_by_confusion(GaussianNB(), X[two], temperature[two], run[two])
    with pytest.raises(ValueError, match="give groups, the run of each configuration"):
        learn_by_confusion(GaussianNB(), X, temperature)


class Recorder(GaussianNB):
    """Keeps the groups that it is fitted with."""

    seen = []

    def fit(self, X, y, groups=None):
        self.seen.append(groups)
        return super().fit(X, y)


@pytest.mark.parametrize("routing", [False, True])
def test_samples_in_a_list_and_groups_by_either_way(routing):
    X, temperature, run = structures(lambda T: 3 * T)
    Recorder.seen.clear()
    with sklearn.config_context(enable_metadata_routing=routing):
        model = Recorder()
        if routing:
            model.set_fit_request(groups=True)
        result = learn_by_confusion(model, list(X), temperature, run, cv=GroupKFold(2))
    expected = learn_by_confusion(GaussianNB(), X, temperature, run, cv=GroupKFold(2))
    assert np.array_equal(result.scores, expected.scores)
    assert [len(groups) for groups in Recorder.seen] == [40, 40]
    assert not set(Recorder.seen[0]) & set(Recorder.seen[1])


def test_runs_stay_whole():
    X, temperature, run = structures(lambda T: 3 * T)
    by_number = learn_by_confusion(GaussianNB(), X, temperature, run, cv=2)
    by_groups = learn_by_confusion(GaussianNB(), X, temperature, run, cv=GroupKFold(2))
    assert np.array_equal(by_number.scores, by_groups.scores)
    with pytest.raises(ValueError, match="fold 0 of cv has run .* in both parts"):
        learn_by_confusion(GaussianNB(), X, temperature, run, cv=KFold(2, shuffle=True))
    few = run < 3
    with pytest.raises(ValueError, match="cv makes 4 folds, and there are 3 runs"):
        learn_by_confusion(GaussianNB(), X[few], temperature[few], run[few])


def test_temperatures_and_groups_that_are_missing_are_refused():
    X, temperature, run = structures(lambda T: T)
    holes = np.where(np.arange(len(run)) == 3, np.nan, temperature)
    with pytest.raises(ValueError, match="temperature must be finite, got nan for 3"):
        learn_by_confusion(GaussianNB(), X, holes, run)
    names = np.where(np.arange(len(run)) == 2, None, run.astype(object))
    with pytest.raises(ValueError, match="groups has no value for sample 2"):
        learn_by_confusion(GaussianNB(), X, temperature, names)
    with pytest.raises(ValueError, match="groups must have one value for each of the .* shape"):
        learn_by_confusion(GaussianNB(), X, temperature, run[:, None])
