"""Cooling curves: the energy of several runs along one grid of temperatures."""

from collections import Counter
from numbers import Integral

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.thermodynamics.points import finite_numbers

NEEDED = ("temperature", "run", "cooling_steps", "inherent_energy")


class CoolingCurves:
    """Energies of several runs, cooled at one rate, at the same temperatures.

    Parameters
    ----------
    temperature : array-like of shape (n_points,)
        In any order, no value twice; kept rising.
    energy : array-like of shape (n_runs, n_points) or (n_points,)
        Per particle, of each run; or of the only one.
    runs : array-like of str of shape (n_runs,), default=None
        Names of the runs, each once. None numbers them.
    cooling_steps : int, default=None
        Time steps of the cooling, at least 1; None where unknown.

    Attributes
    ----------
    temperature : ndarray of shape (n_points,)
        Rising.
    energy : ndarray of shape (n_runs, n_points)
    runs : ndarray of shape (n_runs,)
    cooling_steps : int or None

    See Also
    --------
    cooling_curves : From configurations that were cooled.
    read_cooling_curves : From files.

    Examples
    --------
    >>> from glassclf.thermodynamics import CoolingCurves
    >>> curves = CoolingCurves([0.2, 0.1], [[-3.5, -3.75], [-3.5, -3.25]], cooling_steps=20_000)
    >>> curves
    CoolingCurves(n_runs=2, n_points=2, temperature=0.1..0.2, cooling_steps=20000)
    >>> curves.mean()
    array([-3.5, -3.5])
    >>> curves.standard_error()
    array([0.25, 0.  ])
    """

    def __init__(self, temperature, energy, runs=None, cooling_steps=None):
        temperature = finite_numbers("temperature", temperature)
        energy = np.atleast_2d(finite_numbers("energy", energy))
        if temperature.ndim != 1 or energy.ndim != 2 or energy.shape[1] != len(temperature):
            raise ValueError(
                "temperature must have the shape (n_points,) and energy (n_runs, n_points), got "
                f"{temperature.shape} and {energy.shape}"
            )
        if energy.size == 0:
            raise ValueError("there must be at least one run and one temperature, there is none")
        order = np.argsort(temperature)
        self.temperature, self.energy = temperature[order], energy[:, order]
        if (np.diff(self.temperature) == 0).any():
            value = self.temperature[1:][np.diff(self.temperature) == 0][0]
            raise ValueError(f"temperature must hold each value once, {value:g} stands there twice")
        self.runs = np.arange(len(energy)).astype(str) if runs is None else np.asarray(runs)
        if self.runs.shape != (len(energy),) or len(np.unique(self.runs)) < len(energy):
            raise ValueError(
                f"runs must hold a name of its own for each of the {len(energy)} runs, "
                f"got {self.runs.tolist()}"
            )
        is_integer = isinstance(cooling_steps, Integral) and not isinstance(cooling_steps, bool)
        if cooling_steps is not None and not (is_integer and cooling_steps >= 1):
            raise ValueError(
                f"cooling_steps must be None or an integer of at least 1, got {cooling_steps!r}"
            )
        self.cooling_steps = cooling_steps

    def __len__(self):
        """Return the number of runs."""
        return len(self.energy)

    def __repr__(self):
        n_runs, n_points = self.energy.shape
        return (
            f"CoolingCurves(n_runs={n_runs}, n_points={n_points}, "
            f"temperature={self.temperature[0]:g}..{self.temperature[-1]:g}, "
            f"cooling_steps={self.cooling_steps})"
        )

    def mean(self):
        """Return the mean energy over runs, ndarray of shape (n_points,)."""
        return self.energy.mean(axis=0)

    def standard_error(self):
        """Return the standard error of the mean, ndarray of shape (n_points,); NaN for one run."""
        if len(self) == 1:
            return np.full(len(self.temperature), np.nan)
        return self.energy.std(axis=0, ddof=1) / np.sqrt(len(self))


def cooling_curves(data, *, cooling_steps=None):
    """Take the inherent energies of cooling runs as curves.

    Parameters
    ----------
    data : Configurations or Bunch
        As :func:`~glassclf.datasets.make_kob_andersen` and
        :func:`~glassclf.datasets.load_kob_andersen` return it: ``info`` has "temperature", "run",
        "cooling_steps" and "inherent_energy".
    cooling_steps : int, default=None
        Of the runs to take. None: ``data`` holds one cooling rate only.

    Returns
    -------
    curves : CoolingCurves
        Runs in their order in ``data``.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, ``data`` mixes cooling rates or sizes, the asked rate is not
        there, or a run has other temperatures than most.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen
    >>> from glassclf.thermodynamics import cooling_curves
    >>> cooling_curves(load_kob_andersen())
    CoolingCurves(n_runs=32, n_points=13, temperature=0.05..1.95, cooling_steps=200000)
    """
    data = getattr(data, "data", data)
    if not isinstance(data, Configurations):
        raise TypeError(
            "data must be a Configurations or the Bunch of load_kob_andersen, "
            f"got {type(data).__name__}"
        )
    lacking = [name for name in NEEDED if name not in data.info]
    if lacking:
        raise ValueError(f"data.info must have {list(NEEDED)}, it lacks {lacking}")
    data = data[data.info["cooling_steps"] == _one_rate(data, cooling_steps)]
    sizes = np.unique(data.n_particles).tolist()
    if len(sizes) > 1:
        raise ValueError(
            f"data mixes sizes, n_particles={sizes}: choose one, such as "
            f"data[data.n_particles == {sizes[0]}]"
        )
    runs = np.asarray(data.info["run"])
    names, first = np.unique(runs, return_index=True)
    names = names[np.argsort(first)]
    rows = [_curve(name, data, runs) for name in names]
    _check_one_grid(names, [temperature.tolist() for temperature, _ in rows])
    temperature = rows[0][0]
    steps = int(data.info["cooling_steps"][0])
    return CoolingCurves(temperature, [energy for _, energy in rows], names, steps)


def _one_rate(data, cooling_steps):
    present = np.unique(data.info["cooling_steps"]).tolist()
    if not present:
        raise ValueError("data is empty: there is no run to make a curve of")
    if cooling_steps is None:
        if len(present) > 1:
            raise ValueError(
                f"data mixes cooling rates, cooling_steps={present}: choose one, such as "
                f"cooling_steps={present[0]}"
            )
        return present[0]
    if cooling_steps not in present:
        raise ValueError(f"cooling_steps={cooling_steps} is not in data, which has {present}")
    return cooling_steps


def _check_one_grid(names, grids):
    """Raise a ValueError that holds the code to choose runs by, if not all have one grid."""
    grid, count = Counter(map(tuple, grids)).most_common(1)[0]
    for name, other in zip(names, grids):
        if other != list(grid):
            present = ", ".join(map(str, grid))
            raise ValueError(
                f"all runs must have the same temperatures; {count} of {len(names)} runs have "
                f"[{present}], run {str(name)!r} has {other}: leave the others out of the "
                'Configurations, such as by data[[set(data.info["temperature"][data.info["run"] '
                f'== run]) == {{{present}}} for run in data.info["run"]]]'
            )


def _curve(name, data, runs):
    mine = np.flatnonzero(runs == name)
    temperature, first = np.unique(data.info["temperature"][mine], return_index=True)
    # A snapshot and its inherent structure carry the same inherent energy: one of them is enough.
    return temperature, data.info["inherent_energy"][mine][first]
