"""The files of bundled sets: arrays, and the description beside them."""

from importlib import resources

import numpy as np


def read_bundled(file_name, description_name, unpack):
    """Read a bundled set.

    Parameters
    ----------
    file_name, description_name : str
        Of the arrays (.npz) and of the text (.rst).
    unpack : callable
        Takes the arrays, a mapping of str to ndarray.

    Returns
    -------
    content : object
        What ``unpack`` returned.
    described : dict
        "DESCR", the text, and "filename", the path of the arrays.
    """
    folder = resources.files("glassclf.datasets") / "data"
    with resources.as_file(folder / file_name) as path, np.load(path) as arrays:
        content = unpack(arrays)
    described = {
        "DESCR": (folder / description_name).read_text(encoding="utf-8"),
        "filename": str(folder / file_name),
    }
    return content, described
