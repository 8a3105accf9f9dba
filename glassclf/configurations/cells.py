"""Particles and their images, sorted into the cells of a square grid."""

from typing import NamedTuple

import numpy as np

from glassclf._compilation import compiled
from glassclf.configurations import neighbor_kernels as kernels
from glassclf.configurations.allocation import keep_freed_memory
from glassclf.configurations.box import fractional, plane_distances, volume, wrap

# More cells than so many for each particle are a sign of particles far from all others.
MANY_CELLS = 8
# Particles and their images: of more the positions alone take 2.4 GB.
MAX_POINTS = 10**8


class Cells(NamedTuple):
    """Particles and their images in reach, sorted into square cells, as the kernels take them."""

    positions: np.ndarray
    points: np.ndarray
    owners: np.ndarray
    shifts: np.ndarray
    upper: np.ndarray
    starts: np.ndarray
    shape: np.ndarray
    bounds: np.ndarray
    # Two images of a particle may be in reach of a third one where the radius exceeds half of it.
    period: float

    @classmethod
    def within(cls, configuration, r_max):
        """Sort everything that is within ``r_max`` of the box.

        Parameters
        ----------
        configuration : Configuration
        r_max : float

        Returns
        -------
        cells : Cells

        Raises
        ------
        ValueError
            If ``r_max`` spans too many images of the box.
        """
        keep_freed_memory()
        cell, periodic = configuration.cell, configuration.periodic
        # In two dimensions a first one is added, in which nothing happens.
        n_particles, first = len(configuration.positions), 3 - len(cell)
        positions, whole, repeats = np.zeros((n_particles, 3)), np.eye(3), np.zeros(3, dtype=bool)
        positions[:, first:] = configuration.positions
        whole[first:, first:], repeats[first:] = cell, periodic
        between = plane_distances(whole)
        reach = r_max / between * (1 + 1e-9) + 1e-12
        _check_reach(r_max, reach[repeats], n_particles)
        fractions, *region = compiled(kernels.fold)(positions, whole, np.linalg.inv(whole), repeats)
        low, high = _region(positions, *region, r_max)
        filled = compiled(kernels.fill_cells)(
            positions, fractions, whole, repeats, reach, r_max, low, high
        )
        period = float(between[repeats].min(initial=np.inf)) * (1 - 1e-9)
        return cls(positions, *filled, period)

    def find(self, chosen, r_max, found, both=True, n_most=0):
        """Write pairs of chosen particles into arrays.

        Parameters
        ----------
        chosen : ndarray of int of shape (n_chosen,)
        r_max : float
        found : tuple of ndarray
            Targets, vectors and distances, of any precision.
        both : bool, default=True
            Whether to find both directions of a pair.
        n_most : int, default=0
            Where positive, find so many nearest others of each particle, or fewer where there are
            fewer; every other particle counts once, at its nearest image.

        Returns
        -------
        degrees : ndarray of int of shape (n_found,)
            Pairs of each particle, up to the last for which there was room.
        """
        distinct = n_most > 0
        repeated = distinct and 2 * r_max > self.period
        how = both, n_most, distinct, repeated
        return compiled(kernels.find_near)(*self[:-1], chosen, r_max, *how, *found)


def _check_reach(r_max, reach, n_particles):
    """Refuse a radius that spans so many images that no memory holds them."""
    n_points = n_particles * np.prod(1 + 2 * reach)
    if n_points > MAX_POINTS:
        raise ValueError(
            f"r_max={r_max:g} spans {n_points / n_particles:.3g} images of the box, with "
            f"{n_points:.3g} particles: are r_max and the positions in one unit?"
        )


def _region(positions, low, high, r_max):
    """Two corners around the particles; around most of them where a few are far away.

    Else one that has left would make the cells of all others large.
    """
    n_cells = np.prod(1 + (high - low) / r_max)
    if n_cells > MANY_CELLS * len(positions):
        low, high = _middle(_some(positions))
    return low - r_max, high + r_max


def _some(points):
    """So many points as tell where most of them are."""
    return points[:: max(1, len(points) // 500)]


def _middle(points):
    """Where most of the points are along each axis: all but a few percent at both ends."""
    ordered = np.sort(points, axis=0)
    n_out = len(ordered) // 40
    return ordered[n_out], ordered[-1 - n_out]


def occupied_volume(configuration):
    """Volume of the part of the box where most particles are, at least a thin slice of it.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    volume : float
    """
    cell, periodic = configuration.cell, configuration.periodic
    fractions = fractional(wrap(_some(configuration.positions), cell, periodic), cell)
    low, high = _middle(fractions)
    spans = np.clip((high - low) / (1 - 2 / 40), 1e-9, np.where(periodic, 1.0, np.inf))
    return volume(cell) * np.prod(spans)
