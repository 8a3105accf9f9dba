"""One sample: the particles of one snapshot in their box."""

import numpy as np

from glassclf.configurations.box import cell_from_box, fractional, is_rectangular

# Boxes that a particle may have moved through: beyond, its place in the box is off by 1e-6 of it.
MAX_TURNS = 1e10
# Largest coordinate, also along open directions.
FARTHEST = 1e100


class Configuration:
    """Positions and types of the particles of one snapshot, in a box.

    Parameters
    ----------
    positions : array-like of shape (n_particles, n_dims)
        Coordinates, ``n_dims`` 2 or 3, measured from the corner of the box. They may be unwrapped.
    types : array-like of int of shape (n_particles,)
        Particle types, 0 or larger. They are kept as given and never renumbered.
    box : array-like of shape (n_dims,) or (n_dims, n_dims)
        Edge lengths of a rectangular box, or lattice vectors as rows.
    periodic : bool or sequence of bool, default=True
        Whether the box repeats, in all directions or one by one.
    info : dict, default=None
        Facts about the configuration, such as ``{"temperature": 0.5, "run": "a"}``.

    Attributes
    ----------
    positions : ndarray of shape (n_particles, n_dims), float64
    types : ndarray of shape (n_particles,), int64
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.
    box : ndarray of shape (n_dims,) or (n_dims, n_dims)
        Edge lengths where the box is rectangular, else the cell.
    periodic : ndarray of bool of shape (n_dims,)
    info : dict

    Raises
    ------
    ValueError
        If there is no particle, a number is not finite, a position is beyond 1e100, shapes
        disagree, a type is negative or not an integer, the box has a length that is not positive,
        or a particle has moved through so many boxes that rounding has moved it within the box.

    Notes
    -----
    Lengths have the unit of the input. Those of the bundled data are reduced Lennard-Jones units.

    Examples
    --------
    >>> from glassclf.configurations import Configuration
    >>> Configuration([[0.5, 0.5], [1.5, 0.5]], types=[0, 1], box=[2.0, 2.0])
    Configuration(n_particles=2, n_dims=2, types=[0, 1], box=[2.0, 2.0], periodic=True)
    """

    def __init__(self, positions, types, box, periodic=True, info=None):
        self.positions = _check_positions(positions)
        n_particles, n_dims = self.positions.shape
        self.types = _check_types(types, n_particles)
        self.cell = cell_from_box(box, n_dims)
        self.periodic = _check_periodic(periodic, n_dims)
        _check_digits(self.positions, self.cell, self.periodic)
        if info is not None and not hasattr(info, "keys"):
            raise ValueError(f"info must be a dict or None, got {type(info).__name__}")
        self.info = dict(info or {})

    @property
    def box(self):
        """Edge lengths where the box is rectangular, else the lattice vectors as rows."""
        return np.diag(self.cell).copy() if is_rectangular(self.cell) else self.cell.copy()

    @property
    def n_particles(self):
        """Number of particles."""
        return len(self.positions)

    @property
    def n_dims(self):
        """Number of spatial dimensions, 2 or 3."""
        return self.positions.shape[1]

    def __repr__(self):
        periodic = self.periodic.tolist()
        if len(set(periodic)) == 1:
            periodic = periodic[0]
        return (
            f"Configuration(n_particles={self.n_particles}, n_dims={self.n_dims}, "
            f"types={np.unique(self.types).tolist()}, box={self.box.tolist()}, periodic={periodic})"
        )


def _check_positions(positions):
    try:
        if np.iscomplexobj(positions):
            raise TypeError("they are complex")
        # A copy: what the user passed in stays the user's.
        positions = np.array(positions, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"positions must be an array of numbers: {error}") from error
    if positions.ndim != 2 or (len(positions) and positions.shape[1] not in (2, 3)):
        raise ValueError(
            f"positions must have shape (n_particles, 2) or (n_particles, 3), got {positions.shape}"
        )
    if len(positions) == 0:
        raise ValueError("positions is empty: a configuration needs at least one particle")
    finite = np.isfinite(positions).all(axis=1)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise ValueError(
            f"positions must be finite, got {positions[bad].tolist()} for particle {bad}"
        )
    far = (np.abs(positions) > FARTHEST).any(axis=1)
    if far.any():
        bad = int(np.argmax(far))
        raise ValueError(
            f"positions must be below {FARTHEST:g}, or distances could not be squared, got "
            f"{positions[bad].tolist()} for particle {bad}"
        )
    return positions


def _check_digits(positions, cell, periodic):
    turns = np.abs(fractional(positions, cell)[:, periodic])
    if turns.max(initial=0) > MAX_TURNS:
        particle, axis = np.unravel_index(np.argmax(turns), turns.shape)
        raise ValueError(
            f"particle {particle} at {positions[particle].tolist()} lies "
            f"{turns[particle, axis]:.2g} boxes away along direction "
            f"{np.flatnonzero(periodic)[axis]}: rounding has moved it within the box; give "
            "positions that are folded into the box"
        )


def _check_types(types, n_particles):
    types = np.asarray(types)
    if types.shape != (n_particles,):
        raise ValueError(
            f"types must have shape ({n_particles},), one for each position, got {types.shape}"
        )
    if not np.issubdtype(types.dtype, np.integer):
        whole = types.dtype.kind == "f" and np.isfinite(types).all() and (types % 1 == 0).all()
        advice = ": convert them with .astype(int)" if whole else ""
        raise ValueError(f"types must be integers, got an array of {types.dtype}{advice}")
    if types.min() < 0:
        bad = int(np.argmin(types))
        raise ValueError(f"types must be 0 or larger, got {types[bad]} for particle {bad}")
    return types.astype(np.int64)


def _check_periodic(periodic, n_dims):
    flags = np.asarray(periodic)
    if flags.dtype != bool or flags.shape not in ((), (n_dims,)):
        raise ValueError(f"periodic must be a bool or {n_dims} bools, got {periodic!r}")
    return np.array(np.broadcast_to(flags, (n_dims,)))
