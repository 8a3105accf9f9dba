"""Molecular dynamics in equilibrium: snapshots with their energies and forces."""

from typing import NamedTuple

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.potentials import StillingerWeber, get_potential
from glassclf.simulation.segments import THERMOSTAT_DAMPING, random_lattice

# Steps of the melt, from which the temperature is lowered, or raised, to the one asked for.
MELT_STEPS = 5_000
# Well above melting: mixtures of Kob and Andersen are melted at 2, silicon melts at 0.067.
MELT_TEMPERATURES = {StillingerWeber: 0.2}
DEFAULT_MELT_TEMPERATURE = 2.0


class EquilibriumProtocol(NamedTuple):
    """What tells one run from another, but for the seed."""

    potential: str
    """Name of the potential."""
    n_particles: int
    """Number of particles."""
    temperature: float
    """Of the thermostat."""
    n_snapshots: int
    """Number of snapshots."""
    interval: int
    """Time steps between snapshots."""
    warm_up: int
    """Time steps from the melt to the temperature, and as many at it."""


def run_equilibrium(protocol, seeds):
    """Simulate one run at constant temperature and volume.

    Parameters
    ----------
    protocol : EquilibriumProtocol
    seeds : numpy RandomState
        Gives the start.

    Returns
    -------
    snapshots : Configurations
        Wrapped. ``info``: "temperature", "measured_temperature", "energy" (potential energy of the
        whole configuration, eps) and "forces" (eps / sigma, shape (n, n_particles, n_dims)).

    Raises
    ------
    RuntimeError
        If LAMMPS stops.
    """
    potential = get_potential(protocol.potential)
    start = random_lattice(protocol.n_particles, potential, seeds)
    hot = MELT_TEMPERATURES.get(type(potential), DEFAULT_MELT_TEMPERATURE)
    snapshots, measured = [], []
    with LammpsSystem(start, protocol.potential) as system:
        # Twice the temperature: half of it goes into the potential energy of the relaxed lattice.
        system.run(
            f"""
            min_style cg
            minimize 0 1e-3 1000 10000
            velocity all create {2 * hot} {seeds.randint(1, 2**31 - 1)} dist gaussian
            {_thermostat(hot, hot)}
            {"fix flat all enforce2d" if start.n_dims == 2 else ""}
            run {MELT_STEPS}
            {_thermostat(hot, protocol.temperature)}
            run {protocol.warm_up}
            {_thermostat(protocol.temperature, protocol.temperature)}
            run {protocol.warm_up}
            """
        )
        for _ in range(protocol.n_snapshots):
            system.run(f"run {protocol.interval}")
            energy = system.thermo("pe") * protocol.n_particles
            measured.append((energy, system.thermo("temp"), system.forces()))
            snapshots.append(system.snapshot({}))
    energies, temperatures, forces = zip(*measured)
    X = Configurations(snapshots)
    X.info = {
        "temperature": np.full(len(X), protocol.temperature),
        "measured_temperature": np.array(temperatures),
        "energy": np.array(energies),
        "forces": np.array(forces),
    }
    return X


def _thermostat(start, stop):
    return f"fix thermostat all nvt temp {start!r} {stop!r} {THERMOSTAT_DAMPING}"
