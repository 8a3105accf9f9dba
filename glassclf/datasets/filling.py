"""Filling a box around fixed clusters: at random, without overlaps, mixed or clumped."""

import numpy as np
from scipy.spatial import cKDTree

from glassclf.simulation.overlaps import push_apart

# No pair stands closer, in units of sigma; those of inherent structures stand at 0.99 or more.
CLOSEST = 0.9
# Distance over which regions of one type change to the other in a fully clumped filling.
CLUMP_WAVELENGTH = 6.0
# How often particles that stay too close to others are moved elsewhere, each to the best of so many
# places.
N_ROUNDS, N_TRIED = 10, 300
# Where more than this share stays too close, the density is too high everywhere.
HOPELESS = 0.3
MAX_DRAWS = 200


class NoRoomError(Exception):
    """Raised where particles cannot be placed without overlaps; the caller knows why."""


def fill_box(clusters, n_filling, length, potential, *, keep_out, clumping, random):
    """Place particles around clusters that stay where they are.

    Random points are pushed apart, close to a minimum of the repulsive part of the potential.

    Parameters
    ----------
    clusters : ndarray of shape (n_clusters, 1 + symmetry, 2)
        Centres, of type 1, with their rings, of type 0.
    n_filling : tuple of int
        Particles of type 0 and of type 1 to be placed.
    length : float
        Edge of the periodic square box.
    potential : PairPotential
        Of two types.
    keep_out : float or None
        Distance to the centres of clusters that no filling particle comes below. None: that of any
        other pair.
    clumping : float
        From 0 (mixed) to 1, see :func:`choose_clumped`.
    random : numpy.random.Generator

    Returns
    -------
    filling : ndarray of shape (sum(n_filling), 2)
        Those of type 0 first, not wrapped.

    Raises
    ------
    NoRoomError
        If a pair stays closer than ``CLOSEST`` sigma.
    """
    types_of_cluster = np.ones(clusters.shape[1], dtype=int)
    types_of_cluster[1:] = 0
    fixed, fixed_types = clusters.reshape(-1, 2), np.tile(types_of_cluster, len(clusters))
    centers = clusters[:, 0]
    sigma, epsilon = _with_obstacles(potential, keep_out)
    if keep_out is not None:
        # An obstacle on each centre, of a third type, which only the filling feels.
        fixed = np.concatenate([centers, fixed])
        fixed_types = np.concatenate([np.full(len(centers), 2), fixed_types])
    n_obstacles = 0 if keep_out is None else len(centers)
    # Where the larger of the types fits.
    radii = CLOSEST * sigma[fixed_types, 0]
    points = _draw_outside(fixed, radii, sum(n_filling), length, random)
    clumped = choose_clumped(points, n_filling[1], length, clumping, random)
    points = np.concatenate([fixed, points[~clumped], points[clumped]])
    types = np.concatenate([fixed_types, np.repeat([0, 1], n_filling)])
    for _ in range(N_ROUNDS):
        points, closest = push_apart(
            points, types, length, sigma, epsilon, n_fixed=len(fixed), n_obstacles=n_obstacles
        )
        # Some are caught between clusters, or many stand where few fit.
        crowded = len(fixed) + np.flatnonzero(closest[len(fixed) :] < CLOSEST)
        if len(crowded) == 0:
            return points[len(fixed) :]
        if len(crowded) > HOPELESS * sum(n_filling):
            break
        moved = crowded[random.random(len(crowded)) < 0.5] if len(crowded) > 1 else crowded
        for index in moved:
            tried = _draw_outside(fixed, radii, N_TRIED, length, random)
            points[index] = _roomiest(tried, points, types, index, length, sigma)
    raise NoRoomError(f"the closest pair stays at {closest[len(fixed) :].min():.2f} sigma")


def _roomiest(places, points, types, index, length, sigma):
    """Return the place where one of the points is farthest from the others, in units of sigma."""
    others = np.arange(len(points)) != index
    room = np.full(len(places), np.inf)
    for kind in np.unique(types):
        inside = points[others & (types == kind)] % length % length
        distances, _ = cKDTree(inside, boxsize=length).query(places)
        room = np.minimum(room, distances / sigma[types[index], kind])
    return places[room.argmax()]


def choose_clumped(points, n_chosen, length, clumping, random):
    """Choose points at random, or where a smooth random field is high.

    The chosen points have the highest values of ``clumping * field + (1 - clumping) * noise``, both
    of unit variance.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
    n_chosen : int
    length : float
        Period of the field.
    clumping : float
        From 0 to 1.
    random : numpy.random.Generator
        For equal states larger values of ``clumping`` move the same points together.

    Returns
    -------
    chosen : ndarray of bool of shape (n_points,)
    """
    field = _smooth_field(points, length, random)
    noise = random.standard_normal(len(points))
    order = np.argsort(clumping * field + (1 - clumping) * noise, kind="stable")
    chosen = np.zeros(len(points), dtype=bool)
    chosen[order[len(points) - n_chosen :]] = True
    return chosen


def _smooth_field(points, length, random):
    """Add plane waves that fit into the box, of nearly one wavelength and random phases."""
    n_waves = max(length / CLUMP_WAVELENGTH, 1.0)
    numbers = np.arange(-int(n_waves) - 1, int(n_waves) + 2)
    numbers = np.stack(np.meshgrid(numbers, numbers), axis=-1).reshape(-1, 2)
    numbers = numbers[np.abs(np.hypot(*numbers.T) - n_waves) <= 0.5]
    phases = random.random(len(numbers))
    amplitudes = random.standard_normal(len(numbers))
    waves = np.cos(2 * np.pi * (points @ numbers.T / length + phases))
    return waves @ amplitudes / np.sqrt(0.5 * (amplitudes**2).sum())


def _with_obstacles(potential, keep_out):
    """Extend the tables of a potential by obstacles, which no particle comes close to."""
    if keep_out is None:
        return potential.sigma, potential.epsilon
    sigma, epsilon = np.full((3, 3), keep_out / CLOSEST), np.ones((3, 3))
    sigma[:2, :2], epsilon[:2, :2] = potential.sigma, potential.epsilon
    return sigma, epsilon


def _draw_outside(fixed, radii, n_points, length, random):
    """Draw points in a periodic box that no disc around a fixed point covers."""
    if len(fixed) == 0:
        return random.random((n_points, 2)) * length
    trees = [
        (radius, cKDTree(fixed[radii == radius] % length % length, boxsize=length))
        for radius in np.unique(radii)
    ]
    kept, n_kept = [], 0
    for _ in range(MAX_DRAWS):
        points = random.random((n_points, 2)) * length
        for radius, tree in trees:
            points = points[tree.query(points, distance_upper_bound=radius)[0] >= radius]
        kept.append(points)
        n_kept += len(points)
        if n_kept >= n_points:
            return np.concatenate(kept)[:n_points]
    raise NoRoomError("the clusters leave no room")
