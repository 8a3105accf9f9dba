"""Voronoi cells of the particles: who shares a face with whom, and how large a cell is."""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.spatial import QhullError, Voronoi

from glassclf.configurations.box import fractional, plane_distances, volume, wrap
from glassclf.configurations.configuration import Configuration

# Faces smaller than this, in units of a mean distance (squared in 3D), are there by rounding, as
# where four cells of a square lattice meet.
SMALLEST_FACE = 1e-6


class VoronoiCells(NamedTuple):
    """Faces of the closed cells of a configuration, sorted by source and target.

    A face between two closed cells is there twice, once from each side.

    Attributes
    ----------
    sources, targets : ndarray of int of shape (n_faces,)
        Particles on the two sides of each face.
    vectors : ndarray of shape (n_faces, n_dims)
        From the source to the image of the target that the face is shared with.
    sizes : ndarray of shape (n_faces,)
        Length of each face, in 3D its area.
    volumes : ndarray of shape (n_particles,)
        Area of each cell, in 3D its volume; NaN for one that is not closed.
    closed : ndarray of bool of shape (n_particles,)
        Whether a cell lies within the box. Those at the end of an open direction do not.

    Examples
    --------
    >>> from glassclf.configurations import voronoi_cells
    >>> from glassclf.testing import noisy_lattice
    >>> cells = voronoi_cells(noisy_lattice(0.1))
    >>> round(float(cells.volumes.sum()), 6), len(cells.sources) / 42
    (42.0, 6.0)
    """

    sources: np.ndarray
    targets: np.ndarray
    vectors: np.ndarray
    sizes: np.ndarray
    volumes: np.ndarray
    closed: np.ndarray


def voronoi_cells(configuration):
    """Divide the box into the regions that are nearest to each particle.

    Parameters
    ----------
    configuration : Configuration
        In any box, periodic or not.

    Returns
    -------
    cells : VoronoiCells

    Raises
    ------
    TypeError
        If ``configuration`` is a set, or something else.
    ValueError
        If there are too few particles, or all on one line, for any cell to be closed; or if two
        are at one place.

    Notes
    -----
    By Qhull, on the particles with as many of their periodic images as matter. In two dimensions
    the mean number of faces of a periodic configuration is 6, by Euler's formula.

    Examples
    --------
    >>> from glassclf.configurations import voronoi_cells
    >>> from glassclf.testing import noisy_lattice
    >>> cells = voronoi_cells(noisy_lattice(0.0, periodic=False))
    >>> int(cells.closed.sum())
    20
    """
    if not isinstance(configuration, Configuration):
        raise TypeError(
            f"cells are those of one Configuration, got {type(configuration).__name__}: take one "
            "out of a set, as_configurations(X)[0]"
        )
    cell, periodic = configuration.cell, configuration.periodic
    positions = wrap(configuration.positions, cell, periodic)
    spacing = (volume(cell) / len(positions)) ** (1 / configuration.n_dims)
    period = max(plane_distances(cell)[periodic], default=0.0)
    # No place is farther from every image of a particle than half the period (or the box, along an
    # open direction): from twice that on, nothing is missing.
    lengths = np.linalg.norm(cell, axis=1)
    enough = max(period, (np.where(periodic, 1.0, 2.0) * lengths).sum())
    margin = min(4 * spacing, enough)
    while True:
        points, owners = _with_images(positions, cell, periodic, margin)
        try:
            diagram = Voronoi(points)
        except (QhullError, ValueError) as error:
            raise ValueError(
                f"{len(positions)} particles have no Voronoi cells: too few, or all on one line"
            ) from error
        radius, closed = _reach(diagram, len(positions), cell, periodic)
        # A vertex is right if no image can lie within the circle of its particles. With a period of
        # images around it a cell is closed, unless it is open for good.
        needed = 2 * radius if closed.all() else max(2 * radius, period)
        if min(needed, enough) <= margin:
            break
        # In steps: beside a vacuum that is not yet surrounded by images, cells reach far out.
        margin = min(needed, 2 * margin, enough)
    return _cells(diagram, owners, closed, spacing)


