"""Where the score of a classifier turns along temperature, drawn."""

import numpy as np

from glassclf.plotting.axes import take_axes
from glassclf.plotting.results import require_result

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


class CrossoverDisplay:
    """Mean log odds of the glass along temperature, with the temperature where they turn.

    Parameters
    ----------
    results : dict of name to Bunch
        What :func:`~glassclf.inspection.crossover` returned, by a name such as the liquid of the
        training. At most four.
    tg : tuple (tg, low, high), default=None
        Thermodynamic glass transition temperature of the same runs with its interval, shaded.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.inspection.crossover : Finds what is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from glassclf.inspection import crossover
    >>> from glassclf.plotting import CrossoverDisplay
    >>> temperature = np.tile([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8], 6)
    >>> log_odds = 2 - 20 * np.maximum(temperature - 0.35, 0)
    >>> result = crossover(temperature, 1 / (1 + np.exp(-log_odds)), np.repeat(np.arange(6), 8))
    >>> display = CrossoverDisplay.from_result({"glass against T = 1": result})
    >>> display.ax_.get_xlabel()
    'temperature'
    """

    def __init__(self, results, tg=None):
        self.results, self.tg = results, tg

    @classmethod
    def from_result(cls, results, *, tg=None, ax=None):
        """Draw what :func:`~glassclf.inspection.crossover` returned.

        Parameters
        ----------
        results : dict of name to Bunch
        tg : tuple (tg, low, high), default=None
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CrossoverDisplay
        """
        if not hasattr(results, "values") or hasattr(results, "log_odds"):
            raise TypeError("results must be a dict of name to result of crossover")
        for result in results.values():
            require_result(result, "crossover")
        return cls(results, tg).plot(ax=ax)

    def plot(self, ax=None):
        """Draw one curve for each result.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CrossoverDisplay
            With ``ax_`` and ``figure_``.
        """
        if len(self.results) > len(COLORS):
            raise ValueError(
                f"at most {len(COLORS)} curves can be told apart, got {len(self.results)}"
            )
        (ax,), figure = take_axes(ax, 1, "drawing a crossover", (6.4, 4.4))
        if self.tg is not None:
            if np.shape(self.tg) != (3,):
                raise ValueError(f"tg must be (tg, low, high), got {self.tg!r}")
            middle, low, high = self.tg
            ax.axvspan(low, high, color="0.88", linewidth=0, label=f"Tg = {middle:.3f}")
            ax.axvline(middle, color="0.5", linewidth=1)
        ax.axhline(0, color="0.7", linewidth=0.8, linestyle=":")
        for color, (name, result) in zip(COLORS, self.results.items()):
            self._draw_one(ax, name, result, color)
        ax.set(xlabel="temperature", ylabel="mean log odds of the glass")
        ax.legend(frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_one(self, ax, name, result, color):
        temperatures, odds = result.log_odds.T
        found = result.temperature
        label = f"{name}: "
        if np.isnan(found):
            label += "no crossover"
        else:
            label += f"{'turns' if result.lines is not None else 'P = 1/2'} at {found:.3f}"
            if np.isfinite(result.interval).all():
                label += " [{:.3f}, {:.3f}]".format(*result.interval)
        ax.plot(temperatures, odds, "o-", markersize=4, linewidth=1, color=color, label=label)
        if not np.isnan(found):
            height = np.interp(found, temperatures, odds)
            error = np.maximum([[found - result.interval[0]], [result.interval[1] - found]], 0)
            error = error if np.isfinite(error).all() else None
            style = {"markersize": 6, "capsize": 4, "color": color, "markeredgecolor": "black"}
            ax.errorbar([found], [height], xerr=error, fmt="D", zorder=3, **style)
