"""Artificial films: clusters of one symmetry in a filling without any, to question networks."""

import numbers
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.clusters import RIM, place_clusters
from glassclf.datasets.filling import CLOSEST, NoRoomError, fill_box
from glassclf.datasets.production import check_seed
from glassclf.simulation.cooling import check_count
from glassclf.simulation.overlaps import RANGE, SKIN
from glassclf.simulation.potentials import get_potential

POTENTIAL = "kob-andersen-2d"
SYMMETRIES = (5, 3)
# Twice the reach of a particle.
SMALLEST_BOX = 2 * (RANGE + SKIN)


def make_patterned(
    n,
    *,
    symmetry=5,
    n_particles=1080,
    n_clusters=20,
    separation=0.9,
    fill_clusters=True,
    clumping=0.0,
    density=1.2,
    fractions=(0.65, 0.35),
    random_state=None,
    n_jobs=None,
    verbose=1,
):
    """Make two-dimensional configurations with clusters of a known symmetry in a random filling.

    They ask a trained network what it responds to: samples differ in one thing, which is known. A
    cluster is a particle of type 1 with a ring of five or three of type 0, turned at random. The
    rest is filled to the same density and composition with random points, pushed apart until no
    two overlap while the clusters stay as they are. One sample of 1080 particles takes about half
    a second.

    Parameters
    ----------
    n : int
        Number of samples. Those of a larger set with the same seed begin with those of a smaller.
    symmetry : {5, 3, None}, default=5
        Particles of a ring. None: no clusters, everything else the same.
    n_particles : int, default=1080
        All particles of a sample, those of its clusters included.
    n_clusters : int, default=20
        Clusters of a sample.
    separation : float, default=0.9
        Radius of a ring: distance between the centre and its neighbours, in units of sigma of type
        0. The smallest is 0.77 (five) or 0.72 (three), where they would overlap. The default is the
        distance of lowest energy, at which five of type 0 around one of type 1 also touch each
        other.
    fill_clusters : bool, default=True
        Whether other particles may stand wherever they fit: between the particles of a ring of
        three, or inside a wide ring. False: none comes closer to a centre than ``separation`` +
        0.5, half a particle beyond the ring.
    clumping : float, default=0.0
        How far the particles of type 1 in the filling stand together, from 0 (mixed at random) to 1
        (apart from type 0, in regions about 3 wide). Before they are pushed apart, type 1 are the
        points with the highest ``clumping * field + (1 - clumping) * noise``, where the field is a
        sum of random waves of length 6.
    density : float, default=1.2
        Particles per area, with the clusters.
    fractions : (float, float), default=(0.65, 0.35)
        Share of types 0 and 1 among all particles, those of the clusters included; rounded to whole
        particles as in :func:`make_kob_andersen`.
    random_state : int, RandomState instance or None, default=None
        Seed of the set. Equal seeds begin from equal random numbers whatever the other parameters
        are, so that samples can be compared one by one along any of them.
    n_jobs : int, default=None
        Number of processes; None means one, -1 all cores. It does not change the result.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    data : Configurations
        In periodic squares, at exactly the given number, density and composition. First come the
        particles of the clusters, one cluster after the other, its centre before its ring: for a
        symmetry k, centres are the particles 0, k + 1, 2 (k + 1) and so on. Then the filling, type
        0 before type 1. ``info``:

        - "symmetry": 0 where there are no clusters; "n_clusters".
        - "separation": not a number where there are no clusters.
        - "fill_clusters", "clumping".
        - "run": a string, unique in the set: the group for cross-validation. Sets of one seed share
          theirs, as they share random numbers.

    Raises
    ------
    ValueError
        If a parameter is not valid, the clusters do not fit, need more particles of a type than
        there are, or the density cannot be packed.

    See Also
    --------
    glassclf.simulation.quench : Relax all particles, those of the clusters as well.

    Notes
    -----
    Reduced Lennard-Jones units. No two particles of types a and b are closer than 0.9 sigma_ab of
    the two-dimensional Kob-Andersen mixture [1]_: 0.9 (0, 0), 0.72 (0, 1), 0.792 (1, 1). The
    filling is close to a minimum of the repulsive part of that potential [2]_, from random points.
    It was never liquid: its inherent energy is higher than that of any melt.

    Number, density and composition are those of the whole sample. Clusters that keep others out
    squeeze the filling: 20 of ``separation=1.4`` and ``fill_clusters=False`` can just be packed,
    larger ones cannot. Without clusters that happens at a density of about 1.5. And the filling has
    what the clusters leave: 20 rings of five take 100 of 702 particles of type 0.

    References
    ----------
    .. [1] R. Brüning, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21,
       035117 (2009).
    .. [2] J. D. Weeks, D. Chandler and H. C. Andersen, J. Chem. Phys. 54, 5237 (1971).

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.datasets import make_patterned
    >>> data = make_patterned(2, n_particles=200, n_clusters=4, random_state=0, verbose=0)
    >>> data.info["run"].tolist()
    ['patterned-s0-000', 'patterned-s0-001']
    >>> np.bincount(data[0].types)
    array([130,  70])

    The first particle is the centre of the first cluster; the next five are its ring.

    >>> bonds = data[0].positions[1:6] - data[0].positions[0]
    >>> bonds -= data[0].box * np.round(bonds / data[0].box)
    >>> np.linalg.norm(bonds, axis=1).round(3)
    array([0.9, 0.9, 0.9, 0.9, 0.9])
    """
    check_count("n", n, 1)
    pattern = _check_pattern(
        symmetry,
        n_particles,
        n_clusters,
        separation,
        fill_clusters,
        clumping,
        density,
        fractions,
    )
    seed = check_seed(random_state, needs_int=False)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_make_one)(pattern, seed, index) for index in range(int(n))
    )
    progress = tqdm(results, desc="patterned films", total=int(n), disable=not verbose)
    return Configurations(progress)


