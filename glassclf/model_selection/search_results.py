"""What a study has found, in the words of scikit-learn's searches."""

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection._search import _yield_masked_array_for_each_param

from glassclf.model_selection.sharing import ERROR, counts

FOLDS = "folds"
# Objectives besides scores; less is better.
COSTS = ("fit_time", "score_time", "n_parameters")


def summarize(results):
    """Put the results of the folds of a trial into plain data, to be kept with the trial.

    Parameters
    ----------
    results : list of FoldResult

    Returns
    -------
    folds : dict of list
        One value a fold; "scores" is a dict of lists.
    """
    names = results[0].scores if results else ()
    return {
        "scores": {name: [result.scores[name] for result in results] for name in names},
        **{cost: [getattr(result, cost) for result in results] for cost in COSTS},
    }


def score_named(name, scores):
    """Take one of several scores.

    Parameters
    ----------
    name : str
    scores : dict

    Returns
    -------
    score : object

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in scores:
        raise ValueError(
            f"{name!r} is none of the scores: set refit to the one that counts of "
            f"{', '.join(scores)}; several objectives need a list or dict as scoring"
        )
    return scores[name]


def objective_value(folds, name):
    """Mean over the folds of what an objective is about.

    Parameters
    ----------
    folds : dict
        See :func:`summarize`.
    name : str
        Of a score or a cost.

    Returns
    -------
    value : float

    Raises
    ------
    ValueError
        If the number of parameters is not known.
    """
    values = folds[name] if name in COSTS else score_named(name, folds["scores"])
    if None in values:
        raise ValueError(
            "n_parameters is known of the networks of glassclf and of linear models only: leave it "
            "out of scoring"
        )
    return float(np.mean(values))


def results_table(study, space, n_splits, error_score):
    """Table of all trials that are over, as ``cv_results_`` of scikit-learn has it.

    Parameters
    ----------
    study : optuna.Study
    space : Space
    n_splits : int
    error_score : float or "raise"

    Returns
    -------
    table : dict of ndarray or list
        One row a trial, in the order of their numbers. Where a trial was pruned, the values of the
        later folds and their means are NaN.
    """
    trials = [t for t in study.get_trials(deepcopy=False) if counts(t) and t.state.is_finished()]
    folds = [trial.user_attrs.get(FOLDS, {"scores": {}}) for trial in trials]
    parameters = [space.decode(trial.params) for trial in trials]
    table = {
        "number": np.array([trial.number for trial in trials]),
        "state": np.array([trial.state.name.lower() for trial in trials]),
        "params": parameters,
    }
    table |= _yield_masked_array_for_each_param(parameters)
    for cost in ("fit_time", "score_time"):
        rows = [_of_all_folds(each.get(cost), n_splits) for each in folds]
        _add_mean(table, cost, np.array(rows).reshape(-1, n_splits))
    failed = np.array([ERROR in trial.user_attrs for trial in trials], dtype=bool)
    for name in list(dict.fromkeys(name for each in folds for name in each["scores"])):
        rows = np.array([_of_all_folds(each["scores"].get(name), n_splits) for each in folds])
        rows = rows.reshape(-1, n_splits)
        if error_score != "raise":
            rows[failed] = error_score
        for split, column in enumerate(rows.T):
            table[f"split{split}_test_{name}"] = column
        _add_mean(table, f"test_{name}", rows)
        # A trial that failed is none of the best, whatever its errors count as.
        table[f"rank_test_{name}"] = _rank(np.where(failed, np.nan, rows.mean(axis=1)))
    if any(None not in (each.get("n_parameters") or [None]) for each in folds):
        counted = [_of_all_folds(each.get("n_parameters"), n_splits) for each in folds]
        table["n_parameters"] = np.array(counted).mean(axis=1)
    return table


def pareto_front(study, space, names):
    """Trials that no other one beats in every objective.

    Parameters
    ----------
    study : optuna.Study
        With several objectives.
    space : Space
    names : list of str
        Of the objectives.

    Returns
    -------
    front : list of dict
        ``number``, ``params`` and ``values`` (a dict by objective) of each, best first in the first
        objective.
    """
    sign = -1 if study.directions[0].name == "MAXIMIZE" else 1
    trials = sorted(study.best_trials, key=lambda trial: sign * trial.values[0])
    return [
        {
            "number": trial.number,
            "params": space.decode(trial.params),
            "values": dict(zip(names, trial.values)),
        }
        for trial in trials
    ]


def _of_all_folds(values, n_splits):
    """Values of the folds, NaN for those that were not run."""
    values = [np.nan if value is None else value for value in values or ()]
    return values + [np.nan] * (n_splits - len(values))


def _add_mean(table, name, rows):
    table[f"mean_{name}"], table[f"std_{name}"] = rows.mean(axis=1), rows.std(axis=1)


def _rank(means):
    if np.isnan(means).all():
        return np.ones(len(means), dtype=np.int32)
    # What has no mean comes last.
    return rankdata(-np.nan_to_num(means, nan=-np.inf), method="min").astype(np.int32)
