"""Reading and writing configurations: which module reads which file."""

import glob
import os
from pathlib import Path

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import as_configurations
from glassclf.configurations.extended_xyz import read_xyz, write_xyz
from glassclf.configurations.gsd_file import read_gsd, write_gsd
from glassclf.configurations.lammps_dump import read_lammps_dump, write_lammps_dump
from glassclf.configurations.plain_text import read_table
from glassclf.configurations.store import open_store
from glassclf.configurations.store_writer import write_store
from glassclf.configurations.text_columns import read_bytes

READERS = {
    "glassclf": open_store,
    "lammps-dump": read_lammps_dump,
    "extxyz": read_xyz,
    "xyz": read_xyz,
    "gsd": read_gsd,
    "table": read_table,
}
WRITERS = {
    "glassclf": write_store,
    "lammps-dump": write_lammps_dump,
    "extxyz": write_xyz,
    "gsd": write_gsd,
}
# Formats whose files may carry no box, so that the user gives it.
BOX_FORMATS = ("extxyz", "xyz", "table")
SUFFIXES = {
    ".safetensors": "glassclf",
    ".dump": "lammps-dump",
    ".lammpstrj": "lammps-dump",
    ".lammpsdump": "lammps-dump",
    ".atom": "lammps-dump",
    ".xyz": "extxyz",
    ".extxyz": "extxyz",
    ".gsd": "gsd",
    ".txt": "table",
    ".dat": "table",
}


def read_configurations(path, format=None, *, box=None, periodic=True):
    r"""Read configurations from files.

    Every frame of every file becomes one configuration. The corner of the box is moved to 0 and
    kept in ``info["origin"]`` where the format has one. Types are kept as the file has them, never
    renumbered: LAMMPS type - 1, ``typeid`` of GSD, the integers or else the atomic numbers of XYZ.

    Parameters
    ----------
    path : str, path-like, or list of these
        One file, a glob pattern (its files are read in the order of their names as text: 0, 10, 2;
        ``**`` matches folders), or a list of files and patterns. ``.gz`` is fine for text, ``~`` is
        the home folder.
    format : {"glassclf", "lammps-dump", "extxyz", "xyz", "gsd", "table"}, default=None
        None: from the content or the ending of the file name. ``"extxyz"`` and ``"xyz"`` read both
        extended and plain XYZ; ``"table"`` has the columns ``type x y [z]`` and holds one
        configuration.
    box : array-like of shape (n_dims,) or (n_dims, n_dims), default=None
        The box, for tables and plain XYZ, which carry none.
    periodic : bool or sequence of bool, default=True
        Goes with ``box``.

    Returns
    -------
    X : Configurations
        Memory-mapped where a single store is read. If ``path`` is a pattern or a list,
        ``info["file"]`` says from which file each configuration came.

    Raises
    ------
    FileNotFoundError
        If a file does not exist or no file matches a pattern.
    TypeError
        If ``path`` is no path, such as an open file.
    ValueError
        If a file is empty, truncated, garbled or of an unknown format. No file is skipped. Errors
        in text files give the line.

    See Also
    --------
    write_configurations : Write them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassclf.configurations import read_configurations
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "coords.txt"
    ...     _ = path.write_text("0 0.5 0.5\n1 1.0 0.7\n")
    ...     read_configurations(path, box=[2.0, 2.0])
    Configurations(n=1, n_dims=2, n_particles=2, types=[0, 1], info=[])
    """
    _check_format(format, READERS)
    paths, several = expand_paths(path)
    sets = [_read_one(one, format, box, periodic) for one in paths]
    if not several:
        return sets[0]
    for one, X in zip(paths, sets):
        if X.n_dims != sets[0].n_dims:
            raise ValueError(
                f"{paths[0]} is {sets[0].n_dims}D and {one} is {X.n_dims}D: read them one by one"
            )
        X.info["file"] = np.full(len(X), str(one))
    return Configurations.concatenate(sets)


