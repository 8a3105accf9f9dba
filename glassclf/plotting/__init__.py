"""Displays: drawing of what the other parts have computed; needs the extra ``plot``."""

from glassclf.plotting.cooling_curves import CoolingCurvesDisplay
from glassclf.plotting.film import FilmDisplay
from glassclf.plotting.film_growth import animate_growth
from glassclf.plotting.film_stability import StabilityDisplay
from glassclf.plotting.glass_transition import GlassTransitionDisplay
from glassclf.plotting.learning_rate_range import LearningRateRangeDisplay
from glassclf.plotting.study import StudyDisplay
from glassclf.plotting.training import TrainingDisplay

__all__ = [
    "CoolingCurvesDisplay",
    "FilmDisplay",
    "GlassTransitionDisplay",
    "LearningRateRangeDisplay",
    "StabilityDisplay",
    "StudyDisplay",
    "TrainingDisplay",
    "animate_growth",
]
