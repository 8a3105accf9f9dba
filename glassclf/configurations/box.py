"""Geometry of the simulation box: fractional coordinates, wrapping, minimum image.

A box is held as its *cell*, the ``(n_dims, n_dims)`` matrix whose rows are the lattice
vectors; rectangular boxes have a diagonal cell. One corner lies at the origin.
"""

from itertools import product

import numpy as np

# A particle this far outside an open box, in units of its edge, is there by rounding.
EDGE_TOLERANCE = 1e-9


def cell_from_box(box, n_dims):
    """Turn a box, as users write it, into its cell matrix.

    Parameters
    ----------
    box : array-like of shape (n_dims,) or (n_dims, n_dims)
        Edge lengths of a rectangular box, or lattice vectors as rows.
    n_dims : int
        Number of spatial dimensions.

    Returns
    -------
    cell : ndarray of shape (n_dims, n_dims), float64
        Lattice vectors as rows.

    Raises
    ------
    ValueError
        If the shape is wrong, a number is not finite, or a length or the volume is not positive.

    Examples
    --------
    >>> from glassclf.configurations import cell_from_box
    >>> cell_from_box([2.0, 3.0], n_dims=2)
    array([[2., 0.],
           [0., 3.]])
    """
    try:
        if np.iscomplexobj(box):
            raise ValueError("complex numbers would lose their imaginary part")
        box = np.array(box, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"box must be numbers, got {box!r}") from error
    if box.shape not in ((n_dims,), (n_dims, n_dims)):
        raise ValueError(
            f"box must have shape ({n_dims},) for edge lengths or ({n_dims}, {n_dims}) for lattice "
            f"vectors as rows, to go with {n_dims}-dimensional positions, got shape {box.shape}"
        )
    if not np.isfinite(box).all():
        raise ValueError(f"box must be finite, got {box.tolist()}")
    if box.ndim == 1:
        if (box <= 0).any():
            raise ValueError(f"box lengths must be positive, got {box.tolist()}")
        return np.diag(box)
    lengths = np.linalg.norm(box, axis=1)
    diagonal = (box == np.diag(np.diag(box))).all()
    if (lengths == 0).any() or (diagonal and (np.diag(box) <= 0).any()):
        raise ValueError(f"box lengths must be positive, got lattice vectors {box.tolist()}")
    if abs(np.linalg.det(box)) <= 1e-12 * np.prod(lengths):
        raise ValueError(f"box must have a positive volume, got lattice vectors {box.tolist()}")
    return box


def is_rectangular(cell):
    """Tell whether a cell is diagonal, so that edge lengths describe it.

    Parameters
    ----------
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.

    Returns
    -------
    rectangular : bool

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import is_rectangular
    >>> is_rectangular(np.diag([2.0, 3.0]))
    True
    """
    return bool((cell == np.diag(np.diag(cell))).all() and (np.diag(cell) > 0).all())


def volume(cell):
    """Volume of a cell (its area in two dimensions).

    Parameters
    ----------
    cell : ndarray of shape (..., n_dims, n_dims)
        Lattice vectors as rows.

    Returns
    -------
    volume : float or ndarray of shape (...)
        In units of the input length to the power ``n_dims``.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import volume
    >>> float(volume(np.array([[2.0, 0.0], [1.0, 3.0]])))
    6.0
    """
    return np.abs(np.linalg.det(cell))


def plane_distances(cell):
    """Distance between the opposite faces of a cell, per direction.

    Parameters
    ----------
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.

    Returns
    -------
    distances : ndarray of shape (n_dims,)
        A sphere of half this diameter never meets its own image in that direction.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import plane_distances
    >>> plane_distances(np.diag([2.0, 3.0]))
    array([2., 3.])
    """
    return 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def fractional(positions, cell):
    """Positions in units of the lattice vectors.

    Parameters
    ----------
    positions : ndarray of shape (n, n_dims)
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.

    Returns
    -------
    fractions : ndarray of shape (n, n_dims)
        In [0, 1) for positions inside the box.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import fractional
    >>> fractional(np.array([[1.0, 1.5]]), np.diag([2.0, 3.0]))
    array([[0.5, 0.5]])
    """
    if is_rectangular(cell):
        return positions / np.diag(cell)
    return positions @ np.linalg.inv(cell)


