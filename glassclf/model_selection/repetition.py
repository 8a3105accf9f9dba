"""One setting trained with several seeds, to see whether what happened once happens again."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import validate_params
from sklearn.utils.parallel import Parallel, delayed

from glassclf.estimators.history import history_arrays
from glassclf.estimators.net import Diverged
from glassclf.estimators.observers import ValidationTargets
from glassclf.featurizers.base import Number
from glassclf.model_selection.network import prepare_network

# A score has left chance when it is so many standard errors of chance above it, and has come back
# to it within so many. Between the two it has done neither, so that noise counts for nothing.
LEFT = 3
BACK = 1


@validate_params(
    {"n_seeds": [Number(Integral, 1, None, closed="left")], "random_state": ["random_state"]},
    prefer_skip_nested_validation=False,
)
def repeat_fit(
    estimator,
    X,
    y,
    *,
    n_seeds=8,
    groups=None,
    sample_weight=None,
    n_jobs=None,
    random_state=None,
):
    """Train one setting with several seeds, and tell how much of the result was chance.

    The seeds differ in everything that a network draws: its first weights, the order of the
    samples, dropout, and the validation part.

    Parameters
    ----------
    estimator : estimator
        A network of :mod:`glassclf.estimators`, or a pipeline that ends in one, with a validation
        part (``validation_fraction`` or ``early_stopping``). It is not changed. Its own
        ``random_state`` plays no part.
    X : array-like or Configurations
        Samples. The steps of a pipeline before the network are fitted once, for all seeds.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    n_seeds : int, default=8
        Number of trainings.
    groups : array-like of shape (n_samples,), default=None
        Samples of one group, such as one simulation run, never stand on both sides of the
        validation split. None means ``X.info["run"]`` where X carries it.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample in the loss.
    n_jobs : int, default=None
        Trainings at a time, as in joblib.
    random_state : int, RandomState or None, default=None
        What the seeds are drawn from; the first of them do not depend on ``n_seeds``.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``history`` : dict of ndarray of shape (n_seeds, n_epochs), ``history_`` of each training,
        NaN after its end;
        ``seeds`` : ndarray of int of shape (n_seeds,);
        ``n_epochs`` : ndarray of int of shape (n_seeds,);
        ``stopped_by`` : ndarray of str or None of shape (n_seeds,), ``stopped_by_`` of each
        training, such as "max_time"; None for one that ran to its end, or diverged;
        ``final_score``, ``best_score`` : ndarray of shape (n_seeds,), validation score of the last
        and of the best epoch, NaN where a training diverged in its first;
        ``mean``, ``spread`` : float, mean and standard deviation of ``final_score`` over seeds
        (NaN for one seed);
        ``chance``, ``chance_error`` : ndarray of shape (n_seeds,), see the notes;
        ``learned`` : ndarray of bool of shape (n_seeds,), whether the score ever left chance;
        ``n_falls`` : ndarray of int of shape (n_seeds,), how often it fell back to chance;
        ``diverged`` : ndarray of bool of shape (n_seeds,), whether the loss became NaN or infinite,
        which ended the training;
        ``collapsed`` : ndarray of bool of shape (n_seeds,), whether it diverged, or had left chance
        and was back there in the last epoch;
        ``share_fallen``, ``share_collapsed`` : float, shares of the trainings with ``n_falls > 0``
        and with ``collapsed``; NaN where the validation part is too small for a score to leave
        chance.

    Raises
    ------
    TypeError
        If ``estimator`` does not end in a network.
    ValueError
        If the network has no validation part, or with ``freeze_encoder=True``: each training
        starts from new weights.

    Warns
    -----
    UserWarning
        If the validation part is too small for a score to leave chance.

    See Also
    --------
    glassclf.plotting.TrainingDisplay : Draws the histories.
    lr_range : Finds learning rates to try.

    Notes
    -----
    Chance is what a network reaches that has learned nothing. For a classifier it is the accuracy
    of always naming the most frequent class: the largest class share ``p`` of the ``n`` samples of
    the validation part, with the standard error ``sqrt(p (1 - p) / n)``. A score has left chance
    when it is more than three standard errors above it, and is back at chance within one. For a
    regressor chance is an R2 of 0, and the two limits are ``9 / (n - 1)`` and ``1 / (n - 1)``:
    those at which the correlation ``sqrt(R2)`` is three and one of its standard errors
    ``1 / sqrt(n - 1)``.

    The scores are those of the history: of the network as it stood after each epoch. With early
    stopping the fitted network is that of the best epoch instead.

    Examples
    --------
    >>> from glassclf.estimators import MPNNClassifier
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.model_selection import repeat_fit
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases(n_runs=24)
    >>> graphs = GraphFeaturizer(n_neighbors=4).fit_transform(X)
    >>> network = MPNNClassifier(hidden_size=8, max_epochs=15, validation_fraction=0.5)
    >>> result = repeat_fit(network, graphs, y, n_seeds=2, random_state=0)
    >>> result.history["valid_score"].shape
    (2, 15)
    >>> result.share_collapsed
    0.0
    """
    network, features, groups = prepare_network(estimator, X, y, groups)
    if network.validation_fraction is None and not network.early_stopping:
        raise ValueError(
            f"repeat_fit compares validation scores, and {type(network).__name__} has no "
            "validation part: set its validation_fraction, for example to 0.25"
        )
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_seeds)
    runs = Parallel(n_jobs=n_jobs)(
        delayed(_train)(network, features, y, groups, sample_weight, int(seed)) for seed in seeds
    )
    histories, targets, diverged, stopped_by = zip(*runs)
    limits = [_limits_of_chance(is_classifier(network), part) for part in targets]
    chance, back, left = np.array(limits).T
    scores = [history["valid_score"] for history in histories]
    final = np.array([score[-1] if len(score) else np.nan for score in scores])
    learned, n_falls = np.array(list(map(_follow, scores, back, left))).T
    fallen, collapsed = n_falls > 0, np.array(diverged) | ((learned > 0) & (final <= back))
    # A score is 1 at most. Where a training had no full epoch the limits are NaN.
    can_tell = not np.any(left >= 1)
    if not can_tell:
        warnings.warn(
            f"a validation part of {max(map(len, targets))} samples is too small for a score to "
            "leave chance (see the notes of repeat_fit): the shares that fell back are NaN; raise "
            "validation_fraction",
            stacklevel=3,
        )
    return Bunch(
        history={name: _stack([history[name] for history in histories]) for name in histories[0]},
        seeds=seeds,
        n_epochs=np.array(list(map(len, scores))),
        stopped_by=np.array(stopped_by, dtype=object),
        final_score=final,
        best_score=np.array([_largest(score) for score in scores]),
        mean=float(final.mean()),
        spread=float(final.std(ddof=1)) if n_seeds > 1 else np.nan,
        chance=chance,
        chance_error=back - chance,
        learned=learned > 0,
        n_falls=n_falls,
        diverged=np.array(diverged),
        collapsed=collapsed,
        share_fallen=float(fallen.mean()) if can_tell else np.nan,
        share_collapsed=float(collapsed.mean()) if can_tell else np.nan,
    )


def _train(network, features, y, groups, sample_weight, seed):
    """Train a copy; return its history, its validation targets, if it diverged, who stopped it."""
    observer = ValidationTargets()
    network = clone(network)
    network.set_params(random_state=seed, callbacks=[*(network.callbacks or []), observer])
    diverged = False
    try:
        network.fit(features, y, groups=groups, sample_weight=sample_weight)
    except Diverged:
        diverged = True
    # One that diverged in its first epoch has none.
    history = getattr(network, "history_", None) or history_arrays([])
    return history, observer.targets_, diverged, getattr(network, "stopped_by_", None)


def _limits_of_chance(classifies, targets):
    """Score by chance, and the limits below which it is back there and above which it has left."""
    n = len(targets)
    if n == 0:
        return np.nan, np.nan, np.nan
    if classifies:
        chance = np.bincount(targets).max() / n
        error = np.sqrt(chance * (1 - chance) / n)
        return chance, chance + BACK * error, chance + LEFT * error
    variance = 1 / (n - 1) if n > 1 else np.inf
    return 0.0, BACK**2 * variance, LEFT**2 * variance


def _follow(scores, back, left):
    """Whether the score of a training ever left chance, and how often it came back."""
    away, learned, n_falls = False, False, 0
    for score in scores:
        if score > left:
            away = learned = True
        elif away and score <= back:
            away = False
            n_falls += 1
    return learned, n_falls


def _largest(scores):
    known = scores[~np.isnan(scores)]
    return known.max() if len(known) else np.nan


def _stack(columns):
    """Table of columns of different lengths, NaN at their ends, one row a column."""
    table = np.full((len(columns), max(map(len, columns))), np.nan)
    for row, column in zip(table, columns):
        row[: len(column)] = column
    return table
