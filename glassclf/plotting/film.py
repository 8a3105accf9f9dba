"""A film beside its profiles, with the part of it that is bulk."""

import numpy as np

from glassclf.plotting.axes import take_axes
from glassclf.plotting.discs import COLORS, draw_discs
from glassclf.thermodynamics import bulk_region, film_profile
from glassclf.thermodynamics.film_profiles import NoBulkError

LABELS = ("A", "B", "substrate")
DENSITY_COLOR, COMPOSITION_COLOR, BULK_COLOR, EDGE_COLOR = "black", COLORS[1], "#fee0c2", "#e6550d"


class FilmDisplay:
    """A film, particle by particle, and its density and composition along the height.

    Parameters
    ----------
    film : Configuration
        In the format of :func:`~glassclf.thermodynamics.film_profile`.
    profile : Bunch
        What :func:`~glassclf.thermodynamics.film_profile` returned.
    region : Bunch, default=None
        What :func:`~glassclf.thermodynamics.bulk_region` returned; None shades no bulk, and a
        title says so.

    Attributes
    ----------
    ax_ : ndarray of 3 matplotlib Axes
        Film, density and composition, after :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import FilmDisplay
    >>> from glassclf.testing import toy_films
    >>> display = FilmDisplay.from_film(toy_films(1)[0])
    >>> [ax.get_xlabel() for ax in display.ax_]
    ['x', 'density', 'share of B']
    """

    def __init__(self, film, profile, region=None):
        self.film, self.profile, self.region = film, profile, region

    @classmethod
    def from_film(cls, film, *, bin_width=1.0, margin=None, ax=None):
        """Find profile and bulk of a film, and draw them; of a film without bulk the profile.

        Parameters
        ----------
        film : Configuration
            In the format of :func:`~glassclf.thermodynamics.film_profile`.
        bin_width : float, default=1.0
            Height of a slab of the profile, in sigma_AA.
        margin : float, default=None
            As in :func:`~glassclf.thermodynamics.bulk_region`.
        ax : sequence of 3 matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : FilmDisplay
        """
        profile = film_profile(film, bin_width)
        try:
            region = bulk_region(film, margin)
        except NoBulkError:
            # Why it has none is best seen in the drawing.
            region = None
        return cls(film, profile, region).plot(ax=ax)

    def plot(self, ax=None):
        """Draw film, density and composition over one height.

        Parameters
        ----------
        ax : sequence of 3 matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : FilmDisplay
            With ``ax_`` and ``figure_``.
        """
        axes, figure = take_axes(ax, 3, "drawing a film", (9.0, 5.0))
        if ax is None:
            axes[0].get_gridspec().set_width_ratios([2.2, 1, 1])
        self._draw_film(axes[0])
        self._draw_profile(axes[1], self.profile.density, "density", DENSITY_COLOR)
        self._draw_profile(axes[2], self.profile.composition, "share of B", COMPOSITION_COLOR)
        axes[2].set(xlim=(0, 1))
        axes[1].set_xlim(left=0)
        # Gas above the surface is part of the film, an empty box is not.
        highest = max(self.profile.surface + 3.0, self.film.positions[:, 1].max() + 1.0)
        lowest = min(0.0, self.film.positions[:, 1].min() - 0.5)
        for axis in axes:
            axis.set(ylim=(lowest, highest), ylabel="y" if axis is axes[0] else "")
            if self.region is not None:
                axis.axhspan(self.region.y_low, self.region.y_high, color=BULK_COLOR, zorder=0)
                for end in (self.region.y_low, self.region.y_high):
                    axis.axhline(end, color=EDGE_COLOR, linewidth=1.2)
            axis.axhline(self.profile.surface, color="0.4", linewidth=0.8, linestyle="--")
        self._note_bulk(axes[1])
        self.ax_, self.figure_ = np.array(axes), figure
        return self

    def _draw_film(self, ax):
        draw_discs(ax, self.film)
        ax.set(xlim=(0, self.film.box[0]), aspect="equal", xlabel="x")
        for color, label in zip(COLORS, LABELS):
            ax.plot([], [], "o", color=color, label=label)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)

    def _draw_profile(self, ax, values, label, color):
        # A slab without particles has a density of 0 and no composition.
        ax.stairs(values, self.profile.edges, orientation="horizontal", color=color, baseline=None)
        ax.set(xlabel=label)

    def _note_bulk(self, ax):
        if self.region is None:
            ax.set_title("without bulk region", fontsize="medium")
            return
        middle = (self.region.y_low + self.region.y_high) / 2
        ax.text(0.05, middle, "bulk", transform=ax.get_yaxis_transform(), va="center")