def write_configurations(path, X, format=None):
    """Write configurations to one file, which appears complete or not at all.

    Parameters
    ----------
    path : str or path-like
        Text is compressed if it ends in ``.gz``. ``~`` is the home folder.
    X : Configurations, or anything that :func:`as_configurations` takes
        At least one configuration.
    format : {"glassclf", "lammps-dump", "extxyz", "gsd"}, default=None
        None: from the ending of the file name. ``"glassclf"`` (``.safetensors``) keeps everything;
        ``"extxyz"`` (``.xyz`` too) keeps everything but dates and complex numbers;
        ``"lammps-dump"`` keeps of ``info`` only ``timestep`` and ``origin``; ``"gsd"`` rounds to
        single precision, is periodic only, and keeps of ``info`` single numbers.

    Raises
    ------
    TypeError
        If ``path`` is no path.
    ValueError
        If the format is unknown or cannot hold X, or X is empty.

    See Also
    --------
    read_configurations : Read them back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassclf.configurations import read_configurations, write_configurations
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.dump.gz"
    ...     write_configurations(path, [([[0.5, 0.5], [1.0, 0.7]], [0, 1], [2.0, 2.0])])
    ...     read_configurations(path).positions.tolist()
    [[0.5, 0.5], [1.0, 0.7]]
    """
    _check_format(format, WRITERS)
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"path must be a str or a path-like, got {type(path).__name__}: "
            "write_configurations(path, X)"
        )
    path = Path(path)
    chosen = format or SUFFIXES.get(_suffix(path))
    if chosen not in WRITERS:
        endings = [ending for ending, name in SUFFIXES.items() if name in WRITERS]
        raise ValueError(
            f"{path}: no format goes with this ending: use one of {endings}, or pass format="
        )
    X = as_configurations(X)
    if len(X) == 0:
        raise ValueError(f"X has no configurations to write to {path}")
    WRITERS[chosen](path, X)


def _check_format(format, known):
    if format is not None and format not in known:
        raise ValueError(f"format must be None or one of {sorted(known)}, got {format!r}")


def _suffix(path):
    return Path(path.name.lower().removesuffix(".gz")).suffix


def expand_paths(path):
    """List the files that a path, a glob pattern or a list of these means.

    Parameters
    ----------
    path : str, path-like, or list of these

    Returns
    -------
    paths : list of Path
        Those of a pattern in the order of their names.
    several : bool
        Whether the path may mean several.

    Raises
    ------
    FileNotFoundError
        If no file matches a pattern.
    TypeError
        If it is no path.
    ValueError
        If the list is empty.
    """
    if isinstance(path, (str, os.PathLike)):
        pattern = os.path.expanduser(path)
        # A file may have brackets in its name.
        if not glob.has_magic(pattern) or os.path.exists(pattern):
            return [Path(pattern)], False
        found = sorted(glob.glob(pattern, recursive=True))
        if not found:
            raise FileNotFoundError(f"no file matches {pattern!r}")
        return [Path(name) for name in found], True
    # An open file is an iterable too, of its lines.
    is_list = hasattr(path, "__iter__") and not hasattr(path, "read")
    if not is_list or isinstance(path, (bytes, dict)):
        raise TypeError(
            f"path must be a str, a path-like or a list of these, got {type(path).__name__}"
        )
    paths = [one for part in path for one in expand_paths(part)[0]]
    if not paths:
        raise ValueError("path is an empty list: name at least one file")
    return paths, True


def _read_one(path, format, box, periodic):
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: pass a pattern, such as {str(path / '*.dump')!r}")
    chosen = format or _recognise(path)
    if chosen in BOX_FORMATS:
        return READERS[chosen](path, box=box, periodic=periodic)
    if box is not None:
        raise ValueError(f"{path} carries its own box: leave box= out")
    return READERS[chosen](path)


def _recognise(path):
    start = read_bytes(path, 8)
    if not start:
        raise ValueError(f"{path} is empty")
    # Dumps go by many names, tables among them.
    if start.startswith(b"ITEM:"):
        return "lammps-dump"
    if _suffix(path) not in SUFFIXES:
        raise ValueError(
            f"{path} is of no known format: endings known are {sorted(SUFFIXES)}; "
            "name another with format="
        )
    return SUFFIXES[_suffix(path)]
