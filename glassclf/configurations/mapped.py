"""A set of configurations whose particles stay in a file until they are used."""

import os

import numpy as np

from glassclf.configurations.checksums import checksum_of
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.digests import combined_digest, particle_digests
from glassclf.configurations.packing import packed_rows


class StoreFile:
    """An opened file: its mapped arrays, and what tells whether the path still leads to it.

    Parameters
    ----------
    path : pathlib.Path
    positions, types, offsets, cells, periodic : ndarray
        All configurations of the file, read-only.
    info : dict of ndarray
    digests : ndarray of uint8 of shape (n, 16) or None
        None where the file holds none, as those of version 1 do.
    """

    def __init__(self, path, positions, types, offsets, cells, periodic, info, digests):
        self.path = path.resolve()
        self.positions, self.types, self.offsets = positions, types, offsets
        self.cells, self.periodic, self.info = cells, periodic, info
        self.has_digests = digests is not None
        self._digests, self._check = digests, None
        self._identity = self._identity_now()

    def digests(self):
        """Digests of all configurations; those of an old file are computed once."""
        if self._digests is None:
            self._digests = particle_digests(MappedConfigurations.of_file(self))
        return self._digests

    def check(self):
        """What a file at the same path must have to be the same file."""
        if self.has_digests:
            if self._check is None:
                self._check = f"{combined_digest(self._digests)} {checksum_of(self.info)}"
            return self._check
        _, _, size, changed = self._identity
        return f"{size} bytes, changed {changed}"

    def in_place(self):
        """Tell whether the path still leads to the file that was opened."""
        return self._identity_now() == self._identity

    def _identity_now(self):
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class MappedConfigurations(Configurations):
    """What :meth:`Configurations.open` gives: rows of a file, read when they are used.

    A smaller set of it holds the numbers of its rows, not their particles. Only ``positions`` and
    ``types`` of rows that do not follow each other are gathered, anew whenever they are asked for;
    a single configuration is always a view of the file. Such a set is pickled as the path of the
    file and the rows, as long as the file is in its place.
    """

    @classmethod
    def of_file(cls, file, rows=None, info=None):
        """Take rows of an opened file (None: all); ``info`` names what the file has with None."""
        new = cls.__new__(cls)
        every = np.arange(len(file.offsets) - 1)
        whole = rows is None or np.array_equal(rows, every)
        rows = every if whole else rows
        chosen = slice(None) if whole else rows
        stored = {name: values[chosen] for name, values in file.info.items()}
        arrays = {
            "offsets": file.offsets if whole else _offsets_among(file.offsets, rows),
            "cells": file.cells[chosen],
            "periodic": file.periodic[chosen],
        }
        # As those of the whole file: what is written into them would be lost when pickled.
        for array in (*arrays.values(), *stored.values()):
            array.flags.writeable = False
        vars(new).update(arrays, _file=file, _rows=rows, _whole=whole, _stored=stored)
        given = dict.fromkeys(stored) if info is None else info
        new.info = {name: stored[name] if v is None else v for name, v in given.items()}
        return new

    def __setattr__(self, name, value):
        if name in ("positions", "types", "offsets", "cells", "periodic"):
            raise AttributeError(
                f"{name} of an opened set is read-only: Configurations(X) is a copy in memory"
            )
        super().__setattr__(name, value)

    @property
    def positions(self):
        """Coordinates, read-only; gathered where the rows do not follow each other."""
        return self._gathered(self._file.positions)

    @property
    def types(self):
        """Particle types, read-only; gathered where the rows do not follow each other."""
        return self._gathered(self._file.types)

    def _gathered(self, array):
        array = array[packed_rows(self._file.offsets, self._rows)[0]]
        array.flags.writeable = False
        return array

    @property
    def n_dims(self):
        """Number of spatial dimensions, 2 or 3."""
        return self._file.positions.shape[1]

    def _digests(self):
        digests = self._file.digests()
        return digests if self._whole else digests[self._rows]

    def _whole_and_rows(self):
        return self.of_file(self._file), self._rows

    def _unchanging(self):
        return self

    def _one(self, index):
        file, row = self._file, self._rows[index]
        first, last = file.offsets[row], file.offsets[row + 1]
        return self._configuration(index, file.positions[first:last], file.types[first:last])

    def _some(self, chosen):
        info = {
            name: None if values is None else np.asarray(values)[chosen]
            for name, values in self._changed_info().items()
        }
        return self.of_file(self._file, self._rows[chosen], info)

    def _changed_info(self):
        """Info with None in place of what the file has."""
        return {
            name: None if values is self._stored.get(name) else values
            for name, values in self.info.items()
        }

    def __reduce__(self):
        if not self._file.in_place():
            arrays = (self.positions, self.types, self.offsets, self.cells, self.periodic)
            return Configurations.from_arrays, (*arrays, dict(self.info))
        rows = None if self._whole else self._rows
        return _reopen, (str(self._file.path), self._file.check(), rows, self._changed_info())

    def _contents(self):
        # Types are not listed: they would be read for that, a third of the file.
        return f"info={sorted(self.info)}, file={self._file.path.name!r}"


def _offsets_among(offsets, rows):
    """Offsets of the chosen members; nothing is made that has the length of all particles."""
    return np.concatenate([[0], np.cumsum(np.diff(offsets)[rows])]).astype(np.int64)


def _reopen(path, check, rows, info):
    """Open the file of a pickled set again."""
    from glassclf.configurations.store import open_store_file

    file = open_store_file(path)
    if file.check() != check:
        raise ValueError(
            f"{path} has changed since the set was opened that is now read from it again: sets "
            "opened from a file are pickled as its path; Configurations(X) is a copy in memory"
        )
    return MappedConfigurations.of_file(file, rows, info)
