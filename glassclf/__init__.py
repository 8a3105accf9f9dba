"""scikit-learn estimators for particle configurations."""

__version__ = "0.1.0"
