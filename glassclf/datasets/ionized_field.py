"""A test problem for values of a field: gas that sources of radiation have ionised."""

from numbers import Integral, Real

import numpy as np
from scipy.optimize import bisect
from sklearn.utils import Bunch, check_random_state
from tqdm.auto import tqdm

from glassclf.configurations.spheres import SphericalAverages

# Factor between the radii of the spheres in which photons are counted.
STEP = 1.1
# Share of the cells, the densest ones, that hold sources.
SOURCE_SHARE = 0.01
TOLERANCE = 1e-4
# Photons that leave no cell neutral that light gets to.
MANY = 1e20

DESCR = """\
A log-normal density (mean 1), the sources on its peaks, and the ionised fraction of each cell of a
periodic box, by counting photons in spheres. Synthetic: it looks like the reionisation of the
intergalactic medium, and has no units."""


def make_ionized_field(
    shape=64,
    *,
    slope=-2.5,
    sigma=0.5,
    smoothing=1.0,
    r_max=20,
    fraction=0.5,
    flag="center",
    random_state=None,
    verbose=1,
):
    """Make a density, sources and the ionised fraction in a periodic box.

    Parameters
    ----------
    shape : int or (int, int, int), default=64
        Cells along each axis.
    slope : float, default=-2.5
        Exponent of the power spectrum of the Gaussian random field. The steeper, the larger the
        bubbles.
    sigma : float, default=0.5
        Standard deviation of the logarithm of the density.
    smoothing : float, default=1.0
        Width of the Gaussian that smooths the random field, in cells: gas has pressure.
    r_max : float, default=20
        Largest sphere in which photons are counted, in cells: how far light gets.
    fraction : float, default=0.5
        Mean ionised fraction.
    flag : {"center", "sphere"}, default="center"
        What is ionised where a sphere has photons enough: the cell in its middle, or all of it.
        "sphere" takes some twenty times as long.
    random_state : int, RandomState instance or None, default=None
        Seed.
    verbose : int, default=1
        1 shows a progress bar over the spheres, 0 nothing.

    Returns
    -------
    data : sklearn.utils.Bunch
        ``density``, ``sources`` and ``ionized`` : ndarray of float32 of shape ``shape``, the last
        in [0, 1]; ``zeta`` : float, photons for each unit of source; ``DESCR`` : str.

    Raises
    ------
    ValueError
        If a parameter is not valid, the largest sphere does not fit into the box, or so much of the
        box is too far from any source.

    Notes
    -----
    The density is exp(sigma g), divided by its mean, of a Gaussian random field g of unit variance
    whose power spectrum is a power law, cut off by the smoothing. Sources are the densest
    hundredth of the cells, each as strong as its density.

    A cell is ionised if for any radius R, from ``r_max`` down to one cell in steps of a factor 1.1,
    zeta <sources>_R >= <density>_R, with means over the sphere of radius R around it; elsewhere its
    fraction is zeta sources / density of the cell itself: S. R. Furlanetto, M. Zaldarriaga and
    L. Hernquist, Astrophys. J. 613, 1 (2004), equation 2 of which is the criterion, on a grid as
    in A. Mesinger, S. Furlanetto and R. Cen, Mon. Not. R. Astron. Soc. 411, 955 (2011), section
    2.2, who flag the central cell. The efficiency zeta is found by bisection, so that the mean
    fraction is ``fraction``; fractions jump where a whole bubble appears, so that it is met within
    what one cell, or one sphere, contributes.

    Examples
    --------
    >>> from glassclf.datasets import make_ionized_field
    >>> data = make_ionized_field(24, r_max=8, random_state=0, verbose=0)
    >>> data.ionized.shape, round(float(data.ionized.mean()), 2)
    ((24, 24, 24), 0.5)
    """
    shape = tuple(shape) if np.iterable(shape) else (shape,) * 3
    _check(shape, slope, sigma, smoothing, r_max, fraction, flag)
    rng = check_random_state(random_state)
    with np.errstate(all="ignore"):
        density = _log_normal(shape, slope, sigma, smoothing, rng)
    if not np.isfinite(density).all() or density.min() <= 0:
        raise ValueError(
            f"slope={slope}, sigma={sigma} and smoothing={smoothing} leave no density that is "
            "finite and positive everywhere"
        )
    threshold = np.quantile(density, 1 - SOURCE_SHARE)
    sources = np.where(density > threshold, density, 0).astype(np.float32)
    photons = _PhotonCount(density, sources, r_max)
    with tqdm(desc="spheres", unit="sphere", disable=not verbose) as progress:
        if flag == "center":
            most = photons.largest_ratio(progress)

            def ionize(zeta):
                return np.where(zeta * most >= 1, 1, np.minimum(zeta * photons.own, 1))
        else:

            def ionize(zeta):
                return np.where(
                    photons.spheres(zeta, progress), 1, np.minimum(zeta * photons.own, 1)
                )

        lit = float((ionize(MANY) > 0).mean())
        if lit <= fraction:
            raise ValueError(
                f"fraction={fraction} cannot be reached: {lit:.3f} of the cells lie within "
                f"r_max={r_max} cells of a source"
            )
        zeta = _find(lambda zeta: float(ionize(zeta).mean()) - fraction, density, sources)
        ionized = ionize(zeta).astype(np.float32)
    return Bunch(density=density, sources=sources, ionized=ionized, zeta=zeta, DESCR=DESCR)


