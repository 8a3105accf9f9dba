"""Parameters that are names or classes, turned into what torch and skorch take."""

import inspect

import torch

OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def choose_device(device, name="device"):
    """Turn the ``device`` parameter into a torch device.

    Parameters
    ----------
    device : str or torch.device
        ``"auto"``: the GPU where there is one, else the CPU.
    name : str, default="device"
        Of the parameter.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        If torch knows no such device, or no GPU is there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f'{name} must be "auto" or a torch device such as "cpu" or "cuda:0", got {device!r}'
        ) from error
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"{name} must be a CPU or a CUDA GPU, got {str(device)!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"{name}={str(device)!r} needs a GPU, and torch finds none; use 'auto' or 'cpu'"
        )
    return device


def choose_data_device(data_device, device):
    """Turn the ``data_device`` parameter into a torch device.

    Parameters
    ----------
    data_device : str or torch.device
    device : torch.device
        Where the training runs.

    Returns
    -------
    data_device : torch.device

    Raises
    ------
    ValueError
        If it is a GPU that does not train.
    """
    wanted = choose_device(data_device, "data_device")
    if wanted.type == "cpu":
        return wanted
    if device.type == "cpu" or wanted.index not in (None, device.index):
        raise ValueError(
            f"data_device={str(data_device)!r} must be the CPU or the device that trains, "
            f"{str(device)!r}"
        )
    return device


def present_device(device):
    """Device for a net that was trained elsewhere.

    Parameters
    ----------
    device : str
        Where it was trained.

    Returns
    -------
    device : str
        The same, or the CPU where there is no such GPU.
    """
    wanted = torch.device(device)
    present = wanted.type == "cpu" or (wanted.index or 0) < torch.cuda.device_count()
    return device if present else "cpu"


def optimizer_class(optimizer):
    """Turn the ``optimizer`` parameter into a class of torch.

    Parameters
    ----------
    optimizer : str or type

    Returns
    -------
    optimizer : type

    Raises
    ------
    TypeError
        If it is neither a name nor a class of optimizers.
    """
    if isinstance(optimizer, str):
        return OPTIMIZERS[optimizer]
    if not (inspect.isclass(optimizer) and issubclass(optimizer, torch.optim.Optimizer)):
        raise TypeError(
            f"optimizer must be one of {sorted(OPTIMIZERS)} or a subclass of "
            f"torch.optim.Optimizer (the class, not an instance), got {optimizer!r}"
        )
    return optimizer


def optimizer_arguments(optimizer, weight_decay):
    """Arguments for an optimizer: not every class of torch knows weight decay.

    Parameters
    ----------
    optimizer : str or type
    weight_decay : float

    Returns
    -------
    arguments : dict
        With the prefix ``optimizer__`` of skorch.
    """
    known = inspect.signature(optimizer_class(optimizer)).parameters
    return {"optimizer__weight_decay": weight_decay} if "weight_decay" in known else {}


def module_class(module, default):
    """Check the ``module`` parameter.

    Parameters
    ----------
    module : type or None
        Class of torch modules; None means the default.
    default : type

    Returns
    -------
    module : type

    Raises
    ------
    TypeError
        If it is an instance, or not a torch module.
    """
    if module is None:
        return default
    if not (inspect.isclass(module) and issubclass(module, torch.nn.Module)):
        raise TypeError(
            f"module must be a subclass of torch.nn.Module (the class, not an instance: it is "
            f"built anew in every fit), got {module!r}"
        )
    return module


def module_arguments(module, facts, parameters):
    """Arguments for a module, out of what its constructor asks for by name.

    Parameters
    ----------
    module : type
        Class of torch modules.
    facts : dict
        What fit has learned from the data, such as ``n_outputs``.
    parameters : dict
        Parameters of the estimator.

    Returns
    -------
    arguments : dict
        With the prefix ``module__`` of skorch.

    Raises
    ------
    TypeError
        If the constructor asks for something that is not on offer.
    """
    offered = {**parameters, **facts}
    arguments = {}
    for name, parameter in inspect.signature(module).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in offered:
            arguments[f"module__{name}"] = offered[name]
        elif parameter.default is parameter.empty:
            raise TypeError(
                f"the constructor of module {module.__name__} asks for {name!r}; on offer are "
                f"{', '.join(sorted(facts))} and the parameters of the estimator"
            )
    return arguments
