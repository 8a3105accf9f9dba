"""The trials of a search, batch by batch, until the study is complete."""

import contextlib
import pickle
import time
import traceback
import warnings
from dataclasses import dataclass, field

import numpy as np
from joblib import cpu_count, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel, delayed

from glassclf.estimators.threads import torch_threads
from glassclf.model_selection.search_results import (
    FOLDS,
    objective_value,
    score_named,
    summarize,
)
from glassclf.model_selection.sharing import (
    ERROR,
    claim,
    finish,
    give_back,
    is_complete,
    take_back,
)
from glassclf.model_selection.studies import snapshot

# Seconds between two looks at trials that others run.
POLL = (0.05, 5.0)


@dataclass
class Outcome:
    """How a trial ended.

    Parameters
    ----------
    state : {"COMPLETE", "PRUNED", "FAIL"}
    folds : dict
        See :func:`~glassclf.model_selection.search_results.summarize`.
    values : list of float or None
        Of the objectives, where it is complete.
    reports : dict of float
        What was reported, by step.
    system_attrs : dict
        What the pruner noted.
    error : Exception or None
    text : str or None
        The error in words.
    """

    state: str
    folds: dict
    values: list = None
    reports: dict = field(default_factory=dict)
    system_attrs: dict = field(default_factory=dict)
    error: Exception = None
    text: str = None


def evaluate(task, parameters, trial, objectives, by_epoch, n_threads=None):
    """Run one trial, in whatever process.

    Parameters
    ----------
    task : Task
    parameters : dict
        For ``set_params``.
    trial : optuna.Trial or None
        That is reported to.
    objectives : list of str
        Names of scores and costs.
    by_epoch : bool
        Whether epochs are reported, too.
    n_threads : int, default=None
        Of torch; None leaves them as they are.

    Returns
    -------
    outcome : Outcome
    """
    from optuna import TrialPruned
    from optuna.exceptions import UpdateFinishedTrialError

    results, reports = [], {}

    def report(scores, step, last):
        if len(objectives) > 1:  # a trial with several objectives has no intermediate values
            return
        reports[step] = score_named(objectives[0], scores)
        if trial is not None:
            try:
                trial.report(reports[step], step)
            except UpdateFinishedTrialError:
                raise TrialPruned from None  # somebody took this worker for dead
            # Asked in any case, as pruners take notes; what is done is worth keeping.
            if trial.should_prune() and not last:
                raise TrialPruned

    state, values, error = "COMPLETE", None, None
    with torch_threads(n_threads):
        try:
            for result in task.run(parameters, report, by_epoch):
                results.append(result)
            values = [objective_value(summarize(results), name) for name in objectives]
        except TrialPruned:
            state = "PRUNED"
        except InterruptedError:
            raise
        except Exception as failure:  # whatever the estimator or the scorer raises
            state, error = "FAIL", failure
    outcome = Outcome(state, summarize(results), values, reports, error=error)
    if error is not None:
        outcome.text = f"{type(error).__name__}: {error}"
    return outcome


def evaluate_elsewhere(task, parameters, trial, **shared):
    """Run one trial in a process of joblib: as :func:`evaluate`, with a result that can travel.

    Parameters
    ----------
    task, parameters : object
        See :func:`evaluate`.
    trial : optuna.Trial or None
        Of a copy of the study. What the pruner noted there is part of the outcome.
    **shared : object
        See :func:`evaluate`.

    Returns
    -------
    outcome : Outcome
    """
    outcome = evaluate(task, parameters, trial, **shared)
    if trial is not None:
        frozen = trial.study.get_trials(deepcopy=False)[trial.number]
        outcome.system_attrs = dict(frozen.system_attrs)
    if outcome.error is not None:
        # Where it came from is lost on the way.
        trace = "".join(traceback.format_exception(outcome.error))
        try:
            pickle.loads(pickle.dumps(outcome.error))
        except Exception:  # whatever a class of errors does when it is copied
            outcome.error = RuntimeError(outcome.text)
        outcome.error.add_note(trace)
    return outcome


