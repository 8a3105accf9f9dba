"""One film, from the bare substrate to finished files, in segments that a killed run repeats."""

import time

import numpy as np

from glassclf.configurations.box import minimum_image
from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.film_files import read_film, read_part, write_part
from glassclf.simulation.deposition import BATCH_SIZE, deposit, find_gas, make_substrate
from glassclf.simulation.film_cooling import cooling_segments, rest_segments, run_segment
from glassclf.simulation.film_system import FilmState, FilmSystem

# What random numbers of a film are for.
FOR_SUBSTRATE, FOR_DEPOSITION, FOR_COOLING = range(3)
# The tethers let the substrate move by less than half of that.
FARTHEST_FROM_ANCHOR = 0.5


class OutOfTime(Exception):
    """The time given is over; all finished segments are kept."""


def make_film(film, cooling_steps, keep_batches, deadline=None):
    """Make a film, or go on with it, until it is finished or the time is over.

    Parameters
    ----------
    film : Film
    cooling_steps : int or None
        Of the liquid-cooled film. None: only the deposited one.
    keep_batches : bool
        Whether to take a snapshot after every batch too.
    deadline : float, default=None
        Time, as of ``time.time``, after which no further segment begins.

    Returns
    -------
    data : Configurations or None
        None if the files of the film hold it, or its next segment.

    Raises
    ------
    ValueError
        If a file of the film is damaged or of another film.
    OSError
        If a file cannot be written.
    RuntimeError
        If a simulation fails.
    """
    try:
        made = _make_deposited(film, keep_batches, deadline)
        if cooling_steps is not None:
            made.append(_make_liquid_cooled(film, made[-1], cooling_steps, deadline))
    except OutOfTime:
        return None
    except RuntimeError as error:
        raise RuntimeError(f"{film.name}: {error}") from error
    if film.directory is None:
        return Configurations.concatenate(made)
    remove_leftovers(film, cooling_steps)
    return None


def remove_leftovers(film, cooling_steps):
    """Remove what a finished film had while it was made, and a process killed at its end has left.

    Parameters
    ----------
    film : Film
        Finished, in a directory.
    cooling_steps : int or None
        As in :func:`make_film`.
    """
    for ending in ("-vapor.part", f"-c{cooling_steps}.part", ".log"):
        film.file(ending).unlink(missing_ok=True)


def read_finished(film, cooling_steps, keep_batches):
    """Open the files of a finished film.

    Parameters
    ----------
    film : Film
    cooling_steps, keep_batches
        As in :func:`make_film`.

    Returns
    -------
    data : Configurations or None
        None unless all of them are there.

    Raises
    ------
    ValueError
        If one of them is something else.
    """
    found = [_read_deposited(film)]
    if keep_batches:
        found.insert(0, _read_growth(film))
    if cooling_steps is not None:
        found.append(_read_liquid_cooled(film, cooling_steps))
    if any(one is None for one in found):
        return None
    return Configurations.concatenate(found)


def _read_deposited(film):
    return read_film(film, "-vapor.safetensors", material="vapor-deposited")


def _read_growth(film):
    return read_film(film, "-growth.safetensors", state="growing")


def _read_liquid_cooled(film, cooling_steps):
    ending = f"-c{cooling_steps}.safetensors"
    return read_film(film, ending, material="liquid-cooled", cooling_steps=cooling_steps)


