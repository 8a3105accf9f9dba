"""A trained net as plain data and tensors, and back: what a saved model is made of."""

import inspect
import warnings

import torch
from skorch.history import History

from glassclf.estimators.plain_data import from_plain, to_plain
from glassclf.estimators.seeds import seeded
from glassclf.estimators.settings import choose_device


def net_to_plain(net):
    """Take a trained net apart.

    Parameters
    ----------
    net : Net
        Trained.

    Returns
    -------
    state : dict
        The class of the module and its arguments, weights, the state of the optimizer, and the
        history. Callbacks are left out.
    """
    return {
        "module": type(net.module_),
        "arguments": dict(net.get_params_for("module")),
        "weights": dict(net.module_.state_dict()),
        "optimizer": type(net.optimizer_),
        "optimizer_state": net.optimizer_.state_dict(),
        "history": from_plain(to_plain(net.history.to_list())),
    }


def net_from_plain(estimator, state):
    """Put a net together again; it predicts, and a training can go on from it.

    Parameters
    ----------
    estimator : NetworkEstimator
        With all its other attributes.
    state : dict
        From :func:`net_to_plain`.

    Returns
    -------
    net : Net
        On the CPU where the device of the estimator is a GPU that is not there, with a warning.
    """
    try:
        device = choose_device(estimator.device)
    except ValueError:
        device = torch.device("cpu")
        warnings.warn(
            f"device={str(estimator.device)!r} of {type(estimator).__name__} is not there: it "
            "predicts on the CPU; set device to 'auto' before another fit",
            stacklevel=2,
        )
    known = inspect.signature(state["module"]).parameters
    arguments = {f"module__{name}": value for name, value in state["arguments"].items()}
    unknown = sorted(state["arguments"].keys() - known.keys())
    if unknown:
        raise ValueError(
            f"module {state['module'].__name__} of this version takes no {', '.join(unknown)}"
        )
    if state["module"].__module__.startswith("glassclf."):
        _refuse_other_shapes(state)
    net = estimator._make_net(state["module"], arguments, [], device)
    # Weights are drawn and replaced: without a trace in torch's generators.
    with seeded(0, device):
        net.initialize()
    net.module_.load_state_dict(state["weights"])
    if type(net.optimizer_) is state["optimizer"]:
        net.optimizer_.load_state_dict(state["optimizer_state"])
    net.history = History(state["history"])
    return net


def _refuse_other_shapes(state):
    """Compare the module with its weights before memory is taken: the numbers may be anybody's."""
    with torch.device("meta"):
        module = state["module"](**state["arguments"])
    for name, tensor in module.state_dict().items():
        if name not in state["weights"] or state["weights"][name].shape != tensor.shape:
            raise ValueError(f"the weights lack {name} of shape {tuple(tensor.shape)}")
