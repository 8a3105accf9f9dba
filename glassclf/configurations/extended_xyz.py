"""Extended XYZ files, and plain ones where the box is given.

ASE parses the comment line, but it does not read the rest: it takes only chemical symbols for
species (not the A and B of a mixture), and does not say in which line a file is broken. Its writer
rounds positions to 8 decimals.
"""

import json
import numbers
from typing import NamedTuple

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.atomic import complete_file
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.flat import is_flat
from glassclf.configurations.plain_text import configuration_without_box, types_from_words
from glassclf.configurations.text_columns import Rows, format_rows, open_text, read_lines

# Keys of the comment line that describe box and columns; all others are info.
STRUCTURE_KEYS = ("Lattice", "Properties", "pbc", "Origin", "origin")


def read_xyz(path, box=None, periodic=True):
    """Read all frames of an XYZ file.

    A frame whose comment line has a ``Lattice`` is extended XYZ. Its column ``types`` gives the
    types, else ``type`` if that is one of integers (``type:I:1``), else ``species``
    (:func:`~glassclf.configurations.plain_text.types_from_words`); the file is two-dimensional if
    ``pos`` has two columns or every frame is flat (:func:`~glassclf.configurations.flat.is_flat`);
    other columns are ignored. A frame without is plain XYZ, ``species x y [z]``, for which the box
    must be given.

    Parameters
    ----------
    path : str or path-like
        Plain or gzipped.
    box : array-like of shape (n_dims,) or (n_dims, n_dims), default=None
        Box of plain frames.
    periodic : bool or sequence of bool, default=True
        Goes with ``box``.

    Returns
    -------
    X : Configurations
        Keys of an extended comment line are ``info``, but for the box and columns; ``Origin``, the
        corner of the box in the file, is kept in ``info["origin"]``.

    Raises
    ------
    ValueError
        With file name and line number, if the file is truncated or garbled; or if a box is missing
        or given twice.

    Warns
    -----
    UserWarning
        If the last line has no end, so that its last value may be cut.
    """
    lines = read_lines(path, warn_if_cut=True)
    frames, line = [], 0
    while line < len(lines):
        frame, line = _read_frame(path, lines, line, box, periodic)
        frames.append(frame)
        while line < len(lines) and not lines[line].strip():
            line += 1
    if not frames:
        raise ValueError(f"{path} is empty")
    flat = all(isinstance(frame, Configuration) or frame.is_flat() for frame in frames)
    return Configurations(
        frame if isinstance(frame, Configuration) else frame.configuration(2 if flat else 3)
        for frame in frames
    )


def _read_frame(path, lines, start, box, periodic):
    n_particles = int(Rows(lines, start, start + 1, 1, path).integers(0)[0])
    place = f"{path}, line {start + 2}"
    if n_particles < 1:
        raise ValueError(f"{path}, line {start + 1}: the frame has no particles")
    if start + 2 >= len(lines):
        raise ValueError(f"{path}, line {len(lines)}: the file is truncated")
    end = start + 2 + n_particles
    if "Lattice=" not in lines[start + 1]:
        n_columns = len(lines[start + 2].split())
        rows = Rows(lines, start + 2, end, n_columns, path)
        return configuration_without_box(rows, box, periodic), end
    if box is not None:
        raise ValueError(f"{place}: the file carries its own box: leave box= out")
    cell, repeats, origin, columns, info = _parse_comment(lines[start + 1], place)
    rows = Rows(lines, start + 2, end, max(used.stop for used in columns.values()), path)
    if "types" in columns:
        types = rows.integers(columns["types"].start)
    else:
        types = types_from_words(rows, columns["species"].start)
    positions = rows.floats(columns["pos"])
    return _Frame(positions, types, cell, repeats, origin, info, place), end


class _Frame(NamedTuple):
    """One frame of extended XYZ, before it is known whether the file is flat."""

    positions: np.ndarray
    types: np.ndarray
    cell: np.ndarray
    periodic: np.ndarray
    origin: np.ndarray | None
    info: dict
    place: str

    def is_flat(self):
        if self.positions.shape[1] == 2:
            return True
        return is_flat(self.positions[:, 2], self.cell, self.periodic)

    def configuration(self, n_dims):
        positions, info = self.positions[:, :n_dims], self.info
        if self.origin is not None:
            info = {**info, "origin": self.origin[:n_dims]}
            positions = positions - info["origin"]
        cell = self.cell[:n_dims, :n_dims]
        try:
            return Configuration(positions, self.types, cell, self.periodic[:n_dims], info)
        except ValueError as error:
            raise ValueError(f"{self.place}: {error}") from error