def _with_images(positions, cell, periodic, margin):
    """Particles, and after them their images within a margin of the box."""
    widths = np.where(periodic, margin / plane_distances(cell), 0.0)
    reach = np.ceil(widths).astype(int)
    points, owners = [positions], [np.arange(len(positions))]
    for shift in product(*(range(-n, n + 1) for n in reach)):
        if any(shift):
            images = positions + np.array(shift) @ cell
            inside = np.abs(fractional(images, cell) - 0.5) <= 0.5 + widths
            near = (inside | ~periodic).all(axis=1)
            points.append(images[near])
            owners.append(owners[0][near])
    return np.concatenate(points), np.concatenate(owners)


def _reach(diagram, n, cell, periodic):
    """Distance of the farthest vertex of a closed cell from its particle; which ones are closed."""
    regions = diagram.point_region[:n]
    _, first = np.unique(regions, return_index=True)
    if len(first) < n:
        particle = np.setdiff1d(np.arange(n), first)[0]
        raise ValueError(f"particle {particle} stands at the place of another one")
    corners = [diagram.regions[region] for region in regions]
    particles = np.repeat(np.arange(n), [len(each) for each in corners])
    corners = np.concatenate(corners)
    fractions = fractional(diagram.vertices, cell)
    outside = ((np.abs(fractions - 0.5) > 0.5) & ~periodic).any(axis=1)
    # A corner at infinity has the number -1.
    open_there = (corners < 0) | outside[corners]
    closed = np.bincount(particles, open_there, minlength=n) == 0
    inner = closed[particles]
    vectors = diagram.vertices[corners[inner]] - diagram.points[particles[inner]]
    return np.sqrt(np.max((vectors**2).sum(axis=1), initial=0.0)), closed


def _cells(diagram, owners, closed, spacing):
    n, n_dims = len(closed), diagram.points.shape[1]
    pairs = diagram.ridge_points
    mine = (pairs < n).any(axis=1)
    corners = [diagram.ridge_vertices[row] for row in np.flatnonzero(mine)]
    bounded = np.array([-1 not in each for each in corners])
    pairs = pairs[mine][bounded]
    corners = [each for each, wanted in zip(corners, bounded) if wanted]
    sizes = (_lengths if n_dims == 2 else _areas)(diagram.vertices, corners)
    # Each face once from either side, but only from a particle, not from an image of one.
    both = np.concatenate([pairs, pairs[:, ::-1]])
    sizes = np.concatenate([sizes, sizes])
    rows = both[:, 0] < n
    both, sizes = both[rows], sizes[rows]
    vectors = diagram.points[both[:, 1]] - diagram.points[both[:, 0]]
    heights = 0.5 * np.linalg.norm(vectors, axis=1)
    volumes = np.bincount(both[:, 0], sizes * heights / n_dims, minlength=n)
    real = (sizes > SMALLEST_FACE * spacing ** (n_dims - 1)) & closed[both[:, 0]]
    sources, targets = both[real, 0], owners[both[real, 1]]
    order = np.lexsort((targets, sources))
    return VoronoiCells(
        sources[order],
        targets[order],
        vectors[real][order],
        sizes[real][order],
        np.where(closed, volumes, np.nan),
        closed,
    )


def _lengths(vertices, corners):
    ends = vertices[np.array(corners, dtype=int).reshape(-1, 2)]
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)


def _areas(vertices, corners):
    """Area of flat polygons, whose corners Qhull gives in order."""
    areas = np.empty(len(corners))
    for number, polygon in enumerate(corners):
        edges = vertices[polygon[1:]] - vertices[polygon[0]]
        areas[number] = 0.5 * np.linalg.norm(np.cross(edges[:-1], edges[1:]).sum(axis=0))
    return areas
