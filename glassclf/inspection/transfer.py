"""Transfer: trained on one task, tested on every other, never on the same runs."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, _safe_indexing, check_random_state
from sklearn.utils._param_validation import HasMethods, validate_params
from sklearn.utils.parallel import Parallel, delayed

from glassclf.datasets import shuffle_labels
from glassclf.estimators.metadata import check_groups, known_groups, with_info
from glassclf.featurizers.base import Number
from glassclf.inspection.subject import fit_rows, require_whole_groups

N_SPLITS = 5
# So many standard errors below one half an AUC is no accident.
BELOW_CHANCE = 3


@validate_params(
    {
        "estimator": [HasMethods(["fit"])],
        "tasks": [dict],
        "cv": ["cv_object"],
        "scoring": [str, callable],
        "n_permutations": [Number(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def transfer_matrix(
    estimator,
    tasks,
    *,
    cv=None,
    scoring="roc_auc",
    n_permutations=0,
    n_jobs=None,
    random_state=None,
):
    """Train on each task, and test on all tasks, on runs that the training has not seen.

    The runs of all tasks are split together, once: a run that is held out is held out of every
    task. Each fold takes one fit for each task, which is tested on all of them.

    Parameters
    ----------
    estimator : classifier or regressor
        It is not changed.
    tasks : dict of name to (X, y, groups)
        Such as glass against liquids of several temperatures, as
        :func:`~glassclf.datasets.select_pair` returns them. ``groups=None`` means ``X.info["run"]``
        where X carries it. Runs of one name are one run, in whatever task. The classes of all tasks
        are the same.
    cv : int, splitter, iterable or None, default=None
        Splits the samples of all tasks, one after another, by their groups. An int is a number of
        folds. None: 5 folds, or fewer where a task has fewer runs. In both cases the runs of each
        task are spread evenly over the folds.
    scoring : str or callable, default="roc_auc"
        As in ``cross_val_score``.
    n_permutations : int, default=0
        How often all is done once more with the labels of the training shuffled, see
        :func:`~glassclf.datasets.shuffle_labels`.
    n_jobs : int, default=None
        Fits at a time, as in joblib.
    random_state : int, RandomState or None, default=None
        Deals the runs out to the folds, and shuffles labels. It is not that of the estimator.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``names`` : list of str, of the tasks;
        ``mean`` : ndarray of shape (n_tasks, n_tasks), mean score over folds: row trained on,
        column tested on;
        ``std`` : ndarray of shape (n_tasks, n_tasks), standard deviation over folds (ddof=1);
        ``scores`` : ndarray of shape (n_folds, n_tasks, n_tasks);
        ``null`` : ndarray of shape (n_permutations, n_tasks, n_tasks), mean scores with shuffled
        labels, or None.

    Raises
    ------
    ValueError
        If a task has no groups or other classes than the first one, the tasks have fewer than two
        runs, or ``cv`` tears a run apart or leaves a task without test samples.

    Warns
    -----
    UserWarning
        If an AUC is below one half by more than three of its standard errors: labels may be
        swapped.

    See Also
    --------
    glassclf.plotting.TransferDisplay : Draws the matrix.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.datasets import load_kob_andersen, select_pair
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.inspection import transfer_matrix
    >>> data = load_kob_andersen()
    >>> tasks = {f"T = {liquid}": select_pair(data, liquid=liquid) for liquid in (1.0, 0.635)}
    >>> pipe = make_pipeline(RDFFeaturizer(n_bins=30), LogisticRegression(C=100, max_iter=1000))
    >>> result = transfer_matrix(pipe, tasks, cv=4, random_state=0)
    >>> result.names, result.mean.shape
    (['T = 1.0', 'T = 0.635'], (2, 2))
    >>> bool(result.mean[0, 0] > 0.95)
    True
    """
    rng = check_random_state(random_state)
    tasks = {name: _checked(name, *task) for name, task in _triples(tasks)}
    _check_classes(tasks)
    folds = _folds(tasks, cv, rng)
    scorer = check_scoring(estimator, scoring=scoring)
    rounds = [{name: y for name, (_, y, _) in tasks.items()}]
    for _ in range(n_permutations):
        rounds.append(
            {name: shuffle_labels(*task, random_state=rng)[1] for name, task in tasks.items()}
        )
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_score)(estimator, scorer, tasks, name, labels[name], held_out)
        for labels in rounds
        for held_out in folds
        for name in tasks
    )
    scores = np.reshape(scores, (len(rounds), len(folds), len(tasks), len(tasks)))
    names, true = list(tasks), scores[0]
    std = true.std(axis=0, ddof=1) if len(folds) > 1 else np.full(true.shape[1:], np.nan)
    mean = true.mean(axis=0)
    if scoring == "roc_auc":
        _warn_below_chance(names, mean, std / np.sqrt(len(folds)))
    null = scores[1:].mean(axis=1) if n_permutations else None
    return Bunch(names=names, mean=mean, std=std, scores=true, null=null)


def _triples(tasks):
    if not tasks:
        raise ValueError("tasks holds none: give a dict of name to (X, y, groups)")
    for name, task in tasks.items():
        if not isinstance(task, (tuple, list)) or len(task) != 3:
            got = f"{len(task)} things" if isinstance(task, (tuple, list)) else type(task).__name__
            raise ValueError(f"task {name!r} must be (X, y, groups), got {got}")
    return tasks.items()


def _checked(name, X, y, groups):
    X = with_info(X)
    groups = known_groups(X, groups)
    if groups is None:
        raise ValueError(
            f"task {name!r} has no groups: give the run of each sample, as X carries no info['run']"
        )
    lengths = [len(X), len(y), len(groups)]
    if len(set(lengths)) > 1:
        raise ValueError(f"task {name!r} has X, y and groups of different lengths: {lengths}")
    return X, np.asarray(y), check_groups(groups, len(X), f"groups of task {name!r}")


def _check_classes(tasks):
    (first, (_, known, runs)), *others = tasks.items()
    for name, (_, _, groups) in others:
        if (groups.dtype.kind in "US") != (runs.dtype.kind in "US"):
            raise ValueError(
                f"groups of task {first!r} and of task {name!r} must both be strings or both be "
                f"numbers, got {runs.dtype} and {groups.dtype}: equal runs would not be known"
            )
    if known.dtype.kind == "f":
        return
    for name, (_, y, _) in others:
        if set(y.tolist()) != set(known.tolist()):
            raise ValueError(
                f"tasks must have the same classes: {first!r} has {sorted(set(known.tolist()))}, "
                f"{name!r} has {sorted(set(y.tolist()))}"
            )


def _folds(tasks, cv, rng):
    """Groups that each fold holds out, as a list of sets."""
    groups = {name: set(task[2].tolist()) for name, task in tasks.items()}
    if cv is None or isinstance(cv, Integral):
        fewest = min(map(len, groups.values()))
        n_splits = min(N_SPLITS, fewest) if cv is None else cv
        if n_splits < 2:
            few = min(groups, key=lambda name: len(groups[name]))
            raise ValueError(f"task {few!r} has one run: nothing is left to test on")
        folds = _dealt_out(tasks, n_splits, rng)
    else:
        folds = _held_out(tasks, cv)
    for number, held_out in enumerate(folds):
        for name, own in groups.items():
            if not own & held_out or not own - held_out:
                part = "test" if not own & held_out else "training"
                raise ValueError(
                    f"fold {number} leaves task {name!r} without {part} runs: use fewer folds"
                )
    return folds


def _dealt_out(tasks, n_splits, rng):
    # Runs of the same tasks, and of the same classes in each, lie side by side, so that each task
    # gets its share of every fold, and of each class.
    contents = [_labels_of_runs(y, groups) for _, y, groups in tasks.values()]
    runs = sorted(set().union(*contents), key=str)
    order = rng.permutation(len(runs))
    member = [tuple(content.get(run, ()) for content in contents) for run in runs]
    dealt = sorted(range(len(runs)), key=lambda row: (member[row], order[row]))
    return [{runs[row] for row in dealt[first::n_splits]} for first in range(n_splits)]


def _labels_of_runs(y, groups):
    """Classes that each run has samples of; numbers are no classes."""
    labels = {run: set() for run in groups.tolist()}
    for label, run in zip(y.tolist(), groups.tolist()):
        labels[run].add("a number" if y.dtype.kind == "f" else str(label))
    return {run: tuple(sorted(of_run)) for run, of_run in labels.items()}


def _held_out(tasks, cv):
    y = np.concatenate([y for _, y, _ in tasks.values()])
    groups = np.concatenate([groups for _, _, groups in tasks.values()])
    splits = cv.split(np.zeros(len(y)), y, groups) if hasattr(cv, "split") else cv
    folds = []
    for number, (train, test) in enumerate(splits):
        require_whole_groups(number, groups, train, test)
        folds.append(set(groups[test].tolist()))
    return folds


def _fit_and_score(estimator, scorer, tasks, name, labels, held_out):
    X, _, groups = tasks[name]
    fitted = fit_rows(estimator, X, labels, groups, np.flatnonzero(~_in(groups, held_out)))
    scores = []
    for X, y, groups in tasks.values():
        test = np.flatnonzero(_in(groups, held_out))
        scores.append(scorer(fitted, _safe_indexing(X, test), y[test]))
    return scores


def _in(groups, held_out):
    return np.array([group in held_out for group in groups.tolist()])


def _warn_below_chance(names, mean, error):
    below = np.argwhere(mean + BELOW_CHANCE * error < 0.5)
    if len(below):
        row, column = below[0]
        warnings.warn(
            f"trained on {names[row]!r}, the AUC on {names[column]!r} is {mean[row, column]:.2f} "
            f"+- {error[row, column]:.2f}, below chance: are the labels of one of them swapped?",
            stacklevel=4,
        )
