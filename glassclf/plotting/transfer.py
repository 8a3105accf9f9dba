"""A transfer matrix, drawn: trained on a row, tested on a column."""

import numpy as np

from glassclf.plotting.axes import take_axes
from glassclf.plotting.results import require_result

# Below this value of the map the numbers on it are white.
DARK = 0.55


class TransferDisplay:
    """Scores of a model trained on each task and tested on all.

    Parameters
    ----------
    names : list of str
        Of the tasks.
    mean, std : ndarray of shape (n_tasks, n_tasks)
        Row trained on, column tested on.
    null : ndarray of shape (n_permutations, n_tasks, n_tasks), default=None
        Scores with shuffled labels; their mean is drawn as one more row.
    score_name : str, default="AUC"

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.inspection.transfer_matrix : Computes what is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from glassclf.plotting import TransferDisplay
    >>> mean = np.array([[1.0, 0.7], [0.9, 0.8]])
    >>> display = TransferDisplay(["hot", "cold"], mean, 0.1 * mean).plot()
    >>> display.ax_.get_ylabel()
    'trained on'
    """

    def __init__(self, names, mean, std, null=None, *, score_name="AUC"):
        self.names, self.mean, self.std, self.null = names, mean, std, null
        self.score_name = score_name

    @classmethod
    def from_result(cls, result, *, score_name="AUC", ax=None):
        """Draw what :func:`~glassclf.inspection.transfer_matrix` returned.

        Parameters
        ----------
        result : Bunch
        score_name : str, default="AUC"
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TransferDisplay
        """
        require_result(result, "transfer_matrix")
        drawn = cls(result.names, result.mean, result.std, result.null, score_name=score_name)
        return drawn.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : TransferDisplay
            With ``ax_`` and ``figure_``.
        """
        n = len(self.names)
        for name in ("mean", "std"):
            shape = np.shape(getattr(self, name))
            if shape != (n, n):
                raise ValueError(
                    f"{name} must have shape ({n}, {n}), as there are {n} names, got {shape}"
                )
        (ax,), figure = take_axes(
            ax, 1, "drawing a transfer matrix", (2.6 + 0.8 * n, 1.8 + 0.7 * n)
        )
        rows, spread, labels = np.asarray(self.mean), np.asarray(self.std), list(self.names)
        if self.null is not None:
            rows = np.vstack([rows, np.mean(self.null, axis=(0, 1))])
            spread = np.vstack([spread, np.std(self.null, axis=(0, 1))])
            labels.append("shuffled labels")
        image = ax.imshow(rows, cmap="cividis", vmin=min(0.5, rows.min()), vmax=1.0, aspect="auto")
        low, high = image.get_clim()
        for (row, column), value in np.ndenumerate(rows):
            text = f"{value:.2f}"
            if np.isfinite(spread[row, column]):
                text += f"\n± {spread[row, column]:.2f}"
            dark = (value - low) / (high - low) < DARK
            color = "white" if dark else "black"
            ax.text(column, row, text, ha="center", va="center", color=color, fontsize="small")
        ax.set_xticks(range(n), self.names, rotation=30, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(labels)), labels)
        if self.null is not None:
            ax.axhline(n - 0.5, color="white", linewidth=3)
        ax.set(xlabel="tested on", ylabel="trained on")
        figure.colorbar(image, ax=ax, label=f"{self.score_name} on runs held out")
        self.ax_, self.figure_ = ax, figure
        return self
