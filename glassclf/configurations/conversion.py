"""The one funnel: whatever a user holds becomes a set of configurations here."""

import numpy as np

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.flat import is_flat
from glassclf.configurations.open_box import box_of

EXPECTED = (
    "a Configurations, or a list whose items are Configuration, ase.Atoms or "
    "(positions, types, box) triples"
)


def as_configurations(X):
    """Convert what users hold into a set of configurations.

    Parameters
    ----------
    X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        Types of ``ase.Atoms`` are ``atoms.arrays["types"]`` where present, else the atomic numbers.
        Atoms in one plane are two-dimensional, if the cell does not repeat along z or is thinner
        along z than it is wide. Atoms without a cell, such as molecules, are three-dimensional,
        also where they lie in one plane, and get an open box around them.

    Returns
    -------
    configurations : Configurations
        The same object if it is one already.

    Raises
    ------
    TypeError
        If X is something else, or can be read only once, as a generator.
    ValueError
        If a configuration is not valid; the message names its index.

    Examples
    --------
    >>> from glassclf.configurations import as_configurations
    >>> as_configurations([([[0.5, 0.5]], [0], [1.0, 1.0])])
    Configurations(n=1, n_dims=2, n_particles=1, types=[0], info=[])
    """
    if isinstance(X, Configurations):
        return X
    if hasattr(X, "__next__"):
        # The next reader, such as transform after fit, would find nothing left.
        raise TypeError(f"X is read more than once, got {_name(X)}: pass list(X)")
    if isinstance(X, Configuration) or _is_atoms(X):
        raise TypeError(f"X must be a set of configurations, got one: pass a list, [{_name(X)}]")
    is_array = isinstance(X, np.ndarray) and X.dtype != object
    if is_array or isinstance(X, (str, bytes, dict)) or not hasattr(X, "__iter__"):
        raise TypeError(f"X must be {EXPECTED}, got {_name(X)}")
    items = list(X)
    if isinstance(X, tuple) and len(X) == 3 and _looks_like_positions(X[0]):
        raise TypeError("X must be a set of configurations, got one triple: pass a list, [triple]")
    converted = []
    for index, item in enumerate(items):
        try:
            converted.append(_as_configuration(item))
        except TypeError as error:
            raise TypeError(f"configuration {index}: {error}") from error
        except ValueError as error:
            raise ValueError(f"configuration {index}: {error}") from error
    return Configurations(converted)


def _as_configuration(item):
    if isinstance(item, Configuration):
        return item
    if _is_atoms(item):
        return _from_atoms(item)
    if isinstance(item, (tuple, list)) and len(item) == 3:
        return Configuration(*item)
    raise TypeError(f"X must be {EXPECTED}, got {_name(item)}")


def _from_atoms(atoms):
    positions = atoms.get_positions()
    cell, periodic = np.asarray(atoms.cell), np.asarray(atoms.pbc, dtype=bool)
    types = atoms.arrays.get("types", atoms.get_atomic_numbers())
    # Without a cell: a molecule, and water is none of two dimensions.
    n_dims = 2 if cell.any() and is_flat(positions[:, 2], cell, periodic) else 3
    positions, cell = box_of(positions, cell, periodic)
    missing = ~cell[:n_dims].any(axis=1)
    if missing.any():
        axis = int(np.argmax(missing))
        raise ValueError(
            f"the cell has no lattice vector along {'xyz'[axis]}: give it one, such as by "
            f"atoms.center(vacuum=1.0, axis={axis})"
        )
    return Configuration(
        positions[:, :n_dims],
        types,
        cell[:n_dims, :n_dims],
        periodic[:n_dims],
        info_of_atoms(atoms),
    )


def info_of_atoms(atoms):
    """Facts about atoms that a configuration keeps.

    Parameters
    ----------
    atoms : ase.Atoms

    Returns
    -------
    info : dict
        The single numbers and strings of ``atoms.info``.
    """
    return {name: value for name, value in atoms.info.items() if np.isscalar(value)}


def _is_atoms(item):
    # Recognised by its class path, so that ase stays an optional dependency.
    return any(
        base.__module__ == "ase.atoms" and base.__name__ == "Atoms" for base in type(item).__mro__
    )


def _looks_like_positions(item):
    return not isinstance(item, (Configuration, tuple)) and np.ndim(item) == 2


def _name(item):
    if isinstance(item, np.ndarray):
        return f"an array of {item.dtype} with shape {item.shape}"
    return type(item).__name__
