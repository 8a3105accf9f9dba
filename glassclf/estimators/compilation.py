"""Compiling a network with torch.compile."""

import os
import shutil


def compile_module(module, device):
    """Compile a module in place, so that its training steps run faster once they are compiled.

    The module stays the object that it was: the names of its weights do not change, and it can be
    copied and saved; a copy is not compiled. Sizes are left open, as the last batch of an epoch is
    smaller, and graphs differ in size.

    Parameters
    ----------
    module : torch.nn.Module
    device : torch.device
        Where it runs.

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
    module.compile(dynamic=True)
