"""From a model to plain data: a tree for JSON, and the arrays that it names.

In the tree None, bools, ints, finite floats, strings and lists stand for themselves. Everything
else is a table of one entry, its kind: ``{"tuple": [...]}``, ``{"array": {...}}`` and so on;
``decoding.py`` has the way back for each.
"""

import inspect
import math
import sys
import warnings
from collections import namedtuple
from contextlib import contextmanager
from pathlib import PurePath

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import MetadataRequest

from glassclf.configurations.store import TENSOR_TYPES
from glassclf.persistence.classes import SKLEARN, name_of

# Parameters that are no part of a model: folders of this machine, where whoever loads the model may
# not want anything to be read or written, and objects that watch a training.
LEFT_OUT = ("memory", "cache", "checkpoint", "callbacks")
# What scikit-learn 1.9 keeps on an estimator for its own callbacks.
WATCHERS = "_skl_callbacks"

Encoded = namedtuple("Encoded", ["tree", "arrays", "steps"])


def encode_model(estimator):
    """Turn an estimator into plain data.

    Parameters
    ----------
    estimator : BaseEstimator
        Fitted or not.

    Returns
    -------
    encoded : Encoded
        ``tree`` for JSON; ``arrays``, a dict of ndarray; ``steps``, for readers: a list of dicts
        with the name, class and parameters of each part, and its card.

    Raises
    ------
    TypeError
        If a part is no plain data, naming the step, its class and the attribute.
    ValueError
        If a class cannot be found by its name, or the parts refer to each other in a circle.
    """
    encoder = _Encoder()
    tree = encoder.encode(estimator)
    return Encoded(tree, encoder.arrays, encoder.steps)


class _Encoder:
    def __init__(self):
        self.arrays, self.steps = {}, []
        self.place = []  # names that lead to the value at hand
        self.owners = []  # (step, class) of the estimators around it
        self.open = set()  # ids of the containers around it

    def encode(self, value):
        if isinstance(value, BaseEstimator):
            return self.inside(value, self.estimator)
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind in (list, tuple, dict):
            return self.inside(value, getattr(self, kind.__name__))
        if isinstance(value, (np.ndarray, np.generic)):
            return self.numpy(value)
        for known, encode in CONVERTERS:
            if isinstance(value, known):
                return encode(self, value)
        return self.torch(value)

    @contextmanager
    def at(self, name):
        self.place.append(str(name))
        yield
        self.place.pop()

    def inside(self, value, encode):
        if id(value) in self.open:
            raise ValueError(f"{self.here()} refers to itself in a circle: it cannot be saved")
        self.open.add(id(value))
        try:
            return encode(value)
        finally:
            self.open.remove(id(value))

    def here(self):
        """Where the value at hand stands, in words."""
        if not self.owners:
            return "the model"
        depth, step, cls = self.owners[-1]
        words = f"step {step!r} ({cls.__module__.partition('.')[0]}'s {cls.__name__})"
        inner = ".".join(self.place[depth:])
        return f"{inner!r} of {words}" if inner else words

    def refuse(self, value):
        what = f"{type(value).__module__}.{type(value).__qualname__}"
        if callable(value):
            name = getattr(value, "__qualname__", repr(value))
            what = f"the function or class {name}, which is code"
        raise TypeError(f"{self.here()} cannot be saved: it is {what}. {OTHERWISE}")

    def list(self, values):
        return [self.item(place, value) for place, value in enumerate(values)]

    def tuple(self, values):
        # A step of a Pipeline or FeatureUnion: (name, estimator).
        if len(values) == 2 and type(values[0]) is str and isinstance(values[1], BaseEstimator):
            with self.at(values[0]):
                return {"tuple": [values[0], self.encode(values[1])]}
        return {"tuple": self.list(values)}

    def dict(self, values):
        pairs = [[self.encode(key), self.item(key, value)] for key, value in values.items()]
        return {"dict": pairs}

    def item(self, name, value):
        with self.at(name):
            return self.encode(value)

    def slice(self, value):
        return {"slice": [self.encode(part) for part in (value.start, value.stop, value.step)]}

    def random_state(self, value):
        return {"random_state": self.encode(value.get_state(legacy=False))}

    def generator(self, value):
        return {"generator": self.encode(value.bit_generator.state)}

    def csr(self, value):
        parts = {name: self.item(name, getattr(value, name)) for name in CSR_PARTS}
        return {
            "csr": {
                **parts,
                "shape": list(map(int, value.shape)),
                "array": isinstance(value, csr_array),
            }
        }

    def numpy(self, value):
        if isinstance(value, np.generic):
            return {"scalar": self.numpy(np.asarray(value))}
        if type(value) is not np.ndarray or value.dtype.kind == "V":
            return self.refuse(value)
        if value.dtype.kind in "OU":
            values = [self.encode(one) for one in value.ravel().tolist()]
            dtype = value.dtype.str if value.dtype.kind == "U" else "O"
            return {"array": {"values": values, "shape": list(value.shape), "dtype": dtype}}
        node = {"name": self.keep(value), "dtype": value.dtype.str, "shape": list(value.shape)}
        if value.flags.f_contiguous and not value.flags.c_contiguous:
            node["order"] = "F"  # the order in memory decides how sums are rounded
        return {"array": node}

    def keep(self, array):
        """Put an array into the file, under the name of its place."""
        name = "/".join(self.place) or "value"
        if name in self.arrays:
            name = f"{name}#{len(self.arrays)}"
        stored = np.ascontiguousarray(array).reshape(array.shape)
        if array.dtype.str not in TENSOR_TYPES.values():
            stored = stored.reshape(-1).view(np.uint8)
        self.arrays[name] = stored
        return name

    def torch(self, value):
        # Whoever holds something of torch has imported it.
        torch = sys.modules.get("torch")
        if torch is None:
            return self.refuse(value)
        if isinstance(value, torch.device):
            return {"device": str(value)}
        if isinstance(value, torch.Tensor) and value.dtype is not torch.bfloat16:
            return {"tensor": self.numpy(value.detach().cpu().numpy())}
        for kind, base in (("network", torch.nn.Module), ("optimizer", torch.optim.Optimizer)):
            if isinstance(value, type) and issubclass(value, base):
                return {kind: self.name_of(value, kind)}
        return self.refuse(value)

    def name_of(self, cls, kind):
        try:
            name = name_of(cls, kind)
        except ValueError as error:
            raise ValueError(f"{self.here()} cannot be saved: {error}") from error
        if name is None:
            covered = ", ".join(known.rpartition(".")[2] for known in SKLEARN)
            raise TypeError(
                f"{self.here()} cannot be saved: of scikit-learn {covered} are covered, not "
                f"{cls.__module__}.{cls.__qualname__}. {OTHERWISE}"
            )
        return name

    def estimator(self, value):
        inner = self.place[self.owners[-1][0] :] if self.owners else [type(value).__name__]
        # The name of a step, or where else the estimator stands in the one around it.
        step = ".".join(inner) if inner[-1].isdigit() else inner[-1]
        self.owners.append((len(self.place), step, type(value)))
        name = self.name_of(type(value), "estimator")
        parameters = value.get_params(deep=False)
        path = " > ".join(step for _, step, _ in self.owners)
        self.steps.append(describe(path, name, value, parameters))
        state = plain_state(value)
        for left_out in LEFT_OUT:
            if parameters.get(left_out) is not None:
                state[left_out] = None
        if parameters.get("callbacks"):
            warnings.warn(
                f"callbacks of {self.here()} are not saved: set them again after loading",
                stacklevel=2,
            )
        requests = state.pop("_metadata_request", None)
        node = {"class": name, "state": []}
        for attribute, held in state.items():
            if not attribute.startswith(WATCHERS):
                node["state"].append([attribute, self.item(attribute, held)])
        if isinstance(requests, MetadataRequest):
            asked = {
                method: request.requests
                for method, request in vars(requests).items()
                if getattr(request, "requests", None)
            }
            node["requests"] = self.encode(asked)
        self.owners.pop()
        return {"estimator": node}


