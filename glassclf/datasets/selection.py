"""Two classes out of cooling runs: a glass and a liquid from every run."""

from numbers import Real

import numpy as np

from glassclf.configurations.configuration_set import Configurations

TOLERANCE = 0.005
NEEDED = ("temperature", "run", "cooling_steps", "state")


def select_pair(data, glass=0.05, liquid=0.635, state="inherent"):
    """Pick one glass and one liquid configuration of every run.

    Parameters
    ----------
    data : Configurations or Bunch
        As :func:`make_kob_andersen` and :func:`load_kob_andersen` return it: ``info`` has
        "temperature", "run", "cooling_steps" and "state".
    glass, liquid : float, default=0.05 and 0.635
        Temperatures of the two classes, met within 0.005.
    state : {"inherent", "thermal"}, default="inherent"
        Thermal snapshots are told apart by their vibration alone; inherent structures are the test
        of structure.

    Returns
    -------
    X : Configurations
        Run by run, in the order of ``data``: glass, liquid, glass, liquid, ...
    y : ndarray of str of shape (n,)
        "glass" or "liquid".
    groups : ndarray of str of shape (n,)
        The run of each configuration, for grouped cross-validation.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, a temperature is no number, a temperature or the state is not
        present, ``data`` mixes cooling rates, both temperatures are the same, or a run does not
        have exactly one configuration of each class.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen, select_pair
    >>> X, y, groups = select_pair(load_kob_andersen(), glass=0.05, liquid=0.635)
    >>> y[:4].tolist()
    ['glass', 'liquid', 'glass', 'liquid']
    >>> X.info["temperature"][:4]
    array([0.05 , 0.635, 0.05 , 0.635])
    """
    data = _check_data(data)
    if state not in data.info["state"]:
        present = np.unique(data.info["state"]).tolist()
        raise ValueError(f"state must be one of those in data, {present}, got {state!r}")
    in_state = data.info["state"] == state
    is_glass = in_state & _near("glass", glass, data.info["temperature"], in_state)
    is_liquid = in_state & _near("liquid", liquid, data.info["temperature"], in_state)
    if (is_glass & is_liquid).any():
        raise ValueError(f"glass={glass} and liquid={liquid} are the same temperature in data")
    runs = data.info["run"]
    _, first = np.unique(runs, return_index=True)
    classes = (("glass", glass, is_glass), ("liquid", liquid, is_liquid))
    chosen = []
    for run in runs[np.sort(first)]:
        for name, temperature, of_class in classes:
            found = np.flatnonzero(of_class & (runs == run))
            if len(found) != 1:
                raise ValueError(
                    f"run {str(run)!r} must have exactly one {state} configuration within "
                    f"{TOLERANCE} of {name}={temperature}, it has {len(found)}: "
                    "leave such runs out of data"
                )
            chosen.append(found[0])
    chosen = np.array(chosen)
    y = np.tile(["glass", "liquid"], len(chosen) // 2)
    return data[chosen], y, np.asarray(runs)[chosen]


def _check_data(data):
    data = getattr(data, "data", data)
    if not isinstance(data, Configurations):
        raise TypeError(
            "data must be a Configurations or the Bunch of load_kob_andersen, "
            f"got {type(data).__name__}"
        )
    lacking = [name for name in NEEDED if name not in data.info]
    if lacking:
        raise ValueError(f"data.info must have {list(NEEDED)}, it lacks {lacking}")
    rates = np.unique(data.info["cooling_steps"])
    if len(rates) > 1:
        raise ValueError(
            f"data mixes cooling rates, cooling_steps={rates.tolist()}: choose one, such as "
            f'data[data.info["cooling_steps"] == {rates[0]}]'
        )
    return data


def _near(name, temperature, temperatures, in_state):
    if not isinstance(temperature, Real) or isinstance(temperature, bool):
        raise ValueError(f"{name} must be a temperature, a number, got {temperature!r}")
    near = np.abs(temperatures - temperature) <= TOLERANCE
    if not (near & in_state).any():
        present = np.unique(temperatures[in_state]).tolist()
        raise ValueError(f"{name}={temperature} is not a temperature of data, which has {present}")
    return near