def fractions_in_box(positions, cell, periodic):
    """Positions in units of the lattice vectors, of particles that an open box must hold.

    Parameters
    ----------
    positions : ndarray of shape (n, n_dims)
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.
    periodic : ndarray of bool of shape (n_dims,)
        Directions along which the box repeats.

    Returns
    -------
    fractions : ndarray of shape (n, n_dims)

    Raises
    ------
    ValueError
        If a particle lies outside the box along a direction that is not periodic.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.box import fractions_in_box
    >>> fractions_in_box(np.array([[1.0, 4.5]]), np.diag([2.0, 3.0]), np.array([False, True]))
    array([[0.5, 1.5]])
    """
    fractions = fractional(positions, cell)
    outside = (np.abs(fractions - 0.5) > 0.5 + EDGE_TOLERANCE) & ~periodic
    if outside.any():
        particle, direction = np.argwhere(outside)[0]
        raise ValueError(
            f"particle {particle} at {positions[particle].tolist()} lies outside the box along "
            f"direction {direction}, which is not periodic: give a box that holds all particles"
        )
    return fractions


def wrap(positions, cell, periodic):
    """Fold positions back into the box along its periodic directions.

    Parameters
    ----------
    positions : ndarray of shape (n, n_dims)
        Wrapped or not; it is left untouched.
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.
    periodic : array-like of bool of shape (n_dims,)
        Directions (lattice vectors) along which the box repeats.

    Returns
    -------
    wrapped : ndarray of shape (n, n_dims), float64
        Fractional coordinates lie in [0, 1) along periodic directions.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import wrap
    >>> wrap(np.array([[-0.5, 4.0]]), np.diag([2.0, 3.0]), [True, False])
    array([[1.5, 4. ]])
    """
    positions = np.asarray(positions, dtype=np.float64)
    shifts = np.floor(fractional(positions, cell)) * np.asarray(periodic)
    if is_rectangular(cell):
        lengths = np.diag(cell)
        wrapped = positions - shifts * lengths
        # A tiny negative coordinate plus the length rounds up to the length itself.
        return np.where((wrapped >= lengths) & np.asarray(periodic), 0.0, wrapped)
    return positions - shifts @ cell


def minimum_image(vectors, cell, periodic):
    """Shortest periodic image of each vector.

    Exact for every cell, however skewed, and for any directions that repeat.

    Parameters
    ----------
    vectors : ndarray of shape (n, n_dims)
        Differences of positions; left untouched.
    cell : ndarray of shape (n_dims, n_dims)
        Lattice vectors as rows.
    periodic : array-like of bool of shape (n_dims,)
        Directions along which the box repeats.

    Returns
    -------
    images : ndarray of shape (n, n_dims), float64

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations import minimum_image
    >>> minimum_image(np.array([[1.8, 0.1]]), np.diag([2.0, 3.0]), [True, True])
    array([[-0.2,  0.1]])
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    periodic = np.asarray(periodic, dtype=bool)
    if is_rectangular(cell):
        lengths = np.diag(cell)
        # In place: this is most of the time of a search for neighbours, but for the search itself.
        shifts = vectors / lengths
        np.round(shifts, out=shifts)
        shifts *= periodic * lengths
        return np.subtract(vectors, shifts, out=shifts)
    return _shortest_images(vectors, _reduced(cell[periodic]))


def _shortest_images(vectors, lattice):
    """Shortest of all images of vectors, by a reduced lattice of vectors as rows."""
    # The nearest lattice point by coordinates may be one step off the truly nearest one.
    nearest = vectors - np.round(vectors @ np.linalg.pinv(lattice)) @ lattice
    steps = np.array(list(product((0, -1, 1), repeat=len(lattice))), dtype=np.float64)
    images = nearest[:, None, :] + (steps @ lattice)[None, :, :]
    shortest = np.argmin(np.einsum("nci,nci->nc", images, images), axis=1)
    return images[np.arange(len(images)), shortest]


def _reduced(lattice):
    """Shortest possible vectors of the same lattice, sorted by length.

    The greedy reduction of Semaev (2001): in up to three dimensions no shorter ones exist, and the
    nearest lattice point is then at most one step away from the rounded coordinates.
    """
    while len(lattice) > 1:
        lattice = lattice[np.argsort(np.linalg.norm(lattice, axis=1), kind="stable")]
        shorter = _reduced(lattice[:-1])
        last = _shortest_images(lattice[-1:], shorter)
        finished = np.linalg.norm(last) >= np.linalg.norm(shorter[-1]) * (1 - 1e-12)
        lattice = np.concatenate([shorter, last])
        if finished:
            break
    return lattice
