"""Compiling a network with torch.compile."""

import os
import shutil

import torch


def compile_module(module, device):
    """Compile a module, so that its training steps run faster once they are compiled.

    The module itself stays as it is: the names of its weights do not change, and it can be copied
    and saved. Sizes are left open, as the last batch of an epoch is smaller, and graphs differ in
    size.

    Parameters
    ----------
    module : torch.nn.Module
    device : torch.device
        Where it runs.

    Returns
    -------
    compiled : callable
        Works with the weights of the module.

    Raises
    ------
    ValueError
        On the CPU, if no C++ compiler is there.
    """
    compilers = [os.environ.get("CXX"), "g++", "clang++"]
    if device.type == "cpu" and not any(name and shutil.which(name) for name in compilers):
        raise ValueError(
            "compile=True needs a C++ compiler on the CPU: install g++, name one in the "
            "environment variable CXX, or use compile=False"
        )
    # The call alone: what is a module, skorch would take for a part of the net.
    return torch.compile(module, dynamic=True).__call__
