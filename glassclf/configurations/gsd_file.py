"""GSD files of HOOMD-blue."""

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.atomic import complete_file
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations

INFO_PREFIX = "info/"


def read_gsd(path):
    """Read all frames of a GSD file.

    Boxes of GSD are periodic and centred at 0, so that their corner lies at negative coordinates.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    X : Configurations
        Types are the ``typeid``. Info holds ``timestep``, ``origin`` (the corner of the box in the
        file) and the logged quantities that are single numbers.

    Raises
    ------
    ValueError
        If the file is not GSD, is damaged, or has no frames.
    """
    hoomd = import_extra("gsd.hoomd", "io", "reading GSD files")
    try:
        with hoomd.open(str(path), mode="r") as file:
            frames = list(file)
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a GSD file, or it is damaged: {error}") from error
    if not frames:
        raise ValueError(f"{path} is empty: it has no frames")
    configurations = []
    for index, frame in enumerate(frames):
        try:
            configurations.append(_configuration(frame))
        except ValueError as error:
            raise ValueError(f"{path}, frame {index}: {error}") from error
    return Configurations(configurations)


def _configuration(frame):
    n_dims = int(frame.configuration.dimensions)
    if frame.particles.N == 0:
        raise ValueError("the frame has no particles")
    lx, ly, lz, xy, xz, yz = np.asarray(frame.configuration.box, dtype=np.float64)
    cell = np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])[:n_dims, :n_dims]
    origin = -0.5 * cell.sum(axis=0)
    info = {"timestep": int(frame.configuration.step), "origin": origin}
    for name, values in (frame.log or {}).items():
        if values.size == 1:
            info[name.removeprefix(INFO_PREFIX)] = values.reshape(-1)[0]
    positions = np.asarray(frame.particles.position, dtype=np.float64)[:, :n_dims] - origin
    return Configuration(positions, frame.particles.typeid, cell, True, info)


def write_gsd(path, X):
    """Write configurations as the frames of a GSD file.

    Positions and box are rounded to single precision and the box is centred at 0, as the format
    asks. Numbers in ``info`` are logged quantities called ``info/<name>``; strings are left out.

    Parameters
    ----------
    path : str or path-like
    X : Configurations
        In periodic boxes, their first lattice vector along x and, in three dimensions, the second
        in the xy plane.

    Raises
    ------
    ValueError
        If the format cannot hold a box.
    """
    hoomd = import_extra("gsd.hoomd", "io", "writing GSD files")
    with complete_file(path) as temporary, hoomd.open(str(temporary), mode="w") as file:
        for index, configuration in enumerate(X):
            file.append(_frame(hoomd, configuration, index))


def _frame(hoomd, configuration, index):
    cell, n_dims = configuration.cell, configuration.n_dims
    if not configuration.periodic.all():
        raise ValueError(
            f"configuration {index}: boxes of GSD files repeat in all directions, got "
            f"periodic={configuration.periodic.tolist()}"
        )
    if (np.triu(cell, 1) != 0).any() or (np.diag(cell) <= 0).any():
        raise ValueError(
            f"configuration {index}: GSD needs the lattice vectors as a lower triangular matrix "
            f"with positive lengths, got {cell.tolist()}"
        )
    lengths, tilts = np.zeros(3), np.zeros(3)
    lengths[:n_dims] = np.diag(cell)
    tilts[0] = cell[1, 0] / cell[1, 1]
    if n_dims == 3:
        tilts[1:] = cell[2, :2] / cell[2, 2]
    frame = hoomd.Frame()
    frame.configuration.step = int(configuration.info.get("timestep", index))
    frame.configuration.dimensions = n_dims
    frame.configuration.box = np.concatenate([lengths, tilts])
    frame.particles.N = configuration.n_particles
    frame.particles.types = [_letter(t) for t in range(configuration.types.max() + 1)]
    frame.particles.typeid = configuration.types
    frame.particles.position = np.zeros((configuration.n_particles, 3))
    frame.particles.position[:, :n_dims] = configuration.positions - 0.5 * cell.sum(axis=0)
    for name, value in configuration.info.items():
        value = np.asarray(value)
        if name not in ("timestep", "origin") and value.ndim == 0 and value.dtype.kind in "biuf":
            frame.log[INFO_PREFIX + name] = value.reshape(1).astype(
                np.uint8 if value.dtype.kind == "b" else value.dtype
            )
    return frame


def _letter(number):
    return chr(ord("A") + number) if number < 26 else f"type{number}"
