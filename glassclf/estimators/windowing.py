"""What estimators of windows share: cutting windows, fitting, and predicting each of them."""

from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
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
from glassclf.estimators.metadata import (
    check_groups,
    known_groups,
    metadata_for_fit,
    warn_of_torn_groups,
)
from glassclf.featurizers.base import Number


class WindowedEstimator(MetaEstimatorMixin, BaseEstimator):
    """Base of the estimators that are fitted on windows of configurations.

    A subclass says what it takes (``_numeric``), which method of the estimator predicts a window
    (``_method``), and pools the windows in ``predict``.
    """

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
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) of a regressor
            Labels or targets; each window has that of its configuration.
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
            If the estimator of a classifier gives no probabilities, or that of a regressor is a
            classifier; if there are weights and the estimator takes none.

        Warns
        -----
        UserWarning
            If the estimator is a search whose folds do not mind groups.
        """
        self._check_estimator()
        X = as_configurations(X)
        y = _check_y(y, multi_output=self._numeric, y_numeric=self._numeric, estimator=self)
        check_consistent_length(X, y)
        groups = known_groups(X, groups)
        if groups is None:
            groups = np.arange(len(X))
        metadata = {"groups": check_groups(groups, len(X))}
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
        warn_of_torn_groups(estimator)
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
