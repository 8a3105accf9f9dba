"""Potentials, as data: their parameters and the materials that they are made for."""

from typing import NamedTuple

import numpy as np


class PairPotential(NamedTuple):
    """A truncated and shifted Lennard-Jones mixture.

    Particles of types a and b at distance r < ``cutoff`` * sigma_ab have the energy
    4 eps_ab [(sigma_ab / r)^12 - (sigma_ab / r)^6] minus its value at the cutoff, so that it is
    continuous. All numbers are in reduced Lennard-Jones units: those of the interaction between two
    particles of type 0.
    """

    n_dims: int
    """Number of spatial dimensions that the mixture is made for."""
    epsilon: np.ndarray
    """(n_types, n_types) depths of the wells."""
    sigma: np.ndarray
    """(n_types, n_types) distances at which the energy is zero."""
    cutoff: float
    """Range, in units of sigma of the pair."""
    fractions: tuple
    """Share of each type among the particles."""
    density: float
    """Particles per volume (area in two dimensions)."""

    @property
    def n_types(self):
        """Number of particle types; types are 0 to ``n_types - 1``."""
        return len(self.epsilon)


class StillingerWeber(NamedTuple):
    """A potential of pairs and triples that prefers one angle between bonds.

    Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), equations 2.3 to 2.5, in their reduced
    units: sigma = eps = m = k_B = 1. It is smooth at its cutoff. For silicon eps is 2.1683 eV,
    sigma 2.0951 angstrom and the unit of time 76.6 fs.
    """

    n_dims: int
    """Number of spatial dimensions that the material is made for."""
    factor: float
    """A of the energy of pairs."""
    repulsion: float
    """B, the share of the repulsion in it."""
    exponent: float
    """p, of the repulsion; that of the attraction is 0."""
    triples: float
    """lambda, the strength of the energy of triples."""
    decay: float
    """gamma, how fast it falls towards the cutoff."""
    cosine: float
    """Of the angle at which it vanishes."""
    cutoff: float
    """a, the range."""
    density: float
    """Particles per volume."""
    fractions: tuple = (1.0,)
    """Share of each type among the particles: there is one."""

    @property
    def n_types(self):
        """Number of particle types."""
        return len(self.fractions)


# Parameters: Kob and Andersen, Phys. Rev. E 51, 4626 (1995), who mix 80:20 in three dimensions. In
# two dimensions that mixture crystallises; 65:35 does not (Brüning, St-Onge, Patterson and Kob,
# J. Phys.: Condens. Matter 21, 035117 (2009)).
_KOB_ANDERSEN = {
    "epsilon": np.array([[1.0, 1.5], [1.5, 0.5]]),
    "sigma": np.array([[1.0, 0.8], [0.8, 0.88]]),
    "cutoff": 2.5,
    "density": 1.2,
}

# The third type is the substrate of Reid, Lyubimov, Ediger and de Pablo, Nat. Commun. 7, 13062
# (2016): it attracts both types alike and hardly itself, so that it stays smooth.
_WITH_SUBSTRATE = {
    "epsilon": np.array([[1.0, 1.5, 1.0], [1.5, 0.5, 1.0], [1.0, 1.0, 0.1]]),
    "sigma": np.array([[1.0, 0.8, 0.75], [0.8, 0.88, 0.75], [0.75, 0.75, 0.76]]),
    "cutoff": 2.5,
    "density": 1.2,
}

POTENTIALS = {
    "kob-andersen-2d": PairPotential(n_dims=2, fractions=(0.65, 0.35), **_KOB_ANDERSEN),
    "kob-andersen-2d-film": PairPotential(n_dims=2, fractions=(0.65, 0.35, 0.0), **_WITH_SUBSTRATE),
    "kob-andersen-3d": PairPotential(n_dims=3, fractions=(0.80, 0.20), **_KOB_ANDERSEN),
    # Table I and equation 2.8 of Stillinger and Weber; their liquid has the density of the melt.
    "stillinger-weber": StillingerWeber(
        n_dims=3,
        factor=7.049556277,
        repulsion=0.6022245584,
        exponent=4.0,
        triples=21.0,
        decay=1.2,
        cosine=-1 / 3,
        cutoff=1.8,
        density=0.483,
    ),
}


def get_potential(name):
    """Look a potential up by its name.

    Parameters
    ----------
    name : str
        A key of ``POTENTIALS``: "kob-andersen-2d", "kob-andersen-3d", "kob-andersen-2d-film", which
        knows the substrate of films as a third type, or "stillinger-weber".

    Returns
    -------
    potential : PairPotential or StillingerWeber

    Raises
    ------
    ValueError
        If there is no such potential.

    Examples
    --------
    >>> from glassclf.simulation.potentials import get_potential
    >>> get_potential("kob-andersen-2d").fractions
    (0.65, 0.35)
    """
    if not isinstance(name, str) or name not in POTENTIALS:
        raise ValueError(f"potential must be one of {sorted(POTENTIALS)}, got {name!r}")
    return POTENTIALS[name]


def check_fits_potential(configuration, name):
    """Refuse a configuration whose types or dimensions the potential does not know.

    Parameters
    ----------
    configuration : Configuration
    name : str
        Name of the potential.

    Raises
    ------
    ValueError
        If the number of dimensions differs, or a type is not among those of the potential.
    """
    potential = get_potential(name)
    if configuration.n_dims != potential.n_dims:
        raise ValueError(
            f"potential {name!r} is {potential.n_dims}-dimensional, "
            f"the configuration is {configuration.n_dims}-dimensional"
        )
    unknown = np.setdiff1d(configuration.types, np.arange(potential.n_types))
    if len(unknown):
        raise ValueError(
            f"potential {name!r} knows types 0 to {potential.n_types - 1}, "
            f"the configuration has type {unknown[0]}"
        )
