"""LAMMPS text dumps.

ASE does not do the job: it refuses dumps without a z column, which two-dimensional runs often
write, has no corner of the box for scaled coordinates, stops at type 118, and does not say in which
line a file is broken.
"""

import numpy as np

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.box import is_rectangular
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.flat import is_flat
from glassclf.configurations.text_columns import Rows, format_rows, open_text, read_lines

# Names of the coordinate columns, best first, and whether they are in units of the box.
COORDINATES = (("x", False), ("xu", False), ("xs", True), ("xsu", True))


def read_lammps_dump(path):
    """Read all frames of a LAMMPS text dump.

    Particles are sorted by id where there is one; type ``t`` of LAMMPS becomes ``t - 1``. Columns
    ``x``, ``xu``, ``xs`` or ``xsu`` (in this order of preference) are the positions; others are
    ignored. A dump is two-dimensional if it has no z column or if every frame is flat
    (:func:`~glassclf.configurations.flat.is_flat`). A direction is periodic if both its boundary
    flags are ``p``; a dump of old versions without flags counts as periodic.

    Parameters
    ----------
    path : str or path-like
        Plain or gzipped.

    Returns
    -------
    X : Configurations
        With ``info["timestep"]`` and ``info["origin"]``, the corner of the box in the file, of
        shape (n, n_dims); with ``info["time"]`` if the dump has sections of that name.

    Raises
    ------
    ValueError
        With file name and line number, if the dump is truncated or garbled.

    Warns
    -----
    UserWarning
        If the last line has no end, so that its last value may be cut.
    """
    lines = read_lines(path, warn_if_cut=True)
    frames, line = [], 0
    while line < len(lines):
        frame = _Frame(path, lines, line)
        frames.append(frame)
        line = frame.end
        while line < len(lines) and not lines[line].strip():
            line += 1
    if not frames:
        raise ValueError(f"{path} is empty")
    flat = all(frame.is_flat() for frame in frames)
    return Configurations(frame.configuration(2 if flat else 3) for frame in frames)


class _Frame:
    """One frame of a dump, parsed section by section."""

    def __init__(self, path, lines, start):
        self.path, self.lines, self.line = path, lines, start
        self.time = None
        self._read_optional_sections()
        self.timestep = int(self._integers("TIMESTEP")[0])
        self._read_optional_sections()
        self.n_particles = int(self._integers("NUMBER OF ATOMS")[0])
        if self.n_particles < 1:
            raise ValueError(f"{path}, line {self.line}: the frame has no particles")
        self._read_box()
        self._read_particles()
        self.end = self.line

    def is_flat(self):
        if self.positions.shape[1] == 2:
            return True
        return is_flat(self.positions[:, 2], self.cell, self.periodic)

    def configuration(self, n_dims):
        positions, cell = self.positions[:, :n_dims], self.cell[:n_dims, :n_dims]
        origin = self.origin[:n_dims]
        if self.scaled:
            positions = positions @ self.cell[: positions.shape[1], :n_dims]
        else:
            positions = positions - origin
        info = {"timestep": self.timestep, "origin": origin}
        if self.time is not None:
            info["time"] = self.time
        try:
            return Configuration(positions, self.types, cell, self.periodic[:n_dims], info)
        except ValueError as error:
            raise ValueError(f"{self.path}, line {self.box_line}: {error}") from error

    def _header(self, name):
        """Words behind ``ITEM: name``, which the current line must be."""
        found = self.lines[self.line] if self.line < len(self.lines) else "the end of the file"
        expected = f"ITEM: {name}"
        if found != expected and not found.startswith(expected + " "):
            raise ValueError(
                f"{self.path}, line {self.line + 1}: expected {expected!r}, got {found[:60]!r}"
            )
        self.line += 1
        return found[len(expected) :].split()

    def _rows(self, n_rows, n_columns):
        rows = Rows(self.lines, self.line, self.line + n_rows, n_columns, self.path)
        self.line += n_rows
        return rows

    def _integers(self, name):
        self._header(name)
        return self._rows(1, 1).integers(0)

    def _read_optional_sections(self):
        """Read what ``dump_modify`` adds when asked: before the timestep, but not in all files."""
        while self.line < len(self.lines):
            if self.lines[self.line].strip() == "ITEM: UNITS":
                self.line += 2
            elif self.lines[self.line].strip() == "ITEM: TIME":
                self.line += 1
                self.time = self._rows(1, 1).floats([0])[0, 0]
            else:
                return

    def _read_box(self):
        words = self._header("BOX BOUNDS")
        self.box_line = self.line
        flags = [word for word in words if len(word) == 2 and set(word) <= set("pfsm")]
        if len(flags) not in (0, 3):
            raise ValueError(
                f"{self.path}, line {self.line}: expected 3 boundary flags, got {flags}"
            )
        self.periodic = np.array([flag == "pp" for flag in flags or ["pp"] * 3])
        if "abc" in words:
            bounds = self._rows(3, 4).floats(range(4))
            self.cell, self.origin = bounds[:, :3], bounds[:, 3]
        elif "xy" in words:
            self.cell, self.origin = _from_bounds(self._rows(3, 3).floats(range(3)))
        else:
            bounds = self._rows(3, 2).floats(range(2))
            self.cell, self.origin = np.diag(bounds[:, 1] - bounds[:, 0]), bounds[:, 0]

    def _read_particles(self):
        columns = self._header("ATOMS")
        where = f"{self.path}, line {self.line}"
        kinds = [(name, scaled) for name, scaled in COORDINATES if name in columns]
        if not kinds or "type" not in columns:
            raise ValueError(
                f"{where}: a dump needs a column 'type' and positions (x, xu, xs or xsu), "
                f"got {columns}"
            )
        name, self.scaled = kinds[0]
        names = [name.replace("x", axis, 1) for axis in "xyz"]
        if names[2] not in columns:
            names.pop()
        if names[1] not in columns:
            raise ValueError(f"{where}: column {names[0]!r} but no {names[1]!r} in {columns}")
        rows = self._rows(self.n_particles, len(columns))
        self.positions = rows.floats([columns.index(name) for name in names])
        self.types = rows.integers(columns.index("type")) - 1
        if self.types.min() < 0:
            bad = int(np.argmin(self.types))
            raise ValueError(
                f"{rows.place(bad)}: LAMMPS types start at 1, got {self.types[bad] + 1}"
            )
        if "id" in columns:
            ids = rows.integers(columns.index("id"))
            order = np.argsort(ids, kind="stable")
            same = np.flatnonzero(np.diff(ids[order]) == 0)
            if len(same):
                bad = order[same[0] + 1]
                raise ValueError(f"{rows.place(bad)}: particle id {ids[bad]} stands there twice")
            self.positions, self.types = self.positions[order], self.types[order]


