"""Epochs as tasks that scikit-learn's own callbacks can follow (sklearn.callback, since 1.9)."""

import functools

from skorch.callbacks import Callback

from glassclf.estimators.stopping import StopTraining

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9 estimators have no set_callbacks

    class CallbackSupportMixin:
        """Stands in for the class of scikit-learn 1.9."""

    def with_callbacks(method):
        """Stand in for the decorator of scikit-learn 1.9.

        Parameters
        ----------
        method : callable

        Returns
        -------
        method : callable
            Does the same, one call deeper, which warnings count on.
        """

        @functools.wraps(method)
        def called(*arguments, **named):
            return method(*arguments, **named)

        return called


class FitTasks(Callback):
    """Tell scikit-learn's callbacks of a fit and of its epochs; stop it where one of them asks to.

    Parameters
    ----------
    estimator : NetworkEstimator
        That is being fitted, in a method decorated with :func:`with_callbacks`.
    n_epochs : int
        Epochs of the fit.
    X, y : object
        What fit was given.
    sample_weight : array-like of shape (n_samples,) or None
        What fit was given.
    """

    def __init__(self, estimator, n_epochs, X, y, sample_weight):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.facts = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.n_epochs = n_epochs
        self._fit = self._epoch = None
        self._n_begun = 0

    def begin(self):
        """Begin the task of the fit, if anybody listens."""
        estimator = self.facts["estimator"]
        # Meta-estimators hand on their callbacks by the same attribute.
        if hasattr(estimator, "_skl_callbacks"):
            self._fit = estimator._init_callback_context(max_subtasks=self.n_epochs)
            self._fit.call_on_fit_task_begin(**self.facts)

    def follow(self, first_epoch, fitted_attributes):
        """Get ready for the training.

        Parameters
        ----------
        first_epoch : int
            Length of the history of the net before.
        fitted_attributes : callable
            Called without arguments, it gives the attributes that the estimator would have if the
            training stopped there.
        """
        self._first_epoch, self._fitted_attributes = first_epoch, fitted_attributes

    def on_batch_begin(self, net, **kwargs):
        """Begin the task of an epoch; count those that were done before the fit was resumed."""
        if self._fit is None or self._epoch is not None:
            return
        while self._n_begun < len(net.history) - 1 - self._first_epoch:
            self._begin_epoch()
            self._epoch.call_on_fit_task_end(**self.facts)
        self._begin_epoch()

    def _begin_epoch(self):
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self.facts)
        self._n_begun += 1

    def on_epoch_end(self, net, **kwargs):
        """End the task of an epoch."""
        if self._fit is None:
            return
        epoch, self._epoch = self._epoch, None
        stop = epoch.call_on_fit_task_end(
            **self.facts, reconstruction_attributes=self._fitted_attributes
        )
        if stop:
            raise StopTraining("callback")

    def close(self):
        """Let go of the training; the task of the fit goes on until :meth:`end`."""
        self._fitted_attributes = None

    def end(self):
        """End the task of the fit, when the estimator is fitted."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self.facts, reconstruction_attributes={})
