"""The bundled Kob-Andersen runs: how they are packed into one file, and how they are loaded."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.bundled import read_bundled
from glassclf.datasets.fixed_point import decode_fixed_point, encode_fixed_point

FILE_NAME = "kob_andersen_2d.npz"
DESCRIPTION_NAME = "kob_andersen_2d.rst"

UNITS = {
    "positions": "sigma_AA",
    "temperature": "eps_AA / k_B",
    "potential_energy": "eps_AA per particle",
    "inherent_energy": "eps_AA per particle",
}
# One value for each snapshot; the inherent structure of a snapshot shares them.
SHARED = ("temperature", "measured_temperature", "run", "cooling_steps", "inherent_energy")


def load_kob_andersen():
    """Load the bundled runs of the two-dimensional Kob-Andersen mixture.

    32 independent runs of 1080 particles, cooled from T = 2 to T = 0.05 in 200,000 steps: snapshots
    at 13 temperatures, each as it is and as its inherent structure. They are the runs of
    ``make_kob_andersen(32, random_state=20261)``, with coordinates rounded to 24 bits (an error of
    at most 9e-7 sigma_AA).

    Returns
    -------
    bunch : sklearn.utils.Bunch
        ``data`` : Configurations of length 832, run by run, ``info`` as in
        :func:`make_kob_andersen`; ``DESCR`` : str, what the set is and where it comes from;
        ``units`` : dict; ``filename`` : str, the file that was read.

    References
    ----------
    .. [1] W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995).
    .. [2] R. Brüning, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21,
       035117 (2009).

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen
    >>> data = load_kob_andersen().data
    >>> len(data), len(set(data.info["run"]))
    (832, 32)
    >>> glass = data[(data.info["state"] == "inherent") & (data.info["temperature"] == 0.05)]
    >>> round(float(glass.info["inherent_energy"].mean()), 2)
    -3.7
    """
    data, described = read_bundled(FILE_NAME, DESCRIPTION_NAME, unpack_runs)
    return Bunch(
        data=data,
        units=dict(UNITS),
        **described,
    )


def pack_runs(data):
    """Pack runs of equal size into few small arrays; coordinates are rounded to 24 bits.

    Parameters
    ----------
    data : Configurations
        As :func:`make_kob_andersen` returns it, all runs of one size and protocol.

    Returns
    -------
    arrays : dict of ndarray
        What :func:`unpack_runs` takes. Energies and measured temperatures are float32.
    """
    thermal = data.info["state"] == "thermal"
    n_runs = len(np.unique(data.info["run"]))
    n_temperatures, n_particles = int(thermal.sum()) // n_runs, int(data.n_particles[0])
    length = float(data.cells[0, 0, 0])
    # Runs are stored as (run, state, temperature): the order in which they are made.
    fractions = (data.positions / length).reshape(n_runs, 2, n_temperatures, n_particles, 2)
    arrays = {
        "coordinates": encode_fixed_point(fractions),
        "types": data.types[:n_particles].astype(np.uint8),
        "length": np.array(length),
        "potential_energy": data.info["potential_energy"][thermal].astype(np.float32),
    }
    for name in SHARED:
        values = data.info[name][thermal]
        small = name in ("measured_temperature", "inherent_energy")
        arrays[name] = values.astype(np.float32) if small else values
    return arrays


def unpack_runs(arrays):
    """Return the runs that :func:`pack_runs` packed.

    Parameters
    ----------
    arrays : mapping of str to ndarray

    Returns
    -------
    data : Configurations
    """
    positions = decode_fixed_point(arrays["coordinates"]) * float(arrays["length"])
    n_runs, _, n_temperatures, n_particles, n_dims = positions.shape
    n = n_runs * 2 * n_temperatures

    def spread(thermal, inherent):
        both = [values.reshape(n_runs, n_temperatures) for values in (thermal, inherent)]
        return np.stack(both, axis=1).reshape(n)

    snapshots = {
        name: values.astype(np.float64) if values.dtype == np.float32 else values
        for name, values in ((name, arrays[name]) for name in (*SHARED, "potential_energy"))
    }
    info = {name: spread(snapshots[name], snapshots[name]) for name in SHARED}
    info["state"] = spread(np.full(n // 2, "thermal"), np.full(n // 2, "inherent"))
    info["potential_energy"] = spread(snapshots["potential_energy"], snapshots["inherent_energy"])
    return Configurations.from_arrays(
        positions.reshape(-1, n_dims),
        np.tile(arrays["types"].astype(np.int64), n),
        np.arange(n + 1) * n_particles,
        np.tile(np.eye(n_dims) * float(arrays["length"]), (n, 1, 1)),
        np.ones((n, n_dims), dtype=bool),
        info,
    )
