"""The package's own file: one safetensors file, mapped into memory when it is opened."""

import json
import math
import os
from pathlib import Path

import numpy as np

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.configuration_set import Configurations

FORMAT = "glassclf-configurations"
VERSION = 1
ARRAYS = ("positions", "types", "offsets", "cells", "periodic")
INFO_PREFIX = "info/"
# The name safetensors gives to each NumPy type that it knows. Everything else (strings, dates) is
# stored as bytes, its NumPy type in the metadata.
TENSOR_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}


def write_store(path, X):
    """Write a set of configurations to one file, complete or not at all.

    Parameters
    ----------
    path : str or path-like
        By convention ending in ``.safetensors``.
    X : Configurations
        Its ``info`` may hold numbers, bools, strings and dates of any shape.

    Raises
    ------
    ValueError
        If ``info`` holds Python objects.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from glassclf.configurations import Configuration, Configurations
    >>> from glassclf.configurations.store import open_store, write_store
    >>> X = Configurations([Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info={"run": "a"})])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_store(Path(folder) / "set.safetensors", X)
    ...     open_store(Path(folder) / "set.safetensors").info["run"].tolist()
    ['a']
    """
    from safetensors.numpy import save

    arrays = {name: getattr(X, name) for name in ARRAYS}
    for name, values in X.info.items():
        if not isinstance(name, str):
            raise ValueError(f"info names must be strings to be stored, got {name!r}")
        arrays[INFO_PREFIX + name] = np.asarray(values)
    tensors, dtypes = {}, {}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            key = name.removeprefix(INFO_PREFIX)
            raise ValueError(
                f"info[{key!r}] holds Python objects, which cannot be stored: "
                "turn it into numbers or strings"
            )
        array = np.ascontiguousarray(array).reshape(array.shape)
        if array.dtype.str not in TENSOR_TYPES.values():
            dtypes[name] = array.dtype.str
            array = array.reshape(-1).view(np.uint8).reshape(*array.shape, array.dtype.itemsize)
        tensors[name] = array
    metadata = {"format": FORMAT, "version": str(VERSION), "dtypes": json.dumps(dtypes)}
    # Info names in their own order: safetensors sorts tensors by type and name.
    metadata["info"] = json.dumps(list(X.info))
    with complete_file(path) as temporary:
        temporary.write_bytes(save(tensors, metadata))


def open_store(path):
    """Map a stored set of configurations into memory.

    Parameters
    ----------
    path : str or path-like
        A file written by :func:`write_store`.

    Returns
    -------
    X : Configurations
        With read-only arrays, read from disk when they are used.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, or is something else.
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    header, start = _read_header(path)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is a safetensors file but not a glassclf set of configurations")
    if metadata["version"] != str(VERSION):
        raise ValueError(
            f"{path} has version {metadata['version']} of the format, this glassclf reads version "
            f"{VERSION}: update glassclf"
        )
    dtypes = json.loads(metadata["dtypes"])
    content = np.memmap(path, dtype=np.uint8, mode="r", offset=start)
    ends = [tensor["data_offsets"][1] for tensor in header.values()]
    if max(ends) != len(content):
        raise ValueError(
            f"{path} is truncated or damaged: its header announces {max(ends)} bytes of data, "
            f"there are {len(content)}"
        )
    arrays = {
        name: _map_array(content, tensor, dtypes.get(name)) for name, tensor in header.items()
    }
    info = {name: arrays[INFO_PREFIX + name] for name in json.loads(metadata["info"])}
    return Configurations.from_arrays(*(arrays[name] for name in ARRAYS), info)


def _read_header(path):
    """Header of a safetensors file (its length in 8 bytes, then JSON), and where data start."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        available = path.stat().st_size - 8
        # Length first: a foreign file may announce more bytes than there is memory.
        if not 2 <= length <= available:
            raise ValueError(f"{path} is not a safetensors file, or it is truncated")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise ValueError(f"{path} is not a safetensors file: its header is not JSON") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is not a safetensors file: its header is not a table")
    return header, 8 + length


def _map_array(content, tensor, dtype):
    begin, end = tensor["data_offsets"]
    shape = tuple(tensor["shape"])
    if dtype is None:
        dtype = np.dtype(TENSOR_TYPES[tensor["dtype"]])
    else:
        dtype, shape = np.dtype(dtype), shape[:-1]
    if math.prod(shape) == 0:
        array = np.empty(shape, dtype)
    else:
        # A plain view: slices of np.memmap objects are slower, and joblib sees through to the map.
        array = content[begin:end].view(np.ndarray).view(dtype).reshape(shape)
        if not array.flags.aligned:
            array = array.copy()
    array.flags.writeable = False
    return array
