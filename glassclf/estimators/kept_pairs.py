"""What dynamics asks of a potential, step by step: neighbours are kept in a skin between steps."""

import numpy as np

from glassclf.configurations import Configuration, Configurations, Pairs, pairs_one_way
from glassclf.configurations.flat import is_flat
from glassclf.estimators.labels import refuse_coincident
from glassclf.featurizers.base import warn_user


class KeptPairs:
    """A fitted potential, with the pairs of the configuration that it was last asked about.

    Parameters
    ----------
    potential : PotentialMixin
        Fitted.
    skin : float
        Pairs are kept up to ``r_max + skin``, until a particle has moved by half of it.
    """

    def __init__(self, potential, skin):
        self.potential, self.skin = potential, skin
        self.n_searches = 0
        self._start = self._pairs = None
        self._has_warned = False

    def respond(self, now):
        """Energy, forces (n_particles, n_dims) and virial (n_dims, n_dims) of a Configuration."""
        pairs = self._pairs_in_range(now)
        self._warn_of_close_pairs(now.types, pairs)
        return self.potential._of_pairs(now.types, pairs)

    def _pairs_in_range(self, now):
        if not self._is_near(now):
            # The types of a potential do not change on the way, and neither do kept pairs.
            self.potential._check_kind(Configurations([now]))
            self._start = now
            self._pairs = pairs_one_way(now, self.potential.r_max + self.skin)
            self.n_searches += 1
        moved = now.positions - self._start.positions
        sources, targets = self._pairs.sources, self._pairs.targets
        vectors = self._pairs.vectors + moved[targets] - moved[sources]
        distances = np.sqrt(np.einsum("pi,pi->p", vectors, vectors))
        near = distances < self.potential.r_max
        pairs = Pairs(sources[near], targets[near], vectors[near], distances[near])
        refuse_coincident(pairs, self.potential.r_max, "the atoms")
        return pairs

    def _is_near(self, now):
        start = self._start
        if start is None or start.n_particles != now.n_particles:
            return False
        same = (
            np.array_equal(start.types, now.types)
            and np.array_equal(start.cell, now.cell)
            and np.array_equal(start.periodic, now.periodic)
        )
        moved = np.linalg.norm(now.positions - start.positions, axis=1).max()
        return same and moved <= self.skin / 2

    def _warn_of_close_pairs(self, types, pairs):
        kinds = np.searchsorted(self.potential.types_, types)
        known = self.potential.closest_[kinds[pairs.sources], kinds[pairs.targets]]
        closer = pairs.distances < known
        if closer.any() and not self._has_warned:
            self._has_warned = True
            worst = np.argmin(np.where(closer, pairs.distances / known, np.inf))
            warn_user(
                f"two particles are {pairs.distances[worst]:.4g} apart, closer than any of their "
                f"types were in the training ({known[worst]:.4g}): the energy there is a guess; "
                "this is said once"
            )


def types_of(atoms):
    """Types of atoms: the array of that name where there is one, else atomic numbers.

    Parameters
    ----------
    atoms : ase.Atoms

    Returns
    -------
    types : ndarray of shape (n_particles,)
    """
    return atoms.arrays.get("types", atoms.numbers)


def configuration_of(atoms, n_dims):
    """Make a Configuration of atoms, in the plane of x and y where there are two dimensions.

    Parameters
    ----------
    atoms : ase.Atoms
    n_dims : {2, 3}

    Returns
    -------
    configuration : Configuration

    Raises
    ------
    ValueError
        If the atoms have another number of dimensions.
    """
    _check_dimensions(atoms, n_dims)
    cell = np.asarray(atoms.cell)[:n_dims, :n_dims]
    if not cell.any():
        # Atoms without a cell: any does, as nothing repeats.
        cell = np.eye(n_dims)
    return Configuration(atoms.positions[:, :n_dims], types_of(atoms), cell, atoms.pbc[:n_dims])


def _check_dimensions(atoms, n_dims):
    heights = atoms.positions[:, 2]
    if n_dims == 2:
        if atoms.pbc[2]:
            raise ValueError(
                "the potential is two-dimensional, the atoms repeat along z: set atoms.pbc = "
                "[True, True, False], or make them by as_ase_atoms"
            )
        if np.ptp(heights) != 0:
            raise ValueError(
                f"the potential is two-dimensional, the atoms have z from {heights.min():.4g} to "
                f"{heights.max():.4g}: give all of them one z and keep it, as as_ase_atoms does"
            )
    # A molecule may be planar, but a plane that repeats is what as_ase_atoms makes of two
    # dimensions.
    elif atoms.pbc[:2].any() and is_flat(heights, np.asarray(atoms.cell), atoms.pbc):
        raise ValueError(
            "the potential is three-dimensional, the atoms lie in a plane that does not repeat "
            "along z: for a layer in three dimensions set atoms.pbc = True and a cell that is "
            "longer along z than along x and y"
        )
