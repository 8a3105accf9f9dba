"""What all functions share that pick classes out of cooling runs: checks, states, temperatures."""

from numbers import Real

import numpy as np

from glassclf.configurations.configuration_set import Configurations

TEMPERATURE_TOLERANCE = 0.005
NEEDED = ("temperature", "run", "cooling_steps", "state")


def check_runs(data, needed=NEEDED):
    """Return the configurations of a set or a bunch, which must know where they come from.

    Parameters
    ----------
    data : Configurations or Bunch
    needed : sequence of str, default=("temperature", "run", "cooling_steps", "state")
        Names that ``info`` must have.

    Returns
    -------
    data : Configurations

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, or ``data`` is empty.
    """
    data = getattr(data, "data", data)
    if not isinstance(data, Configurations):
        raise TypeError(
            "data must be a Configurations or the Bunch of load_kob_andersen, "
            f"got {type(data).__name__}"
        )
    lacking = [name for name in needed if name not in data.info]
    if lacking:
        raise ValueError(f"data.info must have {list(needed)}, it lacks {lacking}")
    if not len(data):
        raise ValueError("data is empty: there is no run to choose from")
    return data


def check_one_rate(data):
    """Raise a ValueError if a set mixes cooling rates."""
    rates = np.unique(data.info["cooling_steps"])
    if len(rates) > 1:
        raise ValueError(
            f"data mixes cooling rates, cooling_steps={rates.tolist()}: choose one, such as "
            f'data[data.info["cooling_steps"] == {rates[0]}], of a Bunch '
            f'data.data[data.data.info["cooling_steps"] == {rates[0]}]'
        )


def check_two(name, values):
    """Return the values of the first and the second class, or raise a ValueError."""
    try:
        first, second = values
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be two values, of the first and the second class, got {values!r}"
        ) from None
    return first, second


def check_labels(labels, default=None):
    """Return the names of two classes, the given ones or else those by default."""
    first, second = check_two("labels", default if labels is None else labels)
    if not (isinstance(first, str) and isinstance(second, str)) or first == second:
        raise ValueError(f"labels must be two different strings, got {labels!r}")
    return first, second


def of_state(data, state):
    """Mask of the configurations in one state, ndarray of bool of shape (n,)."""
    if state not in data.info["state"]:
        present = np.unique(data.info["state"]).tolist()
        raise ValueError(f"state must be one of those in data, {present}, got {state!r}")
    return data.info["state"] == state


def of_rate(name, cooling_steps, data):
    """Mask of the configurations cooled in so many steps, ndarray of bool of shape (n,)."""
    mask = data.info["cooling_steps"] == cooling_steps
    if not np.any(mask):
        present = np.unique(data.info["cooling_steps"]).tolist()
        raise ValueError(f"{name}={cooling_steps!r} is not in data, which has {present}")
    return mask


def at_temperature(name, temperature, data, chosen):
    """Narrow a mask to the configurations within 0.005 of a temperature.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    temperature : float
    data : Configurations
    chosen : ndarray of bool of shape (n,)

    Returns
    -------
    chosen : ndarray of bool of shape (n,)

    Raises
    ------
    ValueError
        If the temperature is no number, or none of the chosen configurations has it.
    """
    temperatures = data.info["temperature"]
    if not isinstance(temperature, Real) or isinstance(temperature, bool):
        raise ValueError(f"{name} must be a temperature, a number, got {temperature!r}")
    near = chosen & (np.abs(temperatures - temperature) <= TEMPERATURE_TOLERANCE)
    if not near.any():
        present = np.unique(temperatures[chosen]).tolist()
        raise ValueError(f"{name}={temperature} is not a temperature of data, which has {present}")
    return near


def one_of_each_run(data, state, temperatures):
    """Pick one configuration at each of several temperatures from every run.

    Parameters
    ----------
    data : Configurations
        All of one cooling rate.
    state : str
    temperatures : list of (str, float)
        Names for messages and temperatures.

    Returns
    -------
    chosen : ndarray of int of shape (n_runs, n_temperatures)
        Indices into ``data``; runs in the order in which they first appear.

    Raises
    ------
    ValueError
        If ``data`` mixes cooling rates, the state or a temperature is not present, two
        temperatures are the same, or a run does not have exactly one configuration at each.
    """
    check_one_rate(data)
    in_state = of_state(data, state)
    masks = [at_temperature(name, value, data, in_state) for name, value in temperatures]
    for i, (name, value) in enumerate(temperatures):
        for (other_name, other), mask in zip(temperatures[:i], masks):
            if (mask & masks[i]).any():
                raise ValueError(
                    f"{other_name}={other} and {name}={value} are the same temperature in data"
                )
    runs = data.info["run"]
    _, first = np.unique(runs, return_index=True)
    chosen = np.empty((len(first), len(temperatures)), dtype=np.int64)
    for row, run in enumerate(runs[np.sort(first)]):
        for column, ((name, value), mask) in enumerate(zip(temperatures, masks)):
            found = np.flatnonzero(mask & (runs == run))
            if len(found) != 1:
                raise ValueError(
                    f"run {str(run)!r} must have exactly one {state} configuration within "
                    f"{TEMPERATURE_TOLERANCE} of {name}={value}, it has {len(found)}: "
                    "leave such runs out of data"
                )
            chosen[row, column] = found[0]
    return chosen
