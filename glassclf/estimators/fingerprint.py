"""What a training depends on, in a few digits: its data and its parameters."""

import inspect

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator

from glassclf.estimators.augmentation import augmentation_of
from glassclf.estimators.code_digest import code_digest, unfold_partial
from glassclf.estimators.plain_data import pack, to_plain
from glassclf.estimators.schedules import FOLLOWS_MAX_EPOCHS

# Parameters that change where, how long or how loudly a network trains, but not its weights.
WITHOUT_EFFECT = {
    "callbacks",
    "checkpoint",
    "checkpoint_batches",
    "data_device",
    "device",
    "max_time",
    "verbose",
    # The weights that a training starts from are part of the fingerprint by themselves.
    "warm_start",
}


def data_fingerprint(X, y, groups, sample_weight):
    """Hash the data of a fit, each part by itself.

    Parameters
    ----------
    X : object
        Hashed by its own method ``fingerprint`` where it has one: a set that is mapped into memory
        is then not read.
    y : array-like, or dict of array-like or None
        Targets; where there are several kinds, by their names.
    groups, sample_weight : array-like or None

    Returns
    -------
    hashes : dict of str
    """
    if isinstance(X, np.ndarray):
        # Neither the order of its memory nor where that is changes what it holds.
        X = np.ascontiguousarray(X).view(np.ndarray)
    targets = y if isinstance(y, dict) else {"y": y}
    return {
        "X": X.fingerprint() if hasattr(X, "fingerprint") else joblib.hash(X),
        **{name: None if part is None else joblib.hash(part) for name, part in targets.items()},
        "groups": None if groups is None else joblib.hash(np.asarray(groups).tolist()),
        "sample_weight": None if sample_weight is None else joblib.hash(np.asarray(sample_weight)),
    }


def parameter_fingerprint(estimator, start=None):
    """Write down the parameters that the weights depend on.

    Parameters
    ----------
    estimator : NetworkEstimator
    start : Net, default=None
        That the training goes on from.

    Returns
    -------
    texts : dict of str
    """
    parameters = estimator.get_params(deep=False)
    left_out = set(WITHOUT_EFFECT)
    if parameters["schedule"] not in FOLLOWS_MAX_EPOCHS:
        # Training longer is the commonest wish.
        left_out.add("max_epochs")
    texts = {"class": type(estimator).__qualname__}
    for name, value in parameters.items():
        if name == "augment" and value is not None:
            value = augmentation_of(estimator)
            value = [] if value is None else value.parts
        if name not in left_out:
            texts[name] = describe(value)
    if start is not None:
        state = [start.module_.state_dict(), start.optimizer_.state_dict(), len(start.history)]
        texts["network that it started from"] = joblib.hash(pack(to_plain(state)))
    return texts


def describe(value):
    """Write a parameter as a text that is the same in every process.

    Functions and classes of a user are told by their code as well: a script that was changed is
    another one.

    Parameters
    ----------
    value : object

    Returns
    -------
    text : str
    """
    if isinstance(value, np.random.RandomState):
        return f"RandomState {joblib.hash(value.get_state(legacy=True))}"
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, torch.nn.Module):
        weights = {name: tensor.cpu().numpy() for name, tensor in value.state_dict().items()}
        return f"{describe(type(value))} {joblib.hash(weights)}"
    if inspect.ismethod(value):
        return f"{describe(value.__func__)} of {describe(value.__self__)}"
    value = unfold_partial(value)
    if inspect.isclass(value) or inspect.isroutine(value):
        code = code_digest(value, describe)
        # Methods of classes written in C, such as torch.Tensor.double, have no module.
        name = f"{getattr(value, '__module__', None)}.{value.__qualname__}"
        return f"{name} (code {code})" if code else name
    if isinstance(value, BaseEstimator):
        # Not repr: whether that shows defaults is a setting of scikit-learn.
        return f"{describe(type(value))}({describe(value.get_params(deep=False))})"
    if isinstance(value, dict):
        items = sorted((describe(key), describe(item)) for key, item in value.items())
        return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    if " at 0x" in text:
        # An object without a repr of its own: its class and what it holds.
        return f"{describe(type(value))}({describe(getattr(value, '__dict__', {}))})"
    return text


def describe_callbacks(callbacks):
    """Describe callbacks as well as can be: some hold what has no description.

    Parameters
    ----------
    callbacks : list or None

    Returns
    -------
    text : str
    """
    try:
        return describe(callbacks or [])
    except (RecursionError, TypeError, ValueError):
        return describe([type(callback) for callback in callbacks])


def digits(hashes):
    """Eight hexadecimal digits of a fingerprint.

    Parameters
    ----------
    hashes : dict of str

    Returns
    -------
    text : str
    """
    return joblib.hash(sorted(hashes.items(), key=lambda item: item[0]))[:8]
