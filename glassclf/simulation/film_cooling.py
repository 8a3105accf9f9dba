"""The liquid-cooled film: a deposited one melted under its lid and cooled again."""

import numpy as np

from glassclf.simulation.film_system import FilmSystem

# At zero pressure the film boils above 0.5, and comes apart well below that.
MELT_TEMPERATURE = 0.38
MELT_STEPS = 50_000
# What both materials end with, so that they are compared under equal conditions.
REST_STEPS = 10_000
SEGMENT_STEPS = 20_000


def cooling_segments(temperature, cooling_steps):
    """Cut melting, cooling and rest into the segments in which they are always run.

    Parameters
    ----------
    temperature : float
        Where the cooling ends: that of the substrate.
    cooling_steps : int
        Time steps from the melt at T = 0.38 to there.

    Returns
    -------
    segments : list of (start, stop, n_steps)
        Temperatures at both ends, and the number of time steps between.
    """
    segments = []
    for start, stop, n_steps in (
        (MELT_TEMPERATURE, MELT_TEMPERATURE, MELT_STEPS),
        (MELT_TEMPERATURE, temperature, cooling_steps),
        (temperature, temperature, REST_STEPS),
    ):
        edges = np.append(np.arange(0, n_steps, SEGMENT_STEPS), n_steps)
        values = start + (stop - start) * edges / n_steps
        segments += [
            (float(a), float(b), int(n)) for a, b, n in zip(values, values[1:], np.diff(edges))
        ]
    return segments


def rest_segments(temperature):
    """Return the segments at rest that end both materials, as those of :func:`cooling_segments`."""
    return [(temperature, temperature, REST_STEPS)]


def run_segment(state, segment, rng, log=None):
    """Run a film through one segment, with a thermostat on all particles.

    Parameters
    ----------
    state : FilmState
    segment : tuple of (start, stop, n_steps)
    rng : numpy.random.Generator
    log : path-like, default=None
        Where LAMMPS keeps its log.

    Returns
    -------
    state : FilmState
    """
    with FilmSystem(state, log) as system:
        return system.run_at("all", *segment, seed=int(rng.integers(1, 900_000_000)))
