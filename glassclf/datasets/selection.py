"""Two classes out of every cooling run, by temperature."""

import numpy as np

from glassclf.datasets.choosing import check_labels, check_runs, check_two, one_of_each_run

# Above the glass transition of every cooling rate from 2e4 steps on (0.29 to 0.41).
LIQUID_ABOVE = 0.45


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

    See Also
    --------
    compare_classes : Tells what the classes have in common, and how far the energy alone gets.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen, select_pair
    >>> X, y, groups = select_pair(load_kob_andersen(), glass=0.05, liquid=0.635)
    >>> y[:4].tolist()
    ['glass', 'liquid', 'glass', 'liquid']
    >>> X.info["temperature"][:4]
    array([0.05 , 0.635, 0.05 , 0.635])
    """
    data = check_runs(data)
    chosen = one_of_each_run(data, state, [("glass", glass), ("liquid", liquid)])
    return _run_by_run(data, chosen, ["glass", "liquid"])


def select_temperatures(data, temperatures=(1.0, 0.635), *, state="inherent", labels=None):
    """Pick two temperatures of every run: liquid against liquid, or glass against glass.

    Between two liquids there is no transition to find. A method that tells them apart as well as
    glass from liquid may be no more than a thermometer.

    Parameters
    ----------
    data : Configurations or Bunch
        As for :func:`select_pair`.
    temperatures : tuple of two floats, default=(1.0, 0.635)
        Met within 0.005.
    state : {"inherent", "thermal"}, default="inherent"
    labels : tuple of two str, default=None
        Names of the two classes. None: "T=1", "T=0.635".

    Returns
    -------
    X : Configurations
        Run by run, the first temperature before the second.
    y : ndarray of str of shape (n,)
    groups : ndarray of str of shape (n,)
        The run of each configuration.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        As :func:`select_pair`, and if the labels are not two different strings.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen, select_temperatures
    >>> X, y, groups = select_temperatures(load_kob_andersen(), (1.0, 0.635))
    >>> y[:4].tolist()
    ['T=1', 'T=0.635', 'T=1', 'T=0.635']
    """
    data = check_runs(data)
    first, second = check_two("temperatures", temperatures)
    named = [("temperatures[0]", first), ("temperatures[1]", second)]
    chosen = one_of_each_run(data, state, named)
    return _run_by_run(data, chosen, check_labels(labels, (f"T={first:g}", f"T={second:g}")))


def select_glass_and_liquids(data, glass=0.05, liquids=None, *, state="inherent"):
    """Pick one glass and liquids of several temperatures of every run.

    A method then cannot rely on what tells the glass from one liquid alone, such as the height of a
    peak at one temperature. All liquids are kept, so there are several times more of them than
    glasses: train with ``class_weight="balanced"``, and score with what does not depend on the
    ratio, such as ``scoring="roc_auc"``.

    Parameters
    ----------
    data : Configurations or Bunch
        As for :func:`select_pair`.
    glass : float, default=0.05
        Temperature of the glass, met within 0.005.
    liquids : sequence of float, default=None
        Temperatures of the liquids, met within 0.005. None: all in ``data`` above 0.45.
    state : {"inherent", "thermal"}, default="inherent"

    Returns
    -------
    X : Configurations
        Run by run: the glass, then the liquids in the order of ``liquids``, or from hot to cold.
    y : ndarray of str of shape (n,)
        "glass" or "liquid".
    groups : ndarray of str of shape (n,)
        The run of each configuration.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        As :func:`select_pair`, and if there is no liquid.

    Examples
    --------
    >>> from glassclf.datasets import load_kob_andersen, select_glass_and_liquids
    >>> X, y, groups = select_glass_and_liquids(load_kob_andersen())
    >>> X.info["temperature"][:4].tolist()
    [0.05, 1.95, 1.42, 1.0]
    >>> int((y == "glass").sum()), int((y == "liquid").sum())
    (32, 224)
    """
    data = check_runs(data)
    if liquids is None:
        present = np.unique(data.info["temperature"])[::-1]
        liquids = present[present > LIQUID_ABOVE].tolist()
    if not np.iterable(liquids) or len(liquids) == 0:
        raise ValueError(
            f"liquids must be one or more temperatures, or None for all above {LIQUID_ABOVE} in "
            f"data, got {liquids!r}"
        )
    named = [("glass", glass)]
    named += [(f"liquids[{index}]", liquid) for index, liquid in enumerate(liquids)]
    chosen = one_of_each_run(data, state, named)
    return _run_by_run(data, chosen, ["glass"] + ["liquid"] * len(liquids))


def _run_by_run(data, chosen, labels):
    n_runs, _ = chosen.shape
    chosen = chosen.ravel()
    return data[chosen], np.tile(labels, n_runs), np.asarray(data.info["run"])[chosen]
