"""A film on its substrate inside LAMMPS: walls, tethers, thermostats and the quench."""

from dataclasses import dataclass, replace

import numpy as np

from glassclf.configurations.box import minimum_image, wrap
from glassclf.configurations.configuration import Configuration
from glassclf.simulation.energies import particle_energies
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.minimization import minimize_energy

POTENTIAL = "kob-andersen-2d-film"
SUBSTRATE = 2
# Stiff enough to hold the substrate, soft enough that its vibrations are as slow as those of the
# film: with 1000 hardly any heat passes, and a thin film stays at twice its temperature.
TETHER = 100.0
# In time units, both. The film is thermostatted only where it is melted or brought to rest: gently,
# as friction would slow its dynamics.
SUBSTRATE_DAMPING = 0.5
FILM_DAMPING = 2.0
FLOOR = 0.0
# Beyond floor and lid, where a particle is for no longer than one step.
EDGE = 2.0
WALL_STIFFNESS = 100.0
FORCE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class FilmState:
    """Everything that a film goes on from: no other state is kept between its segments."""

    positions: np.ndarray
    """(n, 2), the substrate first; x is periodic, y the direction of growth."""
    velocities: np.ndarray
    """(n, 2)"""
    types: np.ndarray
    """(n,): 0 and 1 are the film, 2 is the substrate."""
    anchors: np.ndarray
    """(n_substrate, 2): where the substrate is tethered."""
    width: float
    """Period along x."""
    lid: float
    """Height of the reflecting wall above the film."""

    @property
    def film(self):
        """Particles of the film, ndarray of bool of shape (n,)."""
        return self.types != SUBSTRATE

    @property
    def film_temperature(self):
        """Kinetic temperature of the film."""
        return float((self.velocities[self.film] ** 2).sum(axis=1).mean() / 2)

    @property
    def film_energy(self):
        """Energy per particle of the film; of each pair, each one has one half."""
        energies = particle_energies(self.configuration(), potential=POTENTIAL)
        return float(energies[self.film].mean())

    def configuration(self, info=None):
        """Return the particles as a Configuration, open along y."""
        cell, periodic = np.diag([self.width, self.lid]), (True, False)
        positions = wrap(self.positions, cell, periodic)
        return Configuration(positions, self.types, (self.width, self.lid), periodic, info)


class FilmSystem(LammpsSystem):
    """One film inside LAMMPS, to be used as a context manager.

    Parameters
    ----------
    state : FilmState
    log : path-like, default=None
        Where LAMMPS keeps its log. None: in memory.

    Raises
    ------
    ImportError
        If LAMMPS is missing.
    RuntimeError
        If LAMMPS reports an error, such as a lost particle.
    """

    def __init__(self, state, log=None):
        self.state = state
        start = state.configuration()
        # Tethers hold where particles are when they are defined.
        start.positions[: len(state.anchors)] = state.anchors
        super().__init__(start, POTENTIAL, log=log)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def run_at(self, group, start, stop, n_steps, seed):
        """Run with a Langevin thermostat whose temperature goes from ``start`` to ``stop``.

        Parameters
        ----------
        group : {"substrate", "all"}
            What the thermostat acts on. All particles are integrated.
        start, stop : float
        n_steps : int
        seed : int
            Of the thermostat, 1 to 900,000,000.
        """
        damping = SUBSTRATE_DAMPING if group == "substrate" else FILM_DAMPING
        # Forces in z come from the thermostat: enforce2d must stand after it.
        self.run(
            f"""
            fix motion all nve
            fix bath {group} langevin {start!r} {stop!r} {damping} {seed}
            fix flat all enforce2d
            fix walls all wall/reflect ylo {FLOOR} yhi {self.state.lid!r}
            run {n_steps}
            unfix walls
            unfix flat
            unfix bath
            unfix motion
            """
        )
        self.state = replace(
            self.state, positions=self._unwrapped_positions(), velocities=self._gather("v")[:, :2]
        )
        return self.state

    def quench(self):
        """Move to the minimum of the energy, tethers included; return the state there, at rest."""
        self.run(plane_walls(FLOOR, self.state.lid))
        minimize_energy(self, FORCE_TOLERANCE)
        self.state = replace(
            self.state,
            positions=self._unwrapped_positions(),
            velocities=np.zeros_like(self.state.velocities),
        )
        return self.state

    def _prepare(self):
        # Fixed boundaries: a particle that gets past the walls is lost, which LAMMPS reports.
        self.run(
            f"""
            change_box all y final {FLOOR - EDGE} {self.state.lid + EDGE!r} boundary p f p
            group substrate type {SUBSTRATE + 1}
            fix tethers substrate spring/self {TETHER}
            fix_modify tethers energy yes
            """
        )
        self._scatter("x", self._near_anchors(self.state.positions))
        self._scatter("v", self.state.velocities)

    def _scatter(self, name, values):
        padded = np.zeros((len(values), 3))
        padded[:, :2] = values
        with self._lammps_errors():
            self._lammps.scatter_atoms(name, 1, 3, np.ctypeslib.as_ctypes(padded.ravel()))

    def _unwrapped_positions(self):
        return self._near_anchors(self._gather("x")[:, :2])

    def _near_anchors(self, positions):
        """Take each particle of the substrate beside its own anchor, not one period away."""
        anchors = self.state.anchors
        cell, periodic = np.diag([self.state.width, self.state.lid]), (True, False)
        positions = wrap(positions, cell, periodic)
        shifts = minimum_image(positions[: len(anchors)] - anchors, cell, periodic)
        positions[: len(anchors)] = anchors + shifts
        return positions


def plane_walls(floor, lid):
    """Write the commands for soft walls, which act in a minimisation as wall/reflect does not.

    Parameters
    ----------
    floor, lid : float
        Their heights. Particles beyond are pushed back.

    Returns
    -------
    commands : str
    """
    return f"""
    fix floor all indent {WALL_STIFFNESS} plane y {float(floor)!r} lo
    fix lid all indent {WALL_STIFFNESS} plane y {float(lid)!r} hi
    fix_modify floor energy yes
    fix_modify lid energy yes
    fix flat all enforce2d
    """
