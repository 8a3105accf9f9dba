"""Physical vapour deposition of a film in two dimensions, batch by batch."""

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from glassclf.configurations.box import minimum_image
from glassclf.configurations.neighbors import pairs_one_way
from glassclf.simulation.film_system import (
    POTENTIAL,
    SUBSTRATE,
    FilmState,
    FilmSystem,
    plane_walls,
)
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.minimization import minimize_energy

TIME_STEP = 0.005
VAPOR_TEMPERATURE = 0.5
SLOWEST = 0.2
# In turn, so that every 20 particles are 65:35 exactly.
BATCHES = ((7, 3), (6, 4))
BATCH_SIZE = 10
# Above the surface of the film, in sigma: where the vapour enters, and the lid.
SLAB = (3.0, 5.0)
LID = 7.0
MIN_DISTANCE = 1.0
N_ATTEMPTS = 20_000
# Half the density of the film: what counts as film and not as gas in the profile.
FILLED = 0.5
BOND = 1.5
MAX_GAS = 0.01
N_PIECES = 20
SUBSTRATE_HEIGHT = 3.0
SUBSTRATE_DENSITY = 1.5
SUBSTRATE_DISTANCE = 0.6
# Of forces between particles that attract each other by 0.1 only.
SUBSTRATE_TOLERANCE = 1e-4
# Between the floor and the substrate.
CLEARANCE = 1.0


def make_substrate(width, temperature, rng):
    """Make the disordered substrate on which a film grows.

    Parameters
    ----------
    width : float
        Period along x.
    temperature : float
        Of its first velocities.
    rng : numpy.random.Generator

    Returns
    -------
    state : FilmState
        Without any film.
    """
    n = round(SUBSTRATE_DENSITY * SUBSTRATE_HEIGHT * width)
    low, high = CLEARANCE, CLEARANCE + SUBSTRATE_HEIGHT
    points = random_points(np.empty((0, 2)), n, width, low, high, SUBSTRATE_DISTANCE, rng)
    state = FilmState(
        positions=points,
        velocities=np.zeros((n, 2)),
        types=np.full(n, SUBSTRATE),
        anchors=points,
        width=width,
        lid=high,
    )
    with LammpsSystem(state.configuration(), POTENTIAL) as system:
        system.run(plane_walls(low, high))
        minimize_energy(system, SUBSTRATE_TOLERANCE)
        relaxed = system.positions()
    velocities = rng.normal(0, np.sqrt(temperature), size=(n, 2))
    return replace(state, positions=relaxed, anchors=relaxed, velocities=velocities)


def deposit(state, n_done, temperature, n_steps, rng, log=None):
    """Deposit one batch of particles.

    Parameters
    ----------
    state : FilmState
    n_done : int
        Number of batches deposited before.
    temperature : float
        Of the substrate.
    n_steps : int
        Time steps, after which the batch is to be part of the film.
    rng : numpy.random.Generator
    log : path-like, default=None
        Where LAMMPS keeps its log.

    Returns
    -------
    state : FilmState

    Raises
    ------
    RuntimeError
        If there is no room for the batch, LAMMPS stops, or more than 1 % of the film (and more than
        one particle) is gas even after six times the steps.
    """
    state = add_vapor(state, BATCHES[n_done % len(BATCHES)], rng)
    with FilmSystem(state, log) as system:
        for piece in range(1 + N_PIECES):
            steps = n_steps if piece == 0 else -(-n_steps // 4)
            seed = int(rng.integers(1, 900_000_000))
            state = system.run_at("substrate", temperature, temperature, steps, seed)
            n_gas, n_film = int(find_gas(state).sum()), int(state.film.sum())
            # One particle that others have slowed down may take very long to arrive.
            if n_gas <= max(1, MAX_GAS * n_film):
                return state
    raise RuntimeError(
        f"{n_gas} of {n_film} particles are still gas after batch {n_done + 1}, at a substrate "
        f"temperature of {temperature}: the film does not condense; use a lower temperature or flux"
    )


def add_vapor(state, numbers, rng):
    """Put new particles above the film, on their way down, and the lid above them.

    Parameters
    ----------
    state : FilmState
    numbers : tuple of int
        How many of each type.
    rng : numpy.random.Generator

    Returns
    -------
    state : FilmState

    Raises
    ------
    RuntimeError
        If there is no room for them.
    """
    surface = surface_height(state)
    points = random_points(
        state.positions,
        sum(numbers),
        state.width,
        surface + SLAB[0],
        surface + SLAB[1],
        MIN_DISTANCE,
        rng,
    )
    velocities = rng.normal(0, np.sqrt(VAPOR_TEMPERATURE), size=points.shape)
    velocities[:, 1] = -np.maximum(np.abs(velocities[:, 1]), SLOWEST)
    return replace(
        state,
        positions=np.concatenate([state.positions, points]),
        velocities=np.concatenate([state.velocities, velocities]),
        types=np.concatenate([state.types, np.repeat(np.arange(len(numbers)), numbers)]),
        # Never lower than it was: there may be gas under it.
        lid=max(state.lid, surface + LID),
    )


def random_points(occupied, n_points, width, low, high, min_distance, rng):
    """Draw points between two heights, apart from each other and from the occupied ones.

    Parameters
    ----------
    occupied : ndarray of shape (n, 2)
    n_points : int
    width : float
        Period along x.
    low, high : float
    min_distance : float
    rng : numpy.random.Generator

    Returns
    -------
    points : ndarray of shape (n_points, 2)

    Raises
    ------
    RuntimeError
        If there is no room for so many.
    """
    cell, periodic = np.diag([width, high]), (True, False)
    near = (occupied[:, 1] > low - min_distance) & (occupied[:, 1] < high + min_distance)
    taken = list(occupied[near])
    n_before = len(taken)
    for point in rng.uniform([0, low], [width, high], size=(N_ATTEMPTS, 2)):
        if len(taken) == n_before + n_points:
            break
        shifts = minimum_image(np.reshape(taken, (-1, 2)) - point, cell, periodic)
        if (np.hypot(*shifts.T) >= min_distance).all():
            taken.append(point)
    if len(taken) < n_before + n_points:
        raise RuntimeError(
            f"only {len(taken) - n_before} of {n_points} particles fit between the heights "
            f"{low:.3g} and {high:.3g} at a distance of {min_distance}: use a larger width"
        )
    return np.array(taken[n_before:])


def surface_height(state):
    """Find the height of the surface: the top of the highest filled slab of the density profile.

    The highest particle would not do: one particle of gas under the lid would raise the lid with
    every batch.

    Parameters
    ----------
    state : FilmState

    Returns
    -------
    height : float
    """
    edges = np.arange(0, state.lid + 2)
    counts, _ = np.histogram(state.positions[:, 1], edges)
    filled = np.flatnonzero(counts / state.width >= FILLED)
    return float(edges[filled.max() + 1])


def find_gas(state):
    """Find the particles that no chain of bonds joins to the substrate.

    Parameters
    ----------
    state : FilmState

    Returns
    -------
    gas : ndarray of bool of shape (n,)
        A bond is a distance of at most 1.5 sigma.
    """
    pairs = pairs_one_way(state.configuration(), BOND)
    n = len(state.types)
    bonds = coo_array((np.ones(len(pairs.sources)), (pairs.sources, pairs.targets)), shape=(n, n))
    _, labels = connected_components(bonds, directed=False)
    return ~np.isin(labels, labels[state.types == SUBSTRATE])
