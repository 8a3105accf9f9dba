"""Temperatures and energies out of a log of LAMMPS.

A log holds one table of numbers for each ``run`` or ``minimize``; a table has a line of column
names, and "Loop time of ... with N atoms" below it. The commands stand in the log as well, unless
their echo was switched off: from them it follows whether energies are per particle.
"""

import re
from typing import NamedTuple

import numpy as np

from glassclf.configurations.text_columns import Rows

# The second is that of versions before 2018.
TABLE_BEGINS = ("Per MPI rank memory allocation", "Memory usage per processor")
LOOP_TIME = re.compile(r"Loop time of \S+ on \d+ procs for \d+ steps with (\d+) atoms")
TABLE_ENDS = ("Loop time", "ERROR", "Total wall")
NORMALISED = re.compile(r"\s*thermo_modify\b.*\bnorm\s+(yes|no|on|off|true|false)\b")
UNITS = re.compile(r"\s*units\s+(\w+)")
# Either makes LAMMPS forget what was modified.
NEW_STYLE = re.compile(r"\s*(thermo_style|clear)\b")
# The potential energy in the columns that LAMMPS writes where none are chosen.
PARTS_OF_POTENTIAL = ("E_pair", "E_mol")


class ThermoTable(NamedTuple):
    """One table of a log."""

    columns: list
    """Names of the columns."""
    values: np.ndarray
    """(n_rows, n_columns)"""
    n_atoms: int | None
    """Number of atoms; None where the log ends inside the table."""
    per_particle: bool | None
    """Whether LAMMPS divided the energies by the number of atoms; None where it does not say."""
    minimized: bool
    """Whether the table is that of a minimisation."""


def is_thermo_log(lines):
    """Tell whether lines are those of a LAMMPS log.

    Parameters
    ----------
    lines : list of str

    Returns
    -------
    is_log : bool
    """
    return any(line.startswith(("LAMMPS (", *TABLE_BEGINS)) for line in lines)


def read_thermo_log(path, lines, columns, n_particles=None, minimized=False):
    """Read temperature and energy per particle of all tables of a log.

    Parameters
    ----------
    path : path-like
        Named in errors.
    lines : list of str
    columns : (str, str)
        Names of the columns of temperature and energy.
    n_particles : int, default=None
        Divide the energies by it. None: as the log says.
    minimized : bool, default=False
        False: the rows of all runs. True: of each minimisation the last energy, at the temperature
        of its first row.

    Returns
    -------
    temperature, energy : ndarray of shape (n_points,)

    Raises
    ------
    ValueError
        If the log is garbled, has no such table or column, or does not tell what to divide by.
    """
    tables, previous = [], None
    for table in _tables(path, lines):
        kept = table if minimized else _without_repeated_row(table, previous)
        previous = table
        if table.minimized == minimized and len(kept.values):
            tables.append(kept)
    if not tables:
        kind = "minimisation" if minimized else "run"
        raise ValueError(f"{path}: this log of LAMMPS holds no table of a {kind}")
    with_columns = [table for table in tables if all(_has(table, name) for name in columns)]
    if not with_columns:
        present = list(dict.fromkeys(name for table in tables for name in table.columns))
        raise ValueError(
            f"{path}: expected the columns {columns[0]!r} and {columns[1]!r} in one table, it has "
            f"{present}: name yours with temperature= and energy="
        )
    found = []
    for table in with_columns:
        pair = np.column_stack([_column(table, name) for name in columns])
        pair[:, 1] /= _divisor(path, table, n_particles)
        if minimized:
            # Steps go on in a minimisation, and with them a temperature that follows the step.
            pair = np.array([[pair[0, 0], pair[-1, 1]]])
        found.append(pair)
    return np.concatenate(found).T


def _tables(path, lines):
    """Yield the tables of a log that hold rows, one after the other."""
    units_per_particle = changed = None
    index = 0
    while index < len(lines):
        line = lines[index]
        if found := UNITS.match(line):
            units_per_particle = found.group(1) == "lj"
        elif found := NORMALISED.match(line):
            changed = found.group(1) in ("yes", "on", "true")
        elif NEW_STYLE.match(line):
            changed = None
        elif line.startswith(TABLE_BEGINS):
            columns, rows, index = _read_rows(path, lines, index + 1)
            loop = LOOP_TIME.match(lines[index]) if index < len(lines) else None
            after = "\n".join(lines[index : index + 8])
            if len(rows):
                yield ThermoTable(
                    columns,
                    rows,
                    int(loop.group(1)) if loop else None,
                    units_per_particle if changed is None else changed,
                    "Minimization stats:" in after,
                )
        index += 1


def _read_rows(path, lines, begin):
    """Read one table: its column names, its rows, and the index of the line that ends it."""
    while begin < len(lines) and not lines[begin].split():
        begin += 1
    columns = lines[begin].split() if begin < len(lines) else []
    if columns and columns[0].startswith("---"):
        raise ValueError(
            f"{path}, line {begin + 1}: expected a line of column names, got "
            f"{lines[begin].strip()!r}: thermo_style multi and thermo_modify line yaml are not "
            "read, use thermo_style custom"
        )
    end = begin + 1
    while end < len(lines) and not lines[end].startswith(TABLE_ENDS):
        end += 1
    # Fixes and warnings write between the rows, so that they come in blocks. The last row of a log
    # that ends inside its table may be cut.
    is_row = [_begins_with_number(line) for line in lines[begin + 1 : end]]
    if end == len(lines) and is_row and is_row[-1]:
        is_row[-1] = False
    edges = np.flatnonzero(np.diff([False, *is_row, False])) + begin + 1
    blocks = [
        Rows(lines, start, stop, len(columns), path).floats(range(len(columns)))
        for start, stop in zip(edges[::2], edges[1::2])
    ]
    return columns, np.concatenate(blocks) if blocks else np.empty((0, len(columns))), end


def _without_repeated_row(table, previous):
    """Drop the first row if it is the last of the table before.

    Each run begins with a row of where the one before has ended. After a minimisation that is the
    energy of the minimum, at the temperature of the run.
    """
    if previous is None or "Step" not in table.columns or "Step" not in previous.columns:
        return table
    step = table.values[0, table.columns.index("Step")]
    if step != previous.values[-1, previous.columns.index("Step")]:
        return table
    return table._replace(values=table.values[1:])


def _begins_with_number(line):
    try:
        float(line.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        return False
    return True


def _has(table, name):
    if name == "PotEng" and set(PARTS_OF_POTENTIAL) <= set(table.columns):
        return True
    return name in table.columns


def _column(table, name):
    if name in table.columns:
        return table.values[:, table.columns.index(name)]
    return sum(table.values[:, table.columns.index(part)] for part in PARTS_OF_POTENTIAL)


def _divisor(path, table, n_particles):
    if n_particles is not None:
        return n_particles
    if table.per_particle:
        return 1
    if table.per_particle is None:
        raise ValueError(
            f"{path} does not say whether its energies are per particle, as it holds neither the "
            "command units nor thermo_modify norm: pass n_particles=1 if they are, or the number "
            "of particles"
        )
    if table.n_atoms is None:
        raise ValueError(
            f"{path}: the energies are those of all particles, and the log ends before it says how "
            "many there are: pass n_particles"
        )
    return table.n_atoms
