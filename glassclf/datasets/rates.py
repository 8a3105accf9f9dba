"""Two classes that were cooled at different rates, at one temperature."""

import numpy as np

from glassclf.datasets.choosing import (
    at_temperature,
    check_labels,
    check_runs,
    check_two,
    of_rate,
    of_state,
)


def select_rates(
    data, cooling_steps=(20_000, 200_000), *, temperature=0.05, state="inherent", labels=None
):
    """Pick the configurations of two cooling rates at one temperature.

    Well below the glass transition that is glass against glass. Between the transition of the
    faster and that of the slower cooling, one is a glass and the other still a liquid.

    Parameters
    ----------
    data : Configurations or Bunch
        Runs of both rates, as :meth:`Configurations.concatenate` joins them; ``info`` has
        "temperature", "run", "cooling_steps" and "state".
    cooling_steps : tuple of two ints, default=(20_000, 200_000)
        Of the first and of the second class.
    temperature : float, default=0.05
        Of both classes, met within 0.005.
    state : {"inherent", "thermal"}, default="inherent"
    labels : tuple of two str, default=None
        Names of the two classes. None: "20000 steps", "200000 steps".

    Returns
    -------
    X : Configurations
        The first class, then the second, each in the order of ``data``.
    y : ndarray of str of shape (n,)
    groups : ndarray of str of shape (n,)
        The run of each configuration. Each run is in one class alone: ``StratifiedGroupKFold``
        keeps both classes in every fold.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, a rate, the temperature or the state is not present, both rates
        are the same, or the labels are not two different strings.

    Examples
    --------
    >>> from glassclf.configurations import Configurations
    >>> from glassclf.datasets import load_equal_energy, load_kob_andersen, select_rates
    >>> both = [load_equal_energy().fast_runs, load_kob_andersen().data]
    >>> X, y, groups = select_rates(Configurations.concatenate(both))
    >>> sorted(set(y.tolist()))
    ['20000 steps', '200000 steps']
    """
    data = check_runs(data)
    steps = check_two("cooling_steps", cooling_steps)
    if steps[0] == steps[1]:
        raise ValueError(f"cooling_steps must be two different rates, got {cooling_steps!r}")
    in_state = of_state(data, state)
    chosen = [
        np.flatnonzero(
            at_temperature(
                "temperature",
                temperature,
                data,
                in_state & of_rate(f"cooling_steps[{index}]", value, data),
            )
        )
        for index, value in enumerate(steps)
    ]
    labels = check_labels(labels, tuple(f"{value} steps" for value in steps))
    y = np.repeat(labels, [len(of_class) for of_class in chosen])
    chosen = np.concatenate(chosen)
    return data[chosen], y, np.asarray(data.info["run"])[chosen]
