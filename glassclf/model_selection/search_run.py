"""One call of a search's fit: its data and folds, its study, its share of the trials."""

import copy
import inspect
import warnings
from contextlib import nullcontext
from importlib.metadata import version

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_method_params, _is_arraylike, _num_samples

from glassclf.estimators.metadata import known_groups, with_info
from glassclf.model_selection.feature_store import FeatureStore
from glassclf.model_selection.liveness import Worker
from glassclf.model_selection.search_bar import SearchBar
from glassclf.model_selection.search_loop import SearchLoop, seed_for
from glassclf.model_selection.search_scoring import Objectives, is_multimetric, scorer_of
from glassclf.model_selection.sharing import ERROR, is_complete, worker_of_last
from glassclf.model_selection.spaces import Space
from glassclf.model_selection.studies import (
    name_of_study,
    open_storage,
    open_study,
    quiet_optuna,
    study_facts,
)
from glassclf.model_selection.trials import Task

N_SPLITS = 5


class SearchRun:
    """What a call of ``fit`` works with.

    Parameters
    ----------
    search : OptunaSearch
        With valid parameters; it is not changed.
    X, y : object
        Samples and targets.
    groups : array-like of shape (n_samples,) or None
    params : dict
        For ``fit`` of the estimator; what has one value a sample is part of the data.

    Attributes
    ----------
    study : optuna.Study
    names : list of str
        Of the objectives.
    space : Space
    task : Task
    scorer : callable or dict
        For ``scorer_``.
    multimetric : bool
    """

    def __init__(self, search, X, y, groups, params):
        for name in ("estimator", "sampler", "pruner"):
            value = getattr(search, name)
            if inspect.isclass(value):
                raise TypeError(
                    f"{name} must be an instance, got the class {value.__name__}: write "
                    f"{value.__name__}()"
                )
        X = with_info(X)
        _check_forces(X, params)
        if y is None and get_tags(search.estimator).target_tags.required:
            raise ValueError(
                f"{type(search.estimator).__name__} requires y to be passed, but the target y is "
                "None"
            )
        groups = known_groups(X, groups)
        self.search, self.space = search, Space(search.space, search.estimator)
        self.objectives = Objectives.of(search.scoring, search.refit)
        self.names = list(self.objectives.directions)
        if search.pruner is not None and len(self.names) > 1:
            raise ValueError(
                "pruner compares trials by one score, but here are several objectives: set refit "
                "to the name of a score, or pruner=None"
            )
        fit, by_last_step, split, score = _route(search, X, groups, params)
        folds = _folds(search, X, y, groups, split)
        scorer = scorer_of(search.estimator, self.objectives.scoring)
        self.multimetric = is_multimetric(scorer)
        self.scorer = scorer._scorers if self.multimetric else scorer
        self.task = Task(clone(search.estimator), X, y, folds, scorer, fit, by_last_step, score)
        self._groups, self._by_sample = groups, _by_sample(X, params)
        self.name = self._name_of_data(X, y)
        self.worker = None if search.storage is None else Worker(search.grace_period)
        self._seed = check_random_state(search.random_state).randint(2**31 - 1)
        facts = study_facts(search.estimator, self.space, self.objectives, folds)
        with quiet_optuna():
            self.study = open_study(
                open_storage(search.storage),
                self.name,
                self.objectives.directions,
                copy.deepcopy(search.sampler),
                copy.deepcopy(search.pruner),
                facts,
            )
        self.n_run = 0

    def work(self, start):
        """Run trials until the study is complete, or the time is over.

        Parameters
        ----------
        start : float
            When the call began, as :func:`time.monotonic` tells it.
        """
        search = self.search
        loop = SearchLoop(
            self.study,
            self.space,
            self.task,
            self.names,
            n_trials=search.n_trials,
            deadline=float("inf") if search.timeout is None else start + search.timeout,
            n_jobs=search.n_jobs,
            by_epoch=search.pruner is not None,
            worker=self.worker,
            reseed=self._reseed,
            error_score=search.error_score,
            bar=SearchBar(search.n_trials, search.verbose),
        )
        self.task.features = FeatureStore(
            search.cache, search.cache_size, f"{self.name} {version('glassclf')}"
        )
        try:
            with quiet_optuna(), self.worker.at_work() if self.worker else nullcontext():
                loop.run()
        finally:
            self.task.features.close()
            self.task.features = None
        self.n_run = loop.n_run

    def _reseed(self, number):
        from optuna.samplers import TPESampler

        if self.search.sampler is None:
            self.study.sampler = TPESampler(seed=seed_for(self._seed, number))
        elif number > 0:
            # Else a sampler with a seed would propose once more what it did in the first call, or
            # in another worker.
            self.study.sampler.reseed_rng()

    @property
    def is_last(self):
        """Whether this worker is the one to fit the best parameters, of all that work together."""
        if not is_complete(self.study, self.search.n_trials):
            return False
        return self.n_run == 0 or worker_of_last(self.study) == self.worker.name

    def complete_trials(self):
        """Trials that have a value, list of optuna.trial.FrozenTrial."""
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    def require_results(self):
        """Refuse a study without a single complete trial.

        Raises
        ------
        ValueError
            With the text of the first error, if every trial failed.
        """
        if self.complete_trials():
            return
        trials = self.study.get_trials(deepcopy=False)
        errors = [trial.user_attrs[ERROR] for trial in trials if ERROR in trial.user_attrs]
        if errors:
            raise ValueError(
                f"all {len(errors)} trials failed; the first one with {errors[0]}\n(error_score="
                '"raise" ends the search there, and shows where it happened)'
            )
        if any(trial.state.name == "PRUNED" for trial in trials):
            raise ValueError(
                "the pruner ended every trial before its last fold: give it more steps or trials "
                "before it judges, such as n_startup_trials=5 in MedianPruner"
            )
        raise ValueError(
            f"no trial of study {self.name!r} is complete after timeout={self.search.timeout}: "
            "raise timeout, or fit again with a storage"
        )

    def require_same_data(self):
        """Refuse data that were changed since the study was opened.

        Raises
        ------
        ValueError
        """
        if self._name_of_data(self.task.X, self.task.y) != self.name:
            raise ValueError("X, y or groups were changed in place since the search was fitted")

    def _name_of_data(self, X, y):
        return name_of_study(self.search.study_name, X, y, self._groups, self._by_sample)

    def fit(self, parameters):
        """Fit the estimator with the given parameters to all data.

        Parameters
        ----------
        parameters : dict

        Returns
        -------
        estimator : estimator
        """
        task = self.task
        estimator = clone(task.estimator).set_params(**clone(parameters, safe=False))
        y = () if task.y is None else (task.y,)
        return estimator.fit(task.X, *y, **task.parameters_of_fit(estimator))


