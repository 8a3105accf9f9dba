"""The trials of one study, shared out exactly among workers that come, go and die."""

from glassclf.model_selection.liveness import WORKER

# Attributes of a trial.
ERROR = "error"
RETRY_OF = "retry_of"
DEATHS = "deaths"
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
    """Whether a study has all its trials, and nobody is at work on it.

    Parameters
    ----------
    study : optuna.Study
    n_trials : int

    Returns
    -------
    answer : bool
    """
    states = [trial.state for trial in study.get_trials(deepcopy=False) if counts(trial)]
    n_finished = sum(state.is_finished() for state in states)
    return n_finished >= n_trials and not any(state.name == "RUNNING" for state in states)


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
    trials = [trial for trial in study.get_trials(deepcopy=False) if counts(trial)]
    if sum(trial.state.name != "WAITING" for trial in trials) >= n_trials:
        return None
    trial = study.ask()
    if worker is None:
        return trial
    worker.sign(trial)
    # Those that wait, too: they are somebody's, in the place of one that was given back.
    trials = [other for other in study.get_trials(deepcopy=False) if counts(other)]
    if sum(other.number < trial.number for other in trials) < n_trials:
        return trial
    finish(study, trial.number, "FAIL")
    return None


class Exhausted(Exception):
    """Raised when the sampler has no point left that it has not tried."""


def finish(study, number, state, values=None):
    """Tell a study how a trial ended.

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

    Raises
    ------
    Exhausted
        If the sampler asks to stop. The trial has been told.
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
        raise Exhausted from None
    return True


def give_back(study, trial):
    """End a running trial without a result, and queue its parameters for whoever comes next.

    Parameters
    ----------
    study : optuna.Study
    trial : optuna.Trial or optuna.trial.FrozenTrial
    """
    if finish(study, trial.number, "FAIL") and trial.params:
        deaths = trial.user_attrs.get(DEATHS, 0)
        study.enqueue_trial(trial.params, {RETRY_OF: trial.number, DEATHS: deaths})


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
            _set_error(study, trial, f"the workers that ran it died, {deaths} times in a row")
            finish(study, trial.number, "FAIL")
        elif finish(study, trial.number, "FAIL") and trial.params:
            study.enqueue_trial(trial.params, {RETRY_OF: trial.number, DEATHS: deaths})


def _set_error(study, trial, text):
    from optuna.exceptions import UpdateFinishedTrialError

    try:
        study._storage.set_trial_user_attr(trial._trial_id, ERROR, text)
    except UpdateFinishedTrialError:
        pass  # by another worker that looked at the same time


def worker_of_last(study):
    """Name of the worker whose trial ended last.

    Parameters
    ----------
    study : optuna.Study
        With finished trials.

    Returns
    -------
    name : str or None
    """
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    last = max(ended, key=lambda trial: (trial.datetime_complete, trial.number))
    return last.user_attrs.get(WORKER, {}).get("name")
