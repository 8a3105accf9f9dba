"""Predictions of a regression against the true values, drawn."""

import numpy as np

from glassclf.inspection import regression_report
from glassclf.plotting.axes import take_axes

COLOR = "#0072b2"
# Share of the smallest distance between true values that a violin is wide.
WIDTH = 0.8


class RegressionDisplay:
    """Violins of the predictions for each true value.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n,)
        On samples that were not trained on.
    report : Bunch
        What :func:`~glassclf.inspection.regression_report` returned for them.
    label : str, default="target"
        What is predicted, with its unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.inspection.regression_report : The numbers.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from glassclf.plotting import RegressionDisplay
    >>> truth = np.repeat([-2.0, -1.0], 20)
    >>> predicted = truth + 0.1 * np.random.default_rng(0).normal(size=40)
    >>> display = RegressionDisplay.from_predictions(truth, predicted, label="log2 rate")
    >>> display.ax_.get_ylabel()
    'predicted log2 rate'
    """

    def __init__(self, y_true, y_pred, report, *, label="target"):
        self.y_true, self.y_pred, self.report, self.label = y_true, y_pred, report, label

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, groups=None, label="target", ax=None):
        """Draw predictions that were made.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,)
        groups : array-like of shape (n,), default=None
            Run of each sample.
        label : str, default="target"
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : RegressionDisplay
        """
        report = regression_report(y_true, y_pred, groups=groups)
        y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
        return cls(y_true, y_pred, report, label=label).plot(ax=ax)

    @classmethod
    def from_estimator(cls, estimator, X, y, *, groups=None, label="target", ax=None):
        """Predict, and draw.

        Parameters
        ----------
        estimator : regressor
            Fitted.
        X : object
            What it takes, not trained on.
        y : array-like of shape (n,)
        groups : array-like of shape (n,), default=None
            Run of each sample.
        label : str, default="target"
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : RegressionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), groups=groups, label=label, ax=ax)

    def plot(self, ax=None):
        """Draw a violin for each true value, its mean, and the diagonal.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : RegressionDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing predictions", (5.6, 5.0))
        value = self.report.value
        samples = [self.y_pred[self.y_true == one] for one in value]
        width = WIDTH * np.diff(value).min()
        ends = [min(value[0], self.y_pred.min()), max(value[-1], self.y_pred.max())]
        ax.plot(ends, ends, color="0.6", linewidth=1, zorder=0)
        # A violin needs two different values.
        drawn = [number for number, each in enumerate(samples) if np.ptp(each) > 0]
        if drawn:
            violins = ax.violinplot(
                [samples[number] for number in drawn],
                positions=value[drawn],
                widths=width,
                showextrema=False,
            )
            for body in violins["bodies"]:
                body.set(facecolor=COLOR, alpha=0.4)
        ax.plot(value, self.report.mean, "o", color=COLOR, markersize=4)
        ax.set(xlabel=f"true {self.label}", ylabel=f"predicted {self.label}")
        ax.set_title(f"r = {self.report.r:.4f}, mean absolute error {self.report.mae:.3f}")
        self.ax_, self.figure_ = ax, figure
        return self