class SearchLoop:
    """Ask for trials, evaluate them, tell the study.

    Parameters
    ----------
    study : optuna.Study
    space : Space
    task : Task
    objectives : list of str
    n_trials : int
        Of the study, over all workers and calls.
    deadline : float
        No trial begins after that, as :func:`time.monotonic` tells it.
    n_jobs : int or None
        Trials of a batch, which are evaluated at the same time.
    by_epoch : bool
        Whether epochs of networks are reported: only where there is a pruner.
    worker : Worker or None
        None where nobody else has the study.
    reseed : callable
        ``reseed(number)`` is called with the number of the first trial.
    error_score : "raise" or float
    bar : SearchBar

    Attributes
    ----------
    n_run : int
        Trials that were evaluated here.
    """

    def __init__(
        self,
        study,
        space,
        task,
        objectives,
        *,
        n_trials,
        deadline,
        n_jobs,
        by_epoch,
        worker,
        reseed,
        error_score,
        bar,
    ):
        self.study, self.space, self.task, self.objectives = study, space, task, objectives
        self.n_trials, self.deadline, self.by_epoch = n_trials, deadline, by_epoch
        self.worker, self.reseed, self.error_score, self.bar = worker, reseed, error_score, bar
        self.n_jobs = effective_n_jobs(n_jobs)
        self.n_run = self._n_claimed = 0

    def run(self):
        """Work until the study is complete, the time is over, or the sampler has nothing left."""
        pause = POLL[0]
        with self._processes() as evaluate_all, self.bar:
            self.bar.show(self.study)
            while time.monotonic() < self.deadline:
                if self.worker is not None:
                    take_back(self.study, self.worker)
                batch = self._ask()
                if batch:
                    self._evaluate(batch, evaluate_all)
                    pause = POLL[0]
                elif self.worker is None or is_complete(self.study, self.n_trials):
                    break
                else:
                    # Others are at work; if one of them dies its trial is left to us.
                    time.sleep(min(pause, max(0.0, self.deadline - time.monotonic())))
                    pause = min(2 * pause, POLL[1])
                self.bar.show(self.study)

    def _ask(self):
        """Claim a batch of trials: pairs of a trial and its parameters."""
        from optuna import TrialPruned
        from optuna.exceptions import UpdateFinishedTrialError

        batch = []
        try:
            while len(batch) < self.n_jobs:
                trial = claim(self.study, self.n_trials, self.worker)
                if trial is None:
                    break
                batch.append((trial, None))
                if self._n_claimed == 0:
                    self.reseed(trial.number)
                self._n_claimed += 1
                try:
                    batch[-1] = trial, self.space.suggest(trial)
                except UpdateFinishedTrialError:
                    batch.pop()  # somebody took this worker for dead
                except TrialPruned:
                    # A space that is a function may refuse what it was given.
                    batch.pop()
                    finish(self.study, trial.number, "PRUNED")
        except BaseException:
            # Also where the space itself fails: that is no matter of one trial.
            self._give_back(batch)
            raise
        return batch

    def _evaluate(self, batch, evaluate_all):
        trials = [trial for trial, _ in batch]
        beating = contextlib.nullcontext() if self.worker is None else self.worker.beating(trials)
        with beating:
            try:
                outcomes = evaluate_all(batch)
            except BaseException:
                self._give_back(batch)
                raise
            for trial, outcome in zip(trials, outcomes):
                self._tell(trial, outcome)
        self.n_run += len(batch)
        self.task.features.shrink()
        for trial, outcome in zip(trials, outcomes):
            if outcome.error is not None and self.error_score == "raise":
                outcome.error.add_note(f"in trial {trial.number} with {trial.params}")
                raise outcome.error

    def _give_back(self, batch):
        for trial, _ in batch:
            give_back(self.study, trial)

    def _tell(self, trial, outcome):
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            if self.n_jobs > 1:
                for step, value in outcome.reports.items():
                    trial.report(value, step)
                for key, value in outcome.system_attrs.items():
                    self.study._storage.set_trial_system_attr(trial._trial_id, key, value)
            trial.set_user_attr(FOLDS, outcome.folds)
            if outcome.error is not None:
                trial.set_user_attr(ERROR, outcome.text)
            finish(self.study, trial.number, outcome.state, outcome.values)
        except UpdateFinishedTrialError:
            return  # somebody took this worker for dead, and runs the trial once more
        if outcome.error is not None and self.error_score != "raise":
            warnings.warn(
                f"trial {trial.number} failed and counts as {self.error_score}: {outcome.text}",
                FitFailedWarning,
                stacklevel=2,
            )
        self.bar.tell(trial, outcome)

    @contextlib.contextmanager
    def _processes(self):
        """Give a function that evaluates a batch, each trial in a process of its own."""
        shared = {"objectives": self.objectives, "by_epoch": self.by_epoch}
        if self.n_jobs == 1:
            yield lambda batch: [
                evaluate(self.task, parameters, trial, **shared) for trial, parameters in batch
            ]
            return

        def with_copies(batch):
            # So that trials of a batch see what was known when it began, and no more: else the
            # result would depend on which of them is faster.
            for trial, parameters in batch:
                yield parameters, snapshot(self.study, trial) if self.by_epoch else None

        backend, _ = get_active_backend()
        if backend.nesting_level > 0:
            # Workers of joblib may start no processes, and threads share torch's random numbers.
            yield lambda batch: [
                evaluate_elsewhere(self.task, *each, **shared) for each in with_copies(batch)
            ]
            return
        if getattr(backend, "supports_sharedmem", False):
            raise ValueError(
                f"n_jobs={self.n_jobs} needs processes, as threads share the random numbers of "
                'torch: leave the backend "threading", or use n_jobs=1'
            )
        if type(backend).__name__ == "MultiprocessingBackend":
            # The other backends limit threads by themselves.
            shared["n_threads"] = max(1, cpu_count() // self.n_jobs)
        with Parallel(n_jobs=self.n_jobs) as parallel:
            run = delayed(evaluate_elsewhere)
            yield lambda batch: parallel(
                run(self.task, *each, **shared) for each in with_copies(batch)
            )


def seed_for(random_state, number):
    """Seed of a sampler, another one for every worker of a study.

    Parameters
    ----------
    random_state : int
    number : int
        Of the first trial of the worker.

    Returns
    -------
    seed : int
    """
    return int(np.random.SeedSequence([random_state, number]).generate_state(1)[0])
