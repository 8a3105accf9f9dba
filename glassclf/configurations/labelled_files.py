"""Files of configurations with energies and forces: those of ASE, and arrays as of MD17."""

import zipfile
from pathlib import Path

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import info_of_atoms
from glassclf.configurations.open_box import box_of

# 2022 CODATA: 4184 J / mol by the charge of the electron and the number of Avogadro.
KCAL_PER_MOL = 4184 / (1.602176634e-19 * 6.02214076e23)
# Names of MD17, and of the revised MD17.
ARRAYS = {
    "R": ("R", "coords"),
    "z": ("z", "nuclear_charges"),
    "E": ("E", "energies"),
    "F": ("F", "forces"),
}


def read_labelled(path):
    """Read configurations with their energies and forces.

    Parameters
    ----------
    path : str or path-like
        An ``.npz`` file with the arrays of MD17: ``R`` (n, n_atoms, 3) in angstrom, atomic numbers
        ``z`` (n_atoms,), ``E`` (n,) or (n, 1) in kcal/mol and ``F`` of the shape of ``R`` in
        kcal/mol/angstrom; or those of the revised MD17, ``coords``, ``nuclear_charges``,
        ``energies`` and ``forces``. Everything else is read by ASE, such as extended XYZ with
        ``energy`` and a column ``forces``; it needs ``glassclf[io]``.

    Returns
    -------
    X : Configurations
        Types are atomic numbers. A molecule without a cell gets one around it, open in all
        directions. ``info`` has the single numbers and strings of ``info`` of ASE, such as "run".
    energy : ndarray of shape (n,)
        In eV; of ASE's files in the unit of the file, which is eV by its convention.
    forces : list of ndarray of shape (n_atoms, 3)
        In eV / angstrom, likewise.

    Raises
    ------
    ValueError
        If the file is something else or holds no configuration, or an array, an energy or forces
        are missing, not finite or of the wrong shape.
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
    frames = _read_frames(path)
    for number, atoms in enumerate(frames):
        for name in ("energy", "forces"):
            if atoms.calc is None or name not in atoms.calc.results:
                raise ValueError(f"{path}: configuration {number} has no {name}")
    energy = np.array([atoms.calc.results["energy"] for atoms in frames], dtype=np.float64)
    forces = [np.array(atoms.calc.results["forces"]) for atoms in frames]
    parts = [
        (one.positions, one.numbers, np.asarray(one.cell), one.pbc, info_of_atoms(one))
        for one in frames
    ]
    return _labelled(path, parts, energy, forces)


def _read_frames(path):
    ase_io = import_extra("ase.io", "io", "reading energies and forces")
    try:
        return ase_io.read(path, index=":")
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # each format of ASE has errors of its own
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is no file that ASE can read ({reason})") from error


def _read_arrays(path):
    names, arrays = _load_arrays(path)
    positions, numbers, energy, forces = (arrays[names[name]] for name in ARRAYS)
    for key, array in arrays.items():
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{path}: {key} must be numbers, got an array of {array.dtype}")
    if positions.ndim != 3 or positions.shape[2] != 3:
        raise ValueError(
            f"{path}: {names['R']} must have shape (n, n_atoms, 3), got {positions.shape}"
        )
    n, n_atoms, _ = positions.shape
    expected = {"z": [(n_atoms,)], "E": [(n,), (n, 1)], "F": [positions.shape]}
    for name, shapes in expected.items():
        shape = arrays[names[name]].shape
        if shape not in shapes:
            raise ValueError(
                f"{path}: {names[name]} must have shape {shapes[0]}, to go with {names['R']} of "
                f"shape {positions.shape}, got {shape}"
            )
    whole = numbers % 1 == 0
    if not whole.all():
        raise ValueError(
            f"{path}: {names['z']} must be whole numbers, got {numbers[np.argmin(whole)]}"
        )
    numbers = numbers.astype(int)
    parts = [(frame, numbers, np.zeros((3, 3)), [False] * 3, {}) for frame in positions]
    return _labelled(path, parts, energy.reshape(-1) * KCAL_PER_MOL, list(forces * KCAL_PER_MOL))


def _load_arrays(path):
    """The names that the file has for its arrays, and the arrays."""
    try:
        with np.load(path, allow_pickle=False) as file:
            present = file.files
            names = {
                name: next((key for key in keys if key in present), None)
                for name, keys in ARRAYS.items()
            }
            arrays = {key: file[key] for key in names.values() if key is not None}
    # What numpy makes of other files; it advises to unpickle them, which may run anything.
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no .npz file of arrays of numbers, or damaged") from error
    missing = [" or ".join(ARRAYS[name]) for name, key in names.items() if key is None]
    if missing:
        raise ValueError(
            f"{path} has no array {', '.join(missing)}; there are: {', '.join(present) or 'none'}"
        )
    return names, arrays


def _labelled(path, parts, energy, forces):
    """Configurations of (positions, numbers, cell, periodic, info), and their labels."""
    if not parts:
        raise ValueError(f"{path} holds no configuration")
    configurations = []
    for number, (positions, types, cell, periodic, info) in enumerate(parts):
        where = f"{path}: configuration {number}"
        for name, values in (("energy", energy[number]), ("forces", forces[number])):
            if not np.isfinite(values).all():
                raise ValueError(f"{where} has NaN or infinity in its {name}")
        try:
            positions, cell = box_of(positions, cell, periodic)
            configurations.append(Configuration(positions, types, cell, periodic, info))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return Configurations(configurations), energy, forces
