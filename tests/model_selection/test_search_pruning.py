"""Hopeless trials end between folds, those of networks between epochs; the others never notice."""

import sys

import cloudpickle
import numpy as np
import pytest
import torch
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch.callbacks import EpochTimer

from glassclf.estimators import CNNClassifier, CNNRegressor
from glassclf.model_selection import OptunaSearch

# Processes of joblib cannot import this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

N_EPOCHS = 3
CV = StratifiedKFold(2)


class Scripted(BasePruner):
    """Prunes where the script says so, and keeps what it is asked about."""

    def __init__(self, *script):
        self.script, self.seen = script, []

    def prune(self, study, trial):
        self.seen.append((trial.number, trial.last_step))
        return (trial.number, trial.last_step) in self.script


class MiniMLP(torch.nn.Module):
    """A network without batch normalisation."""

    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.LazyLinear(4), torch.nn.ReLU()
        )
        self.head = torch.nn.Linear(4, n_outputs)

    def embed(self, x):
        return self.layers(x)

    def forward(self, x):
        return self.head(self.embed(x))


@pytest.fixture(scope="module")
def table():
    return make_classification(60, 5, flip_y=0.2, random_state=0)


def network(**parameters):
    defaults = {"n_filters": (2,), "batch_size": 16, "max_epochs": N_EPOCHS, "random_state": 0}
    return CNNClassifier(**{**defaults, **parameters})


def search_over(estimator, **parameters):
    *_, name = [each for each in estimator.get_params() if each.split("__")[-1] in ("lr", "C")]
    space = {name: ("float", 1e-3, 1e-1, "log")}
    defaults = {"n_trials": 3, "cv": CV, "random_state": 0}
    return OptunaSearch(estimator, space, **{**defaults, **parameters})


def loss_score(estimator, X, y):
    """Finer than accuracy."""
    return -float(np.mean(-np.log(estimator.predict_proba(X)[np.arange(len(y)), y] + 1e-9)))


def numbers(y):
    return (y == "dark").astype(int)


def reported(search):
    return [trial.intermediate_values for trial in search.study_.trials]


@pytest.mark.parametrize("piped", [False, True])
def test_folds_are_reported(table, piped):
    estimator = LogisticRegression()
    if piped:
        estimator = make_pipeline(StandardScaler(), make_pipeline(estimator))
    search = search_over(estimator, cv=4, pruner=Scripted((1, 2))).fit(*table)
    assert search.study_.pruner.seen == [
        *[(0, step) for step in (1, 2, 3, 4)],
        *[(1, step) for step in (1, 2)],
        *[(2, step) for step in (1, 2, 3, 4)],
    ]
    results = search.cv_results_
    splits = np.array([results[f"split{split}_test_score"] for split in range(4)]).T
    for values, row in zip(reported(search), splits):
        means = [row[:step].mean() for step in values]
        np.testing.assert_allclose(list(values.values()), means)
    assert results["state"].tolist() == ["complete", "pruned", "complete"]
    assert np.isnan(splits).tolist() == [[False] * 4, [False, False, True, True], [False] * 4]
    for name in ("mean_test_score", "std_test_score", "mean_fit_time", "mean_score_time"):
        assert np.isnan(results[name]).tolist() == [False, True, False]
    assert np.isnan(results["n_parameters"]).tolist() == [False, True, False]
    assert results["rank_test_score"][1] == 3
    assert search.best_index_ != 1


def test_without_a_pruner_epochs_are_not_scored(images):
    X, y, _ = images
    calls = []

    def counting(estimator, X, y):
        calls.append(estimator)
        return estimator.score(X, y)

    search_over(network(), n_trials=1, scoring=counting).fit(X, y)
    assert len(calls) == 2
    search_over(network(), n_trials=1, scoring=counting, pruner=NopPruner()).fit(X, y)
    assert len(calls) == 2 + 2 * N_EPOCHS


