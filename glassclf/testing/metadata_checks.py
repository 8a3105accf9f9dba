"""Checks that groups and sample weights reach the step that uses them."""

from unittest import SkipTest

import numpy as np
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.utils.metadata_routing import get_routing_for_object

from glassclf.testing.comparison import all_bytes
from glassclf.testing.refusal_checks import assert_raises_value_error
from glassclf.testing.samples import without_info
from glassclf.testing.subject import (
    fit_parameters,
    input_of_last_step,
    last_step,
    last_step_prefix,
    seeded,
    takes,
    task_for,
)


def _skip_unless_it_takes(estimator, parameter):
    if not takes(estimator, parameter):
        raise SkipTest(f"fit of the last step has no parameter {parameter}")


def _with_validation(estimator):
    """Clone an estimator whose last step then holds out a part for validation."""
    _skip_unless_it_takes(estimator, "groups")
    if "validation_fraction" not in last_step(estimator).get_params(deep=False):
        raise SkipTest("the last step has no parameter validation_fraction")
    name = f"{last_step_prefix(estimator)}validation_fraction"
    return seeded(estimator).set_params(**{name: 0.25})


def check_groups_and_weights_unchanged(name, estimator):
    """Every byte of groups and sample_weight is the same after fit."""
    X, y, groups = task_for(estimator)
    given = {"groups": groups, "sample_weight": np.linspace(0.5, 1.5, len(y))}
    given = {name: value for name, value in given.items() if takes(estimator, name)}
    if not given:
        raise SkipTest("fit of the last step takes neither groups nor sample_weight")
    before = all_bytes(given)
    seeded(estimator).fit(X, y, **fit_parameters(estimator, **given))
    assert all_bytes(given) == before, "fit wrote into groups or sample_weight"


def check_groups_of_wrong_length_refused(name, estimator):
    """Groups of another length than X are refused."""
    X, y, groups = task_for(estimator)
    model = _with_validation(estimator)
    assert_raises_value_error(
        lambda: model.fit(X, y, **fit_parameters(estimator, groups=groups[:-1])),
        "groups of another length",
        "groups",
    )


def _recorder(parts):
    # skorch brings torch, which an estimator without callbacks need not have loaded.
    from skorch.callbacks import Callback

    class Recorder(Callback):
        """Keep the indices that each epoch trains on and validates with.

        They are no attribute, as an estimator may train with a copy of its callbacks.
        """

        def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
            if hasattr(dataset_train, "chosen") and hasattr(dataset_valid, "chosen"):
                parts.append((dataset_train.chosen, dataset_valid.chosen))

    return Recorder()


def _assert_groups_stay_whole(model, X, y, groups, given):
    """Fit, and look at the samples that the network really trains on and validates with."""
    if "callbacks" not in last_step(model).get_params(deep=False):
        raise SkipTest("the last step has no parameter callbacks, so nobody sees its split")
    parts = []
    model.set_params(**{f"{last_step_prefix(model)}callbacks": [_recorder(parts)]})
    model.fit(X, y, **given)
    if not parts:
        raise SkipTest("callbacks are told no dataset_train and dataset_valid with indices chosen")
    for train, valid in parts:
        everything = np.sort(np.concatenate([train, valid]))
        assert np.array_equal(everything, np.arange(len(y))), (
            f"training and validation part must hold every sample once, got {everything.tolist()}"
        )
        assert len(valid), "the validation part is empty"
        torn = np.intersect1d(groups[train], groups[valid])
        assert not len(torn), f"groups {torn.tolist()} are in training and validation at once"


def check_groups_reach_validation_split(name, estimator):
    """No group given to fit is in training and validation at once."""
    X, y, groups = task_for(estimator)
    # Other groups than the runs, so that the runs cannot stand in for them.
    groups = np.roll(groups, 1)
    model = _with_validation(estimator)
    given = fit_parameters(estimator, groups=groups)
    _assert_groups_stay_whole(model, without_info(X), y, groups, given)


