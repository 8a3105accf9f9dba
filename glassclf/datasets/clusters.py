"""Clusters of five-fold or three-fold symmetry: their places, orientations and particles."""

import numpy as np

from glassclf.simulation.overlaps import RANGE, SKIN, push_apart

# Width of the rim around a ring that belongs to the area of its cluster: half of a particle of
# type 0, so that no ring reaches into the area of another cluster.
RIM = 0.5
# Centres come apart to a little more than they must, as a minimisation ends before the minimum.
MARGIN = 1.02
N_ATTEMPTS = 5


def place_clusters(n_clusters, symmetry, separation, length, random):
    """Place rings around centres, so that the areas of no two clusters overlap.

    Parameters
    ----------
    n_clusters : int
    symmetry : int
        Particles of a ring.
    separation : float
        Radius of a ring.
    length : float
        Edge of the periodic square box.
    random : numpy.random.Generator

    Returns
    -------
    positions : ndarray of shape (n_clusters, 1 + symmetry, 2)
        The centre of each cluster and its ring, not wrapped.

    Raises
    ------
    ValueError
        If so many clusters of this size do not fit into the box.
    """
    if n_clusters == 0:
        return np.empty((0, 1 + symmetry, 2))
    distance = 2 * (separation + RIM)
    for _ in range(N_ATTEMPTS):
        centers = _place_apart(n_clusters, distance, length, random)
        if centers is not None:
            break
    else:
        share = n_clusters * np.pi * (distance / 2) ** 2 / length**2
        raise ValueError(
            f"n_clusters={n_clusters} of separation={separation:g} do not fit: their areas, of "
            f"radius {distance / 2:.2f}, would cover {100 * share:.0f} % of the box, of length "
            f"{length:.2f}; ask for fewer or smaller clusters, or for more particles"
        )
    turns = random.random(n_clusters)[:, None] + np.arange(symmetry)
    angles = 2 * np.pi / symmetry * turns
    rings = separation * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.concatenate([centers[:, None], centers[:, None] + rings], axis=1)


def _place_apart(n_points, distance, length, random):
    """Draw points that are at least a distance apart, or None where they did not come apart."""
    points = random.random((n_points, 2)) * length
    target = MARGIN * distance
    if target + SKIN > length / 2:
        return None
    types, sigma, epsilon = (
        np.zeros(n_points, int),
        np.full((1, 1), target / RANGE),
        np.ones((1, 1)),
    )
    points, closest = push_apart(points, types, length, sigma, epsilon)
    return points if closest.min() * sigma[0, 0] >= distance else None
