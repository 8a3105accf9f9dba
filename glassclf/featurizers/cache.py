"""Features kept on disk, so that they are computed once."""

import hashlib
import os
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from glassclf.configurations.atomic import complete_file
from glassclf.configurations.checksums import checksum_of

# Configurations of a shard: few enough to be computed at once, many enough for a few files.
SHARD_SIZE = 64
# Their features take about so much at most, unless those of one configuration are more.
SHARD_BYTES = 2**25
# Shards that are held open. They are mapped, which costs no memory but a little of the system's.
N_OPEN = 256


class FeatureCache:
    """A folder of shards, each with the features of consecutive configurations.

    Several processes may use it at once: a shard appears complete or not at all, and if two of
    them write the same one, it is the same. A damaged shard counts as missing.

    Parameters
    ----------
    directory : pathlib.Path
        Where the folder is made, when the first shard is written.
    key : str
        Hexadecimal digits that tell these features from all others.
    sizes : array-like of shape (n,)
        About how many bytes the features of each configuration take.
    """

    def __init__(self, directory, key, sizes):
        # Features of another version of glassclf may differ.
        text = f"{key} {version('glassclf')} {SHARD_SIZE} {SHARD_BYTES}"
        self._key = hashlib.sha256(text.encode()).hexdigest()
        self.folder = directory / self._key[:32]
        self._bounds = _cut(sizes)
        self._open, self._verified = OrderedDict(), set()

    def locate(self, row):
        """Number of the shard that a configuration is in, and its place there."""
        number = int(np.searchsorted(self._bounds, row, side="right")) - 1
        return number, row - int(self._bounds[number])

    def members(self, number):
        """Configurations of a shard, ndarray of int."""
        return np.arange(*self._bounds[number : number + 2])

    def path(self, number):
        """Path of a shard."""
        return self.folder / f"{number:06d}.safetensors"

    def read(self, number):
        """Open a shard.

        Parameters
        ----------
        number : int

        Returns
        -------
        shard : Shard or None
            None if it is missing or damaged.
        """
        if number in self._open:
            self._open.move_to_end(number)
            return self._open[number]
        try:
            shard = Shard(self.path(number))
            if number not in self._verified:
                shard.verify(self._label(number))
        except (OSError, SafetensorError):
            return None
        self._verified.add(number)
        self._open[number] = shard
        if len(self._open) > N_OPEN:
            self._open.popitem(last=False)
        return shard

    def write(self, number, arrays):
        """Write a shard.

        Parameters
        ----------
        number : int
        arrays : dict of ndarray

        Returns
        -------
        shard : Shard

        Raises
        ------
        OSError
            If it cannot be written.
        """
        arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
        content = save(arrays, {"checksum": checksum_of(arrays, self._label(number))})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with complete_file(self.path(number)) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise OSError(
                f"features cannot be kept in cache={str(self.folder.parent)!r}: {error}; make room "
                "for them, name another folder, or leave cache=None"
            ) from error
        self._verified.add(number)
        return self.read(number)

    def _label(self, number):
        """What a shard is, so that it is not taken for another."""
        first, last = self._bounds[number : number + 2]
        return {"key": self._key, "members": f"{first} to {last}"}


def cache_folder(cache):
    """Folder that the parameter ``cache`` names.

    Parameters
    ----------
    cache : str or path-like

    Returns
    -------
    folder : pathlib.Path
        Absolute; it need not exist.

    Raises
    ------
    ValueError
        If the name is empty.
    NotADirectoryError
        If a file has it.
    """
    path = os.path.expanduser(cache)
    if not path:
        raise ValueError("cache='' names no folder: cache='.' is the working directory")
    if Path(path).exists() and not Path(path).is_dir():
        raise NotADirectoryError(f"cache={path!r} is a file: give the path of a folder")
    return Path(path).resolve()


class Shard:
    """An open shard, of which rows are read when they are asked for.

    Parameters
    ----------
    path : pathlib.Path
    """

    def __init__(self, path):
        self._file = safe_open(path, framework="numpy")
        self._slices = {name: self._file.get_slice(name) for name in self._file.keys()}
        self._wholes = {}

    def verify(self, label):
        """Raise SafetensorError unless the content is what was written under the label."""
        arrays = {name: self._file.get_tensor(name) for name in self._slices}
        if (self._file.metadata() or {}).get("checksum") != checksum_of(arrays, label):
            raise SafetensorError("the content of a shard of the cache is damaged")

    def rows(self, name, first, last):
        """Consecutive rows of an array."""
        if first == last:
            # safetensors refuses to begin a slice at the end of an array.
            return self._file.get_tensor(name)[:0].copy()
        return self._slices[name][first:last]

    def whole(self, name):
        """An array that is small and read often."""
        if name not in self._wholes:
            self._wholes[name] = self._file.get_tensor(name)
        return self._wholes[name]


def _cut(sizes):
    """Bounds of the shards, which depend on the sizes only: every process finds the same."""
    ends = np.concatenate([[0], np.cumsum(sizes)])
    bounds, n = [0], len(ends) - 1
    while bounds[-1] < n:
        start = bounds[-1]
        stop = int(np.searchsorted(ends, ends[start] + SHARD_BYTES, side="right")) - 1
        bounds.append(min(max(stop, start + 1), start + SHARD_SIZE))
    return np.array(bounds)
