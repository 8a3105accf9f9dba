"""Data sets: bundled ones to load, and larger ones to make."""

from glassclf.datasets.generation import make_kob_andersen
from glassclf.datasets.kob_andersen import load_kob_andersen
from glassclf.datasets.selection import select_pair

__all__ = ["load_kob_andersen", "make_kob_andersen", "select_pair"]
