"""From plain data back to a model. Nothing here runs, or imports, what a file asks for.

A file can choose among the kinds below and among the classes that ``classes.py`` has found for it;
those are built without their constructor and get plain attributes.
"""

import inspect
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import BaseEstimator
from sklearn.svm import SVC
from sklearn.utils.metadata_routing import MetadataRequest

from glassclf.configurations.store import TENSOR_TYPES
from glassclf.persistence.encoding import LEFT_OUT, WATCHERS
from glassclf.persistence.support_vectors import check_support_vectors

CLASS_KINDS = ("estimator", "network", "optimizer")
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
# Kinds of NumPy types that hold numbers, bytes or dates; never "O", which holds references.
PLAIN_KINDS = "biufcSMm"
# How much more room than their longest strings of an array may have, as parts of larger ones do.
MOST_ROOM = 1000


def classes_in(tree):
    """List the classes that a tree names, before anything is built.

    Parameters
    ----------
    tree : object
        As JSON gives it.

    Returns
    -------
    names : list of (str, str)
        Name and kind of each, in order, none twice.

    Raises
    ------
    ValueError
        If the name of a class is not a string.
    """
    found, pending = {}, [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += reversed(node)
        elif isinstance(node, dict):
            for kind in CLASS_KINDS:
                if kind in node:
                    named = node[kind].get("class") if isinstance(node[kind], dict) else node[kind]
                    if not isinstance(named, str):
                        raise ValueError(f"the name of a class is {named!r}, not a string")
                    found[named, kind] = None
            pending += reversed(node.values())
    return list(found)


def decode_model(tree, arrays, classes):
    """Build the model that a tree describes.

    Parameters
    ----------
    tree : object
        As JSON gives it.
    arrays : dict of ndarray
        The arrays of the file.
    classes : dict of (str, str) to type
        The classes that it may use, by name and kind.

    Returns
    -------
    estimator : BaseEstimator

    Raises
    ------
    Exception
        Of any kind, where the tree is no model.
    """
    estimator = _Decoder(arrays, classes).decode(tree)
    if not isinstance(estimator, BaseEstimator):
        raise ValueError(f"it holds {type(estimator).__name__}, not an estimator")
    return estimator


class _Decoder:
    def __init__(self, arrays, classes):
        self.arrays, self.classes = arrays, classes

    def decode(self, node):
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(one) for one in node]
        ((kind, content),) = node.items()
        if kind not in KINDS:
            raise ValueError(f"unknown kind of value {kind!r}")
        return KINDS[kind](self, content)

    def float(self, text):
        if text not in ("nan", "inf", "-inf"):
            raise ValueError(f"{text!r} is no number")
        return float(text)

    def tuple(self, nodes):
        return tuple(self.list(nodes))

    def list(self, nodes):
        if not isinstance(nodes, list):
            raise ValueError(f"expected a list, got {type(nodes).__name__}")
        return [self.decode(node) for node in nodes]

    def dict(self, pairs):
        return {self.decode(key): self.decode(value) for key, value in pairs}

    def slice(self, nodes):
        return slice(*self.list(nodes))

    def path(self, text):
        return Path(_string(text))

    def random_state(self, node):
        generator = np.random.RandomState()
        generator.set_state(self.decode(node))
        return generator

    def generator(self, node):
        state = self.decode(node)
        if state["bit_generator"] not in BIT_GENERATORS:
            raise ValueError(f"unknown generator {state['bit_generator']!r}")
        bit_generator = getattr(np.random, state["bit_generator"])()
        bit_generator.state = state
        return np.random.Generator(bit_generator)

    def csr(self, content):
        parts = tuple(self.decode(content[name]) for name in ("data", "indices", "indptr"))
        kind = csr_array if content["array"] else csr_matrix
        matrix = kind(parts, shape=tuple(content["shape"]))
        # What libsvm reads from it must exist.
        matrix.check_format(full_check=True)
        return matrix

    def scalar(self, node):
        return self.array(node["array"])[()]

    def array(self, content):
        if "values" in content:
            return self.array_of_values(content)
        stored, dtype = self.arrays[content["name"]], np.dtype(_string(content["dtype"]))
        if dtype.kind not in PLAIN_KINDS:
            raise ValueError(f"arrays of {dtype} are not read")
        if dtype.str not in TENSOR_TYPES.values():
            stored = stored.reshape(-1).view(dtype).reshape(tuple(content["shape"]))
        elif stored.dtype != dtype:
            raise ValueError(f"{content['name']} is an array of {stored.dtype}, expected {dtype}")
        return np.asfortranarray(stored) if content.get("order") == "F" else stored

    def array_of_values(self, content):
        dtype = np.dtype(_string(content["dtype"]))
        if dtype.kind not in "OU":
            raise ValueError(f"arrays of {dtype} are not written value by value")
        values = self.list(content["values"])
        if dtype.kind == "U":
            # NumPy keeps all strings in the room of the longest: a file must not ask for more.
            longest = max((len(_string(value)) for value in values), default=1)
            if dtype.itemsize > 4 * MOST_ROOM * max(longest, 1):
                raise ValueError(f"strings of {dtype} with at most {longest} characters")
        array = np.empty(len(values), dtype=dtype)
        for place, value in enumerate(values):
            array[place] = value
        return array.reshape(tuple(content["shape"]))

    def device(self, text):
        import torch

        return torch.device(_string(text))

    def tensor(self, node):
        import torch

        return torch.from_numpy(self.decode(node))

    def network(self, name):
        return self.classes[name, "network"]

    def optimizer(self, name):
        return self.classes[name, "optimizer"]

    def estimator(self, content):
        cls = self.classes[content["class"], "estimator"]
        state = {}
        for name, node in content["state"]:
            if not name.isidentifier() or name.startswith(("__", WATCHERS)):
                raise ValueError(f"{name!r} is no attribute of {cls.__name__}")
            state[name] = self.decode(node)
        estimator = cls.__new__(cls)
        parameters = inspect.signature(cls.__init__).parameters
        for name in cls._get_param_names():
            # Parameters that came after the version that wrote the file.
            if name not in state and parameters[name].default is not inspect.Parameter.empty:
                state[name] = parameters[name].default
        state.update({name: None for name in LEFT_OUT if name in state})
        if issubclass(cls, SVC):
            check_support_vectors(state)
        restore(estimator, state)
        if "requests" in content:
            estimator._metadata_request = _requests(estimator, self.decode(content["requests"]))
        return estimator


KINDS = {
    name: getattr(_Decoder, name)
    for name in (
        *("float", "tuple", "dict", "slice", "path", "random_state", "generator", "csr"),
        *("scalar", "array", "device", "tensor", *CLASS_KINDS),
    )
}


def restore(estimator, state):
    """Give an empty estimator its attributes; the way back of ``encoding.plain_state``.

    Parameters
    ----------
    estimator : BaseEstimator
    state : dict
    """
    if hasattr(estimator, "_set_plain_state"):
        estimator._set_plain_state(state)
    elif hasattr(estimator, "__setstate__"):
        # scikit-learn warns here of another version of its own.
        estimator.__setstate__(state)


def _requests(estimator, content):
    requests = MetadataRequest(owner=estimator)
    for method, names in content.items():
        if method not in vars(requests) or method == "owner":
            raise ValueError(f"{method!r} is no method that takes metadata")
        for name, alias in names.items():
            getattr(requests, method).add_request(param=name, alias=alias)
    return requests


def _string(value):
    if not isinstance(value, str):
        raise ValueError(f"expected a string, got {type(value).__name__}")
    return value
