"""Which classes a saved model may be made of.

A file only ever names classes. A name is looked up here; what is neither here nor trusted by the
caller is never imported.
"""

import sys
from importlib import import_module

SKLEARN = (
    "sklearn.decomposition.PCA",
    "sklearn.linear_model.LogisticRegression",
    "sklearn.linear_model.Ridge",
    "sklearn.pipeline.FeatureUnion",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing.StandardScaler",
    "sklearn.svm.SVC",
)
# Of these packages, every public class of the kind that the file asks for.
OWN = {
    "estimator": ("glassclf.featurizers", "glassclf.estimators", "glassclf.model_selection"),
    "network": ("glassclf.networks",),
}
OPTIMIZERS = tuple(
    f"torch.optim.{name}"
    for name in (
        *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax"),
        *("LBFGS", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD"),
    )
)
# Modules whose other classes must not be mistaken for a user's own.
LIBRARIES = {"builtins", "glassclf", "sklearn", "skorch", "torch"}


def name_of(cls, kind):
    """Name under which a class is saved.

    Parameters
    ----------
    cls : type
    kind : {"estimator", "network", "optimizer"}

    Returns
    -------
    name : str or None
        None for a class of a library that is not covered.

    Raises
    ------
    ValueError
        If no module has the class under its name, so that no file could refer to it.
    """
    for name in _candidates(cls, kind):
        if known_class(name, kind) is cls:
            return name
    module, qualname = cls.__module__, cls.__qualname__
    if module.partition(".")[0] in LIBRARIES:
        return None
    if getattr(sys.modules.get(module), qualname, None) is not cls:
        raise ValueError(
            f"{module}.{qualname} cannot be found by its name: put the class at the top level of "
            "a module that can be imported"
        )
    return f"{module}.{qualname}"


def _candidates(cls, kind):
    library = cls.__module__.partition(".")[0]
    listed = {"estimator": SKLEARN, "network": (), "optimizer": OPTIMIZERS}[kind]
    names = [name for name in listed if name.startswith(f"{library}.")]
    if library == "glassclf":
        names += [f"{package}.{cls.__name__}" for package in OWN.get(kind, ())]
    return [name for name in names if name.endswith(f".{cls.__name__}")]


def known_class(name, kind):
    """Class of that name, if it is one of those that every file may name.

    Parameters
    ----------
    name : str
    kind : {"estimator", "network", "optimizer"}

    Returns
    -------
    cls : type or None
    """
    package, _, last = name.rpartition(".")
    listed = {"estimator": SKLEARN, "network": (), "optimizer": OPTIMIZERS}[kind]
    if name not in listed:
        if package not in OWN.get(kind, ()):
            return None
        if last not in getattr(_import_own(package), "__all__", ()):
            return None
    cls = getattr(import_module(package), last, None)
    return cls if _is_of_kind(cls, kind) else None


def _import_own(package):
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return None  # a part of glassclf that this version does not have


def find_classes(names, trusted):
    """Find the classes that a file names.

    Parameters
    ----------
    names : sequence of (str, str)
        Name and kind of each.
    trusted : collection of str
        Names of further classes that may be imported.

    Returns
    -------
    classes : dict of (str, str) to type

    Raises
    ------
    ValueError
        If a class is neither known nor trusted, before any of them is imported; if a trusted one
        cannot be imported, or is of another kind.
    """
    classes = {(name, kind): known_class(name, kind) for name, kind in names}
    unknown = [key for key, cls in classes.items() if cls is None]
    refused = sorted({name for name, _ in unknown} - set(trusted))
    if refused:
        listed = ", ".join(map(repr, refused))
        raise ValueError(
            f"it uses classes that are not part of glassclf: {listed}. If you know them, and trust "
            f"the code that they are, load it with trusted=({listed},)"
        )
    for name, kind in unknown:
        classes[name, kind] = _import_trusted(name, kind)
    return classes


def _import_trusted(name, kind):
    module, _, last = name.rpartition(".")
    try:
        cls = getattr(import_module(module), last)
    except (AttributeError, ImportError, ValueError) as error:
        raise ValueError(f"the trusted class {name} cannot be imported: {error}") from error
    if not _is_of_kind(cls, kind):
        raise ValueError(f"the trusted {name} is no class of the kind that it is used as, {kind}")
    return cls


def _is_of_kind(cls, kind):
    if not isinstance(cls, type):
        return False
    if kind == "estimator":
        from sklearn.base import BaseEstimator

        return issubclass(cls, BaseEstimator)
    import torch

    return issubclass(cls, torch.nn.Module if kind == "network" else torch.optim.Optimizer)
