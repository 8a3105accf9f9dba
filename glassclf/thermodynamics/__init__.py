"""Cooling curves and the glass transition; films and their bulk; clusters and steady states."""

from glassclf.thermodynamics.comparison import (
    compare_energies,
    compare_glass_transitions,
    parting_temperature,
)
from glassclf.thermodynamics.curve_files import read_cooling_curves
from glassclf.thermodynamics.curves import CoolingCurves, cooling_curves
from glassclf.thermodynamics.equilibration import steady_state
from glassclf.thermodynamics.film_energies import bulk_energies, energies_at_equal_composition
from glassclf.thermodynamics.film_profiles import bulk_region, film_profile
from glassclf.thermodynamics.film_samples import cut_bulk
from glassclf.thermodynamics.glass_transition import GlassTransition
from glassclf.thermodynamics.lattice_clusters import (
    cluster_measures,
    label_clusters,
    size_distribution,
)

__all__ = [
    "CoolingCurves",
    "GlassTransition",
    "bulk_energies",
    "bulk_region",
    "cluster_measures",
    "compare_energies",
    "compare_glass_transitions",
    "cooling_curves",
    "cut_bulk",
    "energies_at_equal_composition",
    "film_profile",
    "label_clusters",
    "parting_temperature",
    "read_cooling_curves",
    "size_distribution",
    "steady_state",
]
