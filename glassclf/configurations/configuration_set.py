"""A set of configurations, packed into a few arrays, that scikit-learn can index."""

import copy
import warnings

import numpy as np

from glassclf.configurations.box import is_rectangular
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.digests import combined_digest, particle_digests
from glassclf.configurations.packing import PackedSet, packed_rows
from glassclf.configurations.sample_info import SampleInfo, stack_values


class Configurations(PackedSet):
    """A set of configurations: what glassclf takes as ``X``.

    Particles of all configurations stand in one array, so that a set is cheap to slice, to send to
    a worker process and to map from disk. It follows the indexing that scikit-learn asks of ``X``:
    an int gives a :class:`Configuration`, everything else a smaller set. Both may be views:
    ``X[0].positions[:] = ...`` writes into the set.

    Parameters
    ----------
    configurations : iterable of Configuration
        All in the same number of dimensions; particle numbers, boxes and types may differ.

    Attributes
    ----------
    positions : ndarray of shape (n_particles_total, n_dims), float64
    types : ndarray of shape (n_particles_total,), int64
    offsets : ndarray of shape (n + 1,), int64
        Particles of configuration ``i`` are rows ``offsets[i]`` to ``offsets[i + 1]``.
    cells : ndarray of shape (n, n_dims, n_dims)
        Lattice vectors as rows.
    periodic : ndarray of bool of shape (n, n_dims)
    info : dict of ndarray of shape (n, ...)
        One value for each configuration ("temperature", "run", ...); follows every indexing. A
        value that only some configurations carry is NaN (numbers) or empty (strings) elsewhere.
        Setting a value of another length is an error, and so is mixing strings with numbers.

    Warns
    -----
    UserWarning
        If only some configurations carry ``info["run"]``: the others would make one run, and one
        group of a cross-validation.

    Examples
    --------
    >>> from glassclf.configurations import Configuration, Configurations
    >>> one = Configuration([[0.5, 0.5]], [0], [1.0, 1.0], info={"run": "a"})
    >>> two = Configuration([[0.5, 0.5], [0.1, 0.2]], [0, 1], [1.0, 1.0], info={"run": "b"})
    >>> X = Configurations([one, two])
    >>> X
    Configurations(n=2, n_dims=2, n_particles=1 to 2, types=[0, 1], info=['run'])
    >>> X[[1, 0]].info["run"].tolist()
    ['b', 'a']
    """

    def __init__(self, configurations):
        items = list(configurations)
        if not items:
            raise ValueError("a set needs at least one configuration, got none")
        for index, item in enumerate(items):
            if not isinstance(item, Configuration):
                raise TypeError(
                    f"configuration {index} must be a Configuration, got {type(item).__name__}; "
                    "as_configurations converts ase.Atoms and (positions, types, box) triples"
                )
            if item.n_dims != items[0].n_dims:
                raise ValueError(
                    f"all configurations of a set must have one dimension: configuration 0 is "
                    f"{items[0].n_dims}D, configuration {index} is {item.n_dims}D"
                )
        self.positions = np.concatenate([item.positions for item in items])
        self.types = np.concatenate([item.types for item in items])
        self.offsets = np.cumsum([0] + [item.n_particles for item in items], dtype=np.int64)
        self.cells = np.array([item.cell for item in items])
        self.periodic = np.array([item.periodic for item in items])
        infos = [item.info for item in items]
        _warn_of_missing_runs(infos)
        self.info = _stack_info(infos)

    @classmethod
    def from_arrays(cls, positions, types, offsets, cells, periodic, info=None):
        """Build a set from packed arrays, without a copy and without checking them again.

        Only the lengths of ``info`` are checked.

        Parameters
        ----------
        positions, types, offsets, cells, periodic, info
            As the attributes of the same names.

        Returns
        -------
        configurations : Configurations
        """
        new = cls.__new__(cls)
        new.positions, new.types, new.offsets = positions, types, offsets
        new.cells, new.periodic, new.info = cells, periodic, info
        return new

    @classmethod
    def concatenate(cls, sets):
        """Join several sets into one, in order.

        Parameters
        ----------
        sets : iterable of Configurations

        Returns
        -------
        configurations : Configurations
        """
        return Configurations(configuration for one in sets for configuration in one)

    def save(self, path):
        """Write the set to one file, which :meth:`open` maps back into memory.

        Parameters
        ----------
        path : str or path-like
            By convention ending in ``.safetensors``. The file appears complete or not at all.
        """
        from glassclf.configurations.store_writer import write_store

        write_store(path, self)

    @staticmethod
    def save_concatenated(path, sets):
        """Write several sets to one file, one after another, with one of them in memory at a time.

        A set larger than the memory is made this way: from a generator of its parts.

        Parameters
        ----------
        path : str or path-like
            By convention ending in ``.safetensors``. The file appears complete or not at all.
        sets : iterable of Configurations
            All with the same names in ``info``. Of :meth:`save`, what is written does not differ.

        Raises
        ------
        ValueError
            If there is no set, or the sets differ in dimension or in the names of ``info``.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from glassclf.configurations import Configurations
        >>> from glassclf.testing import two_phases
        >>> parts = (two_phases(n_runs=2, random_state=seed)[0] for seed in range(3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Configurations.save_concatenated(Path(folder) / "all.safetensors", parts)
        ...     len(Configurations.open(Path(folder) / "all.safetensors"))
        12
        """
        from glassclf.configurations.store_writer import write_parts

        write_parts(path, sets)

    @classmethod
    def open(cls, path):
        """Map a saved set into memory; particles are read from disk when they are used.

        So the set may be larger than the memory. Its parts (``X[rows]``) stay in the file as well:
        they hold the numbers of their rows. It is sent to other processes as the path of the file,
        which must therefore stay where it is. ``Configurations(X)`` is a copy in memory.

        Parameters
        ----------
        path : str or path-like
            A file written by :meth:`save`.

        Returns
        -------
        configurations : Configurations
            With read-only arrays.
        """
        from glassclf.configurations.store import open_store

        return open_store(path)

    def fingerprint(self):
        """Tell sets apart without comparing them: a hash of the particles and their boxes.

        It does not depend on ``info``, nor on whether the set is in memory or in a file. A file
        keeps the hash of each configuration, so that an opened set, or any part of it, is not read
        for it; for a file of an older version it is computed when first asked for.

        Returns
        -------
        fingerprint : str
            64 hexadecimal digits, equal for equal positions, types, boxes and periodic directions
            in the same order.

        Examples
        --------
        >>> from glassclf.configurations import Configuration, Configurations
        >>> X = Configurations([Configuration([[x, 0.5]], [0], [1.0, 1.0]) for x in (0.1, 0.2)])
        >>> X[::-1].fingerprint() == X.fingerprint(), X[::-1][::-1].fingerprint() == X.fingerprint()
        (False, True)
        """
        return combined_digest(self._digests())

    def _digests(self):
        """Digest of each configuration, ndarray of uint8 of shape (n, 16)."""
        return particle_digests(self)

    def _whole_and_rows(self):
        """Give the set whose features are cached as one, and the rows of it that stand here."""
        return self, np.arange(len(self))

    def _unchanging(self):
        """Give a set that stays as it is, whatever is written into this one."""
        return copy.deepcopy(self)

    @property
    def info(self):
        """One value for each configuration under each name, dict of ndarray of shape (n, ...)."""
        # Under its own name, where those look who walk over the attributes of a set.
        return self.__dict__["info"]

    @info.setter
    def info(self, values):
        self.__dict__["info"] = SampleInfo(len(self), values)

    @property
    def n_dims(self):
        """Number of spatial dimensions, 2 or 3."""
        return self.positions.shape[1]

    @property
    def n_particles(self):
        """Number of particles of each configuration, ndarray of shape (n,)."""
        return np.diff(self.offsets)

    def __len__(self):
        return len(self.offsets) - 1

    def _one(self, index):
        rows = slice(self.offsets[index], self.offsets[index + 1])
        return self._configuration(index, self.positions[rows], self.types[rows])

    def _configuration(self, index, positions, types):
        new = Configuration.__new__(Configuration)
        new.positions, new.types = positions, types
        new.cell, new.periodic = self.cells[index], self.periodic[index]
        new.info = {name: values[index] for name, values in self.info.items()}
        return new

    def _some(self, chosen):
        rows, offsets = packed_rows(self.offsets, chosen)
        info = {name: np.asarray(values)[chosen] for name, values in self.info.items()}
        return type(self).from_arrays(
            self.positions[rows],
            self.types[rows],
            offsets,
            self.cells[chosen],
            self.periodic[chosen],
            info,
        )

    def __repr__(self):
        n_particles = self.n_particles
        if len(self) == 0:
            return f"Configurations(n=0, n_dims={self.n_dims})"
        low, high = n_particles.min(), n_particles.max()
        count = str(low) if low == high else f"{low} to {high}"
        return (
            f"Configurations(n={len(self)}, n_dims={self.n_dims}, n_particles={count}, "
            f"{self._contents()})"
        )

    def _contents(self):
        triclinic = "" if all(is_rectangular(cell) for cell in self.cells) else "triclinic, "
        return f"types={np.unique(self.types).tolist()}, {triclinic}info={sorted(self.info)}"


def _warn_of_missing_runs(infos):
    missing = [index for index, info in enumerate(infos) if "run" not in info]
    if 0 < len(missing) < len(infos):
        warnings.warn(
            f"info['run'] is missing from configuration {missing[0]}, in all from {len(missing)} "
            f"of {len(infos)}: as groups of a cross-validation these would be one run; set it in "
            "all of them",
            stacklevel=3,
        )


def _stack_info(infos):
    """Turn the info dicts of the members into one dict of arrays."""
    names = list(dict.fromkeys(name for info in infos for name in info))
    return {name: _stack_values(name, infos) for name in names}


def _stack_values(name, infos):
    present = [info[name] for info in infos if name in info]
    if len(present) < len(infos):
        fill = _missing_value(name, present[0])
        present = [info.get(name, fill) for info in infos]
    return stack_values(name, present)


def _missing_value(name, example):
    if isinstance(example, str):
        return ""
    array = np.asarray(example)
    if array.dtype.kind in "iufb":
        return np.full(array.shape, np.nan)
    raise ValueError(f"info[{name!r}] is missing from some configurations of the set")
