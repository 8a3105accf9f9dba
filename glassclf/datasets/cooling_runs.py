"""One cooling run and its files: segment by segment, until the finished run replaces them.

A run in a directory has the files ``<name>.part`` (its last segment) and ``<name>.log`` (that of
LAMMPS) while it is made. They are removed when ``<name>.safetensors``, and with it
``<name>-cooling.dat`` where an energy curve was asked for, are complete.
"""

import json
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.minimization import quench
from glassclf.simulation.potentials import get_potential
from glassclf.simulation.segments import (
    CoolingProtocol,
    CoolingState,
    cool_in_segments,
    snapshots_of,
)

ADVICE = "remove it to make the run again, or use another directory"


class CoolingRun(NamedTuple):
    """What makes one run: its protocol, its seed, its name and where its files are."""

    protocol: CoolingProtocol
    seed: tuple
    """Of its random numbers: tuple of int."""
    name: str
    directory: Path | None

    def file(self, ending):
        """Return the path of one of its files."""
        return self.directory / f"{self.name}{ending}"


def make_run(run, deadline=None):
    """Make a run, or go on with it, until it is finished or the time is over.

    Parameters
    ----------
    run : CoolingRun
    deadline : float, default=None
        Time, as of ``time.time``, after which no further segment begins.

    Returns
    -------
    data : Configurations or None
        Thermal snapshots and their inherent structures. None if the files of the run hold them, or
        its next segment.

    Raises
    ------
    ValueError
        If a file of the run is damaged or of another protocol.
    OSError
        If a file cannot be written.
    RuntimeError
        If LAMMPS stops; names the run.
    """
    in_files = run.directory is not None
    state = read_part(run) if in_files else None
    # Looked for after the part: another process that finishes the run removes the part last.
    if in_files and run.file(".safetensors").exists():
        return None
    if deadline is not None and time.time() >= deadline:
        return None
    try:
        return _make_segments(run, state, deadline)
    except RuntimeError as error:
        raise RuntimeError(f"{run.name}: {error}") from error


def remove_leftovers(run):
    """Remove what a finished run had while it was made, and a process killed at its end has left.

    Parameters
    ----------
    run : CoolingRun
        Finished, in a directory.
    """
    for ending in (".part", ".log"):
        run.file(ending).unlink(missing_ok=True)


def read_run(run):
    """Open a finished run.

    Parameters
    ----------
    run : CoolingRun

    Returns
    -------
    data : Configurations or None
        None where there is no file yet.

    Raises
    ------
    ValueError
        If it is something else or of another protocol.
    """
    path = run.file(".safetensors")
    if not path.exists():
        return None
    try:
        data = Configurations.open(path)
        present = data.info["temperature"][data.info["state"] == "thermal"]
        name = data.info["run"][0]
        # Earlier versions kept less, and cut their runs elsewhere.
        data.info["pressure"]
    except Exception as error:
        raise ValueError(f"{path} is not a run of make_kob_andersen ({error}); {ADVICE}") from error
    if name != run.name:
        raise ValueError(f"{path} holds the run {name}, not {run.name}; {ADVICE}")
    _check_temperatures(path, tuple(present.tolist()), run.protocol)
    if run.protocol.curve_points:
        _check_curve(run)
    return data


def read_part(run):
    """Read the last segment of a run that is not finished.

    Parameters
    ----------
    run : CoolingRun

    Returns
    -------
    state : CoolingState or None
        None where there is no file yet.

    Raises
    ------
    ValueError
        If the file is damaged or of another protocol.
    """
    path = run.file(".part")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            protocol = json.loads(str(arrays["protocol"]))
            values = {name: arrays[name] for name in CoolingState._fields}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not part of a run ({error}); {ADVICE}") from error
    _check_temperatures(path, tuple(protocol["temperatures"]), run.protocol)
    if protocol["curve_points"] != run.protocol.curve_points:
        raise ValueError(
            f"{path} was made with curve_points={protocol['curve_points']}, not with "
            f"curve_points={run.protocol.curve_points}; {ADVICE}"
        )
    return CoolingState(
        **{
            **values,
            "n_cuts": int(values["n_cuts"]),
            "restart": values["restart"].tobytes(),
            "energy_drift": float(values["energy_drift"]),
        }
    )


def bytes_needed(protocol):
    """Estimate what a finished run takes on disk, generously.

    Parameters
    ----------
    protocol : CoolingProtocol

    Returns
    -------
    n_bytes : int
    """
    n_dims = get_potential(protocol.potential).n_dims
    # Positions and types of both states, and once more those of the part that they replace.
    configurations = 3 * len(protocol.temperatures) * protocol.n_particles
    return configurations * 8 * (n_dims + 1) + 200 * protocol.n_particles + 100_000


def _make_segments(run, state, deadline):
    in_files = run.directory is not None
    rng = np.random.RandomState(np.random.SeedSequence(run.seed).generate_state(8))
    log = run.file(".log") if in_files else None
    for latest in cool_in_segments(run.protocol, rng, state, log):
        state = latest
        if in_files:
            _write_part(run, state)
            if state.n_cuts < len(run.protocol.cuts()) and time.time() >= (deadline or np.inf):
                return None
    data = _with_inherent_structures(run, state)
    if not in_files:
        return data
    if run.protocol.curve_points:
        _write_curve(run, state.curve)
    data.save(run.file(".safetensors"))
    remove_leftovers(run)
    return None


def _write_part(run, state):
    arrays = state._asdict()
    arrays["restart"] = np.frombuffer(state.restart, dtype=np.uint8)
    arrays["protocol"] = json.dumps(run.protocol._asdict())
    with complete_file(run.file(".part")) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def _write_curve(run, curve):
    protocol = run.protocol
    header = (
        f"run {run.name}\n"
        f"potential {protocol.potential}\n"
        f"n_particles {protocol.n_particles}\n"
        f"cooling_steps {protocol.cooling_steps}\n"
        "temperature inherent_energy_per_particle"
    )
    columns = np.column_stack([protocol.curve_temperatures(), curve])
    with complete_file(run.file("-cooling.dat")) as temporary:
        np.savetxt(temporary, columns, fmt=("%.10g", "%.17g"), header=header)


def _check_curve(run):
    path = run.file("-cooling.dat")
    try:
        n_points = len(np.loadtxt(path, ndmin=2))
    except FileNotFoundError:
        n_points = 0
    except ValueError as error:
        raise ValueError(f"{path} is not an energy curve ({error}); {ADVICE}") from error
    if n_points != run.protocol.curve_points:
        finished = run.file(".safetensors")
        raise ValueError(
            f"{finished} was made with curve_points={n_points}, not with "
            f"curve_points={run.protocol.curve_points}; {ADVICE}"
        )


def _check_temperatures(path, present, protocol):
    if present != protocol.temperatures:
        raise ValueError(
            f"{path} was made with temperatures={present}, not with "
            f"temperatures={protocol.temperatures}; {ADVICE}"
        )


def _with_inherent_structures(run, state):
    thermal = snapshots_of(run.protocol, state)
    thermal.info["run"] = np.full(len(thermal), run.name)
    thermal.info["state"] = np.full(len(thermal), "thermal")
    inherent = quench(thermal, potential=run.protocol.potential)
    thermal.info["inherent_energy"] = inherent.info["inherent_energy"].copy()
    return Configurations.concatenate([thermal, inherent])
