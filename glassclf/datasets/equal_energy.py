"""The bundled pairs of equal energy: how their glasses are packed, and how they are loaded."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.bundled import read_bundled
from glassclf.datasets.energy_matching import match_energy
from glassclf.datasets.fixed_point import decode_fixed_point, encode_fixed_point
from glassclf.datasets.kob_andersen import SHARED, UNITS, load_kob_andersen

FILE_NAME = "equal_energy_2d.npz"
DESCRIPTION_NAME = "equal_energy_2d.rst"


def load_equal_energy():
    """Load pairs of glass and liquid that have the same inherent-structure energy.

    The glasses were cooled to T = 0.05 in 20,000 steps, ten times as fast as the runs of
    :func:`load_kob_andersen`, whose liquids at T = 0.8 have the same energy. Each glass is paired
    with a liquid within 0.002, as :func:`match_energy` does it. All are inherent structures.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        ``data`` : Configurations, pair by pair: glass, liquid, glass, liquid, ..., ``info`` as in
        :func:`load_kob_andersen`; ``target`` : ndarray of str, "glass" or "liquid"; ``groups`` :
        ndarray of str, the pair of each; ``fast_runs`` : Configurations, all 128 fast runs at
        T = 0.05, and 32 of them at T = 0.401 as well, run by run, to make other pairs from;
        ``DESCR`` : str; ``units`` : dict; ``filename`` : str, the file that holds the fast runs.

    See Also
    --------
    compare_classes : Shows how far the energy alone gets.

    Examples
    --------
    >>> from glassclf.datasets import load_equal_energy
    >>> bunch = load_equal_energy()
    >>> bunch.target[:4].tolist()
    ['glass', 'liquid', 'glass', 'liquid']
    >>> bunch.data.info["temperature"][:4].tolist()
    [0.05, 0.8, 0.05, 0.8]
    >>> energy = bunch.data.info["inherent_energy"]
    >>> bool((abs(energy[::2] - energy[1::2]) <= 0.002).all())
    True
    """
    fast_runs, described = read_bundled(FILE_NAME, DESCRIPTION_NAME, unpack_inherent)
    both = Configurations.concatenate([fast_runs, _inherent(load_kob_andersen().data)])
    data, target, groups = match_energy(both)
    return Bunch(
        data=data,
        target=target,
        groups=groups,
        fast_runs=fast_runs,
        units=dict(UNITS),
        **described,
    )


def pack_inherent(data):
    """Pack the inherent structures of runs into few small arrays, coordinates in 24 bits.

    Parameters
    ----------
    data : Configurations
        As :func:`make_kob_andersen` returns it; all runs have the same particles and box.

    Returns
    -------
    arrays : dict of ndarray
        What :func:`unpack_inherent` takes. Energies and measured temperatures are float32.
    """
    data = _inherent(data)
    n_particles, length = int(data.n_particles[0]), float(data.cells[0, 0, 0])
    fractions = (data.positions / length).reshape(len(data), n_particles, data.n_dims)
    arrays = {
        "coordinates": encode_fixed_point(fractions),
        "types": data.types[:n_particles].astype(np.uint8),
        "length": np.array(length),
    }
    for name in SHARED:
        small = name in ("measured_temperature", "inherent_energy")
        arrays[name] = data.info[name].astype(np.float32) if small else data.info[name]
    return arrays


def unpack_inherent(arrays):
    """Return the inherent structures that :func:`pack_inherent` packed.

    Parameters
    ----------
    arrays : mapping of str to ndarray

    Returns
    -------
    data : Configurations
    """
    length = float(arrays["length"])
    positions = decode_fixed_point(arrays["coordinates"]) * length
    n, n_particles, n_dims = positions.shape
    info = {name: arrays[name] for name in SHARED}
    info = {
        name: values.astype(np.float64) if values.dtype == np.float32 else values
        for name, values in info.items()
    }
    info["state"] = np.full(n, "inherent")
    info["potential_energy"] = info["inherent_energy"].copy()
    return Configurations.from_arrays(
        positions.reshape(-1, n_dims),
        np.tile(arrays["types"].astype(np.int64), n),
        np.arange(n + 1) * n_particles,
        np.tile(np.eye(n_dims) * length, (n, 1, 1)),
        np.ones((n, n_dims), dtype=bool),
        info,
    )


def _inherent(data):
    return data[data.info["state"] == "inherent"]
