"""Displays: drawing of what the other parts have computed; needs the extra ``plot``."""

from glassclf.plotting.block_split import BlockSplitDisplay
from glassclf.plotting.configuration import ConfigurationDisplay
from glassclf.plotting.cooling_curves import CoolingCurvesDisplay
from glassclf.plotting.crossing import CrossoverDisplay
from glassclf.plotting.film import FilmDisplay
from glassclf.plotting.film_growth import animate_growth
from glassclf.plotting.film_stability import StabilityDisplay
from glassclf.plotting.glass_transition import GlassTransitionDisplay
from glassclf.plotting.learning_rate_range import LearningRateRangeDisplay
from glassclf.plotting.rdf import RDFDisplay
from glassclf.plotting.regression import RegressionDisplay
from glassclf.plotting.study import StudyDisplay
from glassclf.plotting.training import TrainingDisplay
from glassclf.plotting.transfer import TransferDisplay
from glassclf.plotting.window_map import WindowMapDisplay

__all__ = [
    "BlockSplitDisplay",
    "ConfigurationDisplay",
    "CoolingCurvesDisplay",
    "CrossoverDisplay",
    "FilmDisplay",
    "GlassTransitionDisplay",
    "LearningRateRangeDisplay",
    "RDFDisplay",
    "RegressionDisplay",
    "StabilityDisplay",
    "StudyDisplay",
    "TrainingDisplay",
    "TransferDisplay",
    "WindowMapDisplay",
    "animate_growth",
]
