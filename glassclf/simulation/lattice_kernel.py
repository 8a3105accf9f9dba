"""The compiled loop of the persistent exclusion process."""

import numpy as np

# Bits of a random number: one draw chooses the particle (32), tumbling (30) and the turn (2).
TUMBLE_BITS = 30
_LOW = np.uint64(2**TUMBLE_BITS - 1)
_THREE = np.uint64(3)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def sweep(sites, neighbors, particles, state, threshold, n_sweeps):
    """Move all particles, in a new random order in each sweep.

    Parameters
    ----------
    sites : ndarray of uint8 of shape (n_sites,)
        0 or orientation + 1; changed in place.
    neighbors : ndarray of int of shape (4 * n_sites,)
        Site that ``4 * site + orientation`` looks at.
    particles : ndarray of int of shape (n_particles,)
        ``4 * site + orientation`` of each; changed in place, order and all.
    state : uint64
        Of the random numbers.
    threshold : uint64
        ``tumbling_rate * 2**30``.
    n_sweeps : int

    Returns
    -------
    state : uint64

    Notes
    -----
    Nothing branches on random numbers, which a processor could not foresee: sites are chosen by
    arithmetic. The order is a shuffle (Fisher and Yates) that is used while it is made. Random
    numbers are those of G. L. Steele, D. Lea and C. H. Flood, Proc. OOPSLA, 453 (2014), figure 15
    (splitmix64).
    """
    n = particles.size
    for _ in range(n_sweeps):
        for place in range(n):
            state += _STEP
            bits = (state ^ (state >> np.uint64(30))) * _FIRST
            bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
            bits ^= bits >> np.uint64(31)
            left = np.uint64(n - place)
            other = place + np.int64(((bits >> np.uint64(32)) * left) >> np.uint64(32))
            particle = np.int64(particles[other])
            particles[other] = particles[place]
            site = particle >> 2
            ahead = np.int64(neighbors[particle])
            new = site + (ahead - site) * np.int64(sites[ahead] == 0)
            turn = np.int64((bits >> np.uint64(TUMBLE_BITS)) & _THREE)
            orientation = (particle + turn * np.int64((bits & _LOW) < threshold)) & 3
            sites[site] = 0
            sites[new] = orientation + 1
            particles[place] = (new << 2) | orientation
    return state
