"""Particles that came without a cell, such as molecules: an open box around them."""

import numpy as np

# Between the particles and the faces of the box.
MARGIN = 1.0


def box_of(positions, cell, periodic):
    """Give the box of particles: that of their cell, else an open one around them.

    Parameters
    ----------
    positions : ndarray of shape (n_particles, 3)
    cell : ndarray of shape (3, 3)
        Lattice vectors as rows; zeros where there is none.
    periodic : ndarray of bool of shape (3,)

    Returns
    -------
    positions : ndarray of shape (n_particles, 3)
        Moved, without a cell, so that the corner of the box is at the origin.
    cell : ndarray of shape (3, 3)

    Raises
    ------
    ValueError
        If a direction repeats, and no cell says after which length.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.open_box import box_of
    >>> positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -1.5]])
    >>> positions, cell = box_of(positions, np.zeros((3, 3)), np.zeros(3, dtype=bool))
    >>> positions.tolist(), np.diag(cell).tolist()
    ([[1.0, 1.0, 2.5], [1.0, 1.0, 1.0]], [2.0, 2.0, 3.5])
    """
    if cell.any():
        return positions, cell
    if np.any(periodic):
        raise ValueError("pbc is set, but there is no cell: set atoms.cell, or atoms.pbc = False")
    if len(positions) == 0:
        return positions, np.eye(3)
    positions = positions - positions.min(axis=0) + MARGIN
    return positions, np.diag(positions.max(axis=0) + MARGIN)
