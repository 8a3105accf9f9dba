"""One trial of a search: fits and scores over the folds, reported step by step."""

import time
import warnings
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from glassclf.estimators.base import NetworkEstimator
from glassclf.estimators.epoch_score import EpochScore
from glassclf.estimators.metadata import inner_fit_parameters, last_step, require_weights
from glassclf.estimators.stopping import SIGNALS

SIGNAL_NAMES = {number.name for number in SIGNALS}


@dataclass
class FoldResult:
    """What came out of one fold.

    Parameters
    ----------
    scores : dict of float
        Test score by name.
    fit_time, score_time : float
        Seconds.
    n_parameters : int or None
        Numbers that the fitted estimator has learned; None where that is not known.
    """

    scores: dict
    fit_time: float
    score_time: float
    n_parameters: int = None


@dataclass
class Task:
    """What all trials of a search have in common.

    Parameters
    ----------
    estimator : estimator
        Not fitted; each trial fits clones of it.
    X, y : object
        All samples, and their targets.
    folds : list of (ndarray of int, ndarray of int)
        Training and test rows.
    scorer : callable
        ``scorer(estimator, X, y)`` returns a score or a dict of them.
    fit_parameters : dict
        Handed to ``fit``; what has one value a sample is split with X, here as below.
    by_last_step : dict
        Handed to the ``fit`` of the last step, which a trial may have chosen, as far as that takes
        it.
    score_parameters : dict
        Handed to the scorer.
    features : FeatureStore
        Where features are kept that several trials share.
    """

    estimator: object
    X: object
    y: object
    folds: list
    scorer: object
    fit_parameters: dict = field(default_factory=dict)
    by_last_step: dict = field(default_factory=dict)
    score_parameters: dict = field(default_factory=dict)
    features: object = None

    def run(self, parameters, report, by_epoch):
        """Fit and score an estimator with the given parameters in every fold.

        Parameters
        ----------
        parameters : dict
            For ``set_params``.
        report : callable
            ``report(scores, step, last)`` is called after each fold with the mean of each score
            over the folds so far, and whether it was the last fold. The step counts the epochs of
            all folds where the estimator ends in a network, else the folds. It may raise
            ``optuna.TrialPruned``.
        by_epoch : bool
            Report after each epoch of a network, too.

        Returns
        -------
        results : generator of FoldResult
            One a fold, each as soon as it is there.
        """
        # A clone of the values, too: they may be estimators, which a fit would change.
        candidate = clone(self.estimator).set_params(**clone(parameters, safe=False))
        fit_parameters = self.parameters_of_fit(candidate)
        head, tail = self.features.split(candidate)
        network = last_step(candidate)
        by_epoch = by_epoch and isinstance(network, NetworkEstimator)
        n_steps = network.max_epochs if by_epoch else 1
        done = []
        for number, (train, test) in enumerate(self.folds):
            X, estimator = self.features.compute(head, self.X, self.y, train), clone(tail)
            X_train, y_train = _safe_split(estimator, X, self.y, train)
            X_test, y_test = _safe_split(estimator, X, self.y, test, train)
            score = _Scoring(self.scorer, self._part(self.score_parameters, test), X_test, y_test)
            if by_epoch:
                network = last_step(estimator)

                def score_epoch(network, n_epochs, estimator=estimator, score=score, number=number):
                    if n_epochs < n_steps:  # the last one is that of the fold
                        scores = score.of_last_step(estimator, network)
                        report(_mean([*done, scores]), number * n_steps + n_epochs, False)

                callbacks = [*(network.callbacks or []), EpochScore(network, score_epoch)]
                network.set_params(callbacks=callbacks)
            fit_time = _fit(estimator, X_train, y_train, self._part(fit_parameters, train))
            result = score.of(estimator, fit_time)
            done.append(result.scores)
            yield result
            report(_mean(done), (number + 1) * n_steps, len(done) == len(self.folds))

    def parameters_of_fit(self, candidate):
        """Name what is handed to the ``fit`` of an estimator and of its last step.

        Parameters
        ----------
        candidate : estimator

        Returns
        -------
        parameters : dict

        Raises
        ------
        TypeError
            If there are weights that it does not take.
        """
        parameters = inner_fit_parameters(candidate, **self.by_last_step)
        if "sample_weight" in self.by_last_step:
            require_weights(parameters, candidate)
        return parameters | self.fit_parameters

    def _part(self, parameters, rows):
        return _check_method_params(self.X, params=parameters, indices=rows)


def _fit(estimator, X, y, parameters):
    start = time.perf_counter()
    estimator.fit(X, **parameters) if y is None else estimator.fit(X, y, **parameters)
    stopped_by = getattr(last_step(estimator), "stopped_by_", None)
    if stopped_by in SIGNAL_NAMES:
        # With a checkpoint the network returns half trained: that is no result.
        raise InterruptedError(
            f"the search was stopped by {stopped_by}: the running trial is given back to the "
            "study; fit again, and the search goes on"
        )
    return time.perf_counter() - start


@dataclass
class _Scoring:
    """The held-out part of a fold, and how it is scored."""

    scorer: object
    parameters: dict
    X: object
    y: object

    def of(self, estimator, fit_time):
        """Result of a fitted estimator."""
        start = time.perf_counter()
        scores = self._scores(estimator, self.X)
        score_time = time.perf_counter() - start
        return FoldResult(scores, fit_time, score_time, count_parameters(last_step(estimator)))

    def of_last_step(self, estimator, network):
        """Scores of a pipeline whose last step is still being fitted."""
        X = self.X
        while isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator.steps[-1][1]
        with warnings.catch_warnings():
            # Whatever there is to say is said after the fit, once.
            warnings.simplefilter("ignore")
            return self._scores(network, X)

    def _scores(self, estimator, X):
        y = () if self.y is None else (self.y,)
        scores = self.scorer(estimator, X, *y, **self.parameters)
        scores = scores if isinstance(scores, dict) else {"score": scores}
        for name, value in scores.items():
            if not isinstance(value, Real) or not np.isfinite(value):
                raise ValueError(f"the {name} of a fold must be a finite number, got {value!r}")
        return {name: float(value) for name, value in scores.items()}


def _mean(scores):
    return {name: float(np.mean([each[name] for each in scores])) for name in scores[0]}


def count_parameters(estimator):
    """Count what a fitted estimator has learned.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    n_parameters : int or None
        Weights of a network that are trained, coefficients and intercepts of a linear model; None
        for anything else.
    """
    if isinstance(estimator, NetworkEstimator):
        weights = estimator.net_.module_.parameters()
        return sum(weight.numel() for weight in weights if weight.requires_grad)
    if hasattr(estimator, "coef_"):
        return int(np.size(estimator.coef_) + np.size(getattr(estimator, "intercept_", ())))
    return None