class _PhotonCount:
    """Ratio of sources to gas in spheres around every cell."""

    def __init__(self, density, sources, r_max):
        # From the largest sphere down to one cell.
        n_steps = int(np.floor(np.log(r_max) / np.log(STEP)))
        self.radii = [r_max / STEP**step for step in range(n_steps + 1)]
        self.own = sources / density
        self._averages = SphericalAverages([density, sources], r_max)
        self._weakest = sources[sources > 0].min()

    def _ratio(self, radius):
        density, sources = self._averages.over(radius)
        # Less than half of one source in the cube around the sphere: that is rounding.
        sources[sources < 0.5 * self._weakest / (2 * radius + 1) ** 3] = 0
        return sources / density

    def largest_ratio(self, progress):
        """Largest of the ratios over all radii, the cell itself among them."""
        progress.reset(len(self.radii))
        most = self.own.copy()
        for radius in self.radii:
            np.maximum(most, self._ratio(radius), out=most)
            progress.update()
        return most

    def spheres(self, zeta, progress):
        """Cells within any sphere that has photons enough."""
        within = zeta * self.own >= 1
        progress.reset(len(self.radii))
        for radius in self.radii:
            centers = (zeta * self._ratio(radius) >= 1).astype(np.float32)
            # One cell of a sphere contributes more than rounding does.
            share = SphericalAverages([centers], radius).over(radius)[0]
            within |= share > 0.5 / (2 * radius + 1) ** 3
            progress.update()
        return within


def _find(excess, density, sources):
    """Efficiency at which the mean fraction is met."""
    low = high = float(density.mean() / sources.mean())
    while excess(low) > 0:
        low /= 2
    while excess(high) < 0:
        high *= 2
    return bisect(excess, low, high, rtol=TOLERANCE)


def _log_normal(shape, slope, sigma, smoothing, rng):
    white = rng.standard_normal(shape).astype(np.float32)
    spectrum = np.fft.rfftn(white)
    squares = sum(
        np.expand_dims(frequency**2, [a for a in range(3) if a != axis])
        for axis, frequency in enumerate(
            [np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), np.fft.rfftfreq(shape[2])]
        )
    )
    squares[0, 0, 0] = 1
    # Power is the square of the amplitude, and squares are those of the wave number.
    spectrum *= squares ** (slope / 4)
    spectrum *= np.exp(-2 * (np.pi * smoothing) ** 2 * squares)
    # The mean of the field is no fluctuation.
    spectrum[0, 0, 0] = 0
    field = np.fft.irfftn(spectrum, shape, axes=(0, 1, 2))
    field *= sigma / field.std()
    density = np.exp(field)
    return (density / density.mean()).astype(np.float32)


def _check(shape, slope, sigma, smoothing, r_max, fraction, flag):
    if len(shape) != 3 or not all(isinstance(n, Integral) and n > 2 for n in shape):
        raise ValueError(f"shape must be one or three integers above 2, got {shape}")
    if not isinstance(slope, Real) or not np.isfinite(slope):
        raise ValueError(f"slope must be a finite number, got {slope!r}")
    if not isinstance(sigma, Real) or not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma!r}")
    if not isinstance(smoothing, Real) or not smoothing >= 0:
        raise ValueError(f"smoothing must be at least 0 cells, got {smoothing!r}")
    largest = (min(shape) - 1) / 2
    if not isinstance(r_max, Real) or not 1 <= r_max <= largest:
        raise ValueError(
            f"r_max must be from 1 to {largest:g} cells in a box of shape {shape}, got {r_max!r}"
        )
    if not isinstance(fraction, Real) or not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
    if flag not in ("center", "sphere"):
        raise ValueError(f'flag must be "center" or "sphere", got {flag!r}')
