"""Snapshots of active matter: many simulations of the persistent exclusion process."""

import contextlib
import json
import numbers
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from tqdm.auto import tqdm

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.lattices import N_ORIENTATIONS, Lattices
from glassclf.datasets.production import check_disk, check_seed, make_folder
from glassclf.simulation.persistent_exclusion import (
    PersistentExclusion,
    check_rate,
    count_particles,
    random_lattice,
)

SETTINGS = "settings.json"


def make_persistent_exclusion(
    tumbling_rates,
    densities,
    n_runs=1,
    *,
    n_snapshots=100,
    shape=(128, 128),
    speed=10,
    warm_up=500,
    interval=None,
    random_state=None,
    n_jobs=1,
    directory=None,
    verbose=1,
):
    """Simulate self-propelled particles at several tumbling rates and densities.

    Each run begins from particles on random sites. The time unit is an iteration of ``speed``
    sweeps; a sweep moves every particle once.

    Parameters
    ----------
    tumbling_rates : float or array-like of float
        Probability of a tumble in a sweep, each in (0, 1].
    densities : float or array-like of float
        Share of occupied sites, each between 0 and 1.
    n_runs : int, default=1
        Simulations of each rate at each density. A test needs runs that were not trained on.
    n_snapshots : int, default=100
        Snapshots of each run.
    shape : (int, int), default=(128, 128)
        Rows and columns of the lattice.
    speed : int, default=10
        Sweeps of an iteration.
    warm_up : int, default=500
        Iterations before the first snapshot. Whether they suffice is what
        :func:`~glassclf.thermodynamics.steady_state` tells.
    interval : int, default=None
        Iterations between snapshots. None: ``int(1 / tumbling_rate)``, so that a particle has
        tumbled ``speed`` times or more.
    random_state : int, RandomState instance or None, default=None
        Seed. Runs do not depend on which others are made in the same call.
    n_jobs : int, default=1
        Number of processes, -1 for all cores. It does not change the result.
    directory : str or path-like, default=None
        Where each run is kept as a file, one byte a site, which is mapped and not read: the set may
        be larger than the memory. A killed call, or one for more rates, densities or runs, goes on
        with what is there. Needs an int as ``random_state``.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    X : Lattices
        Run by run, in the order of densities, rates and runs. ``info``:

        - "tumbling_rate", "density".
        - "run": a string, unique in the set: the group for cross-validation.
        - "iteration": since the start of the run.

    Raises
    ------
    ValueError
        If a parameter is not valid, or ``directory`` holds runs of other settings.
    OSError
        If the disk is too small.

    See Also
    --------
    glassclf.simulation.PersistentExclusion : One simulation, step by step.

    Examples
    --------
    >>> from glassclf.datasets import make_persistent_exclusion
    >>> X = make_persistent_exclusion(
    ...     [0.1, 0.5], 0.15, n_snapshots=2, shape=(16, 16), random_state=0, verbose=0
    ... )
    >>> X.info["tumbling_rate"].tolist(), X.info["iteration"].tolist()
    ([0.1, 0.1, 0.5, 0.5], [500, 510, 500, 502])
    """
    rates, densities = _listed(tumbling_rates, "tumbling_rates"), _listed(densities, "densities")
    for rate in rates:
        check_rate(rate)
    counts = {density: count_particles(density, shape) for density in densities}
    lowest = {"n_runs": 1, "n_snapshots": 1, "speed": 1, "warm_up": 0, "interval": 1}
    given = {
        "n_runs": n_runs,
        "n_snapshots": n_snapshots,
        "speed": speed,
        "warm_up": warm_up,
        "interval": interval,
    }
    for name, value in given.items():
        if not (name == "interval" and value is None):
            _check_count(name, value, lowest[name])
    seed = check_seed(random_state, needs_int=directory is not None)
    settings = {
        "n_snapshots": int(n_snapshots),
        "shape": [int(n) for n in shape],
        "speed": int(speed),
        "warm_up": int(warm_up),
        "interval": None if interval is None else int(interval),
        "random_state": seed,
    }
    folder = None if directory is None else make_folder(directory)
    if folder is not None:
        _compare_settings(folder, settings)
    runs = [
        LatticeRun(rate, density, counts[density], index, settings, folder)
        for density in densities
        for rate in rates
        for index in range(n_runs)
    ]
    parts = _make(runs, n_jobs, verbose)
    info = {
        "tumbling_rate": np.repeat([run.rate for run in runs], n_snapshots),
        "density": np.repeat([run.density for run in runs], n_snapshots),
        "run": np.repeat([run.name for run in runs], n_snapshots),
        "iteration": np.concatenate([run.iterations() for run in runs]),
    }
    return Lattices.from_parts(parts, info)


