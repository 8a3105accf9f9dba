"""scikit-learn estimators for particle configurations.

The subpackages are loaded when they are first used, so that ``import glassclf`` is quick: it
loads neither torch nor optuna nor matplotlib.

Examples
--------
>>> import glassclf
>>> glassclf.featurizers.RDFFeaturizer(r_max=2.0)
RDFFeaturizer(r_max=2.0)
"""

from importlib import import_module

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "configurations",
    "datasets",
    "estimators",
    "featurizers",
    "inspection",
    "load",
    "model_selection",
    "networks",
    "persistence",
    "plotting",
    "save",
    "simulation",
    "testing",
    "thermodynamics",
]


def __getattr__(name):
    if name in ("load", "save"):
        return getattr(import_module("glassclf.persistence"), name)
    if name in __all__:
        return import_module(f"glassclf.{name}")
    raise AttributeError(f"module 'glassclf' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
