"""What tells a film from all others, and its files.

A film in a directory has the files ``<name>-vapor.part`` or ``<name>-c<steps>.part`` (what its next
segment begins from) and ``<name>.log`` (that of LAMMPS) while it is made. They are removed when the
``.safetensors`` files of the same names are complete.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.configuration_set import Configurations
from glassclf.simulation.film_system import FilmState

ADVICE = "remove it to make the film again, or use another directory"


class Film(NamedTuple):
    """One film: the seed, its number, its parameters and where its files are."""

    seed: int
    index: int
    n_particles: int
    width: float
    substrate_temperature: float
    batch_steps: int
    """Time steps between two batches."""
    flux: float
    """What these steps make, in particles / sigma / tau."""
    directory: Path | None

    @property
    def name(self):
        """Unique over all parameters and seeds: the group for cross-validation."""
        return (
            f"film2d-N{self.n_particles}-w{_short(self.width)}-"
            f"T{_short(self.substrate_temperature)}-b{self.batch_steps}-s{self.seed}-"
            f"{self.index:03d}"
        )

    def file(self, ending):
        """Return the path of one of its files."""
        return self.directory / f"{self.name}{ending}"

    def rng(self, *purpose):
        """Random numbers for one purpose, from all that tells films apart.

        Parameters
        ----------
        *purpose : int
            At most three numbers.

        Returns
        -------
        rng : numpy.random.Generator
        """
        purpose = [*purpose, 0, 0][:3]
        integers = [self.index, self.n_particles, self.batch_steps, *purpose]
        reals = np.array([self.width, self.substrate_temperature])
        # As many for each film, so that no two of them have the same words.
        words = np.concatenate([np.array(integers, np.uint64), reals.view(np.uint64)])
        sequence = np.random.SeedSequence([self.seed, *words.view(np.uint32).tolist()])
        return np.random.default_rng(sequence)


def read_film(film, ending, **expected):
    """Open a finished file of a film.

    Parameters
    ----------
    film : Film
    ending : str
        Of the file.
    **expected
        What its info must say.

    Returns
    -------
    data : Configurations or None
        None where there is no file yet.

    Raises
    ------
    ValueError
        If it is something else, or another film.
    """
    path = film.file(ending)
    if not path.exists():
        return None
    try:
        data = Configurations.open(path)
        found = {name: data.info[name] for name in (*expected, "run")}
        data.info["deposition_temperature"]
    except Exception as error:
        raise ValueError(
            f"{path} is not a film of make_vapor_deposited ({error}); {ADVICE}"
        ) from error
    for name, value in {**expected, "run": film.name}.items():
        if not (found[name] == value).all():
            raise ValueError(f"{path} has {name}={found[name][0]!s}, not {value}; {ADVICE}")
    return data


def write_part(path, states, temperatures):
    """Keep what the next segment of a film begins from.

    Parameters
    ----------
    path : pathlib.Path
    states : list of FilmState
        The last one, or all so far.
    temperatures : list of float
        Of the film after each of its segments so far.
    """
    last = states[-1]
    with complete_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            positions=np.concatenate([state.positions for state in states]),
            velocities=np.concatenate([state.velocities for state in states]),
            sizes=[len(state.types) for state in states],
            lids=[state.lid for state in states],
            types=last.types,
            anchors=last.anchors,
            width=last.width,
            temperatures=temperatures,
        )


def read_part(path):
    """Read what :func:`write_part` kept.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    states : list of FilmState
        Empty where there is no file.
    temperatures : list of float

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        ends = np.cumsum(arrays["sizes"])
        states = [
            FilmState(
                positions=arrays["positions"][end - size : end],
                velocities=arrays["velocities"][end - size : end],
                types=arrays["types"][:size],
                anchors=arrays["anchors"],
                width=float(arrays["width"]),
                lid=float(lid),
            )
            for size, end, lid in zip(arrays["sizes"], ends, arrays["lids"])
        ]
        return states, arrays["temperatures"].tolist()
    except FileNotFoundError:
        return [], []
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not part of a film ({error}); {ADVICE}") from error


def bytes_needed(film, cooling_steps, keep_batches):
    """Estimate what the files of a finished film take on disk, generously.

    Parameters
    ----------
    film : Film
    cooling_steps : int or None
        None: without the liquid-cooled film.
    keep_batches : bool

    Returns
    -------
    n_bytes : int
    """
    n_particles = film.n_particles + 10 * film.width
    n_snapshots = 2 * (1 + (cooling_steps is not None))
    if keep_batches:
        n_snapshots += film.n_particles // 10
    # Positions and types, and once more positions and velocities of the part they replace.
    return int(n_snapshots * n_particles * 8 * (3 + 4)) + 100_000


def _short(number):
    return repr(number).removesuffix(".0")
