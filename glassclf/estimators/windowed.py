"""Any estimator, trained on windows of configurations and pooled over the windows of each."""

from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from scipy.special import softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    _fit_context,
    clone,
)
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    check_is_fitted,
)

from glassclf.configurations import as_configurations, cut_windows
from glassclf.configurations.digests import chunk_slices
from glassclf.estimators.metadata import known_groups, metadata_for_fit
from glassclf.featurizers.base import Number

# A window that is sure of itself counts no more than this against all others.
SMALLEST_PROBABILITY = 1e-6


class _Windowed(MetaEstimatorMixin, BaseEstimator):
    """What the classifier and the regressor share: cutting windows, fitting, predicting them."""

    # Without metadata routing a meta-estimator hands groups on by name; with it, fit asks for them.
    __metadata_request__fit = {"groups": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "side": [Number(Real, 0, None, closed="neither"), None],
        "n_particles": [Number(Integral, 1, None, closed="left"), None],
        "n_windows": [Number(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator,
        side=None,
        *,
        n_particles=None,
        n_windows=None,
        random_state=None,
        n_jobs=None,
    ):
        self.estimator = estimator
        self.side = side
        self.n_particles = n_particles
        self.n_windows = n_windows
        self.random_state = random_state
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None, sample_weight=None):
        """Fit the estimator on windows of all configurations.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; each window has that of its configuration.
        groups : array-like of shape (n_samples,), default=None
            Such as the run of each configuration. None means ``X.info["run"]`` where X carries it,
            else each configuration is a group: windows of one configuration always share a group.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each configuration, which each of its windows gets.

        Returns
        -------
        self : object
            Fitted.

        Raises
        ------
        TypeError
            If the estimator of a classifier gives no probabilities.
        """
        self._check_estimator()
        X = as_configurations(X)
        y = _check_y(y, multi_output=True, y_numeric=self._numeric, estimator=self)
        check_consistent_length(X, y)
        groups = known_groups(X, groups)
        if groups is None:
            groups = np.arange(len(X))
        check_consistent_length(X, groups)
        metadata = {"groups": np.asarray(groups)}
        if sample_weight is not None:
            metadata["sample_weight"] = _check_sample_weight(sample_weight, X)
        windows = cut_windows(
            X,
            self.side,
            n_particles=self.n_particles,
            n_windows=self.n_windows,
            random_state=self.random_state,
        )
        metadata = {name: values[windows.parents] for name, values in metadata.items()}
        estimator = clone(self.estimator)
        parameters = metadata_for_fit(self, estimator, **metadata)
        try:
            self.estimator_ = estimator.fit(windows.X, y[windows.parents], **parameters)
        except ValueError as error:
            error.add_note(
                f"The estimator was fitted on {len(windows.X)} windows: a configuration that its "
                "message numbers is one of them."
            )
            raise
        return self

    def _check_estimator(self):
        """Check that the windows can be pooled."""

    def window_scores(self, X):
        """Predict every window of the regular grid.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        scores : list of (corners, values), one for each configuration
            ``corners`` : ndarray of shape (n_windows, n_dims), lower corner of each window that
            holds a particle, in the box of the configuration. ``values`` : ndarray, see the class.
        """
        check_is_fitted(self)
        X = as_configurations(X)
        chunks = list(chunk_slices(X.offsets)) or [slice(0, 0)]
        n_workers = effective_n_jobs(self.n_jobs)
        if n_workers > len(chunks):
            bounds = np.linspace(0, len(X), min(len(X), n_workers) + 1).astype(int)
            chunks = [slice(*ends) for ends in zip(bounds[:-1], bounds[1:])]
        method = getattr(self.estimator_, self._method)
        scores = Parallel(n_jobs=self.n_jobs)(
            delayed(_score_windows)(method, X[rows], self.side, self.n_particles, rows.start)
            for rows in chunks
        )
        return [score for chunk in scores for score in chunk]

    def get_metadata_routing(self):
        """Tell where metadata are handed on.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def _score_windows(method, X, side, n_particles, first):
    """Corners and outputs of the windows of each configuration; ``first`` is the number of X[0]."""
    windows = cut_windows(X, side, n_particles=n_particles)
    try:
        values = method(windows.X)
    except ValueError:
        # Its message knows windows alone.
        for index in range(len(X)):
            try:
                method(windows.X[windows.parents == index])
            except ValueError as error:
                raise ValueError(f"windows of configuration {first + index}: {error}") from error
        raise
    cuts = np.flatnonzero(np.diff(windows.parents)) + 1
    return list(zip(np.split(windows.corners, cuts), np.split(values, cuts)))


class WindowedClassifier(ClassifierMixin, _Windowed):
    r"""Classify configurations by their windows.

    Windows of one size are cut from every configuration, and any estimator is fitted on them; each
    has the label and the group of its configuration. A configuration gets the class for which the
    mean log probability over its windows is largest, so that it may be of any size, and may
    differ in size from those of the training.

    Parameters
    ----------
    estimator : classifier
        For configurations, such as a pipeline that begins with a featurizer, with
        ``predict_proba``. It is not changed.
    side : float, default=None
        Edge of the windows, in units of the input positions. Give this or ``n_particles``.
    n_particles : int, default=None
        Mean number of particles of a window, from which its edge follows by the density of the
        configuration.
    n_windows : int, default=None
        Number of windows at random places of each configuration, in ``fit`` only. None: the regular
        grid that covers the box, as in prediction.
    random_state : int, RandomState or None, default=None
        Draws the places, if ``n_windows`` is given. It is not that of the estimator.
    n_jobs : int, default=None
        Number of processes over which configurations are spread in prediction.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on windows. ``classes_`` are those of it.

    See Also
    --------
    glassclf.configurations.cut_windows : The windows by themselves, and their rules.
    WindowedRegressor : The same for numbers.

    Notes
    -----
    With :math:`p_{wc}` the probability of class :math:`c` in window :math:`w` of :math:`n`,

    .. math:: p_c \propto \exp \Big( \frac{1}{n} \sum_w \log \max(p_{wc}, 10^{-6}) \Big),

    the logarithmic opinion pool with equal weights (C. Genest and J. V. Zidek, Stat. Sci. 1, 114
    (1986)). It ranks configurations as a product of independent windows would, but stays as unsure
    as a single one of them.

    ``window_scores`` gives the probabilities of the windows, shape (n_windows, n_classes).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import WindowedClassifier
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> pipe = make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), LogisticRegression())
    >>> model = WindowedClassifier(pipe, side=3.0).fit(X, y, groups)
    >>> model.score(X, y)
    1.0
    >>> corners, proba = model.window_scores(X[:1])[0]
    >>> corners.shape, proba.shape
    ((6, 2), (6, 2))
    """

    _numeric = False
    _method = "predict_proba"

    @property
    def classes_(self):
        """Labels, sorted, ndarray of shape (n_classes,)."""
        return self.estimator_.classes_

    def _check_estimator(self):
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(
                "WindowedClassifier pools probabilities, and "
                f"{type(self.estimator).__name__} has no predict_proba: wrap what ends in it in "
                "sklearn.calibration.CalibratedClassifierCV"
            )

    def predict_proba(self, X):
        """Probability of each class, pooled over the windows of a configuration.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        scores = self.window_scores(X)
        logs = [np.log(np.clip(proba, SMALLEST_PROBABILITY, 1)).mean(axis=0) for _, proba in scores]
        return softmax(np.array(logs, dtype=np.float64), axis=1)

    def predict(self, X):
        """Most probable class of each configuration.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]


class WindowedRegressor(RegressorMixin, _Windowed):
    """Predict a number of a configuration from its windows.

    Windows of one size are cut from every configuration, and any estimator is fitted on them; each
    has the target and the group of its configuration. The prediction for a configuration is the
    mean over its windows, so that it may be of any size.

    Parameters
    ----------
    estimator : regressor
        For configurations, such as a pipeline that begins with a featurizer. It is not changed.
    side : float, default=None
        Edge of the windows, in units of the input positions. Give this or ``n_particles``.
    n_particles : int, default=None
        Mean number of particles of a window, from which its edge follows by the density of the
        configuration.
    n_windows : int, default=None
        Number of windows at random places of each configuration, in ``fit`` only. None: the regular
        grid that covers the box, as in prediction.
    random_state : int, RandomState or None, default=None
        Draws the places, if ``n_windows`` is given. It is not that of the estimator.
    n_jobs : int, default=None
        Number of processes over which configurations are spread in prediction.

    Attributes
    ----------
    estimator_ : regressor
        Fitted on windows.

    See Also
    --------
    glassclf.configurations.cut_windows : The windows by themselves, and their rules.
    WindowedClassifier : The same for classes.

    Notes
    -----
    ``window_scores`` gives the predictions of the windows, shape (n_windows,) or
    (n_windows, n_outputs).

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import WindowedRegressor
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import graded_disorder
    >>> X, y, groups = graded_disorder()
    >>> pipe = make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), Ridge())
    >>> model = WindowedRegressor(pipe, side=3.0).fit(X, y, groups)
    >>> model.predict(X).shape == y.shape
    True
    """

    _numeric = True
    _method = "predict"

    def predict(self, X):
        """Mean prediction over the windows of each configuration.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return np.array([values.mean(axis=0) for _, values in self.window_scores(X)])