def _parse_comment(comment, place):
    """Cell, periodicity, origin, column ranges by name, and info of a comment line."""
    ase_xyz = import_extra("ase.io.extxyz", "io", "reading extended XYZ files")
    try:
        values = ase_xyz.key_val_str_to_dict(comment)
        # ASE hands matrices out with the lattice vectors as columns.
        cell = np.array(values["Lattice"], dtype=np.float64).reshape(3, 3).T
        periodic = np.array(values.get("pbc", [True] * 3)).reshape(3) != 0
        origin = values.get("Origin")
        if origin is not None:
            origin = np.array(origin, dtype=np.float64).reshape(3)
        columns, kinds, stop = {}, {}, 0
        fields = values.get("Properties", "species:S:1:pos:R:3").split(":")
        for name, kind, count in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
            columns[name] = range(stop, stop := stop + int(count))
            kinds[name] = f"{kind}:{count}"
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{place}: the comment line is garbled: {error}") from error
    # Names, or several numbers, may stand under this name as well.
    if kinds.get("type") == "I:1":
        columns.setdefault("types", columns["type"])
    if len(columns.get("pos", ())) not in (2, 3) or not {"types", "species"} & set(columns):
        raise ValueError(
            f"{place}: Properties needs pos with 2 or 3 columns, and species, types or type:I:1, "
            f"got {values['Properties']!r}"
        )
    info = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name not in STRUCTURE_KEYS and not isinstance(value, dict)
    }
    return cell, periodic, origin, columns, info


def write_xyz(path, X):
    """Write configurations as the frames of an extended XYZ file.

    Types stand in a column ``types``; ``species`` holds the element of that atomic number, X where
    there is none. Positions keep all their digits. ``info`` goes to the comment line, with
    ``info["origin"]`` as ``Origin``. Two-dimensional systems get z = 0 and do not repeat along z.

    Parameters
    ----------
    path : str or path-like
        Compressed if it ends in ``.gz``.
    X : Configurations

    Raises
    ------
    ValueError
        If a value of ``info`` is no number, bool, string, or array of these.
    """
    import_extra("ase.io.extxyz", "io", "writing extended XYZ files")
    with complete_file(path) as temporary, open_text(temporary) as file:
        for configuration in X:
            _write_frame(file, configuration)


def _write_frame(file, configuration):
    from ase.data import chemical_symbols

    n_dims, n_particles = configuration.n_dims, configuration.n_particles
    cell, periodic = np.eye(3), np.zeros(3, dtype=bool)
    cell[:n_dims, :n_dims] = configuration.cell
    periodic[:n_dims] = configuration.periodic
    positions = np.zeros((n_particles, 3))
    positions[:, :n_dims] = configuration.positions
    lattice = " ".join(map(repr, cell.ravel().tolist()))
    flags = " ".join("T" if repeats else "F" for repeats in periodic)
    words = [f'Lattice="{lattice}"', "Properties=species:S:1:pos:R:3:types:I:1", f'pbc="{flags}"']
    info = dict(configuration.info)
    if "origin" in info:
        origin = np.zeros(3)
        origin[:n_dims] = info.pop("origin")
        positions += origin
        words.append(f'Origin="{" ".join(map(repr, origin.tolist()))}"')
    words += [_as_word(str(name), value) for name, value in info.items()]
    file.write(f"{n_particles}\n{' '.join(words)}\n")
    symbols = [
        chemical_symbols[t] if t < len(chemical_symbols) else "X" for t in configuration.types
    ]
    table = np.empty((n_particles, 5), dtype=object)
    table[:, 0], table[:, 1:4], table[:, 4] = symbols, positions, configuration.types
    file.write(format_rows("%s %r %r %r %d\n", table))


def _as_word(name, value):
    """One ``name=value`` of the comment line, such that it is read back as it was."""
    from ase.io.extxyz import key_val_str_to_dict

    value = np.asarray(value)
    if name in STRUCTURE_KEYS or value.dtype.kind not in "biufU":
        raise ValueError(
            f"info[{name!r}] cannot be written to extended XYZ: the name is taken, or its values "
            f"({value.dtype}) are neither numbers nor bools nor strings"
        )
    plain = value.item() if value.ndim == 0 else value.tolist()
    if isinstance(plain, bool):
        return f"{_quoted(name)}={'T' if plain else 'F'}"
    if isinstance(plain, numbers.Real):
        return f"{_quoted(name)}={plain!r}"
    if isinstance(plain, str) and "\n" not in plain:
        word = f"{_quoted(name)}={_quoted(plain)}"
        # A string that looks like a number or a bool must be marked as a string.
        back = key_val_str_to_dict(word)[name]
        if isinstance(back, str) and back == plain:
            return word
    return f"{_quoted(name)}={_quoted('_JSON ' + json.dumps(plain))}"


def _quoted(text):
    if text.isidentifier():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
