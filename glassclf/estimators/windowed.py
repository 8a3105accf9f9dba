"""Any estimator, trained on windows of configurations and pooled over the windows of each."""

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier

from glassclf.estimators.windowing import WindowedEstimator

# A window that is sure of itself counts no more than this against all others.
SMALLEST_PROBABILITY = 1e-6


class WindowedClassifier(ClassifierMixin, WindowedEstimator):
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

    def predict_log_proba(self, X):
        """Logarithm of :meth:`predict_proba`.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes), float64
        """
        return np.log(self.predict_proba(X))

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


class WindowedRegressor(RegressorMixin, WindowedEstimator):
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

    def _check_estimator(self):
        if is_classifier(self.estimator):
            raise TypeError(
                f"WindowedRegressor averages numbers, and {type(self.estimator).__name__} is a "
                "classifier: use WindowedClassifier"
            )

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
