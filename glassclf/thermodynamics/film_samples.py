"""Samples out of the bulk of films, all of one particle number and one composition."""

import numbers

import numpy as np

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import as_configurations
from glassclf.simulation.energies import particle_energies
from glassclf.thermodynamics.film_energies import POTENTIAL
from glassclf.thermodynamics.film_profiles import SUBSTRATE, bulk_region, film_errors, film_name

FEWEST_PARTICLES = 10
# Films that a message names; of more it tells the number.
N_NAMED = 5


def cut_bulk(films, n_particles=None, n_type_1=None, *, margin=None, potential=POTENTIAL):
    """Cut a sample of exactly one particle number and composition out of the bulk of each film.

    A sample holds ``n_particles`` particles that follow each other in height, over the whole width
    of the film. Of all such windows with exactly ``n_type_1`` particles of type 1, the one nearest
    to the middle of the bulk is taken. So no classifier can count its way to a decision.

    Parameters
    ----------
    films : Configurations, or anything that ``as_configurations`` takes
        In the format of :func:`film_profile`, substrate included.
    n_particles : int, default=None
        Particles of each sample. None: the largest number that all films allow.
    n_type_1 : int, default=None
        How many of them are of type 1. None: of the counts that all films allow, the one nearest
        to the mean composition of their bulk regions.
    margin : float, default=None
        As in :func:`bulk_region`.
    potential : str, default="kob-andersen-2d-film"
        The interaction of the films, for ``info["bulk_energy"]``.

    Returns
    -------
    samples : Configurations
        One of each film, in order, without the substrate; periodic along x, open along y, with the
        width of the film and the height of the window. ``info`` is that of the film, and

        - "bulk_energy": mean energy of the particles of the sample, with all their neighbours in
          the film; of an inherent structure it is the inherent energy.
        - "bulk_density": particles per area.
        - "y_low", "y_high": where the sample was cut, in the frame of the film.

    Raises
    ------
    ValueError
        If a film is not in the format of one or has no bulk, a number is not valid, or a film has
        no window of that number and composition; the message names the films and says why.

    See Also
    --------
    glassclf.datasets.select_films : Cuts films of two materials, and gives the classes.

    Notes
    -----
    Energies of films follow their composition, by about -1.4 for each unit of the share of type 1,
    and the scatter of that share makes as much as the difference of a glass and a liquid.

    From one window to the next, one particle higher, the number of particles of type 1 changes by
    at most one: every count between the smallest and the largest occurs.

    Examples
    --------
    >>> from glassclf.testing import toy_films
    >>> from glassclf.thermodynamics import cut_bulk
    >>> samples = cut_bulk(toy_films(2), n_particles=100, n_type_1=35)
    >>> set(samples.n_particles.tolist()), {int(sample.types.sum()) for sample in samples}
    ({100}, {35})
    >>> samples.info["bulk_density"][:2].round(1)
    array([1.2, 1.2])
    """
    films = as_configurations(films)
    _check_number("n_particles", n_particles, 2)
    _check_number("n_type_1", n_type_1, 0)
    bulks = []
    for index, film in enumerate(films):
        with film_errors(index, film.info):
            energies = particle_energies(film, potential=potential)
            bulks.append(_SortedBulk(film, bulk_region(film, margin), energies))
    if n_particles is None:
        n_particles = _largest_number(bulks, n_type_1)
    _check_sizes(bulks, n_particles)
    if n_type_1 is None:
        n_type_1 = _common_count(bulks, n_particles)
    _check_counts(bulks, n_particles, n_type_1)
    return Configurations(bulk.cut(n_particles, n_type_1) for bulk in bulks)


