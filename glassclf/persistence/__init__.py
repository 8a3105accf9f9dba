"""Keep fitted models in a file that holds no code."""

from glassclf.persistence.saving import load, save

__all__ = ["load", "save"]