def _route(search, X, groups, params):
    """Parameters for fit of the estimator and of its last step, for the splitter and the scorer."""
    params, by_last_step = _check_method_params(X, params=params), {}
    if _routing_enabled():
        routed = process_routing(search, "fit", **params, **_given(groups=groups))
        fit = dict(routed.estimator.fit)
    else:
        routed = search._get_routed_params_for_fit({**params, "groups": groups})
        fit = dict(routed.estimator.fit)
        by_last_step = _given(groups=groups, sample_weight=fit.pop("sample_weight", None))
    return fit, by_last_step, routed.splitter.split, routed.scorer.score


def _check_forces(X, params):
    """Refuse forces that cannot be split with the samples: folds could get those of others."""
    n = _num_samples(X)
    for name, forces in params.items():
        if name.rpartition("__")[2] != "forces" or forces is None or len(forces) == n:
            continue
        raise ValueError(
            f"{name} must have one array for each of the {n} configurations in a search, as each "
            f"fold is fitted to its own, got {len(forces)}"
        )


def _by_sample(X, params):
    n = _num_samples(X)
    return {
        name: values
        for name, values in params.items()
        if _is_arraylike(values) and _num_samples(values) == n
    }


def _given(**parameters):
    return {name: value for name, value in parameters.items() if value is not None}


def _folds(search, X, y, groups, split):
    """Training and test rows of each fold."""
    classifies = is_classifier(search.estimator)
    if search.cv is not None or groups is None:
        cv = check_cv(N_SPLITS if search.cv is None else search.cv, y, classifier=classifies)
        with warnings.catch_warnings():
            # That it ignores groups is no matter where it keeps them together all the same.
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            folds = list(cv.split(X, y, **split))
        if not folds:
            raise ValueError(f"cv={search.cv!r} gives no folds")
        _warn_of_leak(folds, groups)
        return folds
    n_splits = min(N_SPLITS, len(np.unique(np.asarray(groups))))
    if n_splits < 2:
        raise ValueError(
            "groups holds one group only, which cannot be both learned from and tested on: pass "
            "the groups of more runs, or cv="
        )
    if classifies and type_of_target(y) in ("binary", "multiclass"):
        smallest = int(np.unique(y, return_counts=True)[1].min())
        return list(StratifiedGroupKFold(max(2, min(n_splits, smallest))).split(X, y, groups))
    return list(GroupKFold(n_splits).split(X, y, groups))


def _warn_of_leak(folds, groups):
    if groups is None:
        return
    groups = np.asarray(groups)
    if any(np.isin(groups[test], groups[train]).any() for train, test in folds):
        warnings.warn(
            "cv puts samples of one group, such as one run, into the training and the test part of "
            "a fold, so that scores are too good: leave cv=None, or give a splitter that keeps "
            "groups together, such as GroupKFold(5)",
            stacklevel=2,
        )
