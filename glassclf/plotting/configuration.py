"""A configuration drawn: particles, what is known of each, and bonds."""

import numpy as np

from glassclf.configurations import as_configurations
from glassclf.inspection import attribution
from glassclf.inspection.subject import features_for, unrolled
from glassclf.plotting.axes import take_axes
from glassclf.plotting.discs import check_drawable, check_values, draw_discs

SEQUENTIAL, DIVERGING = "cividis", "PuOr_r"
# Values beyond this share of all, at either end, have the colour of the end.
TAIL = 0.01


class ConfigurationDisplay:
    """Particles in their box, by type or by a value of each, with bonds or without.

    Parameters
    ----------
    configuration : Configuration
        Of two dimensions, in a rectangular box.
    values : array-like of shape (n_particles,), default=None
        Colours the particles; None colours them by type. Values of both signs get a diverging map
        with white at zero. Particles whose value is not finite are grey.
    bonds : tuple (sources, vectors, widths), default=None
        Lines from the particles ``sources`` along ``vectors``, of relative width 0 to 1.
    label : str, default=""
        Of the colour bar.
    diameters : array-like of shape (n_particles,), default=None
        In units of the positions. None: those of the two-dimensional Kob-Andersen mixture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.inspection.attribution : Values for the particles and bonds of a fitted network.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import ConfigurationDisplay
    >>> from glassclf.testing import noisy_lattice
    >>> display = ConfigurationDisplay(noisy_lattice(0.1)).plot()
    >>> display.ax_.get_xlabel()
    'x'
    """

    def __init__(self, configuration, values=None, bonds=None, *, label="", diameters=None):
        self.configuration, self.values, self.bonds = configuration, values, bonds
        self.label, self.diameters = label, diameters

    @classmethod
    def from_estimator(
        cls, estimator, X, index=0, *, method="gradient", target=None, n_bonds=0, ax=None
    ):
        """Draw what each particle of a configuration adds to the output of a fitted network.

        Parameters
        ----------
        estimator : pipeline that ends in a network of :mod:`glassclf.estimators`
            Fitted, and beginning with a featurizer.
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        index : int, default=0
            Number of the configuration.
        method, target
            As in :func:`~glassclf.inspection.attribution`.
        n_bonds : int, default=0
            Bonds to draw: those that add most, by size, of a message-passing network.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ConfigurationDisplay
        """
        if n_bonds < 0:
            raise ValueError(f"n_bonds must be 0 or more, got {n_bonds!r}")
        one = as_configurations(X)[[index]]
        result = attribution(estimator, one, method, target=target)
        if result.particles is None:
            raise TypeError(
                "the estimator gives no values for particles: give a pipeline that begins with an "
                "ImageFeaturizer or a GraphFeaturizer"
            )
        bonds = None
        if n_bonds and result.bonds is not None:
            *before, _ = unrolled(estimator)
            bonds = _strongest(features_for(before, one)[0], result.bonds[0], n_bonds)
        return cls(one[0], result.particles[0], bonds, label="share of the output").plot(ax=ax)

    def plot(self, ax=None):
        """Draw the particles.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ConfigurationDisplay
            With ``ax_`` and ``figure_``.
        """
        check_drawable(self.configuration)
        n, diameters, values = self.configuration.n_particles, None, None
        if self.diameters is not None:
            diameters = check_values("diameters", self.diameters, n, "particle")
            if not (diameters.filled(np.nan) > 0).all():
                raise ValueError("diameters must be positive and finite")
            diameters = diameters.data
        if self.values is not None:
            values = check_values("values", self.values, n, "particle")
        (ax,), figure = take_axes(ax, 1, "drawing a configuration", (6.2, 5.4))
        style = {}
        if values is not None:
            low, high, colors = color_range(values.compressed())
            style = {"array": values, "cmap": with_grey(colors), "clim": (low, high)}
        discs = draw_discs(ax, self.configuration, diameters, **style)
        if values is not None:
            figure.colorbar(discs, ax=ax, label=self.label, shrink=0.8)
        if self.bonds is not None:
            self._draw_bonds(ax)
        width, height = self.configuration.box
        ax.set(xlim=(0, width), ylim=(0, height), aspect="equal", xlabel="x", ylabel="y")
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_bonds(self, ax):
        from matplotlib.collections import LineCollection

        sources, vectors, widths = map(np.asarray, self.bonds)
        starts = self.configuration.positions[sources] % self.configuration.box
        lines = np.stack([starts, starts + vectors], axis=1)
        ax.add_collection(LineCollection(lines, linewidths=0.4 + 2.2 * widths, colors="black"))


def color_range(values):
    """Limits and colour map for values: diverging from zero where both signs occur.

    Parameters
    ----------
    values : ndarray

    Returns
    -------
    low, high : float
    colors : str
        Name of a matplotlib map.
    """
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    if low < 0 < high:
        high = max(-low, high)
        return -high, high, DIVERGING
    return low, high if high > low else low + 1.0, SEQUENTIAL


def with_grey(colors):
    """Colour map that draws masked values in grey.

    Parameters
    ----------
    colors : str
        Name of a matplotlib map.

    Returns
    -------
    map : matplotlib Colormap
    """
    import matplotlib

    return matplotlib.colormaps[colors].with_extremes(bad="0.85")


def _strongest(graph, scores, n_bonds):
    sources = np.repeat(np.arange(len(graph.types)), graph.degrees)
    chosen = np.argsort(-np.abs(scores), kind="stable")[:n_bonds]
    sizes = np.abs(scores[chosen])
    return sources[chosen], graph.vectors[chosen], sizes / max(sizes.max(), np.finfo(float).tiny)