def check_single_group_refused(name, estimator):
    """One group alone cannot be split into training and validation."""
    X, y, _ = task_for(estimator)
    X = without_info(X)
    model = _with_validation(estimator)
    one_group = np.zeros(len(y), dtype=int)
    assert_raises_value_error(
        lambda: model.fit(X, y, **fit_parameters(estimator, groups=one_group)),
        "a validation part out of a single group",
        "groups",
    )


def _skip_unless_runs_arrive(estimator, X, y):
    if not hasattr(input_of_last_step(seeded(estimator), X, y), "info"):
        raise SkipTest("the last step sees arrays, which carry no info")


def check_run_reaches_validation_split(name, estimator):
    """Without groups, no run in the info of X is in training and validation at once."""
    X, y, _ = task_for(estimator)
    model = _with_validation(estimator)
    _skip_unless_runs_arrive(estimator, X, y)
    _assert_groups_stay_whole(model, X, y, np.asarray(X.info["run"]), given={})


def check_single_run_refused(name, estimator):
    """One run alone cannot be split into training and validation."""
    X, y, _ = task_for(estimator)
    model = _with_validation(estimator)
    _skip_unless_runs_arrive(estimator, X, y)
    X = X[:]
    X.info = {"run": np.full(len(X), "the only run")}
    assert_raises_value_error(
        lambda: model.fit(X, y), "a validation part out of a single run", "groups"
    )


def check_sample_weight_counts(name, estimator):
    """Samples of weight zero do not count: wrong targets with no weight are not learnt."""
    _skip_unless_it_takes(estimator, "sample_weight")
    X, y, _ = task_for(estimator)
    swapped = np.where(y == y[0], y[1], y[0]) if is_classifier(estimator) else -y
    twice = np.r_[np.arange(len(X)), np.arange(len(X))]
    both, weight = np.r_[y, swapped], np.repeat([1.0, 0.0], len(X))
    model = seeded(estimator)
    model.fit(X[twice], both, **fit_parameters(model, sample_weight=weight))
    right, wrong = model.score(X, y), model.score(X, swapped)
    assert right > wrong, f"score {right:.2f} on weighted targets, {wrong:.2f} on those of weight 0"


def check_sample_weight_of_wrong_length_refused(name, estimator):
    """A sample_weight of another length than X is refused."""
    _skip_unless_it_takes(estimator, "sample_weight")
    X, y, _ = task_for(estimator)
    model = seeded(estimator)
    weight = np.ones(len(y) - 1)
    assert_raises_value_error(
        lambda: model.fit(X, y, **fit_parameters(model, sample_weight=weight)),
        "sample_weight of another length",
    )


def check_metadata_routing_off(name, estimator):
    """``params={"<last step>__groups": groups}`` reaches the last step."""
    X, y, groups = task_for(estimator)
    given = fit_parameters(estimator, groups=groups) if takes(estimator, "groups") else {}
    with config_context(enable_metadata_routing=False):
        _assert_finite_scores(estimator, X, y, groups=groups, params=given)


def check_metadata_routing_on(name, estimator):
    """``params={"groups": groups}`` reaches the outer split and, unasked, the last step."""
    X, y, groups = task_for(estimator)
    with config_context(enable_metadata_routing=True):
        if takes(estimator, "groups"):
            router = get_routing_for_object(estimator)
            assert "groups" in router.consumes("fit", ["groups"]), (
                "fit must request groups: set __metadata_request__fit = {'groups': True} on "
                f"{type(last_step(estimator)).__name__}"
            )
        _assert_finite_scores(estimator, X, y, params={"groups": groups})


def _assert_finite_scores(estimator, X, y, **given):
    scores = cross_validate(
        seeded(estimator), X, y, cv=GroupKFold(2), error_score="raise", **given
    )["test_score"]
    assert np.isfinite(scores).all(), f"scores must be finite, got {scores}"


METADATA_CHECKS = (
    check_groups_and_weights_unchanged,
    check_groups_of_wrong_length_refused,
    check_groups_reach_validation_split,
    check_single_group_refused,
    check_run_reaches_validation_split,
    check_single_run_refused,
    check_sample_weight_counts,
    check_sample_weight_of_wrong_length_refused,
    check_metadata_routing_off,
    check_metadata_routing_on,
)
