"""The course of one training, or of several with other seeds, drawn."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from glassclf.plotting.axes import take_axes, tick_log_axis
from glassclf.plotting.results import require_result

STEADY, COLLAPSED = "#0072b2", "#d55e00"


class TrainingDisplay:
    """Loss, validation score and learning rate of each epoch.

    Parameters
    ----------
    history : dict of ndarray of shape (n_seeds, n_epochs)
        "train_loss", "valid_loss", "valid_score" and "lr", NaN where a training had ended.
    chance : float, default=None
        Score by chance, drawn as a line. None draws none.
    collapsed : ndarray of bool of shape (n_seeds,), default=None
        Trainings to draw in another colour.

    Attributes
    ----------
    ax_ : ndarray of 3 matplotlib Axes
        Loss, score and rate, after :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.model_selection.repeat_fit : Trains with several seeds.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.plotting import TrainingDisplay
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> images = ImageFeaturizer(n_pixels=16).fit_transform(X)
    >>> network = CNNClassifier(n_filters=(4,), max_epochs=2, random_state=0).fit(images, y)
    >>> display = TrainingDisplay.from_estimator(network)
    >>> [ax.get_ylabel() for ax in display.ax_]
    ['loss', 'validation score', 'learning rate']
    """

    def __init__(self, history, *, chance=None, collapsed=None):
        self.history, self.chance, self.collapsed = history, chance, collapsed

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the history of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network of :mod:`glassclf.estimators`, or a pipeline that ends in one.
        ax : sequence of 3 matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TrainingDisplay
        """
        while isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        check_is_fitted(estimator, "history_")
        history = {name: column[None] for name, column in estimator.history_.items()}
        return cls(history).plot(ax=ax)

    @classmethod
    def from_result(cls, result, *, ax=None):
        """Draw the histories of several seeds.

        Parameters
        ----------
        result : Bunch
            What :func:`~glassclf.model_selection.repeat_fit` returned.
        ax : sequence of 3 matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TrainingDisplay

        Raises
        ------
        TypeError
            If the result is another one.
        """
        require_result(result, "repeat_fit")
        # Unknown where a training diverged in its first epoch.
        known = result.chance[~np.isnan(result.chance)]
        chance = float(known.mean()) if len(known) else None
        return cls(result.history, chance=chance, collapsed=result.collapsed).plot(ax=ax)

    def plot(self, ax=None):
        """Draw one line a training.

        Parameters
        ----------
        ax : sequence of 3 matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TrainingDisplay
            With ``ax_`` and ``figure_``.
        """
        axes, figure = take_axes(ax, 3, "drawing a training", (12.0, 3.6))
        loss, score, rate = axes
        self._draw(loss, "train_loss", linestyle="-", label="training")
        self._draw(loss, "valid_loss", linestyle=":", label="validation")
        self._draw(score, "valid_score", linestyle="-")
        self._draw(rate, "lr", linestyle="-", drawstyle="steps-mid")
        if self.chance is not None:
            score.axhline(self.chance, color="black", linewidth=0.8, linestyle="--", label="chance")
            score.legend(frameon=False)
        if loss.lines:
            loss.legend(frameon=False)
        loss.set(ylabel="loss", yscale="log")
        score.set(ylabel="validation score")
        scores = self.history["valid_score"]
        if scores.size and np.isnan(scores).all():
            centre = {"ha": "center", "va": "center", "transform": score.transAxes}
            score.text(0.5, 0.5, "no validation part", **centre)
            score.set(xticks=[], yticks=[])
        rate.set(ylabel="learning rate", yscale="log")
        for axis in axes:
            axis.set(xlabel="epoch")
        tick_log_axis(loss)
        tick_log_axis(rate)
        self.ax_, self.figure_ = np.array(axes), figure
        return self

    def _draw(self, ax, name, label=None, **style):
        rows = self.history[name]
        collapsed = np.zeros(len(rows), bool) if self.collapsed is None else self.collapsed
        epochs = np.arange(1, rows.shape[1] + 1)
        for row, fell in zip(rows, collapsed):
            if not np.isnan(row).all():
                ax.plot(
                    epochs,
                    row,
                    color=COLLAPSED if fell else STEADY,
                    alpha=1.0 if len(rows) == 1 else 0.6,
                    linewidth=1.2,
                    # A single epoch makes no line.
                    marker="." if np.sum(~np.isnan(row)) == 1 else None,
                    label=label,
                    **style,
                )
                label = None
