"""Simulations in processes and in a directory: what the making of runs and of films shares."""

import errno
import numbers
import os
import shutil
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import check_random_state
from tqdm.auto import tqdm

from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.lammps_engine import last_lines


def produce(jobs, make, read, *, n_bytes, unit, n_jobs, verbose, max_time):
    """Make all simulations of a set in processes, or go on with those in its directory.

    Parameters
    ----------
    jobs : list
        What makes each simulation: has ``name``, ``directory`` (the same of all, or None) and
        ``file``, which gives the path of a file by its ending.
    make : callable
        Takes a job and ``deadline=``, as of ``time.time``. Returns a Configurations, or None where
        there is a directory.
    read : callable
        Takes a job in a directory. Returns a Configurations, or None where it is not finished.
    n_bytes : int
        What one finished simulation takes on disk.
    unit : str
        What one is called, such as "run".
    n_jobs : int
        Number of processes.
    verbose : int
        Whether to show a progress bar.
    max_time : float or None
        In seconds. Needs a directory.

    Returns
    -------
    data : Configurations
        In the order of ``jobs``.

    Raises
    ------
    ValueError
        If ``max_time`` is not valid or lacks a directory, or a file of the directory is something
        else.
    OSError
        If the disk is too small.
    TimeoutError
        If the time is over before all are finished.
    RuntimeError
        If a simulation fails, or the process that ran it dies.
    """
    deadline, directory = check_deadline(max_time), jobs[0].directory
    if directory is None:
        if max_time is not None:
            raise ValueError(f"max_time={max_time} needs a directory, where the {unit}s are kept")
        numbers = range(len(jobs))
        made = dict(_in_processes(jobs, numbers, make, read, unit, n_jobs, verbose, deadline))
        return Configurations.concatenate(made[number] for number in numbers)
    # Files are checked before hours of work, and again when those of others have joined them.
    missing = [number for number, job in enumerate(jobs) if read(job) is None]
    check_disk(directory, len(missing) * n_bytes)
    # Callers that share a directory start with different ones. No result depends on it.
    missing = np.random.default_rng().permutation(missing).tolist()
    for _ in _in_processes(jobs, missing, make, read, unit, n_jobs, verbose, deadline):
        pass
    made = [read(job) for job in jobs]
    n_made = sum(data is not None for data in made)
    if n_made < len(made):
        raise TimeoutError(
            f"max_time={max_time} is over: {n_made} of {len(made)} {unit}s are finished, the "
            "others stopped where a segment ends; the same call goes on with them in "
            f"{directory}"
        )
    return Configurations.concatenate(made)


def _in_processes(jobs, numbers, make, read, unit, n_jobs, verbose, deadline):
    """Yield (number, data) as they finish."""
    results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_make_numbered)(number, jobs[number], make, deadline) for number in numbers
    )
    n_before = len(jobs) - len(numbers)
    with (
        name_dead_workers(jobs[number] for number in numbers),
        tqdm(
            desc=f"{unit}s", total=len(jobs), initial=n_before, unit=unit, disable=not verbose
        ) as progress,
    ):
        for number, data in results:
            if data is not None or read(jobs[number]) is not None:
                progress.update()
            yield number, data


def _make_numbered(number, job, make, deadline):
    return number, make(job, deadline=deadline)


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
        If it is no path, or a file is in the way.
    """
    if not isinstance(directory, (str, os.PathLike)) or not str(directory):
        raise ValueError(f"directory must be the path of a folder, got {directory!r}")
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