def _from_bounds(bounds):
    """Cell and corner from the box that encloses a triclinic one, and its tilts."""
    (xy, xz, yz), low, high = bounds[:, 2], bounds[:, 0].copy(), bounds[:, 1].copy()
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    return cell, low


def write_lammps_dump(path, X):
    """Write configurations as the frames of a LAMMPS text dump.

    The box starts at ``info["origin"]`` and the frame is called ``info["timestep"]``, where
    present; a dump carries no other info. Two-dimensional systems get z = 0 in a thin periodic box.

    Parameters
    ----------
    path : str or path-like
        Compressed if it ends in ``.gz``.
    X : Configurations

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassclf.configurations import as_configurations
    >>> from glassclf.configurations.lammps_dump import read_lammps_dump, write_lammps_dump
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.dump"
    ...     write_lammps_dump(path, as_configurations([([[0.5, 0.5]], [0], [2.0, 2.0])]))
    ...     read_lammps_dump(path)
    Configurations(n=1, n_dims=2, n_particles=1, types=[0], info=['origin', 'timestep'])
    """
    with complete_file(path) as temporary, open_text(temporary) as file:
        for index, configuration in enumerate(X):
            _write_frame(file, configuration, index)


def _write_frame(file, configuration, index):
    n_dims = configuration.n_dims
    cell, origin, periodic = np.zeros((3, 3)), np.zeros(3), np.ones(3, dtype=bool)
    cell[:n_dims, :n_dims] = configuration.cell
    origin[:n_dims] = configuration.info.get("origin", np.zeros(n_dims))
    periodic[:n_dims] = configuration.periodic
    if n_dims == 2:
        # Thinner than long, so that the reader knows it for flat; LAMMPS itself uses 1.
        cell[2, 2] = min(1.0, 0.5 * np.linalg.norm(configuration.cell, axis=1).min())
        origin[2] = -0.5 * cell[2, 2]
    words, bounds = _bounds(cell, origin)
    flags = ["pp" if repeats else "ff" for repeats in periodic]
    file.write(f"ITEM: TIMESTEP\n{int(configuration.info.get('timestep', index))}\n")
    file.write(f"ITEM: NUMBER OF ATOMS\n{configuration.n_particles}\n")
    file.write(" ".join(["ITEM: BOX BOUNDS", *words, *flags]) + "\n")
    file.write(format_rows("%r " * (bounds.shape[1] - 1) + "%r\n", bounds))
    file.write("ITEM: ATOMS id type x y z\n")
    positions = np.zeros((configuration.n_particles, 3))
    positions[:, :n_dims] = configuration.positions
    positions[:, :n_dims] += origin[:n_dims]
    ids = np.arange(1, configuration.n_particles + 1)
    table = np.column_stack([ids, configuration.types + 1, positions])
    file.write(format_rows("%d %d %r %r %r\n", table))


def _bounds(cell, origin):
    """Header words and numbers of a box: orthogonal, LAMMPS's own triclinic, or a general one."""
    if is_rectangular(cell):
        return [], np.column_stack([origin, origin + np.diag(cell)])
    if (np.diag(cell) > 0).all() and (np.triu(cell, 1) == 0).all():
        xy, xz, yz = cell[1, 0], cell[2, 0], cell[2, 1]
        low, high = origin.copy(), origin + np.diag(cell)
        low[0] += min(0.0, xy, xz, xy + xz)
        high[0] += max(0.0, xy, xz, xy + xz)
        low[1] += min(0.0, yz)
        high[1] += max(0.0, yz)
        return ["xy", "xz", "yz"], np.column_stack([low, high, [xy, xz, yz]])
    return ["abc", "origin"], np.column_stack([cell, origin])
