"""What a training depends on, in a few digits: its data and its parameters."""

import inspect

import joblib
import numpy as np

from glassclf.estimators.augmentation import make_augmentation
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
}


def data_fingerprint(X, y, groups, sample_weight):
    """Hash the data of a fit, each part by itself.

    Parameters
    ----------
    X : object
        Hashed by its own method ``fingerprint`` where it has one: a set that is mapped into memory
        is then not read.
    y, groups, sample_weight : array-like or None

    Returns
    -------
    hashes : dict of str
    """
    return {
        "X": X.fingerprint() if hasattr(X, "fingerprint") else joblib.hash(X),
        "y": joblib.hash(y),
        "groups": None if groups is None else joblib.hash(np.asarray(groups).tolist()),
        "sample_weight": None if sample_weight is None else joblib.hash(np.asarray(sample_weight)),
    }


def parameter_fingerprint(estimator, start=None):
    """Write down the parameters that the weights depend on.

    Parameters
    ----------
    estimator : NetworkEstimator
    start : dict of tensor, default=None
        Weights that the training starts from, where they are not drawn.

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
        if name == "augment":
            value = make_augmentation(value, getattr(estimator, "_n_spatial", None))
        if name not in left_out:
            texts[name] = describe(value)
    if start is not None:
        weights = {name: tensor.cpu().numpy() for name, tensor in start.items()}
        texts["weights that it started from"] = joblib.hash(weights)
    return texts


def describe(value):
    """Write a parameter as a text that is the same in every process.

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
    if inspect.isclass(value) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, dict):
        items = sorted((describe(key), describe(item)) for key, item in value.items())
        return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    if " at 0x" in text:
        # An object without a repr of its own: its class and what it holds.
        return f"{describe(type(value))}({describe(vars(value))})"
    return text


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
