"""Reading cooling curves from files: two columns, or a log of LAMMPS."""

import os
import re
from numbers import Integral
from pathlib import Path

import numpy as np

from glassclf.configurations.files import expand_paths
from glassclf.configurations.text_columns import Rows, read_lines
from glassclf.thermodynamics.curves import CoolingCurves
from glassclf.thermodynamics.thermo_log import is_thermo_log, read_thermo_log

FILE_ENDING = "cooling.dat"
COOLING_STEPS = re.compile(r"\s*#\s*cooling_steps\s+(\d+)\s*$")


def read_cooling_curves(
    path,
    *,
    cooling_steps=None,
    temperature="Temp",
    energy="PotEng",
    n_particles=None,
    minimized=False,
    n_bins=None,
):
    r"""Read cooling curves from files, one run a file.

    A file has two columns, temperature and energy per particle, below a header or none; or it is a
    log of LAMMPS (``log.lammps``), recognised by its content.

    Parameters
    ----------
    path : str, path-like, or list of these
        A folder (its files that end in ``cooling.dat``), a file, a glob pattern, or a list.
    cooling_steps : int, default=None
        Read only the files of this rate. A file that names none (``# cooling_steps 200000`` in its
        header) is taken to have it. None: all files are of one rate.
    temperature, energy : str, default="Temp" and "PotEng"
        Columns of a log. LAMMPS's "Temp" is the kinetic temperature of the moment; a log with the
        temperature of the thermostat in a column of its own is smoother. Where a log has "E_pair"
        and "E_mol" in place of "PotEng", their sum is taken.
    n_particles : int, default=None
        Divide the energies by it. None: a log says itself whether they are per particle (``units``,
        ``thermo_modify norm``) and how many particles there are; those of two columns are taken as
        they are.
    minimized : bool, default=False
        Of a log, False: all rows of all runs. True: of each minimisation the last energy, which is
        that of an inherent structure, at the temperature of its first row.
    n_bins : int, default=None
        Average each curve in so many equal bins of temperature, for runs that do not share their
        temperatures. The bins span the temperatures that all runs reach. None: no bins.

    Returns
    -------
    curves : CoolingCurves
        Runs are named after their files. Points of a run at the same temperature are averaged.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or a folder holds no curve.
    ValueError
        If a file is empty or garbled (with the line), the files are of several rates, or the runs
        do not share their temperatures and there are no bins.

    See Also
    --------
    cooling_curves : From configurations.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> from glassclf.thermodynamics import read_cooling_curves
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for run in ("a", "b"):
    ...         text = "# T energy\n2.0 -3.5\n0.05 -3.7\n"
    ...         _ = Path(folder, f"{run}-cooling.dat").write_text(text)
    ...     read_cooling_curves(folder)
    CoolingCurves(n_runs=2, n_points=2, temperature=0.05..2, cooling_steps=None)
    """
    for name, value in (("n_particles", n_particles), ("n_bins", n_bins)):
        if value is not None and (not isinstance(value, Integral) or value < 1):
            raise ValueError(f"{name} must be None or an integer of at least 1, got {value!r}")
    curves, rates = {}, {}
    for file in _files(path):
        lines = read_lines(file)
        # Spreadsheets put a mark of the encoding before the first number.
        lines[:1] = [line.removeprefix("\ufeff") for line in lines[:1]]
        steps = _steps_of(lines)
        if None not in (cooling_steps, steps) and steps != cooling_steps:
            continue
        if is_thermo_log(lines):
            columns = (temperature, energy)
            points = read_thermo_log(file, lines, columns, n_particles, minimized)
        else:
            points = _two_columns(file, lines)
            points[1] /= n_particles or 1
        curves[file], rates[file] = _average_repeated(*points), steps
    steps = _one_rate(path, rates, cooling_steps)
    grid, energies = _on_one_grid(curves, n_bins)
    return CoolingCurves(grid, energies, _run_names(list(curves)), steps)


