"""The range test of learning rates, drawn."""

import math

from glassclf.model_selection import lr_range
from glassclf.plotting.axes import take_axes
from glassclf.plotting.results import require_result


class LearningRateRangeDisplay:
    """Loss against a rising learning rate.

    Parameters
    ----------
    lr : ndarray of shape (n_batches,)
        Rate of each batch.
    loss : ndarray of shape (n_batches,)
        Loss of each batch.
    smoothed_loss : ndarray of shape (n_batches,)
        Its running average.
    suggestion : float
        Suggested rate; NaN draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.model_selection.lr_range : Makes the result that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.plotting import LearningRateRangeDisplay
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases(n_runs=24)
    >>> images = ImageFeaturizer(n_pixels=16).fit_transform(X)
    >>> network = CNNClassifier(n_filters=(4,), random_state=0)
    >>> display = LearningRateRangeDisplay.from_estimator(network, images, y, lr_max=10)
    >>> display.ax_.get_xscale()
    'log'
    """

    def __init__(self, lr, loss, smoothed_loss, suggestion):
        self.lr, self.loss, self.smoothed_loss = lr, loss, smoothed_loss
        self.suggestion = suggestion

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None, **options):
        """Make the range test and draw it.

        Parameters
        ----------
        estimator : estimator
            A network of :mod:`glassclf.estimators`, or a pipeline that ends in one.
        X : array-like or Configurations
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **options : dict
            Further arguments of :func:`~glassclf.model_selection.lr_range`.

        Returns
        -------
        display : LearningRateRangeDisplay
        """
        return cls.from_result(lr_range(estimator, X, y, **options), ax=ax)

    @classmethod
    def from_result(cls, result, *, ax=None):
        """Draw a range test that was made before.

        Parameters
        ----------
        result : Bunch
            What :func:`~glassclf.model_selection.lr_range` returned.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LearningRateRangeDisplay

        Raises
        ------
        TypeError
            If the result is another one.
        """
        require_result(result, "lr_range")
        display = cls(result.lr, result.loss, result.smoothed_loss, result.suggestion)
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the losses, and the suggested rate as a line.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LearningRateRangeDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing a range test", (5.5, 4.0))
        ax.plot(self.lr, self.loss, ".", color="0.7", label="each batch")
        ax.plot(self.lr, self.smoothed_loss, color="#0072b2", label="running average")
        if not math.isnan(self.suggestion):
            label = f"suggestion: {self.suggestion:.1e}"
            ax.axvline(self.suggestion, color="#d55e00", linestyle="--", label=label)
        ax.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, figure
        return self
