"""Tables of particles without a box: ``type x y [z]``, one configuration a file."""

from string import ascii_uppercase

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.box import cell_from_box
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.text_columns import Rows, read_lines


def read_table(path, box=None, periodic=True):
    r"""Read one configuration from a table with the columns ``type x y [z]``.

    Lines at the top that are empty or begin with ``#`` are skipped; a header must begin so.

    Parameters
    ----------
    path : str or path-like
        Plain or gzipped.
    box : array-like of shape (n_dims,) or (n_dims, n_dims)
        Must be given. With a two-dimensional box a z column must hold one value only.
    periodic : bool or sequence of bool, default=True

    Returns
    -------
    X : Configurations
        One configuration.

    Raises
    ------
    ValueError
        With file name and line number, if the table is garbled; or if no box is given.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassclf.configurations.plain_text import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "coords.txt"
    ...     _ = path.write_text("1 0.5 0.5\n2 1.0 0.7\n")
    ...     read_table(path, box=[2.0, 2.0])
    Configurations(n=1, n_dims=2, n_particles=2, types=[1, 2], info=[])
    """
    lines = read_lines(path)
    while lines and not lines[-1].strip():
        lines.pop()
    start = 0
    while start < len(lines) and (not lines[start].strip() or lines[start].startswith("#")):
        start += 1
    if start == len(lines):
        raise ValueError(f"{path} is empty")
    rows = Rows(lines, start, len(lines), len(lines[start].split()), path)
    return Configurations([configuration_without_box(rows, box, periodic)])


def configuration_without_box(rows, box, periodic):
    """Build a configuration from rows ``type x y [z]`` and a box that the user gave.

    Parameters
    ----------
    rows : Rows
    box : array-like or None
    periodic : bool or sequence of bool

    Returns
    -------
    configuration : Configuration

    Raises
    ------
    ValueError
        If there is no box, or it does not go with the columns.
    """
    if box is None:
        raise ValueError(f"{rows.path} carries no box: pass box=, such as box=[20.0, 20.0]")
    n_dims = len(box) if np.ndim(box) else 0
    if n_dims not in (2, 3):
        raise ValueError(f"box must have 2 or 3 lengths or lattice vectors, got {box!r}")
    if rows.n_columns not in (n_dims + 1, 4):
        raise ValueError(
            f"{rows.place(0)}: expected the type and {n_dims} coordinates, as box has {n_dims} "
            f"dimensions, got {rows.n_columns} columns"
        )
    positions = rows.floats(range(1, rows.n_columns))
    if n_dims == 2 and np.ptp(positions[:, 2:], axis=0).any():
        bad = int(np.argmax(positions[:, 2] != positions[0, 2]))
        raise ValueError(
            f"{rows.place(bad)}: box has 2 dimensions, but z changes from "
            f"{positions[0, 2]} to {positions[bad, 2]}"
        )
    types = types_from_words(rows, 0)
    return Configuration(positions[:, :n_dims], types, cell_from_box(box, n_dims), periodic)


def types_from_words(rows, column):
    """Types from a column of names, by one rule for all files.

    Integers are kept as they are. In a frame with a species ``A`` (no element is called so) the
    letters A, B, C, ... are 0, 1, 2, ...; otherwise chemical symbols are their atomic numbers, and
    a ``B`` is boron.

    Parameters
    ----------
    rows : Rows
    column : int

    Returns
    -------
    types : ndarray of int64 of shape (n_rows,)

    Raises
    ------
    ValueError
        With file name and line number, if a name is none of these.
    """
    names, members = np.unique(rows.words(column), return_inverse=True)
    numbers = _numbers_of(names.tolist())
    for number, name in zip(numbers, names):
        if number is None or number < 0:
            bad = rows.words(column).index(name)
            raise ValueError(
                f"{rows.place(bad)}: a type must be an integer, 0 or larger, a chemical symbol, "
                f"or a letter of a mixture A, B, ..., got {str(name)!r}"
            )
    return np.array(numbers, dtype=np.int64)[members]


def _numbers_of(names):
    if any(name.lstrip("-").isdecimal() for name in names):
        return [int(name) if name.lstrip("-").isdecimal() else None for name in names]
    if "A" in names:
        numbers = {letter: number for number, letter in enumerate(ascii_uppercase)}
        return [numbers.get(name) for name in names]
    elements = import_extra("ase.data", "io", "reading chemical symbols").atomic_numbers
    return [elements.get(name) for name in names]
