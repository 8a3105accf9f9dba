"""Data sets: bundled ones to load, and larger ones to make."""

from glassclf.datasets.comparison import compare_classes
from glassclf.datasets.cooling_curves import load_cooling_curves
from glassclf.datasets.energy_matching import match_energy
from glassclf.datasets.equal_energy import load_equal_energy
from glassclf.datasets.equilibrium import make_equilibrium
from glassclf.datasets.film_control import composition_control
from glassclf.datasets.film_selection import select_films
from glassclf.datasets.films import load_films
from glassclf.datasets.generation import make_kob_andersen
from glassclf.datasets.ionized_field import make_ionized_field
from glassclf.datasets.kob_andersen import load_kob_andersen
from glassclf.datasets.lattice_sample import load_persistent_exclusion
from glassclf.datasets.null_control import shuffle_labels
from glassclf.datasets.patterned import make_patterned
from glassclf.datasets.persistent_exclusion import make_persistent_exclusion
from glassclf.datasets.rates import select_rates
from glassclf.datasets.selection import (
    select_glass_and_liquids,
    select_pair,
    select_temperatures,
)
from glassclf.datasets.vapor_deposition import make_vapor_deposited

__all__ = [
    "compare_classes",
    "composition_control",
    "load_cooling_curves",
    "load_equal_energy",
    "load_films",
    "load_kob_andersen",
    "load_persistent_exclusion",
    "make_equilibrium",
    "make_ionized_field",
    "make_kob_andersen",
    "make_patterned",
    "make_persistent_exclusion",
    "make_vapor_deposited",
    "match_energy",
    "select_films",
    "select_glass_and_liquids",
    "select_pair",
    "select_rates",
    "select_temperatures",
    "shuffle_labels",
]
