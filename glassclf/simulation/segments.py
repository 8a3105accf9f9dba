"""A cooling run in segments: after each of them the run can stop, and go on in another process.

A run is cut at fixed steps, which follow from its protocol alone: LAMMPS rebuilds its neighbour
lists where a run begins, so that other cuts would give other last bits. A run that goes on from a
restart file is then the same, bit by bit, as one that was never stopped.
"""

from typing import NamedTuple

import numpy as np

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.minimization import inherent_energy
from glassclf.simulation.potentials import get_potential

HIGHEST_TEMPERATURE = 2.0
LOWEST_TEMPERATURE = 0.05
MELT_STEPS = 20_000
# In time units. With 0.5 the fast runs lag behind: asked for 0.055, 2e4 steps end at 0.070.
THERMOSTAT_DAMPING = 0.1
# In particle steps, of which a core does about five million a second in two dimensions and two in
# three. A run stops only where a segment ends; shorter ones would be more writing than computing.
LONGEST_SEGMENT = 300_000_000
SHORTEST_SEGMENT = 10_000_000
# Steps without thermostat after the melt, in pieces: the total energy must stay the same there.
DRIFT_PIECES, DRIFT_PIECE_STEPS = 10, 100


class CoolingProtocol(NamedTuple):
    """What tells one cooling from another, but for the seed."""

    n_particles: int
    """Number of particles."""
    cooling_steps: int
    """Time steps from T = 2 to T = 0.05."""
    temperatures: tuple
    """Where to take snapshots, falling."""
    potential: str
    """Name of the potential."""
    curve_points: int = 0
    """At how many equal intervals, from T = 2 to T = 0.05, to measure the inherent energy."""

    def snapshot_steps(self):
        """Return the step of each snapshot, ndarray of int."""
        return step_of_temperature(np.array(self.temperatures), self.cooling_steps)

    def curve_steps(self):
        """Return the step of each point of the energy curve, ndarray of int."""
        return np.rint(np.linspace(0, self.cooling_steps, self.curve_points)).astype(np.int64)

    def curve_temperatures(self):
        """Return the temperature of each point of the energy curve, ndarray."""
        done = self.curve_steps() / self.cooling_steps
        return HIGHEST_TEMPERATURE - (HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE) * done

    def cuts(self):
        """Return the steps at which the run is cut, ndarray of int, rising."""
        needed = np.union1d(self.snapshot_steps(), self.curve_steps())
        longest = max(LONGEST_SEGMENT // self.n_particles, 1)
        between = [
            np.arange(first + longest, last, longest)
            for first, last in zip(np.append(0, needed), needed)
        ]
        return np.union1d(needed, np.concatenate(between)).astype(np.int64)


class CoolingState(NamedTuple):
    """A run at the end of a segment."""

    n_cuts: int
    """How many of the cuts lie behind; 0 after the melt."""
    restart: bytes
    """State of LAMMPS."""
    energy_drift: float
    """Of the total energy without thermostat, after the melt; per particle and 1000 steps."""
    positions: np.ndarray
    """(n_snapshots, n_particles, n_dims) so far."""
    measured: np.ndarray
    """(n_snapshots, 3): kinetic temperature, potential energy per particle, pressure."""
    curve: np.ndarray
    """(n_points,) inherent energies so far."""


def cool_in_segments(protocol, rng, state=None, log=None):
    """Yield the state of a run after the melt and after each segment of the cooling.

    Parameters
    ----------
    protocol : CoolingProtocol
    rng : numpy RandomState
        Gives the start, also where a state is given.
    state : CoolingState, default=None
        Go on from there. None: begin.
    log : path-like, default=None
        Where LAMMPS keeps its log.

    Yields
    ------
    state : CoolingState

    Raises
    ------
    RuntimeError
        If LAMMPS stops.
    """
    potential = get_potential(protocol.potential)
    start = random_lattice(protocol.n_particles, potential, rng)
    velocity_seed = rng.randint(1, 2**31 - 1)
    if state is None:
        state = _melt(start, protocol.potential, velocity_seed, log)
        yield state
    cuts = protocol.cuts()
    if state.n_cuts < len(cuts):
        with LammpsSystem(start, protocol.potential, restart=state.restart, log=log) as system:
            system.run(_flat(potential) + _thermostat(HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE))
            yield from _run_segments(system, protocol, state)


def snapshots_of(protocol, state):
    """Return the snapshots of a run.

    Parameters
    ----------
    protocol : CoolingProtocol
    state : CoolingState
        Of a run that is finished.

    Returns
    -------
    snapshots : Configurations
        In order of cooling.
    """
    potential = get_potential(protocol.potential)
    n_snapshots = len(state.positions)
    types = _types(protocol.n_particles, potential)
    length = _length(protocol.n_particles, potential)
    info = {
        "temperature": np.array(protocol.temperatures),
        "measured_temperature": state.measured[:, 0].copy(),
        "potential_energy": state.measured[:, 1].copy(),
        "pressure": state.measured[:, 2].copy(),
        "energy_drift": np.full(n_snapshots, state.energy_drift),
        "cooling_steps": np.full(n_snapshots, protocol.cooling_steps),
    }
    return Configurations.from_arrays(
        state.positions.reshape(-1, potential.n_dims).copy(),
        np.tile(types, n_snapshots),
        np.arange(n_snapshots + 1) * protocol.n_particles,
        np.tile(np.eye(potential.n_dims) * length, (n_snapshots, 1, 1)),
        np.ones((n_snapshots, potential.n_dims), dtype=bool),
        info,
    )


def step_of_temperature(temperatures, cooling_steps):
    """Return the steps at which the thermostat passes temperatures.

    Parameters
    ----------
    temperatures : ndarray
    cooling_steps : int

    Returns
    -------
    steps : ndarray of int
    """
    span = HIGHEST_TEMPERATURE - LOWEST_TEMPERATURE
    return np.rint((HIGHEST_TEMPERATURE - temperatures) / span * cooling_steps).astype(np.int64)


def random_lattice(n_particles, potential, rng):
    """Put particles on random sites of a square (cubic) lattice, a start without overlaps.

    Parameters
    ----------
    n_particles : int
    potential : PairPotential
        Gives density and composition.
    rng : numpy RandomState

    Returns
    -------
    start : Configuration
    """
    n_dims = potential.n_dims
    length = _length(n_particles, potential)
    n_sites = int(np.ceil(n_particles ** (1 / n_dims) - 1e-9))
    sites = np.indices((n_sites,) * n_dims).reshape(n_dims, -1).T
    chosen = rng.permutation(len(sites))[:n_particles]
    positions = (sites[chosen] + 0.5) * (length / n_sites)
    return Configuration(positions, _types(n_particles, potential), np.full(n_dims, length))


def _run_segments(system, protocol, state):
    cuts, n_particles = protocol.cuts(), protocol.n_particles
    is_snapshot = np.isin(cuts, protocol.snapshot_steps())
    is_curve_point = np.isin(cuts, protocol.curve_steps())
    begin = closed = cuts[state.n_cuts - 1] if state.n_cuts else 0
    positions, measured, curve = list(state.positions), list(state.measured), list(state.curve)
    for index in range(state.n_cuts, len(cuts)):
        end = cuts[index]
        system.run(f"run {end - begin} start 0 stop {protocol.cooling_steps}")
        begin = end
        if is_snapshot[index]:
            positions.append(system.positions())
            measured.append([system.thermo(name) for name in ("temp", "pe", "press")])
        if is_curve_point[index]:
            curve.append(inherent_energy(system.snapshot({}), protocol.potential))
        is_last = index == len(cuts) - 1
        if is_last or (end - closed) * n_particles >= SHORTEST_SEGMENT:
            closed = end
            yield CoolingState(
                index + 1,
                system.restart(),
                state.energy_drift,
                np.reshape(positions, (-1, n_particles, system.configuration.n_dims)),
                np.reshape(measured, (-1, 3)),
                np.array(curve, dtype=np.float64),
            )


def _melt(start, potential, velocity_seed, log):
    with LammpsSystem(start, potential, log=log) as system:
        # Twice the temperature: half of it goes into the potential energy of the relaxed lattice.
        system.run(
            f"""
            min_style cg
            minimize 0 1e-3 1000 10000
            velocity all create {2 * HIGHEST_TEMPERATURE} {velocity_seed} dist gaussian
            {_thermostat(HIGHEST_TEMPERATURE, HIGHEST_TEMPERATURE)}
            {_flat(get_potential(potential))}
            run {MELT_STEPS}
            unfix thermostat
            reset_timestep 0
            """
        )
        restart = system.restart()
    drift = _energy_drift(start, potential, restart)
    no_snapshots = np.empty((0, start.n_particles, start.n_dims))
    return CoolingState(0, restart, drift, no_snapshots, np.empty((0, 3)), np.empty(0))


def _energy_drift(start, potential, restart):
    """Slope of the total energy on a detour: the run itself goes on from where it began."""
    with LammpsSystem(start, potential, restart=restart) as system:
        system.run(f"fix motion all nve\n{_flat(get_potential(potential))}run 0")
        energies = [system.thermo("etotal")]
        for _ in range(DRIFT_PIECES):
            system.run(f"run {DRIFT_PIECE_STEPS}")
            energies.append(system.thermo("etotal"))
    thousands_of_steps = np.arange(len(energies)) * DRIFT_PIECE_STEPS / 1000
    return float(np.polyfit(thousands_of_steps, energies, 1)[0])


def _length(n_particles, potential):
    return (n_particles / potential.density) ** (1 / potential.n_dims)


def _types(n_particles, potential):
    n_type_0 = round(potential.fractions[0] * n_particles)
    return np.repeat([0, 1], [n_type_0, n_particles - n_type_0])


def _flat(potential):
    return "fix flat all enforce2d\n" if potential.n_dims == 2 else ""


def _thermostat(start, stop):
    return f"fix thermostat all nvt temp {start} {stop} {THERMOSTAT_DAMPING}\n"
