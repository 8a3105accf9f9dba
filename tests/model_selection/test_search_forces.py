"""Forces in searches: each fold is fitted to its own, scores are those of energies."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from glassclf.configurations import Configurations
from glassclf.estimators import PairSplineRegressor, PotentialRegressor
from glassclf.model_selection import OptunaSearch
from glassclf.testing import labelled_lattices

pytestmark = pytest.mark.filterwarnings(
    "ignore:particles of types", "ignore::sklearn.exceptions.ConvergenceWarning"
)


def labelled(ragged):
    """Twelve samples, of one size or of two."""
    parts = [labelled_lattices(6), labelled_lattices(6, n_cells=(7, 7) if ragged else (6, 7))]
    X = Configurations([one for part, *_ in parts for one in part])
    X.info["run"] = np.arange(12) // 2
    return X, np.concatenate([part[1] for part in parts]), parts[0][2] + parts[1][2]


def as_objects(forces):
    array = np.empty(len(forces), dtype=object)
    array[:] = forces
    return array


def spline():
    # Few coefficients: with forces, and without them, they come out otherwise.
    return PairSplineRegressor(r_max=2.0, n_splines=6)


def by_hand(X, energy, forces, rows):
    return spline().fit(X[rows], energy[rows], forces=[forces[row] for row in rows])


def scores_by_hand(X, energy, forces, folds=None):
    folds = folds or GroupKFold(3).split(X, groups=X.info["run"])
    return [by_hand(X, energy, forces, train).score(X[test], energy[test]) for train, test in folds]


def search_over(kind, model, prefix=""):
    if kind == "grid":
        return GridSearchCV(model, {f"{prefix}n_splines": [6]}, cv=GroupKFold(3))
    space = {f"{prefix}n_splines": ("int", 6, 6)}
    return OptunaSearch(model, space, n_trials=1, cv=GroupKFold(3), random_state=0)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("given", ["list", "objects", "info"])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("kind", ["optuna", "grid"])
def test_each_fold_is_fitted_to_its_own_forces(kind, ragged, given, routing):
    X, energy, forces = labelled(ragged)
    passed = forces
    if given != "list":
        # In info, configurations of different sizes need an array of objects.
        passed = as_objects(forces) if ragged or given == "objects" else np.array(forces)
    if given == "info":
        X.info["forces"] = passed
        passed = X.info["forces"]
    with config_context(enable_metadata_routing=routing):
        search = search_over(kind, spline())
        search.fit(X, energy, groups=X.info["run"], forces=passed)
    found = [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(3)]
    np.testing.assert_allclose(found, scores_by_hand(X, energy, forces), rtol=1e-12)
    expected = by_hand(X, energy, forces, np.arange(12)).coefficients_
    np.testing.assert_array_equal(search.best_estimator_.coefficients_, expected)
    without = spline().fit(X, energy).coefficients_
    assert not np.allclose(without, expected, rtol=1e-3)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("kind", ["optuna", "grid", "validation"])
def test_pipelines_hand_forces_on(kind, routing):
    X, energy, forces = labelled(True)
    pipe = make_pipeline(FunctionTransformer(), spline())
    name = "forces" if routing else "pairsplineregressor__forces"
    with config_context(enable_metadata_routing=routing):
        if kind == "validation":
            # Without routing the splitter takes the groups from another parameter.
            groups = {} if routing else {"groups": X.info["run"]}
            params = {name: forces} | ({"groups": X.info["run"]} if routing else {})
            found = cross_validate(pipe, X, energy, cv=GroupKFold(3), params=params, **groups)
            found = found["test_score"]
        else:
            search = search_over(kind, pipe, "pairsplineregressor__")
            search.fit(X, energy, groups=X.info["run"], **{name: forces})
            found = [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(3)]
    np.testing.assert_allclose(found, scores_by_hand(X, energy, forces), rtol=1e-12)


def test_networks_are_searched_with_forces():
    X, energy, forces = labelled(True)
    network = PotentialRegressor(r_max=2.0, hidden_size=4, max_epochs=1, random_state=0)
    space = {"lr": ("float", 1e-3, 1e-2, "log")}
    search = OptunaSearch(network, space, n_trials=2, cv=GroupKFold(2), random_state=0)
    search.fit(X, energy, X.info["run"], forces=forces)
    expected = network.set_params(**search.best_params_).fit(X, energy, forces=forces)
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))


def test_a_search_within_a_cross_validation():
    X, energy, forces = labelled(False)
    search = OptunaSearch(spline(), {"n_splines": ("int", 6, 6)}, n_trials=1, cv=2, random_state=0)
    run = X.info["run"]
    del X.info["run"]
    folds = list(GroupKFold(3).split(X, groups=run))
    found = cross_validate(search, X, energy, cv=folds, params={"forces": forces})["test_score"]
    np.testing.assert_allclose(found, scores_by_hand(X, energy, forces, folds), rtol=1e-12)


@pytest.mark.parametrize("routing", [False, True])
def test_forces_of_other_samples_are_refused(routing):
    X, energy, forces = labelled(False)
    text = "forces must have one array for each of the 12 configurations in a search, .* got "
    with config_context(enable_metadata_routing=routing):
        # As many as each fold trains on, which would all get the same ones.
        for wrong, got in ((forces[:8], "8$"), (np.concatenate(forces), "504$")):
            with pytest.raises(ValueError, match=text + got):
                search_over("optuna", spline()).fit(X, energy, forces=wrong)
        pipe = make_pipeline(spline())
        with pytest.raises(ValueError, match="pairsplineregressor__" + text + "8$"):
            search_over("optuna", pipe, "pairsplineregressor__").fit(
                X, energy, pairsplineregressor__forces=forces[:8]
            )
    joined = {"forces": np.concatenate(forces)}
    with pytest.raises(ValueError, match="a cross-validation or search splits a list with one arr"):
        cross_validate(spline(), X, energy, cv=3, params=joined, error_score="raise")


def test_searches_with_other_forces_share_no_study(tmp_path):
    X, energy, forces = labelled(False)
    search = search_over("optuna", spline()).set_params(storage=str(tmp_path / "study.log"))
    names = [
        search.fit(X, energy, **given).study_.study_name
        for given in ({}, {"forces": forces}, {"forces": forces}, {"forces": forces[::-1]})
    ]
    assert names[1] == names[2]
    assert len(set(names)) == 3
