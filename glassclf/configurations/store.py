"""The package's own file: one safetensors file, mapped into memory when it is opened."""

import json
import math
import os
from pathlib import Path

import numpy as np

from glassclf.configurations.digests import DIGEST_SIZE
from glassclf.configurations.existing import require_file
from glassclf.configurations.mapped import MappedConfigurations, StoreFile

FORMAT = "glassclf-configurations"
# Version 1 had no digests.
VERSION, READABLE = 2, ("1", "2")
ARRAYS = ("positions", "types", "offsets", "cells", "periodic")
DIGESTS = "digests"
INFO_PREFIX = "info/"
# What safetensors itself allows.
LONGEST_HEADER = 100_000_000
# What parsing a damaged or foreign header may raise. SyntaxError: NumPy parses the names of types
# as Python; RecursionError: JSON may be nested deeper than Python goes.
OF_DAMAGE = (
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
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


def open_store(path):
    """Map a stored set of configurations into memory.

    Parameters
    ----------
    path : str or path-like
        A file written by :meth:`~glassclf.configurations.Configurations.save`.

    Returns
    -------
    X : Configurations
        With read-only arrays, read from disk when they are used.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or a folder.
    ValueError
        If the file is truncated or its header damaged, or it is something else.
    """
    return MappedConfigurations.of_file(open_store_file(path))


def open_store_file(path):
    """Do what :func:`open_store` does, up to the set.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    file : StoreFile
    """
    path = Path(os.path.expanduser(path))
    require_file(path)
    header, start = _read_header(path)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is a safetensors file but not a glassclf set of configurations")
    if metadata.get("version") not in READABLE:
        raise ValueError(
            f"{path} has version {metadata.get('version')} of the format, this glassclf reads "
            f"versions {' and '.join(READABLE)}: update glassclf"
        )
    try:
        return _map_file(path, start, header, metadata)
    except KeyError as error:
        raise ValueError(f"{path} is truncated or damaged: its header lacks {error}") from error
    except OF_DAMAGE as error:
        raise ValueError(f"{path} is truncated or damaged: {error}") from error


def _read_header(path):
    """Header of a safetensors file (its length in 8 bytes, then JSON), and where data start."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        available = path.stat().st_size - 8
        # Length first: a foreign file may announce more bytes than there is memory.
        if not 2 <= length <= min(available, LONGEST_HEADER):
            raise ValueError(f"{path} is not a safetensors file, or it is truncated")
        try:
            header = json.loads(file.read(length))
        except (RecursionError, ValueError) as error:
            raise ValueError(f"{path} is not a safetensors file: its header is not JSON") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is not a safetensors file: its header is not a table")
    return header, 8 + length


def _map_file(path, start, header, metadata):
    """Map the arrays that the header announces; what it may raise shows that it is damaged."""
    dtypes = json.loads(metadata["dtypes"])
    content = np.memmap(path, dtype=np.uint8, mode="r", offset=start)
    end = 0
    for first, last in sorted(tensor["data_offsets"] for tensor in header.values()):
        if first != end:
            raise ValueError("the arrays that its header announces overlap or leave a gap")
        end = last
    if end != len(content):
        raise ValueError(f"its header announces {end} bytes of data, there are {len(content)}")
    for name in dtypes:
        if header[name]["dtype"] != "U8":
            raise ValueError(f"{name} must be stored as bytes, got {header[name]['dtype']}")
    arrays = {
        name: _map_array(content, tensor, dtypes.get(name)) for name, tensor in header.items()
    }
    info = {name: arrays.pop(INFO_PREFIX + name) for name in json.loads(metadata["info"])}
    digests = arrays.pop(DIGESTS, None)
    if arrays.keys() != set(ARRAYS):
        raise ValueError(f"its arrays must be {list(ARRAYS)} and info, got {list(arrays)}")
    _check_arrays(**arrays)
    n = len(arrays["offsets"]) - 1
    if digests is not None and (digests.shape, digests.dtype) != ((n, DIGEST_SIZE), np.uint8):
        raise ValueError(f"digests must have shape ({n}, {DIGEST_SIZE}), got {digests.shape}")
    for name, values in info.items():
        if len(values) != n:
            raise ValueError(f"info[{name!r}] must have {n} values, got {len(values)}")
    return StoreFile(path, **arrays, info=info, digests=digests)


def _map_array(content, tensor, dtype):
    begin, end = tensor["data_offsets"]
    shape = tuple(tensor["shape"])
    n_bytes = math.prod(shape)
    if dtype is None:
        dtype = np.dtype(TENSOR_TYPES[tensor["dtype"]])
        n_bytes *= dtype.itemsize
    else:
        dtype, shape = np.dtype(dtype), shape[:-1]
    if n_bytes != end - begin:
        raise ValueError(f"{n_bytes} bytes make an array of shape {shape}, there are {end - begin}")
    if n_bytes == 0:
        array = np.empty(shape, dtype)
    else:
        # A plain view: slices of np.memmap objects are slower, and joblib sees through to the map.
        array = content[begin:end].view(np.ndarray).view(dtype).reshape(shape)
        if not array.flags.aligned:
            array = array.copy()
    array.flags.writeable = False
    return array


def _check_arrays(positions, types, offsets, cells, periodic):
    """Check that the arrays make a set together, without reading those of the particles."""
    n, (n_total, n_dims) = len(offsets) - 1, positions.shape
    expected = {
        "positions": (positions, "f8", (n_total, n_dims)),
        "types": (types, "i8", (n_total,)),
        "offsets": (offsets, "i8", (n + 1,)),
        "cells": (cells, "f8", (n, n_dims, n_dims)),
        "periodic": (periodic, "b1", (n, n_dims)),
    }
    for name, (array, dtype, shape) in expected.items():
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"{name} must be an array of {dtype} with shape {shape}, got {array.dtype} with "
                f"shape {array.shape}"
            )
    if offsets[0] != 0 or offsets[-1] != n_total:
        raise ValueError(f"offsets must lead from 0 to {n_total}")
    if (np.diff(offsets) < 1).any():
        raise ValueError("offsets must increase: each configuration has particles")
