"""Reading lattice snapshots from the HDF5 files that are shared in the field."""

import glob
import os
import re
from pathlib import Path

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.lattices import Lattices

# Names round rates to three decimals; these are the usual ones.
RATES = tuple(2.0 ** np.linspace(-6, -1, 10))
# Their numbers are up (towards lower rows), right, down, left.
ORIENTATIONS = np.array([0, 3, 2, 1, 4], dtype=np.uint8)
DATASET = re.compile(r"conf_(\d+)(?:_(\d+))?")
NUMBER = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"
FILE = re.compile(rf"tumble_{NUMBER}(?:_(\d*\.\d+))?")


def read_lattices(path, *, rates=RATES):
    """Read snapshots of the persistent exclusion process.

    Parameters
    ----------
    path : str, path-like or list of these
        HDF5 files, glob patterns too, named such as ``dataset_tumble_0.016_0.15.h5``, with the
        tumbling rate (where it is negative, its decimal logarithm) and the density. They hold
        snapshots ``conf_{iteration}``, and copies of them ``conf_{iteration}_{roll}``, shifted
        around the border.
    rates : sequence of float or None, default=2 ** linspace(-6, -1, 10)
        Tumbling rates that names stand for: a name that is one of them, rounded to three decimals,
        gives the exact one. None: as the name says.

    Returns
    -------
    X : Lattices
        File by file, in the order of iterations. Orientations are renumbered from theirs (1 up, 2
        right, 3 down, 4 left, with row 0 at the top). ``info``:

        - "tumbling_rate"; "density", of the name, else that of the sites.
        - "run": name of the file, so that a snapshot and its copies are never separated by groups;
          with its folder, where files in several folders have one name.
        - "iteration", "roll" (0 where there is none; the copy 0 is the snapshot itself).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If h5py is not installed; it comes with ``glassclf[io]``.
    ValueError
        If a file is no HDF5 file, holds no snapshots or other values than 0 to 4, its name tells
        no rate, or it is given twice.
    TypeError
        If ``path`` is no path.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> from glassclf.configurations import read_lattices
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/dataset_tumble_0.016_0.25.h5", "w") as file:
    ...         file["conf_0"] = [[0, 1], [0, 0]]
    ...     X = read_lattices(f"{folder}/*.h5")
    >>> X.info["tumbling_rate"].tolist(), X[0].tolist()
    ([0.015625], [[0, 3], [0, 0]])
    """
    h5py = import_extra("h5py", "io", "reading HDF5 files")
    files = _files(path)
    names = [file.stem for file in files]
    sets = []
    for file, name in zip(files, names):
        run = name if names.count(name) == 1 else str(file.with_suffix(""))
        sets.append(_read_file(h5py, file, rates, run))
    shapes = {each.lattice_shape: file for each, file in zip(sets, files)}
    if len(shapes) > 1:
        several = ", ".join(f"{shape} in {file}" for shape, file in shapes.items())
        raise ValueError(f"all lattices of a set must have one shape, got {several}")
    return Lattices.concatenate(sets)


def _files(path):
    files = []
    single = isinstance(path, (str, os.PathLike))
    if not single and not isinstance(path, (list, tuple)):
        raise TypeError(f"path must be a path or a list of paths, got {path!r}")
    for one in [path] if single else path:
        expanded = os.path.expanduser(one)
        found = sorted(glob.glob(expanded)) or [expanded]
        files += [Path(name) for name in found]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file}: there is no such file")
    if not files:
        raise FileNotFoundError(f"{path!r} names no file")
    for number, file in enumerate(files):
        if file.resolve() in [other.resolve() for other in files[:number]]:
            raise ValueError(f"{file} is given twice")
    return files


def _read_file(h5py, path, rates, run):
    rate, density = _named(path, rates)
    try:
        with h5py.File(path, "r") as file:
            matches = [(DATASET.fullmatch(name), name) for name in file]
            names = sorted(
                (int(match[1]), int(match[2] or 0), name) for match, name in matches if match
            )
            frames = [_frame(path, name, file[name]) for *_, name in names]
    except OSError as error:
        raise ValueError(f"{path} is no HDF5 file, or it is damaged: {error}") from error
    if not names:
        raise ValueError(f"{path} holds no datasets conf_<iteration>")
    try:
        X = Lattices.concatenate(frames)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    n = len(names)
    return Lattices(
        ORIENTATIONS[X.sites],
        {
            "tumbling_rate": np.full(n, rate),
            "density": X.density if density is None else np.full(n, density),
            "run": np.full(n, run),
            "iteration": np.array([iteration for iteration, *_ in names]),
            "roll": np.array([roll for _, roll, _ in names]),
        },
    )


def _frame(path, name, dataset):
    sites = np.asarray(dataset)
    if sites.ndim != 2:
        raise ValueError(f"{path}, {name}: expected a lattice, got shape {sites.shape}")
    try:
        return Lattices(sites[None])
    except ValueError as error:
        raise ValueError(f"{path}, {name}: {error}") from error


def _named(path, rates):
    match = FILE.search(path.stem)
    if match is None:
        raise ValueError(
            f"{path}: its name tells no tumbling rate, as dataset_tumble_0.016_0.15.h5 does"
        )
    value = float(match[1])
    # A negative number is the logarithm of a rate.
    rate = 10**value if value < 0 else value
    for known in rates or ():
        if value >= 0 and abs(round(known, 3) - value) < 1e-9:
            rate = known
    if not 0 < rate <= 1:
        raise ValueError(f"{path}: its name tells the tumbling rate {rate:g}, not in (0, 1]")
    return rate, None if match[2] is None else float(match[2])
