"""Data sets: bundled ones to load, and larger ones to make."""

from glassclf.datasets.generation import make_kob_andersen
from glassclf.datasets.kob_andersen import load_kob_andersen
from glassclf.datasets.selection import select_pair
from glassclf.datasets.vapor_deposition import make_vapor_deposited

__all__ = ["load_kob_andersen", "make_kob_andersen", "make_vapor_deposited", "select_pair"]
