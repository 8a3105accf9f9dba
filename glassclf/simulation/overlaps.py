"""Pushing overlapping particles apart, in numpy; some may be held where they are."""

import numpy as np
from scipy.optimize import minimize
from scipy.spatial import cKDTree

# The repulsive part of a Lennard-Jones pair ends at its minimum, in units of sigma.
RANGE = 2 ** (1 / 6)
# Pairs are searched again when a particle has moved by half of this.
SKIN = 0.4
# From random points first with bounded forces: only so many steps, as the next stage is the exact.
SOFT_STEPS, SOFT_STIFFNESS = 60, 50.0
MAX_STEPS = 3000
# Largest component of a force that may remain, eps / sigma.
FORCE_TOLERANCE = 0.1
# Relative change of the energy in one step, below which no more steps are made.
ENERGY_TOLERANCE = 1e-6


def push_apart(positions, types, length, sigma, epsilon, *, n_fixed=0, n_obstacles=0):
    """Move points close to a minimum of the repulsive part of their Lennard-Jones energies.

    Particles of types a and b at distance r < 2^(1/6) sigma_ab have the energy
    4 eps_ab [(sigma_ab / r)^12 - (sigma_ab / r)^6] + eps_ab [1]_. The points may begin anywhere: a
    harmonic repulsion of the same range comes first.

    Parameters
    ----------
    positions : ndarray of shape (n_points, 2)
        In a periodic square box.
    types : ndarray of int of shape (n_points,)
        Rows of ``sigma``.
    length : float
        Edge of the box, more than twice the longest range plus ``SKIN``.
    sigma, epsilon : ndarray of shape (n_types, n_types)
        As in ``PairPotential``.
    n_fixed : int, default=0
        The first points, which do not move.
    n_obstacles : int, default=0
        The first of the fixed points, whose sigma may be larger than those of all others: they are
        searched on their own, so that a few large ones do not slow the search.

    Returns
    -------
    positions : ndarray of shape (n_points, 2)
        Not wrapped.
    closest : ndarray of shape (n_points,)
        Smallest distance of each point to another, in units of their sigma; infinite where none is
        in range. Pairs of fixed points do not count. Where there is no room for all, some stay
        well below 1.

    References
    ----------
    .. [1] J. D. Weeks, D. Chandler and H. C. Andersen, J. Chem. Phys. 54, 5237 (1971), eq. 4.
    """
    pairs = _PairList(types, length, sigma, epsilon, n_fixed, n_obstacles)
    moved = positions.copy()
    for law, options in (
        (_harmonic, {"maxiter": SOFT_STEPS, "gtol": FORCE_TOLERANCE}),
        (_lennard_jones, {"maxiter": MAX_STEPS, "maxfun": 2 * MAX_STEPS, "gtol": FORCE_TOLERANCE}),
    ):

        def energy_and_gradient(free, law=law):
            moved[n_fixed:] = free.reshape(-1, 2)
            return pairs.energy_and_gradient(moved, law)

        result = minimize(
            energy_and_gradient,
            moved[n_fixed:].ravel(),
            jac=True,
            method="L-BFGS-B",
            options={**options, "ftol": ENERGY_TOLERANCE},
        )
        moved[n_fixed:] = result.x.reshape(-1, 2)
    return moved, pairs.closest(moved)


class _PairList:
    """Pairs that may come into range, kept until a particle has moved by half of the skin."""

    def __init__(self, types, length, sigma, epsilon, n_fixed, n_obstacles):
        self.types, self.length = types, length
        self.sigma, self.epsilon = sigma, epsilon
        self.n_fixed, self.n_obstacles = n_fixed, n_obstacles
        self._searched_at = None

    def energy_and_gradient(self, positions, law):
        self._search_if_needed(positions)
        vectors = positions[self._a] - positions[self._b] - self._images
        distances = np.sqrt(np.einsum("pi,pi->p", vectors, vectors)) + 1e-12
        energies, slopes = law(distances, self._sigma, self._epsilon)
        along = (slopes / distances)[:, None] * vectors
        n = len(positions)
        gradient = np.stack(
            [
                np.bincount(self._a, along[:, axis], n) - np.bincount(self._b, along[:, axis], n)
                for axis in (0, 1)
            ],
            axis=1,
        )
        return energies.sum(), gradient[self.n_fixed :].ravel()

    def closest(self, positions):
        """Return the smallest distance of each point, in units of sigma."""
        self._search_if_needed(positions)
        distances = np.linalg.norm(positions[self._a] - positions[self._b] - self._images, axis=1)
        closest = np.full(len(positions), np.inf)
        for points in (self._a, self._b):
            np.minimum.at(closest, points, distances / self._sigma)
        return closest

    def _search_if_needed(self, positions):
        if self._searched_at is not None:
            moved = positions - self._searched_at
            if np.einsum("pi,pi->p", moved, moved).max() < (SKIN / 2) ** 2:
                return
        self._searched_at = positions.copy()
        a, b = self._candidates(positions)
        vectors = positions[a] - positions[b]
        images = self.length * np.round(vectors / self.length)
        sigma = self.sigma[self.types[a], self.types[b]]
        # Of two fixed points the energy does not change.
        near = ((vectors - images) ** 2).sum(axis=1) < (RANGE * sigma + SKIN) ** 2
        near &= np.maximum(a, b) >= self.n_fixed
        self._a, self._b, self._images, self._sigma = a[near], b[near], images[near], sigma[near]
        self._epsilon = self.epsilon[self.types[self._a], self.types[self._b]]

    def _candidates(self, positions):
        n = self.n_obstacles
        # The remainder of a tiny negative number is the length itself.
        inside = np.mod(positions, self.length) % self.length
        particles = cKDTree(inside[n:], boxsize=self.length)
        of_particles, of_obstacles = np.unique(self.types[n:]), np.unique(self.types[:n])
        reach = self._reach(of_particles, of_particles)
        found = n + particles.query_pairs(reach, output_type="ndarray")
        if n:
            obstacles = cKDTree(inside[:n], boxsize=self.length)
            hits = obstacles.sparse_distance_matrix(
                particles, self._reach(of_obstacles, of_particles), output_type="ndarray"
            )
            found = np.concatenate([found, np.stack([hits["i"], n + hits["j"]], axis=1)])
        return found[:, 0], found[:, 1]

    def _reach(self, some, others):
        return RANGE * self.sigma[np.ix_(some, others)].max() + SKIN


def _harmonic(distances, sigma, epsilon):
    overlap = np.maximum(RANGE * sigma - distances, 0.0)
    return 0.5 * SOFT_STIFFNESS * overlap**2, -SOFT_STIFFNESS * overlap


def _lennard_jones(distances, sigma, epsilon):
    within = distances < RANGE * sigma
    power = (sigma / distances) ** 6
    energies = np.where(within, epsilon * (4 * power * (power - 1) + 1), 0.0)
    return energies, np.where(within, -24 * epsilon * power * (2 * power - 1) / distances, 0.0)
