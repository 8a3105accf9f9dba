"""The trials of one study, shared out exactly among workers that come, go and die."""

import joblib

from glassclf.model_selection.liveness import WORKER

# Attributes of a trial.
ERROR = "error"
RETRY_OF = "retry_of"
DEATHS = "deaths"
# Attribute of a study whose sampler has tried all points that it has.
EXHAUSTED = "exhausted"
# What GridSampler notes about the point that a trial stands for.
GRID_POINT = ("search_space", "grid_id")
# A trial whose workers die so often is likely what kills them.
MAX_DEATHS = 3


def counts(trial):
    """Whether a trial is one of the budget.

    Not those that were given back or taken back from a dead worker: they failed without an error
    of their own, and others were put in their place.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial

    Returns
    -------
    answer : bool
    """
    return trial.state.name != "FAIL" or ERROR in trial.user_attrs


def is_complete(study, n_trials):
    """Whether a study has all its trials, or all there can be, and nobody is at work on it.

    Parameters
    ----------
    study : optuna.Study
    n_trials : int

    Returns
    -------
    answer : bool
    """
    states = [trial.state for trial in study.get_trials(deepcopy=False) if counts(trial)]
    names = {state.name for state in states}
    full = sum(state.is_finished() for state in states) >= n_trials
    return (full or ("WAITING" not in names and _exhausted(study))) and "RUNNING" not in names


def claim(study, n_trials, worker):
    """Take the next trial of a study, if one is left.

    Two workers may ask for the last one at the same time. Trials are numbered in the order in which
    they are made, so all workers agree on who came too late: that one gives its trial back.

    Parameters
    ----------
    study : optuna.Study
    n_trials : int
        Budget of the study, over all workers.
    worker : Worker or None
        None where nobody else has the study.

    Returns
    -------
    trial : optuna.Trial or None
        Running; without parameters yet.
    """
    from optuna.exceptions import UpdateFinishedTrialError

    trials = [trial for trial in study.get_trials(deepcopy=False) if counts(trial)]
    n_waiting = sum(trial.state.name == "WAITING" for trial in trials)
    if len(trials) - n_waiting >= n_trials or (n_waiting == 0 and _exhausted(study)):
        return None
    trial = study.ask()
    if worker is None:
        return trial
    try:
        worker.sign(trial)
    except UpdateFinishedTrialError:
        return None  # this worker was taken for dead before it could tell its name
    # Those that wait, too: they are somebody's, in the place of one that was given back.
    trials = [other for other in study.get_trials(deepcopy=False) if counts(other)]
    if sum(other.number < trial.number for other in trials) < n_trials:
        return trial
    give_back(study, trial)
    return None


def _exhausted(study):
    return study.user_attrs.get(EXHAUSTED) == _points_of(study.sampler)


def _points_of(sampler):
    """What tells a sampler that can run out of points from others, which may go on."""
    return joblib.hash([type(sampler).__name__, getattr(sampler, "_search_space", None)])


def finish(study, number, state, values=None):
    """Tell a study how a trial ended, and note when the sampler has no other point left.

    Parameters
    ----------
    study : optuna.Study
    number : int
    state : {"COMPLETE", "PRUNED", "FAIL"}
    values : list of float, default=None
        Of a complete trial.

    Returns
    -------
    told : bool
        False if the trial was over already: somebody took this worker for dead.
    """
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    try:
        study.tell(number, values, TrialState[state])
    except UpdateFinishedTrialError:
        return False
    except ValueError:
        if study.get_trials(deepcopy=False)[number].state.is_finished():
            return False
        raise
    except RuntimeError as error:
        # A grid that is used up stops the loop of Study.optimize, which does not run here.
        if "Study.stop" not in str(error):
            raise
        study.set_user_attr(EXHAUSTED, _points_of(study.sampler))
    return True


def give_back(study, trial):
    """End a running trial without a result, and queue its parameters for whoever comes next.

    Parameters
    ----------
    study : optuna.Study
    trial : optuna.Trial or optuna.trial.FrozenTrial
    """
    if finish(study, trial.number, "FAIL"):
        trial = study.get_trials(deepcopy=False)[trial.number]
        _queue(study, trial, trial.user_attrs.get(DEATHS, 0))


def take_back(study, worker):
    """Take the running trials of dead workers, and queue their parameters once more.

    Parameters
    ----------
    study : optuna.Study
    worker : Worker
        Who looks.
    """
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name != "RUNNING" or not worker.is_dead(trial):
            continue
        deaths = trial.user_attrs.get(DEATHS, 0) + 1
        if deaths >= MAX_DEATHS:
            text = f"the workers that ran it died, {deaths} times in a row"
            _set_attributes(study, trial, {ERROR: text, WORKER: worker.record})
            finish(study, trial.number, "FAIL")
        elif finish(study, trial.number, "FAIL"):
            _queue(study, trial, deaths)


def _queue(study, trial, deaths):
    """Queue what a trial has tried, or was about to try."""
    from optuna.trial import TrialState, create_trial

    system = trial.system_attrs
    # A worker may die before it has asked for all parameters of a trial that was queued.
    parameters = {**system.get("fixed_params", {}), **trial.params}
    point = {name: system[name] for name in GRID_POINT if name in system}
    if parameters or point:
        again = create_trial(
            state=TrialState.WAITING,
            system_attrs={**point, "fixed_params": parameters},
            user_attrs={RETRY_OF: trial.number, DEATHS: deaths},
        )
        study.add_trial(again)


def _set_attributes(study, trial, attributes):
    from optuna.exceptions import UpdateFinishedTrialError

    try:
        for name, value in attributes.items():
            study._storage.set_trial_user_attr(trial._trial_id, name, value)
    except UpdateFinishedTrialError:
        pass  # by another worker that looked at the same time


def worker_of_last(study):
    """Name of the worker whose trial ended last, of those that count.

    Parameters
    ----------
    study : optuna.Study
        With finished trials.

    Returns
    -------
    name : str or None
    """
    trials = study.get_trials(deepcopy=False)
    ended = [trial for trial in trials if counts(trial) and trial.state.is_finished()]
    last = max(ended, key=lambda trial: (trial.datetime_complete, trial.number))
    return last.user_attrs.get(WORKER, {}).get("name")