@dataclass(frozen=True)
class LatticeRun:
    """One simulation of a set.

    Attributes
    ----------
    rate, density : float
    n_particles, index : int
        Index among the runs of the same rate and density.
    settings : dict
        What all runs of the set share.
    folder : pathlib.Path or None
        Where runs are kept.
    """

    rate: float
    density: float
    n_particles: int
    index: int
    settings: dict
    folder: Path | None

    @property
    def name(self):
        """Group of its snapshots."""
        rows, columns = self.settings["shape"]
        return (
            f"pep-{rows}x{columns}-{self.density:.12g}-{self.rate:.12g}-"
            f"s{self.settings['random_state']}-{self.index:03d}"
        )

    @property
    def path(self):
        """File of the run, in its folder."""
        return self.folder / f"{self.name}.npy"

    @property
    def n_bytes(self):
        """Size of its snapshots."""
        return int(self.settings["n_snapshots"] * np.prod(self.settings["shape"]))

    def iterations(self):
        """Iteration of each snapshot, ndarray of shape (n_snapshots,)."""
        interval = self.settings["interval"] or max(1, int(1 / self.rate))
        return self.settings["warm_up"] + interval * np.arange(self.settings["n_snapshots"])

    def make(self):
        """Simulate it; the snapshots, or None where they are in its file."""
        # The rate as a fraction of 2**53 is exact, and another one for every float.
        numbers_of_run = (*self.settings["shape"], self.n_particles, int(self.rate * 2**53))
        entropy = (self.settings["random_state"], *numbers_of_run, self.index)
        seeds = np.random.SeedSequence(entropy).generate_state(2)
        start = random_lattice(self.density, self.settings["shape"], int(seeds[0]))
        simulation = PersistentExclusion(start, self.rate, random_state=int(seeds[1]))
        sites = np.empty((self.settings["n_snapshots"], *start.shape), dtype=np.uint8)
        for place, iteration in enumerate(self.iterations().tolist()):
            simulation.run(iteration * self.settings["speed"] - simulation.n_sweeps)
            sites[place] = simulation.sites
        if self.folder is None:
            return sites
        with complete_file(self.path) as temporary:
            np.save(temporary, sites)
        return None

    def read(self):
        """Map its snapshots from the file."""
        try:
            sites = np.load(self.path, mmap_mode="r")
        except (ValueError, EOFError) as error:
            raise ValueError(f"{self.path} is damaged: remove it, it is made again") from error
        expected = (self.settings["n_snapshots"], *self.settings["shape"])
        if sites.shape != expected or sites.dtype != np.uint8:
            raise ValueError(
                f"{self.path} must hold bytes of shape {expected}, got {sites.dtype} of shape "
                f"{sites.shape}: remove it, it is made again"
            )
        # All of them would take as long as reading the whole set.
        for number in (0, len(sites) - 1):
            n_particles = np.count_nonzero(sites[number])
            if n_particles != self.n_particles or sites[number].max() > N_ORIENTATIONS:
                raise ValueError(
                    f"{self.path} is damaged: snapshot {number} must hold {self.n_particles} "
                    f"particles of orientations 1 to {N_ORIENTATIONS}, got {n_particles} up to "
                    f"{sites[number].max()}: remove it, it is made again"
                )
        return sites


def _make(runs, n_jobs, verbose):
    missing, folder = list(range(len(runs))), runs[0].folder
    # Workers that would have nothing to do take time to start.
    n_jobs = max(1, min(effective_n_jobs(n_jobs), len(missing)))
    if folder is not None:
        missing = [number for number in missing if not runs[number].path.exists()]
        check_disk(folder, sum(runs[number].n_bytes for number in missing))
        # Not before: a call that fails must not keep others from the folder.
        _keep_settings(folder, runs[0].settings)
    made = {}
    results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_make_numbered)(number, runs[number]) for number in missing
    )
    n_before = len(runs) - len(missing)
    with tqdm(
        desc="runs", total=len(runs), initial=n_before, unit="run", disable=not verbose
    ) as progress:
        for number, sites in results:
            made[number] = sites
            progress.update()
    if folder is not None:
        return [run.read() for run in runs]
    return [made[number] for number in range(len(runs))]


def _make_numbered(number, run):
    return number, run.make()


def _compare_settings(folder, settings):
    """Refuse a folder with runs of other settings."""
    path = folder / SETTINGS
    if not path.exists():
        if any(folder.glob("pep-*.npy")):
            raise ValueError(f"{folder} holds runs, but no {SETTINGS}: give another directory")
        return
    try:
        kept = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged, and what the runs beside it are is not known: give another "
            "directory"
        ) from error
    for name, value in settings.items():
        if kept.get(name) != value:
            raise ValueError(
                f"{folder} holds runs with {name}={kept.get(name)!r}, not {value!r}: give "
                "another directory"
            )


def _keep_settings(folder, settings):
    """Write them down; of several calls at one time, the first one."""
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8") as temporary:
        json.dump(settings, temporary, indent=1)
        temporary.flush()
        os.fsync(temporary.fileno())
        with contextlib.suppress(FileExistsError):
            # Unlike a rename, a link never takes the place of a file.
            os.link(temporary.name, folder / SETTINGS)
    _compare_settings(folder, settings)


def _listed(values, name):
    try:
        values = [float(value) for value in np.atleast_1d(values)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, got {values!r}") from error
    if not values:
        raise ValueError(f"{name} holds no value")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} holds a value twice, got {values}: n_runs repeats simulations")
    return values


def _check_count(name, value, lowest):
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < lowest:
        raise ValueError(f"{name} must be an integer of at least {lowest}, got {value!r}")