CSR_PARTS = ("data", "indices", "indptr")
OTHERWISE = "joblib.dump keeps everything, in a file that only people you trust should give you"
CONVERTERS = (
    (slice, _Encoder.slice),
    (PurePath, lambda encoder, value: {"path": str(value)}),
    (np.random.RandomState, _Encoder.random_state),
    (np.random.Generator, _Encoder.generator),
    ((csr_array, csr_matrix), _Encoder.csr),
)


def plain_state(estimator):
    """Attributes of an estimator; one that holds more than plain data says itself what to keep.

    Parameters
    ----------
    estimator : BaseEstimator

    Returns
    -------
    state : dict
        A copy. From ``estimator._plain_state()`` where there is such a method.
    """
    if hasattr(estimator, "_plain_state"):
        return dict(estimator._plain_state())
    return dict(estimator.__getstate__())


def describe(path, name, estimator, parameters):
    """Describe one part of a model for readers.

    Parameters
    ----------
    path : str
        Names of the steps that lead to it.
    name : str
        Its class.
    estimator : BaseEstimator
    parameters : dict
        Its parameters, without those of its parts.

    Returns
    -------
    description : dict
        Strings, the names of parameters that are not at their default, and the card where there
        is one.
    """
    signature = inspect.signature(type(estimator).__init__).parameters
    shown, changed = {}, []
    for key, value in parameters.items():
        if key not in LEFT_OUT and not _holds_estimators(value):
            shown[key] = repr(value)
            if key in signature and repr(signature[key].default) != repr(value):
                changed.append(key)
    description = {"step": path, "class": name, "parameters": shown, "changed": changed}
    card = getattr(estimator, "card_", None)
    if card is not None:
        description["card"] = dict(card)
    return description


def _holds_estimators(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(
        hasattr(part, "fit")
        for one in values
        for part in (one if isinstance(one, tuple) else [one])
    )
