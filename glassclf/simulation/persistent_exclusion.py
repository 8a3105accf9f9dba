"""The persistent exclusion process: self-propelled particles on a square lattice."""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from glassclf._compilation import compiled
from glassclf.configurations.lattices import DIRECTIONS, N_ORIENTATIONS, Lattices
from glassclf.simulation.lattice_kernel import TUMBLE_BITS, sweep


class PersistentExclusion:
    r"""Particles that run along a lattice, block each other, and tumble.

    In every sweep each particle, in a new random order, hops one site along its orientation if that
    site is free, and then tumbles with probability ``tumbling_rate``: it takes one of the four
    orientations at random, its own among them. The lattice is periodic.

    Parameters
    ----------
    sites : array-like of shape (n_rows, n_columns)
        Where the simulation begins: 0 or an orientation, 1 to 4, as in
        :class:`~glassclf.configurations.Lattices`; see :func:`random_lattice`.
    tumbling_rate : float
        Probability of a tumble, in (0, 1].
    random_state : int, RandomState instance or None, default=None
        Seed.

    Attributes
    ----------
    sites : ndarray of uint8 of shape (n_rows, n_columns)
        The lattice as it is now, a copy.
    n_sweeps : int
        Sweeps that were run.

    Raises
    ------
    ValueError
        If a parameter is not valid, or there is no particle or no free site.

    See Also
    --------
    glassclf.datasets.make_persistent_exclusion : Many simulations, as a data set.

    Notes
    -----
    N. Sepulveda and R. Soto, Phys. Rev. Lett. 119, 078001 (2017). A single particle has, with
    :math:`a = 1 - P_t`, the mean squared displacement

    .. math:: \mathrm{MSD}(n) = n \frac{1 + a}{1 - a} - 2 a \frac{1 - a^n}{(1 - a)^2} .

    The turn of a tumble is drawn relative to the orientation, which is the same in distribution,
    and makes the simulation of one particle from a turned start the turned simulation.

    Examples
    --------
    >>> from glassclf.simulation import PersistentExclusion, random_lattice
    >>> simulation = PersistentExclusion(random_lattice(0.2, (10, 10)), 0.1, random_state=0)
    >>> int((simulation.run(100).sites > 0).sum()), simulation.n_sweeps
    (20, 100)
    """

    def __init__(self, sites, tumbling_rate, *, random_state=None):
        check_rate(tumbling_rate)
        if np.ndim(sites) != 2:
            raise ValueError(
                f"sites must be one lattice of shape (n_rows, n_columns), got {np.shape(sites)}"
            )
        lattice = Lattices(np.asarray(sites)[None])[0]
        flat = lattice.ravel()
        occupied = np.flatnonzero(flat)
        if not 0 < len(occupied) < len(flat):
            raise ValueError(
                f"the lattice needs particles and free sites, {len(occupied)} of {len(flat)} sites "
                "are occupied"
            )
        self._shape, self._flat = lattice.shape, flat.copy()
        self._neighbors = _neighbors(lattice.shape)
        self._particles = (4 * occupied + flat[occupied] - 1).astype(np.int32)
        self._threshold = np.uint64(round(tumbling_rate * 2**TUMBLE_BITS))
        bits = check_random_state(random_state).randint(2**32, size=2, dtype=np.uint64)
        self._state = bits[0] << np.uint64(32) | bits[1]
        self.n_sweeps = 0

    @property
    def sites(self):
        """The lattice as it is now, a copy."""
        return self._flat.reshape(self._shape).copy()

    def run(self, n_sweeps):
        """Run the simulation on.

        Parameters
        ----------
        n_sweeps : int
            Moves of every particle.

        Returns
        -------
        self : PersistentExclusion

        Raises
        ------
        ValueError
            If ``n_sweeps`` is no integer of at least 0.
        """
        whole = isinstance(n_sweeps, numbers.Integral) and not isinstance(n_sweeps, bool)
        if not whole or n_sweeps < 0:
            raise ValueError(f"n_sweeps must be an integer of at least 0, got {n_sweeps!r}")
        self._state = np.uint64(
            compiled(sweep)(
                self._flat,
                self._neighbors,
                self._particles,
                self._state,
                self._threshold,
                n_sweeps,
            )
        )
        self.n_sweeps += n_sweeps
        return self


def random_lattice(density, shape=(128, 128), random_state=None):
    """Put particles of random orientations on random sites.

    Parameters
    ----------
    density : float
        Share of the sites, between 0 and 1; the number of particles is rounded down.
    shape : (int, int), default=(128, 128)
        Rows and columns.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    sites : ndarray of uint8 of shape ``shape``

    Raises
    ------
    ValueError
        If ``density`` leaves no particle or no free site, or ``shape`` is not valid.

    Examples
    --------
    >>> from glassclf.simulation import random_lattice
    >>> int((random_lattice(0.15, (20, 20), random_state=0) > 0).sum())
    60
    """
    n_particles = count_particles(density, shape)
    rng = check_random_state(random_state)
    sites = np.zeros(shape, dtype=np.uint8)
    chosen = rng.choice(sites.size, n_particles, replace=False)
    sites.flat[chosen] = 1 + rng.randint(N_ORIENTATIONS, size=n_particles)
    return sites


def count_particles(density, shape):
    """Particles of a density on a lattice, checked.

    Parameters
    ----------
    density : float
    shape : (int, int)

    Returns
    -------
    n_particles : int

    Raises
    ------
    ValueError
        If there is no particle, no free site, or ``shape`` is not valid.
    """
    valid = np.shape(shape) == (2,) and not isinstance(shape, str)
    if not valid or not all(
        isinstance(n, numbers.Integral) and not isinstance(n, bool) and n >= 1 for n in shape
    ):
        raise ValueError(f"shape must be two positive integers, got {shape!r}")
    if not isinstance(density, numbers.Real) or isinstance(density, bool) or not 0 < density < 1:
        raise ValueError(f"density must lie strictly between 0 and 1, got {density!r}")
    n_sites = int(np.prod(shape))
    # 0.15 * 400 is a little more than 60 in floats, 0.29 * 100 a little less than 29.
    n_particles = int(density * n_sites * (1 + 1e-12))
    if not 0 < n_particles < n_sites:
        raise ValueError(
            f"density={density} makes {n_particles} particles on {n_sites} sites: at least one "
            "particle and one free site are needed"
        )
    return n_particles


def check_rate(tumbling_rate):
    """Refuse what is no probability of a tumble.

    Parameters
    ----------
    tumbling_rate : float

    Raises
    ------
    ValueError
        If it is not in (0, 1].
    """
    is_number = isinstance(tumbling_rate, numbers.Real) and not isinstance(tumbling_rate, bool)
    if not is_number or not 0 < tumbling_rate <= 1:
        raise ValueError(f"tumbling_rate must be in (0, 1], got {tumbling_rate!r}")


def _neighbors(shape):
    """Site ahead of ``4 * site + orientation``, in the smallest type: it stays in the cache."""
    number = np.arange(np.prod(shape)).reshape(shape)
    ahead = [np.roll(number, (-a, -b), (0, 1)).ravel() for a, b in DIRECTIONS]
    return np.stack(ahead, axis=1).ravel().astype(np.min_scalar_type(number.size))
