"""Choosing a model: repeated trainings of one setting, and the range of learning rates."""

from glassclf.model_selection.learning_rate_range import lr_range
from glassclf.model_selection.repetition import repeat_fit

__all__ = ["lr_range", "repeat_fit"]
