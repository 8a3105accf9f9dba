"""Cooling curves of several rates on one plot, with the temperatures where they part."""

import itertools
import math

from glassclf.plotting.axes import take_axes
from glassclf.thermodynamics.comparison import parting_temperature
from glassclf.thermodynamics.curves import CoolingCurves

# Told apart in print and by colour-blind people: colours of Okabe and Ito, and the kind of line.
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
LINES = ("-", "--", "-.", ":")


class CoolingCurvesDisplay:
    """Mean energies along temperature, one line for each set of curves.

    Each is labelled with the temperature where it parts from the one before, and a dotted line of
    its colour stands there.

    Parameters
    ----------
    curves : dict of str or int to CoolingCurves
        Names (an int is read as a number of cooling steps) and what to draw; of those with several
        runs the standard error of the mean is drawn as a band.
    parting : list of float
        Temperatures to mark, one for each neighbouring pair in ``curves``; NaN marks none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.thermodynamics.parting_temperature : What is marked.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import CoolingCurvesDisplay
    >>> from glassclf.thermodynamics import CoolingCurves
    >>> fast = CoolingCurves([0.05, 0.5, 1.0], [[-3.66, -3.65, -3.6], [-3.65, -3.66, -3.61]])
    >>> slow = CoolingCurves([0.05, 0.5, 1.0], [[-3.75, -3.66, -3.6], [-3.76, -3.65, -3.61]])
    >>> display = CoolingCurvesDisplay.from_curves({20_000: fast, 200_000: slow})
    >>> display.parting
    [0.05]
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['20,000 steps', '200,000 steps: parts at T = 0.05']
    """

    def __init__(self, curves, parting):
        self.curves, self.parting = curves, parting

    @classmethod
    def from_curves(cls, curves, *, confidence=0.95, ax=None):
        """Find where neighbouring curves part, and draw them.

        Parameters
        ----------
        curves : dict of str or int to CoolingCurves
            In the order in which they are to be compared: each with the next.
        confidence : float, default=0.95
            Of the difference, see :func:`~glassclf.thermodynamics.parting_temperature`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CoolingCurvesDisplay

        Raises
        ------
        TypeError
            If ``curves`` is no dict, or one of its values no CoolingCurves.
        ValueError
            If ``curves`` is empty.
        """
        _check_curves(curves)
        # A single run tells nothing of its error: there it is left open where they part.
        parting = [
            parting_temperature(first, second, confidence=confidence)
            if min(len(first), len(second)) > 1
            else math.nan
            for first, second in itertools.pairwise(curves.values())
        ]
        return cls(curves, parting).plot(ax=ax)

    def plot(self, ax=None):
        """Draw a line for each, its band, and the marks.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CoolingCurvesDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing cooling curves", (6.0, 4.2))
        parting = [math.nan, *self.parting]
        highest = min(curves.temperature.max() for curves in self.curves.values())
        for index, ((name, curves), part) in enumerate(zip(self.curves.items(), parting)):
            color = COLORS[index % len(COLORS)]
            mean, error = curves.mean(), curves.standard_error()
            style = {"color": color, "linestyle": LINES[index % len(LINES)]}
            marker = "o" if len(mean) < 30 else None
            ax.plot(
                curves.temperature,
                mean,
                marker=marker,
                markersize=3.5,
                linewidth=1.4,
                label=_label(name, part, highest),
                **style,
            )
            if len(curves) > 1:
                band = (mean - error, mean + error)
                ax.fill_between(curves.temperature, *band, color=color, alpha=0.25, linewidth=0)
            if not math.isnan(part):
                ax.axvline(part, color=color, linewidth=1.0, linestyle=":")
        ax.set(xlabel="temperature", ylabel="inherent energy per particle")
        ax.legend(frameon=False, loc="lower right")
        self.ax_, self.figure_ = ax, figure
        return self


def _check_curves(curves):
    if not isinstance(curves, dict):
        raise TypeError(
            "curves must be a dict from names or cooling steps to CoolingCurves, such as "
            f"{{200_000: curves}}, got {type(curves).__name__}"
        )
    if not curves:
        raise ValueError("curves is empty: there is nothing to draw")
    for name, value in curves.items():
        if not isinstance(value, CoolingCurves):
            raise TypeError(f"curves[{name!r}] must be a CoolingCurves, got {type(value).__name__}")


def _label(name, part, highest):
    label = name if isinstance(name, str) else f"{name:,} steps"
    if math.isnan(part):
        return label
    # Nobody knows where curves part that end before they do.
    return f"{label}: parts {'above' if part >= highest else 'at'} T = {part:.2f}"
