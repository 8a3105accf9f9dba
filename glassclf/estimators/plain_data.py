"""State as plain data: what can be kept without pickle, and read without running anything."""

import inspect
import json

import numpy as np
import torch

# Marks of what JSON does not know. Each is the only key of its dict.
ARRAY, DICT, SET, STATEFUL, TENSOR, TUPLE = (
    f"__{kind}__" for kind in ("array", "dict", "set", "state", "tensor", "tuple")
)


def has_state(thing):
    """Whether an object hands its state over and takes it back.

    Parameters
    ----------
    thing : object

    Returns
    -------
    it_does : bool
    """
    methods = hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")
    return methods and not inspect.isclass(thing)


def to_plain(value):
    """Turn a value into tensors, numbers, strings, and lists and dicts of them.

    Parameters
    ----------
    value : object

    Returns
    -------
    plain : object

    Raises
    ------
    TypeError
        If it holds anything else, or itself.
    """
    try:
        return _to_plain(value)
    except RecursionError as error:
        raise TypeError("it holds itself") from error


def _to_plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    # Not subclasses, such as members of an enumeration: they would come back as something else.
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        return {TENSOR: value}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {ARRAY: torch.from_numpy(np.array(value))}
    if type(value) in (set, frozenset):
        return {SET: [_to_plain(item) for item in value]}
    if type(value) is tuple:
        return {TUPLE: [_to_plain(item) for item in value]}
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    if isinstance(value, dict):
        return {DICT: [[_to_plain(key), _to_plain(item)] for key, item in value.items()]}
    if has_state(value):
        return {STATEFUL: _to_plain(value.state_dict())}
    raise TypeError(f"it is a {type(value).__name__}")


def from_plain(plain):
    """Undo :func:`to_plain`; the state of an object is returned as it is.

    Parameters
    ----------
    plain : object

    Returns
    -------
    value : object
    """
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    if kind == TENSOR:
        return content
    if kind == ARRAY:
        return content.numpy()
    if kind == DICT:
        return {from_plain(key): from_plain(item) for key, item in content}
    values = from_plain(content)
    return {SET: set, TUPLE: tuple, STATEFUL: lambda state: state}[kind](values)


def pack(plain):
    """Write plain data as bytes of the safetensors format, with the rest as JSON in its header.

    Parameters
    ----------
    plain : object
        As :func:`to_plain` gives it.

    Returns
    -------
    content : bytes
    """
    from safetensors.torch import save

    tensors = {}

    def without_tensors(node):
        if isinstance(node, torch.Tensor):
            name = str(len(tensors))
            # Copies: tensors that share memory cannot be written, and training goes on.
            tensors[name] = node.detach().to("cpu", copy=True).contiguous()
            return name
        if isinstance(node, list):
            return [without_tensors(item) for item in node]
        if isinstance(node, dict):
            return {kind: without_tensors(item) for kind, item in node.items()}
        return node

    tree = without_tensors(plain)
    return save(tensors, {"tree": json.dumps(tree)})


def unpack(content):
    """Undo :func:`pack`.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    plain : object

    Raises
    ------
    ValueError
        If it is something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        length = int.from_bytes(content[:8], "little")
        tree = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["tree"])
        tensors = load(content)

        def with_tensors(node, kind=None):
            if kind in (TENSOR, ARRAY):
                return tensors[node]
            if isinstance(node, list):
                return [with_tensors(item) for item in node]
            if isinstance(node, dict):
                return {kind: with_tensors(item, kind) for kind, item in node.items()}
            return node

        return with_tensors(tree)
    except (KeyError, TypeError, ValueError, RecursionError, SafetensorError) as error:
        raise ValueError(f"no state of a training: {error}") from error
