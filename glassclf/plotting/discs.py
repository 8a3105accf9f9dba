"""Particles as discs of their true diameters."""

import numpy as np

from glassclf.simulation.potentials import get_potential

POTENTIAL = "kob-andersen-2d-film"
# Of types 0 and 1, and of the substrate.
COLORS = np.array(["#9ecae1", "#08519c", "#969696"])


def draw_discs(ax, film):
    """Draw the particles of a film; those that stick out at the sides are drawn there as well.

    Parameters
    ----------
    ax : matplotlib Axes
        Its limits and aspect are left as they are.
    film : Configuration
        With types 0 to 2, periodic along x.

    Returns
    -------
    discs : matplotlib EllipseCollection
    """
    from matplotlib.collections import EllipseCollection

    width = film.box[0]
    x, y = film.positions[:, 0] % width, film.positions[:, 1]
    diameters = np.diag(get_potential(POTENTIAL).sigma)[film.types]
    left, right = np.flatnonzero(x < diameters / 2), np.flatnonzero(x > width - diameters / 2)
    rows = np.concatenate([np.arange(len(x)), left, right])
    shifts = np.repeat([0.0, width, -width], [len(x), len(left), len(right)])
    discs = EllipseCollection(
        widths=diameters[rows],
        heights=diameters[rows],
        angles=0,
        units="xy",
        offsets=np.column_stack([x[rows] + shifts, y[rows]]),
        offset_transform=ax.transData,
        facecolors=COLORS[film.types[rows]],
        edgecolors="white",
        linewidths=0.3,
    )
    ax.add_collection(discs)
    return discs
