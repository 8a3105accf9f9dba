"""Files of configurations with energies and forces: those of ASE, and arrays as of MD17."""

import zipfile
from pathlib import Path

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.open_box import box_of

# 2022 CODATA: 4184 J / mol by the charge of the electron and the number of Avogadro.
KCAL_PER_MOL = 4184 / (1.602176634e-19 * 6.02214076e23)
ARRAYS = {"positions": ("R",), "numbers": ("z", "nuclear_charges"), "E": ("E",), "F": ("F",)}


def read_labelled(path):
    """Read configurations with their energies and forces.

    Parameters
    ----------
    path : str or path-like
        An ``.npz`` file with the arrays of MD17: ``R`` (n, n_atoms, 3) in angstrom, atomic numbers
        ``z`` (n_atoms,), also ``nuclear_charges``, ``E`` (n,) or (n, 1) in kcal/mol and ``F`` of
        the shape of ``R`` in kcal/mol/angstrom. Everything else is read by ASE, such as extended
        XYZ with ``energy`` and a column ``forces``; it needs ``glassclf[io]``.

    Returns
    -------
    X : Configurations
        Types are atomic numbers. A molecule without a cell gets one around it, open in all
        directions.
    energy : ndarray of shape (n,)
        In eV; of ASE's files in the unit of the file, which is eV by its convention.
    forces : list of ndarray of shape (n_atoms, 3)
        In eV / angstrom, likewise.

    Raises
    ------
    ValueError
        If an array, an energy or forces are missing or have the wrong shape.
    ImportError
        If ASE is needed and missing.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from glassclf.configurations import read_labelled
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "hydrogen.npz"
    ...     R = np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]])
    ...     np.savez(path, R=R, z=[1, 1], E=[-730.0], F=np.zeros_like(R))
    ...     X, energy, forces = read_labelled(path)
    >>> X, energy.round(3).tolist()
    (Configurations(n=1, n_dims=3, n_particles=2, types=[1], info=[]), [-31.656])
    """
    path = Path(path).expanduser()
    if path.suffix == ".npz":
        return _read_arrays(path)
    frames = import_extra("ase.io", "io", "reading energies and forces").read(path, index=":")
    energies, forces = [], []
    for number, atoms in enumerate(frames):
        found = {} if atoms.calc is None else atoms.calc.results
        for name in ("energy", "forces"):
            if name not in found:
                raise ValueError(f"{path}: configuration {number} has no {name}")
        energies.append(found["energy"])
        forces.append(np.array(found["forces"]))
    X = Configurations(
        _configuration(atoms.positions, atoms.numbers, np.asarray(atoms.cell), atoms.pbc)
        for atoms in frames
    )
    return X, np.array(energies), forces


def _read_arrays(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {
                name: next((file[key] for key in keys if key in file), None)
                for name, keys in ARRAYS.items()
            }
    except (ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no file of numpy arrays ({error})") from error
    missing = [" or ".join(ARRAYS[name]) for name, array in arrays.items() if array is None]
    if missing:
        raise ValueError(f"{path} has no array {', '.join(missing)}")
    positions, numbers = arrays["positions"], arrays["numbers"]
    energy, forces = arrays["E"].reshape(-1), arrays["F"]
    expected = (len(energy), len(numbers), 3)
    if positions.shape != expected or forces.shape != expected:
        raise ValueError(
            f"{path}: R and F must have shape {expected}, as of E and z, got {positions.shape} and "
            f"{forces.shape}"
        )
    X = Configurations(
        _configuration(frame, numbers, np.zeros((3, 3)), [False] * 3) for frame in positions
    )
    return X, energy * KCAL_PER_MOL, list(forces * KCAL_PER_MOL)


def _configuration(positions, numbers, cell, periodic):
    positions, cell = box_of(positions, cell, periodic)
    return Configuration(positions, np.asarray(numbers, dtype=int), cell, periodic)
