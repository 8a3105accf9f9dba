"""Scores of the windows of a configuration, drawn over its particles."""

import numpy as np
from sklearn.base import is_classifier

from glassclf.configurations import as_configurations
from glassclf.configurations.windows import side_holding
from glassclf.plotting.axes import take_axes
from glassclf.plotting.configuration import color_range, with_grey
from glassclf.plotting.discs import check_drawable, check_values, draw_discs


class WindowMapDisplay:
    """Windows of a configuration by their scores.

    Parameters
    ----------
    configuration : Configuration
        Of two dimensions, in a rectangular box.
    corners : ndarray of shape (n_windows, 2)
        Lower corner of each window.
    side : float
        Edge of the windows.
    values : ndarray of shape (n_windows,)
        Score of each. Windows whose score is not finite are grey.
    label : str, default=""
        Of the colour bar.
    limits : (float, float), default=None
        Ends of the colour bar, white in the middle: (0, 1) of probabilities. None: as the values.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.estimators.WindowedClassifier : Scores windows.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import WindowedClassifier
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.plotting import WindowMapDisplay
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> pipe = make_pipeline(RDFFeaturizer(r_max=2.0, n_bins=20), LogisticRegression())
    >>> model = WindowedClassifier(pipe, side=3.0).fit(X, y, groups)
    >>> display = WindowMapDisplay.from_estimator(model, X)
    >>> len(display.corners)
    6
    """

    def __init__(self, configuration, corners, side, values, *, label="", limits=None):
        self.configuration, self.corners, self.side = configuration, corners, side
        self.values, self.label, self.limits = values, label, limits

    @classmethod
    def from_estimator(cls, estimator, X, index=0, *, target=None, ax=None):
        """Score the windows of a configuration, and draw them.

        Parameters
        ----------
        estimator : WindowedClassifier or WindowedRegressor
            Fitted.
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        index : int, default=0
            Number of the configuration.
        target : label or int, default=None
            Class whose probability is drawn (None: the last), or output of a regressor (the first).
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : WindowMapDisplay
        """
        if not hasattr(estimator, "window_scores"):
            raise TypeError(
                "windows are those of a WindowedClassifier or WindowedRegressor, got "
                f"{type(estimator).__name__}"
            )
        one = as_configurations(X)[[index]]
        ((corners, values),) = estimator.window_scores(one)
        if is_classifier(estimator):
            classes = estimator.classes_.tolist()
            target = classes[-1] if target is None else target
            if target not in classes:
                raise ValueError(f"target must be one of the classes {classes}, got {target!r}")
            values, label = values[:, classes.index(target)], f"P({target}) of the window"
            limits = (0.0, 1.0)
        else:
            values, label = values.reshape(len(values), -1)[:, target or 0], "prediction"
            limits = None
        side = estimator.side
        if side is None:
            side = side_holding(one[0], estimator.n_particles)
        return cls(one[0], corners, side, values, label=label, limits=limits).plot(ax=ax)

    def plot(self, ax=None):
        """Draw windows and particles.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : WindowMapDisplay
            With ``ax_`` and ``figure_``.
        """
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        check_drawable(self.configuration)
        values = check_values("values", self.values, len(self.corners), "window")
        (ax,), figure = take_axes(ax, 1, "drawing windows", (6.2, 5.4))
        low, high, colors = color_range(values.compressed())
        if self.limits is not None:
            (low, high), colors = self.limits, "PuOr_r"
        box = self.configuration.box
        shifts = [np.array([a, b]) * box for a in (0, -1) for b in (0, -1)]
        # A window across the border goes on at the other side.
        frames = [
            Rectangle(corner + s, self.side, self.side) for s in shifts for corner in self.corners
        ]
        windows = PatchCollection(
            frames, cmap=with_grey(colors), clim=(low, high), edgecolors="0.3", linewidths=0.8
        )
        windows.set_array(np.ma.concatenate([values] * len(shifts)))
        ax.add_collection(windows)
        draw_discs(ax, self.configuration, facecolors="none", edgecolors="0.25", linewidths=0.4)
        figure.colorbar(windows, ax=ax, label=self.label, shrink=0.8)
        ax.set(xlim=(0, box[0]), ylim=(0, box[1]), aspect="equal", xlabel="x", ylabel="y")
        self.ax_, self.figure_ = ax, figure
        return self
