"""The whole state of a training, as tensors and plain data."""

import json
import warnings

import numpy as np
import torch
from skorch.history import History

from glassclf.estimators.seeds import random_states, restore_random_states

ARRAY, SET, STATEFUL = "__array__", "__set__", "__state__"


def capture_state(net):
    """State of a net in training, after a batch or between epochs.

    Parameters
    ----------
    net : Net

    Returns
    -------
    state : dict
        Of tensors and plain data.
    """
    return {
        "module": net.module_.state_dict(),
        "optimizer": to_plain(net.optimizer_.state_dict()),
        "parts": {name: part.state_dict() for name, part in net.stateful_parts().items()},
        "history": json.dumps(net.history.to_list(), default=lambda number: number.item()),
        "order": net.order,
        "n_done": net.n_done,
        "callbacks": {name: _callback_state(name, each) for name, each in net.callbacks_},
        "random": random_states(torch.device(net.device)),
    }


def restore_state(net, state):
    """Put a net into a state that :func:`capture_state` returned.

    Parameters
    ----------
    net : Net
        Initialized alike, after ``on_train_begin``.
    state : dict
    """
    net.module_.load_state_dict(state["module"])
    net.optimizer_.load_state_dict(state["optimizer"])
    for name, part in net.stateful_parts().items():
        part.load_state_dict(state["parts"][name])
    net.history = History(json.loads(state["history"]))
    net.order, net.n_done = state["order"], state["n_done"]
    for name, callback in net.callbacks_:
        # Callbacks may differ: the weights do not depend on those that only look on.
        if name in state["callbacks"]:
            _restore_callback(callback, state["callbacks"][name])
    restore_random_states(state["random"], torch.device(net.device))


def _callback_state(name, callback):
    if _has_state(callback):
        return {STATEFUL: to_plain(callback.state_dict())}
    state = {}
    for attribute, value in vars(callback).items():
        # By scikit-learn's and skorch's convention, what a callback learns ends in an underscore.
        if attribute.endswith("_") and not attribute.startswith("_"):
            try:
                state[attribute] = to_plain(value)
            except TypeError as error:
                warnings.warn(
                    f"{attribute} of callback {name} cannot be kept in a checkpoint ({error}): "
                    "after a resume it begins anew; give the callback the methods state_dict and "
                    "load_state_dict",
                    stacklevel=2,
                )
    return state


def _restore_callback(callback, state):
    if STATEFUL in state:
        callback.load_state_dict(from_plain(state[STATEFUL]))
        return
    for attribute, value in state.items():
        present = getattr(callback, attribute, None)
        if isinstance(value, dict) and STATEFUL in value and _has_state(present):
            present.load_state_dict(from_plain(value[STATEFUL]))
        else:
            setattr(callback, attribute, from_plain(value))


def _has_state(thing):
    return hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")


def to_plain(value):
    """Turn a value into what can be saved without pickle.

    Parameters
    ----------
    value : object

    Returns
    -------
    plain : object
        Tensors, numbers, strings, and lists, tuples and dicts of them.

    Raises
    ------
    TypeError
        If it holds anything else.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (type(None), bool, int, float, str, torch.Tensor)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {ARRAY: torch.from_numpy(np.array(value))}
    if isinstance(value, (set, frozenset)):
        return {SET: [to_plain(item) for item in value]}
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple)(to_plain(item) for item in value)
    if isinstance(value, dict):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if _has_state(value):
        return {STATEFUL: to_plain(value.state_dict())}
    raise TypeError(f"it is a {type(value).__name__}")


def from_plain(plain):
    """Undo :func:`to_plain`.

    Parameters
    ----------
    plain : object

    Returns
    -------
    value : object
    """
    if isinstance(plain, dict):
        if plain.keys() == {ARRAY}:
            return plain[ARRAY].numpy()
        if plain.keys() == {SET}:
            return set(plain[SET])
        return {key: from_plain(item) for key, item in plain.items()}
    if isinstance(plain, (list, tuple)):
        return type(plain)(from_plain(item) for item in plain)
    return plain
