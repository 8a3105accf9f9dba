"""How stable films are: the energy of their bulk against the temperature of the substrate."""

import numpy as np

from glassclf.configurations import as_configurations
from glassclf.plotting.axes import take_axes
from glassclf.thermodynamics import bulk_energies, energies_at_equal_composition

MATERIAL_COLORS = {"vapor-deposited": "#d55e00", "liquid-cooled": "#0072b2"}
NEEDED = ("material", "substrate_temperature", "state")
# Of the film itself, at zero pressure.
GLASS_TRANSITION = 0.21
# Between the two materials, along the axis of temperature.
SHIFT = 0.0012


class StabilityDisplay:
    """Inherent energy of the bulk of films against the temperature of their substrate.

    Parameters
    ----------
    substrate_temperature : ndarray of shape (n,)
        Of each film.
    material : ndarray of str of shape (n,)
        "vapor-deposited" or "liquid-cooled".
    raw : ndarray of shape (n,)
        Bulk energy of each film.
    energy : ndarray of shape (n,)
        The same at equal composition.
    slope, slope_error : float
        Energy per unit of composition, by which they differ.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import StabilityDisplay
    >>> from glassclf.testing import toy_films
    >>> display = StabilityDisplay.from_films(toy_films(4))
    >>> display.energy.shape
    (8,)
    """

    def __init__(self, substrate_temperature, material, raw, energy, slope, slope_error):
        self.substrate_temperature, self.material = substrate_temperature, material
        self.raw, self.energy = raw, energy
        self.slope, self.slope_error = slope, slope_error

    @classmethod
    def from_films(cls, films, *, margin=None, slope=None, ax=None):
        """Compute the bulk energies of inherent films, and draw them.

        Parameters
        ----------
        films : Configurations
            In the format of :func:`~glassclf.thermodynamics.film_profile`, with "material",
            "substrate_temperature" and "state" in ``info``; those of the state "inherent" are used.
        margin : float, default=None
            As in :func:`~glassclf.thermodynamics.bulk_region`.
        slope : float, default=None
            Energy per unit of composition. None: fitted to the films of one material and
            temperature, which must be several then.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : StabilityDisplay

        Raises
        ------
        ValueError
            If ``info`` lacks something, no film is inherent, or a film has no bulk.
        """
        films = as_configurations(films)
        lacking = [name for name in NEEDED if name not in films.info]
        if lacking:
            raise ValueError(f"films.info must have {list(NEEDED)}, it lacks {lacking}")
        films = films[films.info["state"] == "inherent"]
        if not len(films):
            raise ValueError("none of the films is in the state 'inherent'")
        bulk = bulk_energies(films, margin=margin)
        material, temperature = films.info["material"], films.info["substrate_temperature"]
        kinds = [f"{name} {value:.4f}" for name, value in zip(material, temperature)]
        equal = energies_at_equal_composition(
            bulk.energy, bulk.composition, kinds=kinds, slope=slope
        )
        display = cls(
            temperature, material, equal.raw, equal.energy, equal.slope, equal.slope_error
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw each film, and mean and standard error of those of one temperature.

        The error comes from the spread of films of one material and temperature, taken as the same
        for all: so there is one for a single film, too.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : StabilityDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing the stability of films", (6.0, 4.2))
        present = [name for name in MATERIAL_COLORS if name in self.material]
        for shift, name in zip((-SHIFT, SHIFT), present):
            of_material = self.material == name
            x = self.substrate_temperature[of_material] + shift
            color = MATERIAL_COLORS[name]
            raw = ax.plot(x, self.raw[of_material], "o", color=color, markerfacecolor="none")
            raw[0].set(alpha=0.35, markersize=5)
            ax.plot(x, self.energy[of_material], ".", color=color, alpha=0.6)
            self._draw_means(ax, of_material, shift, color, name)
        ax.plot([], [], "o", color="0.5", markerfacecolor="none", label="one film, as it is")
        ax.plot([], [], ".", color="0.5", label="one film, at equal composition")
        ax.axvline(GLASS_TRANSITION, color="0.6", linewidth=0.8, linestyle="--")
        ax.text(
            GLASS_TRANSITION,
            0.99,
            " $T_g$ of the film",
            transform=ax.get_xaxis_transform(),
            va="top",
            color="0.4",
        )
        ax.set(xlabel="substrate temperature", ylabel="inherent energy of the bulk, per particle")
        ax.legend(frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_means(self, ax, of_material, shift, color, name):
        temperatures = np.unique(self.substrate_temperature[of_material])
        groups = [
            self.energy[of_material & (self.substrate_temperature == value)]
            for value in temperatures
        ]
        ax.errorbar(
            temperatures + shift,
            [group.mean() for group in groups],
            yerr=[self._spread() / np.sqrt(len(group)) for group in groups],
            fmt="s",
            capsize=3,
            color=color,
            label=f"{name}, mean",
        )

    def _spread(self):
        """Standard deviation of films of one kind, NaN where every film is of its own kind."""
        kinds = np.char.add(self.material, self.substrate_temperature.astype(str))
        present, kind = np.unique(kinds, return_inverse=True)
        means = np.bincount(kind, self.energy) / np.bincount(kind)
        n_free = len(kind) - len(present)
        return np.sqrt(((self.energy - means[kind]) ** 2).sum() / n_free) if n_free else np.nan
