"""Displays: drawing of what the other parts have computed; needs the extra ``plot``."""

from glassclf.plotting.learning_rate_range import LearningRateRangeDisplay
from glassclf.plotting.training import TrainingDisplay

__all__ = ["LearningRateRangeDisplay", "TrainingDisplay"]
