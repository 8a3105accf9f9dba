"""Simulations: cooling a melt, the quench to inherent structures, active matter on a lattice."""

from glassclf.simulation.cooling import cool
from glassclf.simulation.energies import particle_energies
from glassclf.simulation.minimization import quench
from glassclf.simulation.persistent_exclusion import PersistentExclusion, random_lattice

__all__ = ["PersistentExclusion", "cool", "particle_energies", "quench", "random_lattice"]
