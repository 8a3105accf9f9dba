"""When three columns of coordinates describe a two-dimensional system."""

import numpy as np


def is_flat(heights, cell, periodic):
    """Tell whether a three-dimensional description is that of a two-dimensional system.

    Simulation codes have no two-dimensional box: they write one plane of particles into a thin
    one. So a system is two-dimensional if all particles have exactly the same z and the box either
    does not repeat along z or is shorter along z than along its other directions.

    Parameters
    ----------
    heights : ndarray of shape (n_particles,)
        Coordinate along z.
    cell : ndarray of shape (3, 3)
        Lattice vectors as rows.
    periodic : array-like of bool of shape (3,)

    Returns
    -------
    flat : bool

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.flat import is_flat
    >>> is_flat(np.zeros(5), np.diag([9.0, 9.0, 1.0]), [True, True, True])
    True
    """
    if len(heights) == 0 or np.ptp(heights) != 0:
        return False
    lengths = np.linalg.norm(cell, axis=1)
    return bool(not periodic[2] or lengths[2] < lengths[:2].min())
