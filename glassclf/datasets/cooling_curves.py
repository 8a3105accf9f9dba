"""The bundled cooling curves: how they are packed into one file, and how they are loaded."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.datasets.bundled import read_bundled
from glassclf.thermodynamics.curves import CoolingCurves

FILE_NAME = "cooling_curves_2d.npz"
DESCRIPTION_NAME = "cooling_curves_2d.rst"
UNITS = {"temperature": "eps_AA / k_B", "energy": "eps_AA per particle"}


def load_cooling_curves():
    """Load the bundled cooling curves of the two-dimensional Kob-Andersen mixture.

    Inherent energies at 200 temperatures from T = 2 to T = 0.05, for coolings in 20,000, 200,000
    and 2,000,000 steps, from independent runs of 1080 particles each.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        ``curves`` : dict from the number of cooling steps to
        :class:`~glassclf.thermodynamics.CoolingCurves`, the fastest cooling first; ``DESCR`` : str,
        what the set is and where it comes from; ``units`` : dict; ``filename`` : str, the file that
        was read.

    Examples
    --------
    >>> from glassclf.datasets import load_cooling_curves
    >>> curves = load_cooling_curves().curves
    >>> list(curves)
    [20000, 200000, 2000000]
    >>> round(float(curves[20000].mean()[0]), 2)
    -3.66
    """
    curves, described = read_bundled(FILE_NAME, DESCRIPTION_NAME, unpack_curves)
    return Bunch(
        curves=curves,
        units=dict(UNITS),
        **described,
    )


def pack_curves(curves):
    """Pack curves into few small arrays.

    Parameters
    ----------
    curves : dict of int to CoolingCurves
        From the number of cooling steps.

    Returns
    -------
    arrays : dict of ndarray
        What :func:`unpack_curves` takes. Energies are float32.
    """
    arrays = {"cooling_steps": np.array(sorted(curves))}
    for steps, each in curves.items():
        arrays[f"temperature_{steps}"] = each.temperature
        arrays[f"energy_{steps}"] = each.energy.astype(np.float32)
        arrays[f"runs_{steps}"] = each.runs
    return arrays


def unpack_curves(arrays):
    """Return the curves that :func:`pack_curves` packed.

    Parameters
    ----------
    arrays : mapping of str to ndarray

    Returns
    -------
    curves : dict of int to CoolingCurves
        Fastest cooling first.
    """
    return {
        steps: CoolingCurves(
            arrays[f"temperature_{steps}"],
            arrays[f"energy_{steps}"],
            arrays[f"runs_{steps}"],
            steps,
        )
        for steps in arrays["cooling_steps"].tolist()
    }