def _files(path):
    if isinstance(path, (str, os.PathLike)) and Path(path).expanduser().is_dir():
        folder = Path(path).expanduser()
        found = sorted(folder.glob(f"*{FILE_ENDING}"))
        if not found:
            raise FileNotFoundError(f"{folder} holds no file that ends in {FILE_ENDING}")
        return found
    files = expand_paths(path)[0]
    for file in files:
        if not file.exists():
            raise FileNotFoundError(f"{file}: no such file")
        if file.is_dir():
            raise ValueError(f"{file} is a folder: name its files, or pass it alone")
    return list(dict.fromkeys(files))


def _steps_of(lines):
    for index, line in enumerate(lines):
        if found := COOLING_STEPS.match(line):
            return int(found.group(1))
        if not _is_header(line, index, lines):
            break
    return None


def _one_rate(path, rates, cooling_steps):
    if not rates:
        raise ValueError(f"cooling_steps={cooling_steps}: no file of {path} is of this rate")
    if cooling_steps is not None:
        return cooling_steps
    known = sorted({steps for steps in rates.values() if steps is not None})
    if len(known) > 1:
        raise ValueError(
            f"the files of {path} mix cooling rates, cooling_steps={known}: choose one, such as "
            f"cooling_steps={known[0]}"
        )
    return known[0] if known else None


def _two_columns(path, lines):
    """Read temperature and energy below a header, ndarray of shape (2, n_points)."""
    lines = [line.replace(",", " ") for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    start = 0
    while start < len(lines) and _is_header(lines[start], start, lines):
        start += 1
    if start == len(lines):
        raise ValueError(f"{path} is empty: expected two columns, temperature and energy")
    return Rows(lines, start, len(lines), 2, path).floats([0, 1]).T


def _is_header(line, index, lines):
    words = line.split()
    if not words or words[0].startswith("#"):
        return True
    # One line of names without a "#" before the first number.
    names_so_far = any(each.split() and not each.lstrip().startswith("#") for each in lines[:index])
    return not names_so_far and not any(map(_is_number, words))


def _is_number(word):
    try:
        float(word)
    except ValueError:
        return False
    return True


def _average_repeated(temperature, energy):
    grid, place = np.unique(temperature, return_inverse=True)
    return grid, np.bincount(place, energy) / np.bincount(place)


def _on_one_grid(curves, n_bins):
    """Bring all curves to the same temperatures: grid (n_points,), energies (n_runs, n_points)."""
    if n_bins is not None:
        return _binned(curves, n_bins)
    first, (grid, _) = next(iter(curves.items()))
    for file, (other, _) in curves.items():
        if not np.array_equal(grid, other):
            raise ValueError(
                f"{file} has other temperatures ({len(other)} from {other[0]:g} to {other[-1]:g}) "
                f"than {first} ({len(grid)} from {grid[0]:g} to {grid[-1]:g}): average them in "
                "bins, such as n_bins=50"
            )
    return grid, [energy for _, energy in curves.values()]


def _binned(curves, n_bins):
    lowest = max(grid[0] for grid, _ in curves.values())
    highest = min(grid[-1] for grid, _ in curves.values())
    if lowest >= highest:
        raise ValueError("the runs have no range of temperatures in common")
    edges = np.linspace(lowest, highest, n_bins + 1)
    energies = []
    for file, (grid, energy) in curves.items():
        inside = (grid >= lowest) & (grid <= highest)
        place = np.clip(np.searchsorted(edges, grid[inside], side="right") - 1, 0, n_bins - 1)
        count = np.bincount(place, minlength=n_bins)
        if (count == 0).any():
            empty = np.flatnonzero(count == 0)[0]
            raise ValueError(
                f"{file} has no temperature between {edges[empty]:g} and {edges[empty + 1]:g}: "
                f"n_bins={n_bins} are too many"
            )
        energies.append(np.bincount(place, energy[inside], n_bins) / count)
    return (edges[1:] + edges[:-1]) / 2, energies


def _run_names(files):
    names = [file.name.removesuffix(".gz").removesuffix(f"-{FILE_ENDING}") for file in files]
    # Files of the same name in several folders.
    return names if len(set(names)) == len(names) else [str(file) for file in files]
