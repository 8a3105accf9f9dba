"""Find every featurizer and estimator that glassclf has, so that none goes unchecked."""

from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from sklearn.base import BaseEstimator, TransformerMixin

import glassclf
from glassclf.featurizers import ConfigurationFeaturizer

KINDS = {
    "featurizer": ("featurizers",),
    "estimator": ("estimators", "model_selection"),
}


def all_classes(kind=None):
    """List the public featurizers and estimators of glassclf.

    Parameters
    ----------
    kind : {"featurizer", "estimator"} or None, default=None
        "featurizer": transformers of ``glassclf.featurizers``, without their base class;
        "estimator": those of ``glassclf.estimators`` and ``glassclf.model_selection``; None: both.

    Returns
    -------
    classes : list of (str, type)
        Name and class, sorted by name.

    Raises
    ------
    ValueError
        If ``kind`` is something else.

    Examples
    --------
    >>> from glassclf.testing import all_classes
    >>> [name for name, _ in all_classes("featurizer")][-1]
    'RDFFeaturizer'
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be 'featurizer', 'estimator' or None, got {kind!r}")
    existing = {module.name for module in iter_modules(glassclf.__path__)}
    found = {}
    for one in KINDS if kind is None else (kind,):
        for package in existing.intersection(KINDS[one]):
            module = import_module(f"glassclf.{package}")
            found |= {name: getattr(module, name) for name in module.__all__}
    return sorted((name, public) for name, public in found.items() if _is_checkable(public))


def _is_checkable(public):
    return (
        isclass(public)
        and issubclass(public, BaseEstimator)
        and public is not ConfigurationFeaturizer
        and (issubclass(public, TransformerMixin) or hasattr(public, "predict"))
    )
