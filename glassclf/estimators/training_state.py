"""The whole state of a training, as tensors and plain data."""

import inspect
import warnings

import torch
from skorch.history import History

from glassclf.estimators.plain_data import has_state, to_plain
from glassclf.estimators.seeds import random_states, restore_random_states


def capture_state(net):
    """State of a net in training, after a batch or between epochs.

    Parameters
    ----------
    net : Net

    Returns
    -------
    state : dict
        Of tensors, which are those of the net, and plain data.
    """
    parameters = net.module_.named_parameters()
    return {
        "module": net.module_.state_dict(),
        "fixed": [name for name, parameter in parameters if not parameter.requires_grad],
        "optimizer": net.optimizer_.state_dict(),
        "parts": {name: part.state_dict() for name, part in net.stateful_parts().items()},
        "history": [_plain_items(row, "history") for row in net.history.to_list()],
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
    for name, parameter in net.module_.named_parameters():
        parameter.requires_grad_(name not in state["fixed"])
    net.optimizer_.load_state_dict(state["optimizer"])
    for name, part in net.stateful_parts().items():
        part.load_state_dict(state["parts"][name])
    net.history = History(state["history"])
    net.order, net.n_done = state["order"], state["n_done"]
    for name, callback in net.callbacks_:
        # Callbacks may differ: the weights do not depend on those that only look on.
        if name in state["callbacks"]:
            _restore_callback(callback, state["callbacks"][name])
    restore_random_states(state["random"], torch.device(net.device))


def n_complete_epochs(state):
    """Epochs that a state has seen to their end.

    Parameters
    ----------
    state : dict

    Returns
    -------
    n_epochs : int
    """
    return len(state["history"]) - (state["order"] is not None)


def _callback_state(name, callback):
    if has_state(callback):
        # A pair, and what follows a dict: the two cannot be taken for each other.
        return [_plain_items({"state": callback.state_dict()}, f"callback {name}").get("state")]
    return _plain_items(
        {attribute: value for attribute, value in vars(callback).items() if _is_learned(attribute)},
        f"callback {name}",
    )


def _is_learned(attribute):
    # By scikit-learn's and skorch's convention, what a callback learns ends in an underscore.
    return attribute.endswith("_") and not attribute.startswith("_")


def _plain_items(items, owner):
    """Those values that can be kept; what cannot is named in a warning."""
    kept = {}
    for name, value in items.items():
        # A class or a function is no state, but a setting.
        if inspect.isclass(value) or inspect.isroutine(value):
            continue
        try:
            to_plain(value)
        except TypeError as error:
            warnings.warn(
                f"{name} of {owner} cannot be kept in a checkpoint ({error}): after a resume it "
                "begins anew; a callback may have the methods state_dict and load_state_dict",
                stacklevel=2,
            )
        else:
            kept[name] = value
    return kept


def _restore_callback(callback, state):
    if isinstance(state, list):
        if has_state(callback) and state[0] is not None:
            callback.load_state_dict(state[0])
        return
    for attribute, value in state.items():
        # Only what could have been saved: a file must not redirect what a callback writes.
        if _is_learned(attribute):
            present = getattr(callback, attribute, None)
            if has_state(present):
                present.load_state_dict(value)
            else:
                setattr(callback, attribute, value)
