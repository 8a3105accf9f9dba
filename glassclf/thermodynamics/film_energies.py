"""Energies of the bulk of films, as they are and at equal composition."""

from numbers import Real

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.conversion import as_configurations
from glassclf.simulation.energies import particle_energies
from glassclf.thermodynamics.film_profiles import bulk_region, film_errors

POTENTIAL = "kob-andersen-2d-film"


def bulk_energies(films, *, margin=None, potential=POTENTIAL):
    """Energy, density and composition of the bulk region of each film.

    Parameters
    ----------
    films : Configurations, or anything that ``as_configurations`` takes
        In the format of :func:`film_profile`, substrate included.
    margin : float, default=None
        As in :func:`bulk_region`.
    potential : str, default="kob-andersen-2d-film"
        The interaction of the films.

    Returns
    -------
    bulk : sklearn.utils.Bunch
        ``energy`` : ndarray of shape (n,), mean energy of the particles of the region, in eps_AA;
        that of an inherent structure is the inherent energy; ``composition``, ``density``,
        ``n_particles`` : ndarray of shape (n,), of the region.

    Raises
    ------
    ValueError
        If a film is not in the format of one, has no bulk, or does not fit the potential; the
        message names the film.

    See Also
    --------
    energies_at_equal_composition : Takes the influence of the composition out.

    Examples
    --------
    >>> from glassclf.testing import toy_films
    >>> from glassclf.thermodynamics import bulk_energies
    >>> bulk = bulk_energies(toy_films(1))
    >>> bulk.composition.round(2), bulk.n_particles.shape
    (array([0.34, 0.34, 0.36, 0.36]), (4,))
    """
    rows = []
    for index, film in enumerate(as_configurations(films)):
        with film_errors(index, film.info):
            region = bulk_region(film, margin)
            heights = film.positions[:, 1]
            inside = (film.types < 2) & (heights >= region.y_low) & (heights < region.y_high)
            energy = particle_energies(film, potential=potential)[inside].mean()
        rows.append((energy, region.composition, region.density, region.n_particles))
    energy, composition, density, n_particles = map(np.array, zip(*rows))
    return Bunch(energy=energy, composition=composition, density=density, n_particles=n_particles)


def energies_at_equal_composition(energy, composition, *, kinds=None, slope=None, reference=None):
    """Take out of energies what follows from the composition alone.

    A straight line is fitted to energy against composition, with one slope for all and a height of
    its own for each kind, and every energy is moved along it to the reference.

    Parameters
    ----------
    energy : array-like of shape (n,)
        Energies per particle.
    composition : array-like of shape (n,)
        Share of type 1 in each sample.
    kinds : array-like of shape (n,), default=None
        What is to be compared afterwards, such as the material: a difference between kinds is not
        taken for an influence of the composition. None: all are of one kind.
    slope : float, default=None
        Energy per unit of composition, where it is known. None: it is fitted.
    reference : float, default=None
        Composition to move to; None: the mean of those given.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``energy`` : ndarray of shape (n,), at the reference; ``raw`` : ndarray of shape (n,), as
        given; ``slope`` : float; ``slope_error`` : float, its standard error, NaN where it was
        given or too few samples are left to tell; ``reference`` : float.

    Raises
    ------
    ValueError
        If the arrays do not match, something is no finite number, or there is no slope to fit
        because the composition does not vary within a kind.

    Examples
    --------
    >>> from glassclf.thermodynamics import energies_at_equal_composition
    >>> result = energies_at_equal_composition([-3.70, -3.73, -3.71, -3.74], [0.34, 0.36] * 2)
    >>> round(result.slope, 2), result.energy.round(3).tolist()
    (-1.5, [-3.715, -3.715, -3.725, -3.725])
    """
    energy, composition = _numbers("energy", energy), _numbers("composition", composition)
    for name, value in (("slope", slope), ("reference", reference)):
        if value is not None and not (isinstance(value, Real) and np.isfinite(value)):
            raise ValueError(f"{name} must be None or a finite number, got {value!r}")
    kinds = np.zeros(len(energy), int) if kinds is None else np.asarray(kinds)
    if not len(energy) == len(composition) == len(kinds):
        raise ValueError(
            "energy, composition and kinds must be equally long, got "
            f"{len(energy)}, {len(composition)} and {len(kinds)}"
        )
    reference = float(composition.mean() if reference is None else reference)
    error = np.nan
    if slope is None:
        slope, error = _common_slope(energy, composition, kinds)
    return Bunch(
        energy=energy - slope * (composition - reference),
        raw=energy.copy(),
        slope=float(slope),
        slope_error=float(error),
        reference=reference,
    )


def _numbers(name, values):
    try:
        values = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a sequence of finite numbers: {error}") from error
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a sequence of finite numbers, got {values.tolist()}")
    return values


def _common_slope(energy, composition, kinds):
    present, kind = np.unique(kinds, return_inverse=True)

    def without_means(values):
        return values - (np.bincount(kind, values) / np.bincount(kind))[kind]

    x, y = without_means(composition), without_means(energy)
    spread = (x**2).sum()
    if spread < 1e-12:
        raise ValueError(
            "the composition does not vary within a kind, so that no slope can be fitted: the "
            "energies are at equal composition already, or give slope"
        )
    slope = (x * y).sum() / spread
    n_free = len(x) - len(present) - 1
    residual = ((y - slope * x) ** 2).sum()
    return slope, np.sqrt(residual / n_free / spread) if n_free > 0 else np.nan
