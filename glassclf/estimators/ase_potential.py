"""A fitted potential as a calculator of ASE; imported only where ASE is there."""

import warnings

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from glassclf.configurations import Configuration, Configurations, Pairs, pairs_one_way, volume


class FittedPotential(Calculator):
    """Energies, forces and, in periodic boxes, stress of a fitted potential.

    Parameters
    ----------
    potential : PotentialMixin
        Fitted.
    skin : float
        Pairs are kept up to ``r_max + skin``, until a particle has moved by half of it.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, potential, skin):
        super().__init__()
        self.potential, self.skin = potential, skin
        self.n_searches = 0
        self._start = self._pairs = None
        self._has_warned = False

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Compute everything at once, as ASE asks for it."""
        super().calculate(atoms, properties, system_changes)
        potential, n_dims = self.potential, self.potential.n_dims_
        now = _configuration(self.atoms, n_dims)
        pairs = self._pairs_in_range(now)
        self._warn_of_close_pairs(now.types, pairs)
        energy, forces, virial = potential._of_pairs(now.types, pairs)
        self.results = {"energy": float(energy), "free_energy": float(energy)}
        self.results["forces"] = np.pad(forces, ((0, 0), (0, 3 - n_dims)))
        if n_dims == 3 and now.periodic.all():
            stress = virial / volume(now.cell)
            self.results["stress"] = full_3x3_to_voigt_6_stress((stress + stress.T) / 2)

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
        return Pairs(sources[near], targets[near], vectors[near], distances[near])

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
            warnings.warn(
                f"two particles are {pairs.distances[worst]:.4g} apart, closer than any of their "
                f"types were in the training ({known[worst]:.4g}): the energy there is a guess; "
                "this is said once",
                stacklevel=2,
            )


def _configuration(atoms, n_dims):
    types = atoms.arrays.get("types", atoms.numbers)
    cell = np.asarray(atoms.cell)[:n_dims, :n_dims]
    if not cell.any():
        # Atoms without a cell: any does, as nothing repeats.
        cell = np.eye(n_dims)
    return Configuration(atoms.positions[:, :n_dims], types, cell, atoms.pbc[:n_dims])