@pytest.mark.parametrize("module", [None, MiniMLP])
@pytest.mark.parametrize("more", [{}, {"average_weights": 0.9}], ids=["plain", "averaged"])
def test_epochs_are_scored_as_trainings_of_that_length(images, module, more):
    # Four batches are the whole training part, so that statistics of batch norms are the same, too.
    X, y = images[0], numbers(images[1])
    estimator = network(module=module, **more)
    search = search_over(estimator, pruner=Scripted(), scoring=loss_score).fit(X, y)
    assert search.study_.pruner.seen[:6] == [(0, step) for step in range(1, 7)]
    for trial in search.study_.trials:
        for step, value in trial.intermediate_values.items():
            fold, epochs = divmod(step - 1, N_EPOCHS)
            whole, part = (
                clone(estimator).set_params(**trial.params, max_epochs=n)
                for n in (N_EPOCHS, epochs + 1)
            )
            scores = [
                loss_score(each.fit(X[train], y[train]), X[test], y[test])
                for each, (train, test) in zip([whole] * fold + [part], CV.split(X, y))
            ]
            assert value == pytest.approx(np.mean(scores), abs=1e-7)


def test_batches_of_a_large_part_are_near_enough(images):
    X, y = np.tile(images[0], (4, 1, 1, 1)), np.tile(numbers(images[1]), 4)
    estimator = network(batch_size=8)  # a quarter of the training part
    search = search_over(estimator, n_trials=8, pruner=Scripted(), scoring=loss_score).fit(X, y)
    early = [values[1] for values in reported(search)]
    train, test = next(CV.split(X, y))
    exact = [
        loss_score(
            clone(estimator).set_params(**trial.params, max_epochs=1).fit(X[train], y[train]),
            X[test],
            y[test],
        )
        for trial in search.study_.trials
    ]
    assert np.corrcoef(np.argsort(np.argsort(early)), np.argsort(np.argsort(exact)))[0, 1] > 0.8


@pytest.mark.parametrize("piped", [False, True])
def test_a_training_does_not_notice_that_it_is_scored(images, piped):
    X, y, _ = images
    estimator = network(
        dropout=0.3, validation_fraction=0.25, augment="quarter_turns", batch_size=4
    )
    if piped:
        flat = FunctionTransformer(np.negative)
        estimator = make_pipeline(flat, make_pipeline(FunctionTransformer(np.negative), estimator))
    bare = search_over(estimator, scoring="neg_log_loss").fit(X, y)
    scored = clone(bare).set_params(pruner=NopPruner()).fit(X, y)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(bare.cv_results_[name], scored.cv_results_[name])
    assert len(reported(scored)[0]) == 2 * N_EPOCHS
    fitted = [search.best_estimator_ for search in (bare, scored)]
    if piped:
        fitted = [each[-1][-1] for each in fitted]
    weights = [each.net_.module_.state_dict() for each in fitted]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])
    assert fitted[1].callbacks is None


def test_a_trial_is_pruned_between_epochs(images):
    X, y, _ = images
    script = (0, 2), (1, N_EPOCHS + 1)
    search = search_over(network(), n_trials=4, pruner=Scripted(*script)).fit(X, y)
    assert [len(values) for values in reported(search)] == [2, N_EPOCHS + 1, 6, 6]
    results = search.cv_results_
    assert results["state"].tolist() == ["pruned", "pruned", "complete", "complete"]
    assert np.isnan(results["split0_test_score"]).tolist() == [True, False, False, False]
    assert np.isnan(results["split1_test_score"]).tolist() == [True, True, False, False]
    assert results["number"][search.best_index_] >= 2
    # All trials, pruned ones as well, are those of the budget.
    assert len(results["params"]) == len(search.study_.trials) == 4


def test_a_study_of_pruned_trials_has_no_result(images):
    X, y, _ = images
    script = [(number, 1) for number in range(2)]
    with pytest.raises(ValueError, match="the pruner ended every trial before its last"):
        search_over(network(), n_trials=2, pruner=Scripted(*script)).fit(X, y)


def test_a_training_that_stops_early_reports_its_fold(images):
    X = images[0]
    y = np.random.default_rng(1).permutation([0, 1] * 32)
    estimator = network(max_epochs=30, early_stopping=True, patience=2, validation_fraction=0.3)
    search = search_over(estimator, n_trials=2, pruner=Scripted(), scoring=loss_score).fit(X, y)
    for row, values in enumerate(reported(search)):
        steps = list(values)
        assert {30, 60} <= set(steps)
        assert 2 < len(steps) < 60
        assert values[60] == search.cv_results_["mean_test_score"][row]
        assert values[30] == search.cv_results_["split0_test_score"][row]
        # The second training starts where the first would have ended.
        assert 31 in steps


