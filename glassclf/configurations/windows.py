"""Windows: small open boxes cut out of a configuration."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from sklearn.utils import check_random_state

from glassclf.configurations.box import fractions_in_box, is_rectangular, volume, wrap
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import as_configurations

# A side that divides the box evenly but for rounding.
ROUNDING = 1e-9


class Windows(NamedTuple):
    """Windows of a set of configurations.

    Attributes
    ----------
    X : Configurations of shape (n_windows,)
        One configuration for each window, with the ``info`` of its parent.
    parents : ndarray of int of shape (n_windows,)
        Number of the configuration that each window was cut from, in increasing order.
    corners : ndarray of shape (n_windows, n_dims)
        Lower corner of each window in the box of its parent.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import cut_windows
    >>> from glassclf.testing import noisy_lattice
    >>> windows = cut_windows([noisy_lattice(0.05)], side=3.0)
    >>> windows.corners[0].tolist(), int(np.sum(windows.X.n_particles)) >= 42
    ([0.0, 0.0], True)
    """

    X: Configurations
    parents: np.ndarray
    corners: np.ndarray


def cut_windows(X, side=None, *, n_particles=None, n_windows=None, random_state=None):
    """Cut square (or cubic) windows out of every configuration.

    A window is a configuration with an open box of edge ``side``, whose positions count from its
    corner. Across periodic borders it goes on. Windows without a particle are left out.

    Parameters
    ----------
    X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        In rectangular boxes.
    side : float, default=None
        Edge of the windows, in units of the input positions.
    n_particles : int, default=None
        Instead of ``side``: the number of particles that a window holds on average, from which the
        side follows by the density of each configuration.
    n_windows : int, default=None
        Number of windows at random places of each configuration. None: the regular grid of
        ``ceil(L / side)`` windows along a direction of length ``L``, which covers all of the box;
        where ``side`` does not divide ``L``, its windows overlap.
    random_state : int, RandomState or None, default=None
        Draws the places, if ``n_windows`` is given.

    Returns
    -------
    windows : Windows
        ``X``, ``parents`` and ``corners``: ``y[parents]`` are the labels of the windows, and
        ``groups[parents]`` the groups that keep windows of one run together.

    Raises
    ------
    ValueError
        If not exactly one of ``side`` and ``n_particles`` is given, a window is larger than a box
        or would hold less than one particle on average, a box is not rectangular, or a particle
        lies outside its box.

    Examples
    --------
    >>> from glassclf.configurations import cut_windows
    >>> from glassclf.testing import two_phases
    >>> X, y, run = two_phases(n_runs=2)
    >>> windows = cut_windows(X, side=3.0)
    >>> len(X), len(windows.X), y[windows.parents][:2].tolist()
    (4, 24, ['glass', 'glass'])
    """
    X = as_configurations(X)
    if len(X) == 0:
        raise ValueError("X must hold at least one configuration, got an empty set")
    side_of = _side_rule(side, n_particles)
    if n_windows is not None and not _is_number(n_windows, Integral):
        raise ValueError(f"n_windows must be an integer of at least 1 or None, got {n_windows!r}")
    rng = check_random_state(random_state)
    pieces, sides, empty = [], [], []
    for index, configuration in enumerate(X):
        try:
            own = side_of(configuration)
            _check_side(configuration, own)
            corners = _corners(configuration, own, n_windows, rng)
            pieces.append(_cut(configuration, own, corners))
        except ValueError as error:
            raise ValueError(f"configuration {index}: {error}") from error
        sides.append(own)
        if len(pieces[-1][1]) == 0:
            empty.append(index)
    if empty:
        raise ValueError(
            f"configuration {empty[0]}: none of its windows holds a particle, n_windows="
            f"{n_windows}: draw more windows, or larger ones"
        )
    return _packed(X, pieces, np.array(sides))


def _side_rule(side, n_particles):
    if (side is None) == (n_particles is None):
        given = "neither" if side is None else f"side={side!r} and n_particles={n_particles!r}"
        raise ValueError(f"give exactly one of side and n_particles, got {given}")
    if n_particles is None:
        if not _is_number(side, Real):
            raise ValueError(f"side must be a positive number, got {side!r}")
        return lambda configuration: float(side)
    if not _is_number(n_particles, Integral):
        raise ValueError(f"n_particles must be an integer of at least 1, got {n_particles!r}")
    return lambda configuration: side_holding(configuration, n_particles)


def side_holding(configuration, n_particles):
    """Edge of the windows that hold so many particles on average.

    Parameters
    ----------
    configuration : Configuration
    n_particles : int

    Returns
    -------
    side : float
        In units of the positions.
    """
    density = configuration.n_particles / volume(configuration.cell)
    return float((n_particles / density) ** (1 / configuration.n_dims))


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_)) and value > 0


def _check_side(configuration, side):
    if not is_rectangular(configuration.cell):
        raise ValueError(
            f"windows are cut from rectangular boxes, got lattice vectors "
            f"{configuration.cell.tolist()}"
        )
    too_short = np.flatnonzero(side > configuration.box * (1 + ROUNDING))
    if len(too_short):
        direction = too_short[0]
        raise ValueError(
            f"windows of side {side:.4g} are larger than the box, which is "
            f"{configuration.box[direction]:.4g} long in direction {direction}"
        )
    mean = configuration.n_particles * side**configuration.n_dims / np.prod(configuration.box)
    if mean < 1 - ROUNDING:
        needed = side / mean ** (1 / configuration.n_dims)
        raise ValueError(
            f"windows of side {side:.4g} hold {mean:.2g} particles on average: choose a side of at "
            f"least {needed:.3g}, better one that holds some ten"
        )


def _corners(configuration, side, n_windows, rng):
    box, periodic = configuration.box, configuration.periodic
    # An open direction ends: no window reaches beyond.
    room = np.where(periodic, box, np.maximum(box - side, 0.0))
    if n_windows is not None:
        return rng.uniform(size=(n_windows, len(box))) * room
    counts = np.ceil(box / side * (1 - ROUNDING)).astype(int)
    steps = np.where(periodic, counts, np.maximum(counts - 1, 1))
    axes = [np.arange(n) * span / step for n, span, step in zip(counts, room, steps)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(box))


def _cut(configuration, side, corners):
    """Particles in each window: window, number and position of each, sorted by window."""
    cell, periodic = configuration.cell, configuration.periodic
    fractions_in_box(configuration.positions, cell, periodic)
    positions = wrap(configuration.positions, cell, periodic)
    # A period of 0 stands for an open direction. The tree's own copy must lie within its box.
    period = np.where(periodic, configuration.box, 0.0)
    tree = cKDTree(positions, boxsize=period)
    found = tree.query_ball_point(
        wrap(corners + side / 2, cell, periodic), side / 2 * (1 + ROUNDING), p=np.inf
    )
    windows = np.repeat(np.arange(len(corners)), [len(each) for each in found])
    particles = np.concatenate([np.sort(each) for each in found]).astype(np.int64)
    relative = wrap(positions[particles] - corners[windows], cell, periodic)
    # A particle on the border between two windows is in the upper one. At the end of an open
    # direction there is none; and rounding must not put one outside both.
    last = ~periodic & (corners[windows] + side >= configuration.box * (1 - ROUNDING))
    inside = ((relative >= 0) & ((relative < side) | last)).all(axis=1)
    return windows[inside], particles[inside], relative[inside], corners


def _packed(X, pieces, sides):
    n_dims, counts, kept = X.n_dims, [], []
    for windows, _, _, corners in pieces:
        count = np.bincount(windows, minlength=len(corners))
        kept.append(corners[count > 0])
        counts.append(count[count > 0])
    parents = np.repeat(np.arange(len(X)), [len(corners) for corners in kept])
    rows = [start + particles for start, (_, particles, _, _) in zip(X.offsets, pieces)]
    windows = Configurations.from_arrays(
        positions=np.concatenate([relative for _, _, relative, _ in pieces]),
        types=X.types[np.concatenate(rows)],
        offsets=np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        cells=sides[parents][:, None, None] * np.eye(n_dims),
        periodic=np.zeros((len(parents), n_dims), dtype=bool),
        info={name: np.asarray(values)[parents] for name, values in X.info.items()},
    )
    return Windows(windows, parents, np.concatenate(kept))