def _make_deposited(film, keep_batches, deadline):
    """Return the snapshots after each batch, if wanted, and the finished film, as a list."""
    part = "-vapor.part"
    kept = _read_kept(film, part)
    if film.directory is not None:
        found = [_read_growth(film)] if keep_batches else []
        found.append(_read_deposited(film))
        if all(one is not None for one in found):
            return found
    temperature = film.substrate_temperature
    n_batches = film.n_particles // BATCH_SIZE
    rest = rest_segments(temperature)

    def advance(state, segment, log):
        rng = film.rng(FOR_DEPOSITION, segment)
        if segment < n_batches:
            return deposit(state, segment, temperature, film.batch_steps, rng, log)
        return run_segment(state, rest[segment - n_batches], rng, log)

    def start():
        return _substrate(film)

    n_segments = n_batches + len(rest)
    states, temperatures = _run_segments(
        film, part, kept, start, advance, n_segments, deadline, keep_batches
    )
    # Of the second half: the first batches lie close to the thermostat of the substrate.
    deposited_at = float(np.mean(temperatures[n_batches // 2 : n_batches]))
    info = _info_of_film(film, "vapor-deposited", 0, deposited_at)
    made = []
    if keep_batches:
        growing = [_growing(state, states[-1].lid, info) for state in states[:n_batches]]
        made.append(Configurations(growing))
    made.append(_finish(states[-1], info))
    if film.directory is not None:
        for ending, data in zip(("-vapor", "-growth"), reversed(made)):
            data.save(film.file(f"{ending}.safetensors"))
        film.file(part).unlink(missing_ok=True)
    return made


def _make_liquid_cooled(film, deposited, cooling_steps, deadline):
    part = f"-c{cooling_steps}.part"
    kept = _read_kept(film, part)
    if film.directory is not None:
        found = _read_liquid_cooled(film, cooling_steps)
        if found is not None:
            return found
    segments = cooling_segments(film.substrate_temperature, cooling_steps)

    def advance(state, segment, log):
        rng = film.rng(FOR_COOLING, cooling_steps, 1 + segment)
        return run_segment(state, segments[segment], rng, log)

    def start():
        thermal = deposited[0]
        rng = film.rng(FOR_COOLING, cooling_steps)
        spread = np.sqrt(film.substrate_temperature)
        return FilmState(
            positions=np.array(thermal.positions),
            velocities=rng.normal(0, spread, size=thermal.positions.shape),
            types=np.array(thermal.types),
            anchors=_anchors(film, thermal),
            width=film.width,
            lid=float(thermal.cell[1, 1]),
        )

    states, _ = _run_segments(film, part, kept, start, advance, len(segments), deadline)
    deposited_at = float(deposited.info["deposition_temperature"][0])
    made = _finish(states[-1], _info_of_film(film, "liquid-cooled", cooling_steps, deposited_at))
    if film.directory is not None:
        made.save(film.file(f"-c{cooling_steps}.safetensors"))
    return made


def _substrate(film):
    return make_substrate(film.width, film.substrate_temperature, film.rng(FOR_SUBSTRATE))


def _anchors(film, thermal):
    """Make the substrate of a deposited film again, which tells where its particles are tethered.

    Other processors and versions of LAMMPS may end in another minimum of its energy.
    """
    anchors = _substrate(film).anchors
    shifts = minimum_image(
        thermal.positions[: len(anchors)] - anchors, thermal.cell, thermal.periodic
    )
    if np.hypot(*shifts.T).max() > FARTHEST_FROM_ANCHOR:
        raise RuntimeError(
            "its substrate is not the one that is made here: the deposited film was made on "
            "another kind of machine or by another version of LAMMPS; remove it or go on there"
        )
    return anchors


def _read_kept(film, part):
    """Read the part of a film, before its finished file is looked for.

    Another process that finishes the film removes the part last: where there is none by then, the
    finished file is there.
    """
    return read_part(film.file(part)) if film.directory is not None else ([], [])


def _run_segments(film, part, kept, start, advance, n_segments, deadline, keep_all=False):
    """Return the states after each segment (or the last alone), and the film's temperatures there.

    Each segment begins from numbers that the part file has, and from nothing else, so that a run
    which was killed goes on exactly as it would have.
    """
    in_files = film.directory is not None
    states, temperatures = kept
    if keep_all and len(states) < len(temperatures):
        states, temperatures = [], []
    for segment in range(len(temperatures), n_segments):
        if deadline is not None and time.time() >= deadline:
            raise OutOfTime
        log = film.file(".log") if in_files else None
        state = advance(states[-1] if states else start(), segment, log)
        states = [*states, state] if keep_all else [state]
        temperatures = [*temperatures, state.film_temperature]
        if in_files:
            write_part(film.file(part), states, temperatures)
    return states, temperatures


def _info_of_film(film, material, cooling_steps, deposited_at):
    return {
        "run": film.name,
        "material": material,
        "substrate_temperature": film.substrate_temperature,
        "flux": film.flux,
        "cooling_steps": int(cooling_steps),
        "temperature": film.substrate_temperature,
        "deposition_temperature": deposited_at,
    }


def _info_of_state(state):
    return {
        "n_deposited": int(state.film.sum()),
        "n_gas": int(find_gas(state).sum()),
        "measured_temperature": state.film_temperature,
    }


def _finish(state, info):
    """Quench a film; return its snapshot and its inherent structure."""
    with FilmSystem(state) as system:
        quenched = system.quench()
    info = {**info, **_info_of_state(state), "inherent_energy": quenched.film_energy}
    thermal = {**info, "state": "thermal", "potential_energy": state.film_energy}
    inherent = {**info, "state": "inherent", "potential_energy": quenched.film_energy}
    return Configurations([state.configuration(thermal), quenched.configuration(inherent)])


def _growing(state, lid, info):
    """Return the snapshot after a batch, in the box of the finished film."""
    facts = {**_info_of_state(state), "inherent_energy": np.nan, "state": "growing"}
    facts["potential_energy"] = state.film_energy
    snapshot = state.configuration({**info, **facts})
    snapshot.cell[1, 1] = lid
    return snapshot
