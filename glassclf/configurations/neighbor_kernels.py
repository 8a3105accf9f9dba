"""Loops over the points in square cells around each particle, to be compiled.

Positions have three components, in two dimensions a zero before the others: the loops are then the
same, and have no inner one over the dimensions. Points are particles and their periodic
images, sorted by cell, of which the last axis runs fastest, so that cells of a row follow each
other in memory. ``bounds`` are the first and the last cell along each axis that a particle looks
into, shape (n_particles, 3, 2).

What decides whether a point is near is computed from two particles and the shift of the image, not
from the image's rounded position: the two directions of a pair then agree to the last bit.
"""

import math

import numpy as np

# So few are sorted by counting who is closer than each; more are sorted by D. L. Shell's method,
# Commun. ACM 2(7), 30 (1959).
FEW = 64
# Finer cells hold fewer points that are out of reach, coarser ones are fewer.
CELLS_IN_RADIUS = 2
# More cells of the width of the radius than so many for each particle are a sign of particles far
# from all others.
MANY_CELLS = 8


def fill_cells(coordinates, cell, inverse, periodic, reach, r_max):
    """Fold particles into the box, and sort them and their images into cells.

    Parameters
    ----------
    coordinates : ndarray of shape (n_particles, n_dims)
    cell, inverse : ndarray of shape (3, 3)
    periodic : ndarray of bool of shape (3,)
    reach : ndarray of shape (3,)
        ``r_max`` in units of the distance between the planes of the box.
    r_max : float
        How far around the box images are made.

    Returns
    -------
    positions, points, owners, shifts, upper, starts, shape, bounds : ndarray
        What the other kernels ask for; positions are folded.
    """
    n_particles, n_dims = coordinates.shape
    positions, fractions = np.zeros((n_particles, 3)), np.empty((n_particles, 3))
    low, high, turns = np.full(3, np.inf), np.full(3, -np.inf), np.zeros(3)
    for i in range(n_particles):
        for axis in range(n_dims):
            positions[i, 3 - n_dims + axis] = coordinates[i, axis]
        x, y, z = positions[i]
        for axis in range(3):
            if periodic[axis]:
                along = x * inverse[0, axis] + y * inverse[1, axis] + z * inverse[2, axis]
                turns[axis] = math.floor(along)
        x -= turns[0] * cell[0, 0] + turns[1] * cell[1, 0] + turns[2] * cell[2, 0]
        y -= turns[0] * cell[0, 1] + turns[1] * cell[1, 1] + turns[2] * cell[2, 1]
        z -= turns[0] * cell[0, 2] + turns[1] * cell[1, 2] + turns[2] * cell[2, 2]
        positions[i, 0], positions[i, 1], positions[i, 2] = x, y, z
        for axis in range(3):
            along = x * inverse[0, axis] + y * inverse[1, axis] + z * inverse[2, axis]
            fractions[i, axis] = along
            low[axis] = min(low[axis], positions[i, axis])
            high[axis] = max(high[axis], positions[i, axis])
    n_wide = 1.0
    for axis in range(3):
        n_wide *= 1 + (high[axis] - low[axis]) / r_max
    if n_wide > MANY_CELLS * n_particles:
        # A particle that has left would make the cells of all others large.
        step = max(1, n_particles // 500)
        for axis in range(3):
            ordered = np.sort(positions[::step, axis])
            n_out = len(ordered) // 40
            low[axis], high[axis] = ordered[n_out], ordered[len(ordered) - 1 - n_out]
    for axis in range(3):
        low[axis] -= r_max
        high[axis] += r_max
    steps = np.zeros((n_particles, 3, 2), np.int64)
    n_points = 0
    for i in range(n_particles):
        n_images = 1
        for axis in range(3):
            if periodic[axis]:
                steps[i, axis, 0] = math.ceil(-reach[axis] - fractions[i, axis])
                steps[i, axis, 1] = math.floor(1 + reach[axis] - fractions[i, axis])
            n_images *= steps[i, axis, 1] - steps[i, axis, 0] + 1
        n_points += n_images
    found, shifts_of = np.empty((n_points, 3)), np.empty((n_points, 3))
    owners_of, upper_of = np.empty(n_points, np.int64), np.empty(n_points, np.bool_)
    n = 0
    for i in range(n_particles):
        for a in range(steps[i, 0, 0], steps[i, 0, 1] + 1):
            for b in range(steps[i, 1, 0], steps[i, 1, 1] + 1):
                for c in range(steps[i, 2, 0], steps[i, 2, 1] + 1):
                    for axis in range(3):
                        shift = a * cell[0, axis] + b * cell[1, axis] + c * cell[2, axis]
                        shifts_of[n, axis] = shift
                        found[n, axis] = positions[i, axis] + shift
                    owners_of[n] = i
                    upper_of[n] = a > 0 or (a == 0 and (b > 0 or (b == 0 and c > 0)))
                    n += 1
    # Wider where there would be far more cells than points.
    width, n_cells = r_max / CELLS_IN_RADIUS, np.inf
    while n_cells > 100 + 2 * n_points:
        n_cells = 1.0
        for axis in range(3):
            n_cells *= 1 + (high[axis] - low[axis]) / width
        width *= 1.2
    width /= 1.2
    shape = np.empty(3, np.int64)
    for axis in range(3):
        shape[axis] = int((high[axis] - low[axis]) / width) + 1
    cells = np.empty(n_points, np.int64)
    starts = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    for p in range(n_points):
        place = 0
        for axis in range(3):
            # Beyond the region points belong to the cells at its border.
            along = min(max((found[p, axis] - low[axis]) / width, 0.0), shape[axis] - 1.0)
            place = place * shape[axis] + int(along)
        cells[p] = place
        starts[place + 1] += 1
    for place in range(len(starts) - 1):
        starts[place + 1] += starts[place]
    filled = np.empty(len(starts), np.int64)
    for place in range(len(starts)):
        filled[place] = starts[place]
    points, shifts = np.empty((n_points, 3)), np.empty((n_points, 3))
    owners, upper = np.empty(n_points, np.int64), np.empty(n_points, np.bool_)
    for p in range(n_points):
        place = filled[cells[p]]
        filled[cells[p]] += 1
        for axis in range(3):
            points[place, axis], shifts[place, axis] = found[p, axis], shifts_of[p, axis]
        owners[place], upper[place] = owners_of[p], upper_of[p]
    bounds = np.empty((n_particles, 3, 2), np.int64)
    for i in range(n_particles):
        for axis in range(3):
            # Rounding puts no point that is in reach beyond them.
            along, reached = positions[i, axis] - low[axis], r_max * (1 + 1e-9)
            last = shape[axis] - 1.0
            bounds[i, axis, 0] = int(min(max((along - reached) / width, 0.0), last))
            bounds[i, axis, 1] = int(min(max((along + reached) / width, 0.0), last))
    return positions, points, owners, shifts, upper, starts, shape, bounds


def count_candidates(starts, shape, bounds):
    """Points in the cells that particles look into, all together.

    Parameters
    ----------
    starts, shape, bounds
        See :func:`fill_cells`.

    Returns
    -------
    n_candidates : int
    """
    n_candidates = 0
    for i in range(len(bounds)):
        for a in range(bounds[i, 0, 0], bounds[i, 0, 1] + 1):
            for b in range(bounds[i, 1, 0], bounds[i, 1, 1] + 1):
                row = (a * shape[1] + b) * shape[2]
                first, end = starts[row + bounds[i, 2, 0]], starts[row + bounds[i, 2, 1] + 1]
                n_candidates += end - first
    return n_candidates


def find_near(
    positions,
    points,
    owners,
    shifts,
    upper,
    starts,
    shape,
    bounds,
    chosen,
    r_max,
    both,
    n_most,
    distinct,
    repeated,
    targets,
    vectors,
    distances,
):
    """Find the pairs within a radius, sorted by source, then distance, then target.

    Parameters
    ----------
    positions, points, owners, shifts, upper, starts, shape, bounds
        See :func:`fill_cells`.
    chosen : ndarray of int of shape (n_chosen,)
        Particles whose neighbours are looked for.
    r_max : float
    both : bool
        Whether to find both directions of a pair, or one; one comes in no order.
    n_most : int
        Largest number of pairs of a particle, the nearest ones, each in a place of its own: what a
        particle has less stays free. 0: any number, one after the other.
    distinct : bool
        Whether to leave out images of the particle itself.
    repeated : bool
        Whether to look for several images of another particle, and leave out all but the nearest.
    targets : ndarray of int of shape (n_places,)
        Written to, as the two that follow.
    vectors : ndarray of float of shape (n_places, n_dims)
    distances : ndarray of float of shape (n_places,)

    Returns
    -------
    degrees : ndarray of int64 of shape (n_found,)
        Pairs of each particle, of the first ones only where the places did not suffice for more.
    """
    degrees, n_dims = np.empty(len(chosen), np.int64), vectors.shape[1]
    largest = 0
    for i in chosen:
        n_candidates = 0
        for a in range(bounds[i, 0, 0], bounds[i, 0, 1] + 1):
            for b in range(bounds[i, 1, 0], bounds[i, 1, 1] + 1):
                row = (a * shape[1] + b) * shape[2]
                first, end = starts[row + bounds[i, 2, 0]], starts[row + bounds[i, 2, 1] + 1]
                n_candidates += end - first
        largest = max(largest, n_candidates)
    # One more than there are: a candidate is written down before it is looked at.
    near, lengths = np.empty(largest + 1, np.int64), np.empty(largest + 1)
    steps, order = np.empty((largest, 3)), np.empty(largest, np.int64)
    ranks = np.empty(largest, np.int64)
    limit = r_max * r_max * (1 + 1e-9)
    written = 0
    for c in range(len(chosen)):
        i = chosen[c]
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        n_candidates = 0
        for a in range(bounds[i, 0, 0], bounds[i, 0, 1] + 1):
            for b in range(bounds[i, 1, 0], bounds[i, 1, 1] + 1):
                row = (a * shape[1] + b) * shape[2]
                first, end = starts[row + bounds[i, 2, 0]], starts[row + bounds[i, 2, 1] + 1]
                for p in range(first, end):
                    dx, dy, dz = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
                    near[n_candidates] = p
                    n_candidates += dx * dx + dy * dy + dz * dz <= limit
        n = 0
        for k in range(n_candidates):
            p = near[k]
            j = owners[p]
            dx = (positions[j, 0] - x) + shifts[p, 0]
            dy = (positions[j, 1] - y) + shifts[p, 1]
            dz = (positions[j, 2] - z) + shifts[p, 2]
            length = math.sqrt(dx * dx + dy * dy + dz * dz)
            wanted = both or j > i
            if j == i:
                moved = shifts[p, 0] != 0 or shifts[p, 1] != 0 or shifts[p, 2] != 0
                wanted = not distinct and (upper[p] or (both and moved))
            if wanted and length <= r_max:
                near[n], lengths[n] = j, length
                steps[n, 0], steps[n, 1], steps[n, 2] = dx, dy, dz
                n += 1
        if n > FEW or not both:
            for k in range(n):
                order[k] = k
            gap = n // 2 if both else 0
            while gap > 0:
                for k in range(gap, n):
                    place, m = order[k], k
                    while m >= gap and (
                        lengths[order[m - gap]] > lengths[place]
                        or (
                            lengths[order[m - gap]] == lengths[place]
                            and near[order[m - gap]] > near[place]
                        )
                    ):
                        order[m] = order[m - gap]
                        m -= gap
                    order[m] = place
                gap //= 2
        else:
            for k in range(n):
                rank = 0
                for m in range(k):
                    farther = lengths[m] > lengths[k]
                    ranks[m] += farther
                    rank += 1 - farther
                ranks[k] = rank
            for k in range(n):
                order[ranks[k]] = k
            for k in range(1, n):
                # Of equal distances the lower number first.
                place, m = order[k], k
                while m > 0 and (
                    lengths[order[m - 1]] == lengths[place] and near[order[m - 1]] > near[place]
                ):
                    order[m] = order[m - 1]
                    m -= 1
                order[m] = place
        begin = c * n_most if n_most else written
        written = begin
        if not n_most and begin + n > len(targets):
            return degrees[:c]
        for k in range(n):
            if n_most and written - begin == n_most:
                break
            place, known = order[k], False
            if repeated:
                for m in range(begin, written):
                    known |= targets[m] == near[place]
            if not known:
                targets[written], distances[written] = near[place], lengths[place]
                for axis in range(n_dims):
                    vectors[written, axis] = steps[place, 3 - n_dims + axis]
                written += 1
        degrees[c] = written - begin
    return degrees


def count_distances(
    positions, points, owners, shifts, starts, shape, bounds, r_max, kinds, pair_numbers, counts
):
    """Count pairs of different particles by their types and distance.

    Parameters
    ----------
    positions, points, owners, shifts, starts, shape, bounds, r_max
        As in :func:`find_near`.
    kinds : ndarray of int of shape (n_particles,)
        Type of each particle, numbered from 0.
    pair_numbers : ndarray of int of shape (n_types, n_types)
        Row of ``counts`` for each two types.
    counts : ndarray of int of shape (n_pairs, n_bins)
        Increased in place; bins of equal width from 0 to ``r_max``.
    """
    n_bins = counts.shape[1]
    scale, limit = n_bins / r_max, r_max * r_max * (1 + 1e-9)
    for i in range(len(positions)):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        rows = pair_numbers[kinds[i]]
        for a in range(bounds[i, 0, 0], bounds[i, 0, 1] + 1):
            for b in range(bounds[i, 1, 0], bounds[i, 1, 1] + 1):
                row = (a * shape[1] + b) * shape[2]
                first, end = starts[row + bounds[i, 2, 0]], starts[row + bounds[i, 2, 1] + 1]
                for p in range(first, end):
                    j = owners[p]
                    if j <= i:
                        continue
                    dx, dy, dz = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
                    if dx * dx + dy * dy + dz * dz > limit:
                        continue
                    dx = (positions[j, 0] - x) + shifts[p, 0]
                    dy = (positions[j, 1] - y) + shifts[p, 1]
                    dz = (positions[j, 2] - z) + shifts[p, 2]
                    place = int(math.sqrt(dx * dx + dy * dy + dz * dz) * scale)
                    if place < n_bins:
                        counts[rows[kinds[j]], place] += 1