class Pattern(NamedTuple):
    """What the samples of a set have in common."""

    symmetry: int
    n_clusters: int
    separation: float
    fill_clusters: bool
    clumping: float
    density: float
    counts: tuple
    """Particles of type 0 and of type 1, those of the clusters included."""

    @property
    def length(self):
        """Edge of the box."""
        return float(np.sqrt(sum(self.counts) / self.density))

    @property
    def filling(self):
        """Particles of type 0 and of type 1 outside the clusters."""
        n_0, n_1 = self.counts
        return n_0 - self.symmetry * self.n_clusters, n_1 - self.n_clusters


def _make_one(pattern, seed, index):
    """Make one sample from the random numbers of its own seed."""
    # One stream for the clusters and one for the filling, so that what one of them draws does not
    # change the other.
    for_clusters, for_filling = (np.random.default_rng([seed, index, part]) for part in (0, 1))
    length = pattern.length
    clusters = place_clusters(
        pattern.n_clusters, pattern.symmetry, pattern.separation, length, for_clusters
    )
    keep_out = pattern.separation + RIM if not pattern.fill_clusters else None
    try:
        filling = fill_box(
            clusters,
            pattern.filling,
            length,
            get_potential(POTENTIAL),
            keep_out=keep_out if pattern.n_clusters else None,
            clumping=pattern.clumping,
            random=for_filling,
        )
    except NoRoomError as error:
        raise ValueError(
            f"density={pattern.density:g} cannot be packed{_around_clusters(pattern)}: {error} in "
            f"sample {index}, where {CLOSEST} is the limit; lower the density"
            f"{' or the number or separation of clusters' if pattern.n_clusters else ''}"
        ) from error
    types_of_cluster = [1] + [0] * pattern.symmetry
    types = np.concatenate(
        [np.tile(types_of_cluster, pattern.n_clusters), np.repeat([0, 1], pattern.filling)]
    ).astype(np.int64)
    positions = np.concatenate([clusters.reshape(-1, 2), filling])
    # The remainder of a tiny negative number is the length itself.
    positions = positions % length % length
    has_clusters = pattern.n_clusters > 0
    info = {
        "symmetry": pattern.symmetry if has_clusters else 0,
        "n_clusters": pattern.n_clusters,
        "separation": pattern.separation if has_clusters else np.nan,
        "fill_clusters": pattern.fill_clusters,
        "clumping": pattern.clumping,
        "run": f"patterned-s{seed}-{index:03d}",
    }
    return Configuration(positions, types, [length, length], True, info)


def _check_pattern(
    symmetry, n_particles, n_clusters, separation, fill_clusters, clumping, density, fractions
):
    """Refuse parameters that make no pattern, before anything is made of them."""
    if not (symmetry is None or symmetry in SYMMETRIES) or isinstance(symmetry, bool):
        raise ValueError(f"symmetry must be 5, 3 or None, got {symmetry!r}")
    check_count("n_particles", n_particles, 1)
    check_count("n_clusters", n_clusters, 0)
    if not isinstance(fill_clusters, bool | np.bool_):
        raise ValueError(f"fill_clusters must be True or False, got {fill_clusters!r}")
    density = _check_number("density", density, 0.01)
    clumping = _check_number("clumping", clumping, 0.0, 1.0)
    pattern = Pattern(
        symmetry=int(symmetry or 0),
        n_clusters=0 if symmetry is None else int(n_clusters),
        separation=_check_number("separation", separation, _smallest_separation(symmetry)),
        fill_clusters=bool(fill_clusters),
        clumping=clumping,
        density=density,
        counts=_check_fractions(fractions, n_particles),
    )
    if pattern.length < SMALLEST_BOX:
        raise ValueError(
            f"n_particles must be at least {int(np.ceil(SMALLEST_BOX**2 * density))} at "
            f"density={density:g}, got {n_particles}: in a smaller box a particle would be its own "
            "neighbour"
        )
    if min(pattern.filling) < 0:
        raise ValueError(
            f"n_clusters={n_clusters} with symmetry={symmetry} need {symmetry * n_clusters} "
            f"particles of type 0 and {n_clusters} of type 1; n_particles={n_particles} are "
            f"{pattern.counts[0]} and {pattern.counts[1]}"
        )
    return pattern


def _smallest_separation(symmetry):
    """Radius of a ring at which its particles are as close as any two may be."""
    if symmetry is None:
        return 0.0
    sigma = get_potential(POTENTIAL).sigma
    return CLOSEST * max(sigma[0, 1], sigma[0, 0] / (2 * np.sin(np.pi / symmetry)))


def _check_number(name, value, lowest, highest=np.inf):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not lowest <= value <= highest or value == np.inf:
        limits = (
            f"from {lowest:.3g} to {highest:g}" if highest < np.inf else f"of at least {lowest:.3g}"
        )
        raise ValueError(f"{name} must be a number {limits}, got {value!r}")
    return float(value)


def _check_fractions(fractions, n_particles):
    shares = np.asarray(fractions)
    valid = shares.shape == (2,) and shares.dtype.kind in "iuf" and (shares >= 0).all()
    if not valid or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(f"fractions must be two shares that add up to 1, got {fractions!r}")
    n_0 = round(float(shares[0]) * n_particles)
    return n_0, int(n_particles) - n_0


def _around_clusters(pattern):
    if not pattern.n_clusters:
        return ""
    return f" around n_clusters={pattern.n_clusters} of separation={pattern.separation:g}"
