"""Particles as discs of their true diameters."""

from itertools import product

import numpy as np

from glassclf.configurations import Configuration, is_rectangular, wrap
from glassclf.simulation.potentials import get_potential

POTENTIAL = "kob-andersen-2d-film"
# Of types 0 and 1, and of the substrate.
COLORS = np.array(["#9ecae1", "#08519c", "#969696"])


def diameters_of(types):
    """Diameters of the particles of the two-dimensional Kob-Andersen mixture.

    Parameters
    ----------
    types : ndarray of int of shape (n_particles,)
        0 and 1, and 2 for the substrate of a film. Others are taken for 0.

    Returns
    -------
    diameters : ndarray of shape (n_particles,)
        sigma_aa of each, in units of sigma_AA.
    """
    known = np.diag(get_potential(POTENTIAL).sigma)
    return known[np.where(types < len(known), types, 0)]


def check_drawable(configuration):
    """Refuse what cannot be drawn as discs.

    Parameters
    ----------
    configuration : Configuration

    Raises
    ------
    TypeError
        If it is a set, or something else.
    ValueError
        If it is not of two dimensions.
    """
    if not isinstance(configuration, Configuration):
        raise TypeError(
            f"one Configuration is drawn, got {type(configuration).__name__}: take one out of a "
            "set, as_configurations(X)[0]"
        )
    if configuration.n_dims != 2:
        raise ValueError(
            f"only two dimensions are drawn, the configuration has {configuration.n_dims}: draw a "
            "slice of it, or write it for another program"
        )


def check_values(name, values, n, unit):
    """Make an array of numbers, one for each thing that is drawn.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    values : array-like
    n : int
        How many there must be.
    unit : str
        What each belongs to, such as "particle".

    Returns
    -------
    values : masked array of float of shape (n,)
        Masked where they are not finite: these are drawn in grey.

    Raises
    ------
    ValueError
        If there are more or fewer, or none is finite.
    """
    values = np.ma.masked_invalid(np.asarray(values, dtype=float))
    if values.shape != (n,):
        raise ValueError(
            f"{name} must have one number for each of the {n} {unit}s, got shape {values.shape}"
        )
    if values.mask.all():
        raise ValueError(f"{name} holds no finite number")
    return values


def draw_discs(ax, configuration, diameters=None, **style):
    """Draw particles; those that stick out over a periodic border are drawn beyond it as well.

    Parameters
    ----------
    ax : matplotlib Axes
        Its limits and aspect are left as they are.
    configuration : Configuration
        In a rectangular box, of two dimensions.
    diameters : ndarray of shape (n_particles,), default=None
        None: those of the Kob-Andersen mixture.
    **style : dict
        For matplotlib's ``EllipseCollection``; an array of length n_particles has a value for each
        particle. Without ``facecolors`` and ``array`` the colours are those of the types.

    Returns
    -------
    discs : matplotlib EllipseCollection
    """
    from matplotlib.collections import EllipseCollection

    if diameters is None:
        diameters = diameters_of(configuration.types)
    if not {"facecolors", "array"} & style.keys():
        style["facecolors"] = COLORS[np.minimum(configuration.types, len(COLORS) - 1)]
    positions, rows = _with_images(configuration, diameters)
    n = configuration.n_particles
    style = {
        name: value[rows] if isinstance(value, np.ndarray) and len(value) == n else value
        for name, value in style.items()
    }
    discs = EllipseCollection(
        widths=diameters[rows],
        heights=diameters[rows],
        angles=0,
        units="xy",
        offsets=positions,
        offset_transform=ax.transData,
        **{"edgecolors": "white", "linewidths": 0.3, **style},
    )
    ax.add_collection(discs)
    return discs


def _with_images(configuration, diameters):
    """Positions within the box, and of what sticks out beyond a border its image there."""
    cell, periodic, box = configuration.cell, configuration.periodic, np.diag(configuration.cell)
    if not is_rectangular(cell):
        raise ValueError(f"only rectangular boxes are drawn, got lattice vectors {cell.tolist()}")
    inside = wrap(configuration.positions, cell, periodic)
    radii = diameters[:, None] / 2
    positions, rows = [], []
    for shift in product(*((0, 1, -1) if repeats else (0,) for repeats in periodic)):
        images = inside + np.array(shift) * box
        seen = ((images > -radii) & (images < box + radii) | ~periodic).all(axis=1)
        positions.append(images[seen])
        rows.append(np.flatnonzero(seen))
    return np.concatenate(positions), np.concatenate(rows)
