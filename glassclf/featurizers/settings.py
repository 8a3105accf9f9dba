"""What the settings of a featurizer are, as text that is the same in every process."""

import hashlib
import inspect
import json
import os
from numbers import Integral, Real

import joblib
import numpy as np


def settings_digest(values):
    """Hash settings so that equal ones have equal digests.

    Parameters
    ----------
    values : object
        Numbers (2 and 2.0 are the same), strings, arrays, functions, anything that can be pickled,
        and lists and dicts of these.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> from glassclf.featurizers.settings import settings_digest
    >>> settings_digest({"r_max": 2}) == settings_digest({"r_max": 2.0})
    True
    """
    return hashlib.sha256(json.dumps(_plain(values), sort_keys=True).encode()).hexdigest()


def _plain(value):
    if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
        value = value.tolist()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {"dict": sorted(([_plain(k), _plain(v)] for k, v in value.items()), key=json.dumps)}
    if inspect.isfunction(value):
        return {"function": _name(value), "code": _code(value)}
    if inspect.isclass(value) or inspect.isbuiltin(value):
        return {"name": _name(value)}
    return {"class": _name(type(value)), "hash": joblib.hash(value)}


def _name(thing):
    return f"{thing.__module__}.{thing.__qualname__}"


def _code(function):
    """What tells functions of one name apart, as all lambdas of a script have."""
    code, cells = function.__code__, function.__closure__ or ()
    # A function may hold itself.
    held = [c.cell_contents for c in cells if c.cell_contents is not function]
    texts = [code.co_code.hex(), code.co_names, repr(code.co_consts)]
    return [*texts, _plain(function.__defaults__), _plain(held)]
