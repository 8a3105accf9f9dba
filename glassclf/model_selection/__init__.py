"""Choosing a model: searches by Optuna, repeated trainings, the range of learning rates."""

from glassclf.model_selection.block_split import BlockSplit
from glassclf.model_selection.learning_rate_range import lr_range
from glassclf.model_selection.optuna_search import OptunaSearch
from glassclf.model_selection.repetition import repeat_fit
from glassclf.model_selection.spaces import search_space

__all__ = ["BlockSplit", "OptunaSearch", "lr_range", "repeat_fit", "search_space"]
