"""The bundled films: how they are packed into one file, and how they are loaded."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.bundled import read_bundled

FILE_NAME = "films_2d.npz"
DESCRIPTION_NAME = "films_2d.rst"

UNITS = {
    "positions": "sigma_AA",
    "temperature": "eps_AA / k_B",
    "substrate_temperature": "eps_AA / k_B",
    "flux": "particles / (sigma_AA tau)",
    "potential_energy": "eps_AA per particle",
    "inherent_energy": "eps_AA per particle",
}


def load_films():
    """Load the bundled films of the two-dimensional Kob-Andersen mixture.

    16 films, each vapour-deposited and, of the same particles, liquid-cooled, each of them thermal
    and as its inherent structure: 12 films at a substrate temperature of 0.189, which is 0.9 of the
    glass transition temperature of a film, and one at each of 0.147, 0.168, 0.21 and 0.231. They
    are those of :func:`make_vapor_deposited` with its defaults and ``random_state=20263``, with
    coordinates rounded to float32.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        ``data`` : Configurations of length 64 in the format of
        :func:`~glassclf.thermodynamics.film_profile`, ``info`` as in :func:`make_vapor_deposited`;
        ``DESCR`` : str, what the set is and where it comes from; ``units`` : dict; ``filename`` :
        str, the file that was read.

    See Also
    --------
    select_films : Takes the two materials as classes.

    References
    ----------
    .. [1] D. R. Reid, I. Lyubimov, M. D. Ediger and J. J. de Pablo, Nat. Commun. 7, 13062 (2016).

    Examples
    --------
    >>> from glassclf.datasets import load_films
    >>> films = load_films().data
    >>> len(films), len(set(films.info["run"]))
    (64, 16)
    >>> sorted(set(films.info["substrate_temperature"].tolist()))
    [0.147, 0.168, 0.189, 0.21, 0.231]
    """
    data, described = read_bundled(FILE_NAME, DESCRIPTION_NAME, unpack_films)
    return Bunch(
        data=data,
        units=dict(UNITS),
        **described,
    )


def pack_films(data):
    """Pack films into few small arrays; coordinates are rounded to float32.

    Parameters
    ----------
    data : Configurations
        Films, with rectangular boxes and types below 256.

    Returns
    -------
    arrays : dict of ndarray
        What :func:`unpack_films` takes, for ``numpy.savez_compressed``.
    """
    arrays = {
        "positions": data.positions.astype(np.float32),
        "types": data.types.astype(np.uint8),
        "n_particles": data.n_particles.astype(np.int32),
        "boxes": np.diagonal(data.cells, axis1=1, axis2=2),
        "periodic": data.periodic,
    }
    return {**arrays, **{f"info.{name}": values for name, values in data.info.items()}}


def unpack_films(arrays):
    """Return the films that :func:`pack_films` packed.

    Parameters
    ----------
    arrays : mapping of str to ndarray

    Returns
    -------
    data : Configurations
    """
    boxes = arrays["boxes"]
    return Configurations.from_arrays(
        arrays["positions"].astype(np.float64),
        arrays["types"].astype(np.int64),
        np.concatenate([[0], np.cumsum(arrays["n_particles"], dtype=np.int64)]),
        boxes[:, :, None] * np.eye(boxes.shape[1]),
        arrays["periodic"],
        {name.removeprefix("info."): arrays[name] for name in arrays if name.startswith("info.")},
    )
