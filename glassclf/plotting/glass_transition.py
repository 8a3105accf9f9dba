"""The glass transition temperature, drawn: points, two lines and where they cross."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from glassclf.plotting.axes import take_axes

GLASS, LIQUID, CROSSING = "#0072b2", "#d55e00", "black"


class GlassTransitionDisplay:
    """Energies along a cooling with the two lines whose crossing is Tg.

    Parameters
    ----------
    temperature, energy : ndarray of shape (n_points,)
        Points; energies averaged over runs.
    windows : ndarray of shape (2, 2)
        Low and high window, which are shaded.
    lines : ndarray of shape (2, 2)
        Slope and intercept of the low and of the high line.
    tg : float
        Where they cross.
    interval : ndarray of shape (2,)
        Of ``tg``, drawn as a bar; NaN draws none, and an infinite one is only written down.
    confidence : float, default=0.95
        Of ``interval``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.thermodynamics.GlassTransition : Fits what is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.datasets import load_kob_andersen
    >>> from glassclf.plotting import GlassTransitionDisplay
    >>> from glassclf.thermodynamics import GlassTransition, cooling_curves
    >>> curves = cooling_curves(load_kob_andersen())
    >>> transition = GlassTransition().fit(curves.temperature, curves.energy)
    >>> display = GlassTransitionDisplay.from_estimator(transition)
    >>> display.ax_.get_xlabel()
    'temperature'
    """

    def __init__(self, temperature, energy, windows, lines, tg, interval, *, confidence=0.95):
        self.temperature, self.energy = temperature, energy
        self.windows, self.lines = windows, lines
        self.tg, self.interval, self.confidence = tg, interval, confidence

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw a fitted glass transition.

        Parameters
        ----------
        estimator : GlassTransition
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GlassTransitionDisplay
        """
        check_is_fitted(estimator, "tg_")
        display = cls(
            estimator.temperature_,
            estimator.energy_,
            estimator.windows_,
            estimator.lines_,
            estimator.tg_,
            estimator.tg_interval_,
            confidence=estimator.confidence,
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw points, windows, lines and crossing.

        The axis of temperature ends a little above the high window.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : GlassTransitionDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing a glass transition", (6.0, 4.2))
        span = self.windows[1, 1] - self.windows[0, 0]
        shown = np.array([self.windows[0, 0] - 0.06 * span, self.windows[1, 1] + 0.2 * span])
        inside = (self.temperature >= shown[0]) & (self.temperature <= shown[1])
        style = {"marker": "o", "markersize": 3.5 if inside.sum() < 60 else 1.8}
        ax.plot(
            self.temperature[inside],
            self.energy[inside],
            linestyle="none",
            color="0.35",
            label="mean over runs",
            **style,
        )
        names = (("line of the glass", GLASS), ("line of the liquid", LIQUID))
        for window, (slope, intercept), (name, color) in zip(self.windows, self.lines, names):
            ax.axvspan(*window, color=color, alpha=0.12, linewidth=0)
            # Beyond the crossing a line serves no purpose but to be seen to cross.
            ends = np.array([min(window[0], self.tg), max(window[1], self.tg)])
            ends += 0.08 * span * np.array([-1, 1]) * (ends == self.tg)
            ax.plot(ends, slope * ends + intercept, color=color, linewidth=1.4, label=name)
        self._draw_crossing(ax)
        ax.set(xlabel="temperature", ylabel="inherent energy per particle", xlim=shown)
        # A curve without a bend is high on the left too, where the legend stands for others.
        ax.legend(frameon=False, loc="best")
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_crossing(self, ax):
        slope, intercept = self.lines[0]
        height = slope * self.tg + intercept
        label, error = f"Tg = {self.tg:.3f}", None
        low, high = self.interval
        if not np.isnan([low, high]).any():
            label += f"\n[{low:.3f}, {high:.3f}], {100 * self.confidence:g} %"
        if np.isfinite([low, high]).all():
            # A percentile interval need not hold the estimate itself.
            error = np.maximum([[self.tg - low], [high - self.tg]], 0)
        ax.errorbar(
            [self.tg],
            [height],
            xerr=error,
            fmt="D",
            markersize=5,
            capsize=4,
            color=CROSSING,
            label=label,
            zorder=3,
        )