class _SortedBulk:
    """The bulk of a film, its particles sorted by height."""

    def __init__(self, film, region, energies):
        self.film, self.energies = film, energies
        heights = film.positions[:, 1]
        rows = np.flatnonzero(film.types != SUBSTRATE)
        # Ties in height are broken by the number of the particle.
        self.rows = rows[np.argsort(heights[rows], kind="stable")]
        self.heights = heights[self.rows]
        self.first, self.last = np.searchsorted(self.heights, [region.y_low, region.y_high])
        is_b = film.types[self.rows[self.first : self.last]] == 1
        self.n_b_below = np.concatenate([[0], np.cumsum(is_b)])

    @property
    def n_particles(self):
        return int(self.last - self.first)

    @property
    def composition(self):
        return self.n_b_below[-1] / self.n_particles

    def counts(self, n_particles):
        """Particles of type 1 in each window, from the lowest to the highest."""
        return self.n_b_below[n_particles:] - self.n_b_below[: len(self.n_b_below) - n_particles]

    def cut(self, n_particles, n_type_1):
        """Return the window with that count that is nearest to the middle, as a sample."""
        counts = self.counts(n_particles)
        fitting = np.flatnonzero(counts == n_type_1)
        start = self.first + fitting[np.argmin(np.abs(fitting - (len(counts) - 1) / 2))]
        rows = self.rows[start : start + n_particles]
        y_low, y_high = self._boundary(start), self._boundary(start + n_particles)
        info = {
            **self.film.info,
            "bulk_energy": float(self.energies[rows].mean()),
            "bulk_density": n_particles / float(self.film.box[0] * (y_high - y_low)),
            "y_low": y_low,
            "y_high": y_high,
        }
        positions = self.film.positions[rows] - [0.0, y_low]
        box = (self.film.box[0], y_high - y_low)
        return Configuration(positions, self.film.types[rows], box, (True, False), info)

    def _boundary(self, place):
        """Height between the particle at a place of the order and the one below it."""
        # Within the margins, there are particles above and below. Without a margin there may be
        # none, and the boundary is the particle itself.
        below, at = max(place - 1, 0), min(place, len(self.heights) - 1)
        return float((self.heights[below] + self.heights[at]) / 2)


def _check_number(name, value, minimum):
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if value is not None and not (is_integer and value >= minimum):
        raise ValueError(f"{name} must be None or an integer of at least {minimum}, got {value!r}")


def _allowed(bulks, n_particles):
    """Smallest and largest count of type 1 that each film allows, two arrays."""
    counts = [bulk.counts(n_particles) for bulk in bulks]
    return np.array([c.min() for c in counts]), np.array([c.max() for c in counts])


def _largest_number(bulks, n_type_1):
    most = min(bulk.n_particles for bulk in bulks)
    for n_particles in range(most, FEWEST_PARTICLES - 1, -1):
        least, largest = _allowed(bulks, n_particles)
        low, high = least.max(), largest.min()
        if low <= high and (n_type_1 is None or low <= n_type_1 <= high):
            return n_particles
    wanted = "of one composition" if n_type_1 is None else f"with n_type_1={n_type_1}"
    raise ValueError(
        f"no number of particles from {FEWEST_PARTICLES} to {most}, the smallest bulk, gives "
        f"samples {wanted}: choose n_particles, and leave out the films that it names"
    )


def _common_count(bulks, n_particles):
    """Count that all films allow, or else that of the mean composition."""
    least, largest = _allowed(bulks, n_particles)
    wanted = round(n_particles * float(np.mean([bulk.composition for bulk in bulks])))
    if least.max() > largest.min():
        return wanted
    return int(np.clip(wanted, least.max(), largest.min()))


def _check_sizes(bulks, n_particles):
    problems = [
        f"{film_name(index, bulk.film.info)} has {bulk.n_particles} particles in its bulk"
        for index, bulk in enumerate(bulks)
        if bulk.n_particles < n_particles
    ]
    _refuse(problems, len(bulks), f"samples of {n_particles} particles")


def _check_counts(bulks, n_particles, n_type_1):
    least, largest = _allowed(bulks, n_particles)
    problems = [
        f"{film_name(index, bulk.film.info)} allows {low} to {high} of type 1"
        for index, (bulk, low, high) in enumerate(zip(bulks, least, largest))
        if not low <= n_type_1 <= high
    ]
    _refuse(problems, len(bulks), f"samples of {n_particles} particles, {n_type_1} of type 1,")


def _refuse(problems, n_films, what):
    if not problems:
        return
    shown = "; ".join(problems[:N_NAMED])
    more = f"; and {len(problems) - N_NAMED} more" if len(problems) > N_NAMED else ""
    raise ValueError(
        f"{what} cannot be cut out of {len(problems)} of {n_films} films: {shown}{more}. Leave "
        "these films out, or choose smaller samples"
    )
