"""The bundled snapshots of the persistent exclusion process: how they are packed, and loaded."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.lattices import Lattices
from glassclf.datasets.bundled import read_bundled

FILE_NAME = "persistent_exclusion.npz"
DESCRIPTION_NAME = "persistent_exclusion.rst"


def load_persistent_exclusion():
    """Load snapshots of self-propelled particles on a lattice, at ten tumbling rates.

    8 runs of each rate from 2^-6 to 2^-1, 15 snapshots of each run, on 128 x 128 sites at density
    0.15.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        ``data`` : Lattices of 1200 snapshots, ``info`` as in :func:`make_persistent_exclusion`;
        ``target`` : ndarray of float, binary logarithm of the tumbling rate; ``groups`` : ndarray
        of str, the run of each; ``DESCR`` : str; ``filename`` : str.

    See Also
    --------
    make_persistent_exclusion : Makes more.

    Examples
    --------
    >>> from glassclf.datasets import load_persistent_exclusion
    >>> bunch = load_persistent_exclusion()
    >>> bunch.data
    Lattices(n=1200, shape=(128, 128), info=['density', 'iteration', 'run', 'tumbling_rate'])
    >>> bunch.target.min().item(), bunch.target.max().item(), len(set(bunch.groups))
    (-6.0, -1.0, 80)
    """
    data, described = read_bundled(FILE_NAME, DESCRIPTION_NAME, unpack_lattices)
    rates = np.log2(data.info["tumbling_rate"])
    return Bunch(data=data, target=rates, groups=data.info["run"], **described)


def pack_lattices(data):
    """Pack snapshots into bits: one for each site, two for the orientation of each particle.

    Parameters
    ----------
    data : Lattices

    Returns
    -------
    arrays : dict of ndarray
        What :func:`unpack_lattices` takes.
    """
    sites = data.sites
    occupied = sites > 0
    orientations = sites[occupied] - 1
    info = {f"info_{name}": values for name, values in data.info.items()}
    return {
        "shape": np.array(sites.shape),
        "occupied": np.packbits(occupied),
        "orientations": np.packbits(np.stack([orientations >> 1, orientations & 1])),
        **info,
    }


def unpack_lattices(arrays):
    """Undo :func:`pack_lattices`.

    Parameters
    ----------
    arrays : mapping of str to ndarray

    Returns
    -------
    data : Lattices
    """
    shape = tuple(arrays["shape"])
    occupied = np.unpackbits(arrays["occupied"], count=int(np.prod(shape))).reshape(shape)
    n = int(occupied.sum())
    high, low = np.unpackbits(arrays["orientations"], count=2 * n).reshape(2, n)
    sites = np.zeros(shape, dtype=np.uint8)
    sites[occupied.astype(bool)] = 2 * high + low + 1
    prefix = "info_"
    info = {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}
    return Lattices.from_parts([sites], info)
