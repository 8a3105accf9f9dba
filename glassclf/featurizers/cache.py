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
# Shards that are held open. They are mapped, which costs no memory but a little of the system's.
N_OPEN = 256


class FeatureCache:
    """A folder of shards, each with the features of consecutive configurations.

    Several processes may use it at once: a shard appears complete or not at all, and if two of
    them write the same one, it is the same. A damaged shard counts as missing.

    Parameters
    ----------
    directory : str or path-like
        Where the folder is made, when the first shard is written.
    key : str
        Hexadecimal digits that tell these features from all others.
    """

    def __init__(self, directory, key):
        # Features of another version of glassclf may differ.
        key = hashlib.sha256(f"{key} {version('glassclf')} {SHARD_SIZE}".encode()).hexdigest()
        self.folder = cache_folder(directory) / key[:32]
        self._open, self._verified = OrderedDict(), set()

    def __getstate__(self):
        # Neither open files nor what was seen on another machine.
        return {"folder": self.folder, "_open": OrderedDict(), "_verified": set()}

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
                shard.verify()
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
        content = save(arrays, {"checksum": checksum_of(arrays)})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with complete_file(self.path(number)) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise OSError(
                f"features cannot be kept in cache={str(self.folder.parent)!r}: {error}; make room "
                "for them, name another folder, or leave cache=None"
            ) from error
        self._open.pop(number, None)
        self._verified.add(number)
        return self.read(number)


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

    def verify(self):
        """Raise SafetensorError unless the content is what was written."""
        arrays = {name: self._file.get_tensor(name) for name in self._slices}
        if (self._file.metadata() or {}).get("checksum") != checksum_of(arrays):
            raise SafetensorError("the content of a shard of the cache is damaged")

    def rows(self, name, first, last):
        """Consecutive rows of an array."""
        return self._slices[name][first:last]

    def whole(self, name):
        """An array that is small and read often."""
        if name not in self._wholes:
            self._wholes[name] = self._file.get_tensor(name)
        return self._wholes[name]
