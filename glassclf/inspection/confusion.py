"""Learning by confusion: which border along temperature is the easiest to learn."""

from numbers import Integral

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.utils import Bunch, _safe_indexing, check_consistent_length
from sklearn.utils._param_validation import HasMethods, validate_params

from glassclf.estimators.metadata import check_groups, known_groups, with_info
from glassclf.inspection.subject import fit_rows, require_whole_groups

N_SPLITS = 4


@validate_params(
    {"estimator": [HasMethods(["fit", "predict_proba"])], "cv": ["cv_object"]},
    prefer_skip_nested_validation=True,
)
def learn_by_confusion(estimator, X, temperature, groups=None, *, cv=None):
    """Tell configurations below a temperature from those above it, for every border.

    One classifier learns the temperatures as classes. For each border between two of them, the
    probability to be below is the sum over the classes below, and a configuration is put there if
    that is more than their share of the training samples: one fit for all borders.

    Parameters
    ----------
    estimator : classifier
        For several classes, with ``predict_proba``. It is not changed.
    X : Configurations, or what the estimator takes
    temperature : array-like of shape (n,)
        Of each configuration, out of a grid. Take an even one: between two temperatures that lie
        close together a border is hard to learn for that reason alone.
    groups : array-like of shape (n,), default=None
        Run of each configuration. None means ``X.info["run"]`` where X carries it.
    cv : int, splitter, iterable or None, default=None
        An int is a number of folds of ``GroupKFold``. None: 4 folds.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``border`` : ndarray of shape (n_temperatures - 1,), middle of two neighbouring
        temperatures;
        ``mean``, ``std`` : ndarray of shape (n_temperatures - 1,), balanced accuracy of each border
        on held-out runs, mean and standard deviation over folds;
        ``scores`` : ndarray of shape (n_folds, n_temperatures - 1).

    Raises
    ------
    ValueError
        If there are fewer than three temperatures, one that is not finite, no groups, or fewer runs
        than folds, or if ``cv`` tears a run apart.

    Notes
    -----
    Learning by confusion: E. P. L. van Nieuwenburg, Y.-H. Liu and S. D. Huber, Nat. Phys. 13, 435
    (2017); with one classifier for all borders: J. Arnold, F. Schaefer and N. Loerch,
    arXiv:2311.09128.

    A transition would show as a maximum of the score between two minima, a "W" with the ends of
    the grid. Glass and liquid are no two phases: on inherent structures the score falls with the
    border, as structures below the glass transition differ less and less. On thermal snapshots it
    is high everywhere, and lowest where two temperatures of the grid lie closest.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.inspection import learn_by_confusion
    >>> from glassclf.testing import graded_disorder
    >>> X, disorder, run = graded_disorder(n_runs=8)
    >>> grid = np.digitize(disorder, np.quantile(disorder, [0.33, 0.67]))
    >>> pipe = make_pipeline(RDFFeaturizer(n_bins=20), LogisticRegression())
    >>> result = learn_by_confusion(pipe, X, grid, run)
    >>> result.border.tolist(), result.mean.shape
    ([0.5, 1.5], (2,))
    """
    X = with_info(X)
    groups = known_groups(X, groups)
    if groups is None:
        raise ValueError("give groups, the run of each configuration: X carries no info['run']")
    temperature = np.asarray(temperature, dtype=float)
    check_consistent_length(X, temperature)
    groups = check_groups(groups, len(temperature))
    if not np.isfinite(temperature).all():
        sample = int(np.argmin(np.isfinite(temperature)))
        raise ValueError(f"temperature must be finite, got {temperature[sample]} for {sample}")
    grid, labels = np.unique(temperature, return_inverse=True)
    if len(grid) < 3:
        raise ValueError(f"borders are compared among at least 3 temperatures, got {grid.tolist()}")
    if cv is None or isinstance(cv, Integral):
        cv = GroupKFold(N_SPLITS if cv is None else cv)
    n_splits = getattr(cv, "n_splits", 0)
    if isinstance(cv, GroupKFold) and n_splits > len(np.unique(groups)):
        raise ValueError(
            f"cv makes {n_splits} folds, and there are {len(np.unique(groups))} runs: give fewer "
            "folds"
        )
    scores = []
    for number, (train, test) in enumerate(
        check_cv(cv).split(np.zeros(len(labels)), labels, groups)
    ):
        require_whole_groups(number, groups, train, test)
        model = fit_rows(estimator, X, labels, groups, train)
        proba = np.zeros((len(test), len(grid)))
        proba[:, model.classes_] = model.predict_proba(_safe_indexing(X, test))
        below = np.cumsum(proba, axis=1)[:, :-1]
        # Most borders have more classes on one side: the score counts both sides alike, and so
        # does whoever is right as often as possible by it.
        share = np.cumsum(np.bincount(labels[train], minlength=len(grid))[:-1]) / len(train)
        truth = labels[test][:, None] <= np.arange(len(grid) - 1)
        scores.append(
            [balanced_accuracy_score(*columns) for columns in zip(truth.T, (below > share).T)]
        )
    scores = np.array(scores)
    return Bunch(
        border=(grid[1:] + grid[:-1]) / 2,
        mean=scores.mean(axis=0),
        std=scores.std(axis=0, ddof=1),
        scores=scores,
    )
