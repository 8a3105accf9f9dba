"""A search over hyperparameters by Optuna, as a meta-estimator of scikit-learn."""

import copy
import time
from numbers import Integral, Real
from os import PathLike

from sklearn.base import _fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from glassclf.featurizers.base import Number
from glassclf.model_selection.ensemble import average_of
from glassclf.model_selection.search_results import pareto_front, results_table
from glassclf.model_selection.search_run import SearchRun
from glassclf.model_selection.search_scoring import Objectives, scorer_of


class OptunaSearch(BaseSearchCV):
    """Search for the best parameters of an estimator with Optuna, by cross-validation.

    A scikit-learn search such as ``GridSearchCV``, over a study of Optuna: its samplers propose the
    parameters, its pruners end hopeless trials between folds and, for the networks of glassclf,
    between epochs. The study can be kept in a file or a database, where any number of processes
    work on it together, and where it goes on after a crash.

    Parameters
    ----------
    estimator : estimator
        Of glassclf or of scikit-learn, or a pipeline of them. It is not changed.
    space : dict, callable or None, default=None
        What is searched. A dict has an Optuna distribution for each parameter, or a tuple such as
        ``("int", 20, 200)``, ``("float", 1e-4, 1e-1, "log")`` or ``("choice", ("adam", "sgd"))``. A
        callable gets the trial and returns a dict of parameters. None: what
        :func:`search_space` finds for the estimator.
    n_trials : int, default=50
        Number of trials of the study, over all calls and all workers. Where the study has them
        already, none is added.
    timeout : float, default=None
        Seconds after which no trial begins.
    cv : int, splitter, iterable or None, default=None
        Any splitter of scikit-learn. None: ``StratifiedGroupKFold(5)`` where groups are known (for
        a target that is no class ``GroupKFold(5)``; fewer folds where groups or samples are few),
        else 5 folds without groups.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in ``GridSearchCV``. A list or dict may also hold "fit_time", "score_time" (seconds a
        fold) and "n_parameters" (of a network or a linear model), of which less is better.
        Featurizers at the beginning of a pipeline have done their work when a scorer is called: it
        gets the steps behind them, and features in place of X.
    storage : str, path-like, optuna storage or None, default=None
        Where the study is kept: a URL of a database, the path of a journal file (which may lie on a
        shared file system), or any storage of Optuna. None: in memory.
    study_name : str, default=None
        Beginning of the name of the study, "search" for None. It is followed by eight digits that
        stand for X, y, groups and all else that ``fit`` gets for each sample: workers on the same
        data join, the folds of an outer cross-validation never share a study.
    sampler : optuna sampler, default=None
        It is copied. None: ``TPESampler``, seeded by ``random_state``.
    pruner : optuna pruner, default=None
        None prunes nothing. Steps count the epochs of all folds where the estimator ends in a
        network of glassclf, else the folds.
    refit : bool or str, default=True
        Whether the best parameters are fitted to all data in the end. With several scores the name
        of the one that counts, or False: then all of them are objectives, see ``pareto_front_``.
    n_jobs : int, default=1
        Processes, each of which runs whole trials. Trials are proposed in batches of so many and
        told in their order, so that ``random_state`` and ``n_jobs`` fix the result.
    random_state : int, RandomState or None, default=None
        Seed of the sampler. It is not that of the estimator.
    error_score : "raise" or float, default="raise"
        What becomes of an error in a trial: it ends the search, or it is shown as a warning, the
        trial fails, and this value stands in ``cv_results_``.
    verbose : int, default=0
        1 shows a bar with the best score and the time left, 2 a line for each trial as well.
    cache : str or path-like, default=None
        Folder for features that several trials share, which are computed once. None: a temporary
        one.
    cache_size : str or int, default="4G"
        Size of that folder, in bytes or as in "500M": what was not used for longest is thrown out.
    grace_period : float, default=120.0
        Seconds after which a worker on another machine that gives no sign of life is taken for
        dead: its trial is run again. Processes on this machine are looked for.

    Attributes
    ----------
    study_ : optuna.Study
        With all trials. Optuna's plots and dashboard work on it. A trial of a worker that died is
        in it as failed; another one took its place.
    best_estimator_ : estimator
        Fitted to all data with ``best_params_``, unless ``refit`` is False.
    best_params_ : dict
        Not where there are several objectives, as with all that follow.
    best_score_ : float
        Mean over the folds.
    best_index_ : int
        Row of ``cv_results_``.
    cv_results_ : dict of ndarray
        As that of ``GridSearchCV``, one row a finished trial, with the ``number`` and the ``state``
        of the trial. Values of folds that a pruned trial did not run are NaN.
    pareto_front_ : list of dict
        With several objectives: ``number``, ``params`` and ``values`` of every trial that no other
        one beats in all of them.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds, unless ``refit`` is False.
    scorer_ : callable or dict
        As in ``GridSearchCV``.
    multimetric_ : bool
        Whether there are several scores.
    classes_ : ndarray
        Of ``best_estimator_``.
    n_features_in_ : int
        Of ``best_estimator_``.
    feature_names_in_ : ndarray
        Of ``best_estimator_``, where it has them.

    See Also
    --------
    search_space : What is searched without ``space``.
    glassclf.plotting.StudyDisplay : Draws history, importances and slices of the study.

    Notes
    -----
    ``groups`` is handed on to the splitter, and to the ``fit`` of the last step if that takes it;
    ``groups=None`` means ``X.info["run"]`` where X carries it. With metadata routing switched on,
    groups and weights go where they are requested.

    For the honest score of "search, then fit", cross-validate the search itself: in every outer
    fold a study of its own sees the outer training part only.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.model_selection import OptunaSearch
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> pipe = make_pipeline(RDFFeaturizer(), LogisticRegression())
    >>> space = {
    ...     "rdffeaturizer__n_bins": ("int", 10, 40),
    ...     "logisticregression__C": ("float", 0.01, 10, "log"),
    ... }
    >>> search = OptunaSearch(pipe, space, n_trials=3, random_state=0).fit(X, y, groups)
    >>> sorted(search.best_params_)
    ['logisticregression__C', 'rdffeaturizer__n_bins']
    >>> search.best_score_
    1.0
    >>> search.predict(X[:2]).tolist() == y[:2].tolist()
    True
    """

    # Without metadata routing a meta-estimator hands groups on by name; with it, fit asks for them.
    __metadata_request__fit = {"groups": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "space": [dict, callable, None],
        "n_trials": [Number(Integral, 1, None, closed="left")],
        "timeout": [Number(Real, 0, None, closed="neither"), None],
        "cv": ["cv_object"],
        "scoring": BaseSearchCV._parameter_constraints["scoring"],
        "storage": [str, PathLike, HasMethods(["create_new_study"]), None],
        "study_name": [str, None],
        "sampler": [HasMethods(["sample_relative"]), None],
        "pruner": [HasMethods(["prune"]), None],
        "refit": ["boolean", str],
        "n_jobs": [
            Number(Integral, 1, None, closed="left"),
            Number(Integral, None, -1, closed="right"),
            None,
        ],
        "random_state": ["random_state"],
        "error_score": BaseSearchCV._parameter_constraints["error_score"],
        "verbose": ["verbose"],
        "cache": [str, PathLike, None],
        "cache_size": [str, Number(Integral, 1, None, closed="left")],
        "grace_period": [Number(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator,
        space=None,
        *,
        n_trials=50,
        timeout=None,
        cv=None,
        scoring=None,
        storage=None,
        study_name=None,
        sampler=None,
        pruner=None,
        refit=True,
        n_jobs=1,
        random_state=None,
        error_score="raise",
        verbose=0,
        cache=None,
        cache_size="4G",
        grace_period=120.0,
    ):
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.timeout = timeout
        self.cv = cv
        self.scoring = scoring
        self.storage = storage
        self.study_name = study_name
        self.sampler = sampler
        self.pruner = pruner
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.error_score = error_score
        self.verbose = verbose
        self.cache = cache
        self.cache_size = cache_size
        self.grace_period = grace_period

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None, **params):
        """Run the trials that the study lacks, and fit the best parameters.

        Parameters
        ----------
        X : array-like or Configurations
            What the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as one simulation run, never stand on both sides of a split
            that respects groups. None means ``X.info["run"]`` where X carries it.
        **params : dict
            For ``fit`` of the estimator; ``sample_weight`` goes to its last step. What has one
            value for each sample, such as the ``forces`` of a potential, is split with X.

        Returns
        -------
        self : object
            Fitted.
        """
        run = self._search(X, y, groups, params)
        self._learn(run, refit=self.refit is not False)
        return self

    def _search(self, X, y, groups, params):
        """Run trials until the study is complete, or the time is over."""
        start = time.monotonic()
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        run = SearchRun(self, *indexable(X, y), groups, params)
        # Also after an error, so that what was found can be looked at.
        self.study_ = run.study
        run.work(start)
        return run

    def _learn(self, run, refit):
        """Take over what a study has found."""
        run.require_results()
        self.n_splits_ = len(run.task.folds)
        results = results_table(run.study, run.space, self.n_splits_, self.error_score)
        # A callable tells by its result.
        self.multimetric_ = run.multimetric or "mean_test_score" not in results
        self.scorer_ = run.scorer
        if len(run.study.directions) > 1:
            self.pareto_front_ = pareto_front(run.study, run.space, run.names)
        else:
            best = run.study.best_trial
            self.best_index_ = int((results["number"] == best.number).argmax())
            self.best_score_ = best.value
            self.best_params_ = results["params"][self.best_index_]
        self._run = run
        if refit:
            begin = time.perf_counter()
            self.best_estimator_ = run.fit(self.best_params_)
            self.refit_time_ = time.perf_counter() - begin
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        self.cv_results_ = results

    def best_ensemble(self, k):
        """Fit the best trials to all data, and average them.

        Parameters
        ----------
        k : int
            Number of trials; their settings differ.

        Returns
        -------
        ensemble : VotingClassifier or VotingRegressor
            Averages the probabilities of a classifier, the predictions of a regressor. Its members
            are fitted, in the order of their scores.

        Raises
        ------
        ValueError
            If there are fewer such trials, several objectives or several targets, or if the data
            have changed since the fit. A search refers to them, and does not save them.
        """
        check_is_fitted(self)
        if not hasattr(self, "best_index_"):
            raise ValueError(
                "best_ensemble needs one objective: set refit to the name of a score, or choose "
                "from pareto_front_"
            )
        if getattr(self, "_run", None) is None:
            raise ValueError(
                "best_ensemble fits again, and the data are not saved with a search: call fit "
                "first, which adds no trial to a complete study in a storage"
            )
        self._run.require_same_data()
        chosen = []
        for trial in sorted(self._run.complete_trials(), key=lambda trial: -trial.value):
            parameters = self._run.space.decode(trial.params)
            if parameters not in [known for _, known in chosen]:
                chosen.append((trial.number, parameters))
        if not isinstance(k, Integral) or isinstance(k, bool) or not 1 <= k <= len(chosen):
            raise ValueError(
                f"k must be an int from 1 to {len(chosen)}, the number of complete trials with "
                f"different parameters, got {k!r}"
            )
        members = [(f"trial{number}", self._run.fit(found)) for number, found in chosen[:k]]
        return average_of(members, self._run.task.X, self._run.task.y)

    def get_metadata_routing(self):
        """Tell where metadata are handed on.

        Returns
        -------
        routing : MetadataRouter
        """
        return super().get_metadata_routing().add_self_request(self)

    def _get_scorers(self):
        """Scorers of scikit-learn, without what a trial costs."""
        scoring = Objectives.of(self.scoring, self.refit).scoring
        return scorer_of(self.estimator, scoring), self.refit

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags = copy.deepcopy(get_tags(self.estimator).target_tags)
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "cv_results_")

    def __getstate__(self):
        # The data of the fit are not part of a model.
        return {**super().__getstate__(), "_run": None}

    def __sklearn_clone__(self):
        # A storage is the same one for every clone: a copy would be another connection or memory.
        bare = copy.copy(self)
        bare.storage = None
        new = super(OptunaSearch, bare).__sklearn_clone__()
        new.storage = self.storage
        return new