def test_errors_between_epochs_are_those_of_the_trial(images):
    X, y, _ = images

    def failing(estimator, X, y):
        raise ArithmeticError(f"fails after {estimator.net_.history[-1]['epoch']} epochs")

    search = search_over(network(), pruner=NopPruner(), scoring=failing)
    with pytest.raises(ArithmeticError, match="fails after 1 epochs"):
        search.fit(X, y)
    (trial,) = search.study_.trials
    assert trial.user_attrs["error"] == "ArithmeticError: fails after 1 epochs"


def test_own_callbacks_stay(images):
    X, y, _ = images
    timer = EpochTimer()
    search = search_over(network(callbacks=[timer]), pruner=NopPruner(), n_trials=1).fit(X, y)
    assert search.best_estimator_.callbacks == [timer]
    assert len(reported(search)[0]) == 6


@pytest.mark.parametrize(
    "pruner",
    [
        MedianPruner(n_startup_trials=2, n_warmup_steps=1),
        SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
        HyperbandPruner(min_resource=1, max_resource=2 * N_EPOCHS, reduction_factor=2),
        HyperbandPruner(),
    ],
    ids=["median", "halving", "hyperband", "auto"],
)
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pruners_of_optuna(images, pruner, n_jobs):
    X, y = images[0], numbers(images[1])
    search = search_over(network(), n_trials=10, pruner=pruner, scoring=loss_score, n_jobs=n_jobs)
    search.fit(X, y)
    results = search.cv_results_
    assert set(results["state"]) <= {"complete", "pruned"}
    pruned = results["state"] == "pruned"
    if isinstance(pruner, (MedianPruner, SuccessiveHalvingPruner)):
        assert 0 < pruned.sum() < 10
    assert (np.isnan(results["mean_test_score"]) == pruned).all()
    again = clone(search).fit(X, y)
    assert reported(again) == reported(search)
    assert again.cv_results_["state"].tolist() == results["state"].tolist()
    assert again.best_params_ == search.best_params_


@pytest.mark.slow
def test_processes_prune_by_what_was_known_before_their_batch(table):
    pruner = MedianPruner(n_startup_trials=2, n_warmup_steps=0)
    searches = [
        search_over(LogisticRegression(), cv=5, n_trials=12, pruner=pruner, n_jobs=2)
        for _ in range(2)
    ]
    first, again = (search.set_params(scoring="neg_log_loss").fit(*table) for search in searches)
    assert reported(first) == reported(again)
    states = first.cv_results_["state"].tolist()
    assert states == again.cv_results_["state"].tolist()
    assert "pruned" in states
    # A slow twin of the median: trials of earlier batches, at the same step.
    for row, trial in enumerate(first.study_.trials):
        known = first.study_.trials[: row // 2 * 2]
        complete = [other for other in known if other.state.name == "COMPLETE"]
        ends = []
        for step in trial.intermediate_values:
            best = max(value for at, value in trial.intermediate_values.items() if at <= step)
            others = [
                other.intermediate_values[step]
                for other in known
                if step in other.intermediate_values and other.state.name == "COMPLETE"
            ]
            ends.append(len(complete) >= 2 and best < np.median(others))
        assert ends[-1] == (trial.state.name == "PRUNED")
        assert not any(ends[:-1])


def test_a_regressor_is_pruned_too(images):
    X, y, _ = images
    estimator = CNNRegressor(n_filters=(2,), batch_size=16, max_epochs=2, random_state=0)
    search = search_over(estimator, cv=2, n_trials=2, pruner=Scripted((0, 1))).fit(X, numbers(y))
    assert search.study_.pruner.seen == [(0, 1), (1, 1), (1, 2), (1, 3), (1, 4)]
    expected = cross_val_score(estimator.set_params(**search.best_params_), X, numbers(y), cv=2)
    assert search.best_score_ == pytest.approx(expected.mean())


def test_a_trial_that_has_run_its_last_fold_is_complete(images):
    X, y, _ = images
    search = search_over(network(), n_trials=2, pruner=Scripted((0, 6), (1, 6))).fit(X, y)
    assert {trial.last_step for trial in search.study_.trials} == {6}
    assert search.cv_results_["state"].tolist() == ["complete", "complete"]
