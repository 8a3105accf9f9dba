"""Writing the package's own file, part by part."""

import json
import math
import shutil
import tempfile
from typing import NamedTuple

import numpy as np

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.conversion import as_configurations
from glassclf.configurations.digests import DIGEST_SIZE, chunk_slices
from glassclf.configurations.store import DIGESTS, FORMAT, INFO_PREFIX, TENSOR_TYPES, VERSION

# Types wait in memory, and where they are more than this many bytes in a file without a name.
TYPES_IN_MEMORY = 2**24
# No set has more configurations or bytes than this number has digits for.
LARGEST = 10**17
TENSOR_NAMES = {dtype: name for name, dtype in TENSOR_TYPES.items()}


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
    >>> from glassclf.configurations.store import open_store
    >>> from glassclf.configurations.store_writer import write_store
    >>> X = Configurations([Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info={"run": "a"})])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_store(Path(folder) / "set.safetensors", X)
    ...     open_store(Path(folder) / "set.safetensors").info["run"].tolist()
    ['a']
    """
    write_parts(path, [X])


def write_parts(path, sets):
    """Write several sets of configurations to one file, as if they were one set.

    Parameters
    ----------
    path : str or path-like
    sets : iterable of Configurations
        Each is read in parts.

    Raises
    ------
    ValueError
        If there is none, or they do not go together.
    """
    with complete_file(path) as temporary:
        types = tempfile.SpooledTemporaryFile(TYPES_IN_MEMORY, dir=temporary.parent)
        with open(temporary, "wb") as file, types:
            _Writer(file, types).write(sets)


class _Writer:
    """Positions go to the file at once, types to a file beside it, all else is kept to the end.

    A file of safetensors begins with a header that gives the size of every array, and arrays are
    in one piece. So room is left for the header, and the arrays of the particles, whose sizes are
    known at the end only, wait in a file each: that of the positions is the file itself.
    """

    def __init__(self, file, types):
        self.file, self.types = file, types
        self.n_dims = None
        self.n_particles, self.cells, self.periodic, self.digests = [], [], [], []
        self.info, self.info_types = {}, {}

    def write(self, sets):
        """Write the file from its beginning to its end."""
        for index, X in enumerate(sets):
            X = as_configurations(X)
            infos = {name: _storable(name, values) for name, values in X.info.items()}
            if self.n_dims is None:
                self._begin(X, infos)
            self._check(index, X, infos)
            self._add(X, infos)
        if self.n_dims is None:
            raise ValueError("a set needs at least one configuration, got no set to save")
        self._finish()

    def _begin(self, X, infos):
        self.n_dims = X.n_dims
        self.info = {name: [] for name in infos}
        # Upper bounds: the longest numbers, and a type of its own for each value of info.
        own = np.dtype("<c16")
        values = [_Tensor(INFO_PREFIX + n, own, (LARGEST, *v.shape[1:])) for n, v in infos.items()]
        header = _header(self._tensors(LARGEST, LARGEST) + values, infos)
        self.room = -(-(len(header) + len(str(LARGEST)) * len(infos)) // 8) * 8
        self.file.seek(8 + self.room)

    def _check(self, index, X, infos):
        if X.n_dims != self.n_dims:
            raise ValueError(f"set 0 is {self.n_dims}D, set {index} is {X.n_dims}D")
        if infos.keys() != self.info.keys():
            raise ValueError(
                f"sets saved to one file must have the same names in info: set 0 has "
                f"{list(self.info)}, set {index} has {list(infos)}"
            )
        for name, values in infos.items():
            before = self.info[name][0] if self.info[name] else values
            alike = (before.dtype.kind in "US") == (values.dtype.kind in "US")
            known = self.info_types.get(name, values.dtype)
            try:
                self.info_types[name] = np.promote_types(known, values.dtype)
            except TypeError:
                alike = False
            if not alike or before.shape[1:] != values.shape[1:]:
                raise ValueError(
                    f"info[{name!r}] of set 0 is {before.dtype} of shape (n, "
                    f"*{before.shape[1:]}), of set {index} {values.dtype} of shape (n, "
                    f"*{values.shape[1:]}): sets saved to one file must agree"
                )

    def _add(self, X, infos):
        for rows in chunk_slices(X.offsets):
            part = X[rows]
            self.file.write(_bytes(part.positions, "<f8"))
            self.types.write(_bytes(part.types, "<i8"))
        self.n_particles.append(X.n_particles)
        self.cells.append(np.array(X.cells, dtype="<f8"))
        self.periodic.append(np.array(X.periodic, dtype=bool))
        self.digests.append(X._digests())
        for name, values in infos.items():
            self.info[name].append(values)

    def _tensors(self, n, n_particles):
        return [
            _Tensor("positions", np.dtype("<f8"), (n_particles, self.n_dims)),
            _Tensor("types", np.dtype("<i8"), (n_particles,)),
            _Tensor("offsets", np.dtype("<i8"), (n + 1,)),
            _Tensor("cells", np.dtype("<f8"), (n, self.n_dims, self.n_dims)),
            _Tensor("periodic", np.dtype("|b1"), (n, self.n_dims)),
            _Tensor(DIGESTS, np.dtype("|u1"), (n, DIGEST_SIZE)),
        ]

    def _finish(self):
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(self.n_particles))])
        arrays = {
            "offsets": offsets.astype("<i8"),
            "cells": np.concatenate(self.cells),
            "periodic": np.concatenate(self.periodic),
            DIGESTS: np.concatenate(self.digests),
        }
        for name, parts in self.info.items():
            arrays[INFO_PREFIX + name] = np.concatenate(parts)
        tensors = self._tensors(len(offsets) - 1, int(offsets[-1]))
        tensors += [_Tensor(n, a.dtype, a.shape) for n, a in arrays.items() if "/" in n]
        # The widest first, so that each array begins where its type can be read without a copy.
        tensors[2:] = sorted(tensors[2:], key=lambda tensor: -tensor.dtype.alignment)
        self.types.seek(0)
        shutil.copyfileobj(self.types, self.file, TYPES_IN_MEMORY)
        for tensor in tensors[2:]:
            self.file.write(_bytes(arrays[tensor.name]))
        self.file.seek(0)
        self.file.write(self.room.to_bytes(8, "little"))
        self.file.write(_header(tensors, self.info).ljust(self.room))


class _Tensor(NamedTuple):
    """An array as the header announces it."""

    name: str
    dtype: np.dtype
    shape: tuple


def _header(tensors, info_names):
    """Header of a file that holds these arrays in this order, bytes."""
    dtypes = {t.name: t.dtype.str for t in tensors if t.dtype.str not in TENSOR_NAMES}
    table = {
        "__metadata__": {
            "format": FORMAT,
            "version": str(VERSION),
            "dtypes": json.dumps(dtypes),
            # Info names in their own order, which that of the arrays is not.
            "info": json.dumps(list(info_names)),
        }
    }
    end = 0
    for name, dtype, shape in tensors:
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        shape = (*shape, dtype.itemsize) if name in dtypes else shape
        kind = TENSOR_NAMES.get(dtype.str, "U8")
        table[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    return json.dumps(table).encode()


def _storable(name, values):
    if not isinstance(name, str):
        raise ValueError(f"info names must be strings to be stored, got {name!r}")
    values = np.asarray(values)
    if values.dtype.hasobject:
        raise ValueError(
            f"info[{name!r}] holds Python objects, which cannot be stored: "
            "turn it into numbers or strings"
        )
    return values


def _bytes(array, dtype=None):
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1).view(np.uint8).data
