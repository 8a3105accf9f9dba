"""Find every featurizer and estimator that glassclf has, so that none goes unchecked."""

from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from sklearn.base import BaseEstimator, TransformerMixin

import glassclf
from glassclf.featurizers import ConfigurationFeaturizer
from glassclf.featurizers.field_base import FieldFeaturizer

KINDS = {
    "featurizer": ("featurizers",),
    "lattice_featurizer": ("featurizers",),
    "field_featurizer": ("featurizers",),
    "estimator": ("estimators", "model_selection"),
}


def all_classes(kind=None):
    """List the public featurizers and estimators of glassclf.

    Parameters
    ----------
    kind : {"featurizer", "lattice_featurizer", "field_featurizer", "estimator"} or None, \
default=None
        "featurizer": transformers of configurations in ``glassclf.featurizers``, without their base
        class; "lattice_featurizer" and "field_featurizer": those of lattices and of fields there;
        "estimator": those of ``glassclf.estimators`` and ``glassclf.model_selection``; None: all.

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
        raise ValueError(f"kind must be one of {sorted(KINDS)} or None, got {kind!r}")
    existing = {module.name for module in iter_modules(glassclf.__path__)}
    found = {}
    for one in KINDS if kind is None else (kind,):
        for package in existing.intersection(KINDS[one]):
            module = import_module(f"glassclf.{package}")
            found |= {
                name: getattr(module, name)
                for name in module.__all__
                if _is_checkable(getattr(module, name), one)
            }
    return sorted(found.items())


def _is_checkable(public, kind):
    if not (isclass(public) and issubclass(public, BaseEstimator)):
        return False
    if kind == "estimator":
        return issubclass(public, TransformerMixin) or hasattr(public, "predict")
    if issubclass(public, ConfigurationFeaturizer):
        return kind == "featurizer" and public is not ConfigurationFeaturizer
    return kind == ("field" if issubclass(public, FieldFeaturizer) else "lattice") + "_featurizer"
