"""What all that make runs in a directory share: seeds, folders, time, disk and dead workers."""

import errno
import numbers
import shutil
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state

from glassclf.simulation.lammps_engine import last_lines


def check_seed(random_state, needs_int):
    """Turn a random_state into the seed of a set of runs.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    needs_int : bool
        Whether runs are kept in a directory, where a later call must find them.

    Returns
    -------
    seed : int

    Raises
    ------
    ValueError
        If it is negative, or no int where one is needed.
    """
    is_integer = isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool)
    if needs_int and not is_integer:
        raise ValueError(
            "directory needs an int as random_state, so that a later call finds its runs, "
            f"got random_state={random_state!r}"
        )
    if is_integer:
        if random_state < 0:
            raise ValueError(f"random_state must be 0 or larger, got {random_state}")
        return int(random_state)
    # So many bits that the run names of two unseeded sets differ.
    return int(check_random_state(random_state).randint(2**63 - 1, dtype=np.int64))


def check_deadline(max_time):
    """Turn a duration into a moment.

    Parameters
    ----------
    max_time : float or None
        In seconds.

    Returns
    -------
    deadline : float or None
        As of ``time.time``, which processes share.

    Raises
    ------
    ValueError
        If it is no positive number.
    """
    if max_time is None:
        return None
    is_number = isinstance(max_time, numbers.Real) and not isinstance(max_time, bool)
    if not is_number or not max_time > 0:
        raise ValueError(f"max_time must be a positive number of seconds, got {max_time!r}")
    return time.time() + max_time


def make_folder(directory):
    """Make a folder, with those above it.

    Parameters
    ----------
    directory : str or path-like
        ``~`` is the home folder.

    Returns
    -------
    directory : pathlib.Path

    Raises
    ------
    ValueError
        If a file is in the way.
    """
    directory = Path(directory).expanduser()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"directory must be a folder, {error.filename} is a file") from error
    return directory


def check_disk(directory, n_bytes):
    """Refuse to begin what the disk cannot hold in the end.

    Parameters
    ----------
    directory : pathlib.Path
    n_bytes : int
        What is going to be written there.

    Raises
    ------
    OSError
        With ENOSPC, naming the directory.
    """
    free = shutil.disk_usage(directory).free
    if n_bytes > free:
        raise OSError(
            errno.ENOSPC,
            f"{n_bytes / 1e6:.0f} MB are needed for the runs still to be made, "
            f"{free / 1e6:.0f} MB are free",
            str(directory),
        )


@contextmanager
def name_dead_workers(runs):
    """Say what was running when a worker process died, and what LAMMPS said last.

    Parameters
    ----------
    runs : iterable of CoolingRun, or what else has ``name``, ``directory`` and ``file``
        Those that may have been running.

    Raises
    ------
    RuntimeError
        In place of the error of the pool of processes.
    """
    try:
        yield
    except BrokenProcessPool as error:
        logs = [
            f"\n{run.name}, the last lines of LAMMPS:\n{last_lines(run.file('.log'))}"
            for run in runs
            if run.directory is not None and run.file(".log").exists()
        ]
        kept = "; finished segments are kept: the same call goes on with them" if logs else ""
        raise RuntimeError(
            "a worker process died: LAMMPS crashed, or the process was killed, as it is where "
            f"memory runs out{kept}{''.join(logs)}"
        ) from error
