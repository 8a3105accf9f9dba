"""Simulations that make configurations: cooling a melt, and the quench to inherent structures."""

from glassclf.simulation.cooling import cool
from glassclf.simulation.energies import particle_energies
from glassclf.simulation.minimization import quench

__all__ = ["cool", "particle_energies", "quench"]
