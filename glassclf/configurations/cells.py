"""Particles and their images, sorted into the cells of a square grid."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from glassclf._compilation import compiled
from glassclf.configurations import neighbor_kernels as kernels
from glassclf.configurations.allocation import keep_freed_memory
from glassclf.configurations.box import fractional, plane_distances, volume

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
        cell, inverse, periodic, between = _in_three_dimensions(configuration)
        reach = r_max / between * (1 + 1e-9) + 1e-12
        n_images = count_images(configuration, r_max)
        n_points = n_images * len(configuration.positions)
        if n_points > MAX_POINTS:
            raise ValueError(
                f"r_max={r_max:g} spans {n_images:.3g} images of the box, with {n_points:.3g} "
                "particles: are r_max and the positions in one unit?"
            )
        # A copy: for read-only arrays, such as maps of files, all would be compiled once more.
        coordinates = np.array(configuration.positions, order="C")
        filled = compiled(kernels.fill_cells)(coordinates, cell, inverse, periodic, reach, r_max)
        period = float(between[periodic].min(initial=np.inf)) * (1 - 1e-9)
        return cls(*filled, period)

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


def _in_three_dimensions(configuration):
    """Lattice vectors, their inverse, whether they repeat, and distances of planes.

    In two dimensions a first vector is added, along which nothing happens.
    """
    return _geometry(configuration.cell.tobytes(), configuration.periodic.tobytes())


# Most sets have one box.
@lru_cache(maxsize=16)
def _geometry(cell, periodic):
    periodic = np.frombuffer(periodic, dtype=bool)
    n_dims = len(periodic)
    whole, repeats = np.eye(3), np.zeros(3, dtype=bool)
    whole[-n_dims:, -n_dims:] = np.frombuffer(cell).reshape(n_dims, n_dims)
    repeats[-n_dims:] = periodic
    return whole, np.linalg.inv(whole), repeats, plane_distances(whole)


def count_images(configuration, r_max):
    """Volume of everything that is within a radius of the box, in units of the box.

    Parameters
    ----------
    configuration : Configuration
    r_max : float

    Returns
    -------
    n_images : float
        The box itself included. Along open directions there is nothing.
    """
    _, _, periodic, between = _in_three_dimensions(configuration)
    return float(np.prod(1 + 2 * r_max / between[periodic]))


def occupied_volume(configuration):
    """Volume of the part of the box where most particles are, at least a thin slice of it.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    volume : float
    """
    # Some particles tell where most of them are: all but a few percent at both ends.
    positions, cell = configuration.positions, configuration.cell
    fractions = fractional(positions[:: max(1, len(positions) // 200)], cell)
    fractions -= np.floor(fractions) * configuration.periodic
    fractions.sort(axis=0)
    n_out = len(fractions) // 40
    spans = (fractions[-1 - n_out] - fractions[n_out]) / (1 - 2 / 40)
    largest = np.where(configuration.periodic, 1.0, np.inf)
    return volume(cell) * float(np.prod(np.clip(spans, 1e-9, largest)))
