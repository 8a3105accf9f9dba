"""Two classes out of films: vapour-deposited against liquid-cooled, cut to equal samples."""

from numbers import Real

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.thermodynamics.film_energies import POTENTIAL
from glassclf.thermodynamics.film_samples import cut_bulk

MATERIALS = ("vapor-deposited", "liquid-cooled")
NEEDED = ("run", "material", "state", "substrate_temperature")
TOLERANCE = 0.005
# Films of several of these are no two classes.
ONE_OF = ("substrate_temperature", "flux")


def select_films(
    data,
    substrate_temperature=None,
    *,
    state="inherent",
    n_particles=None,
    n_type_1=None,
    margin=None,
    potential=POTENTIAL,
):
    """Pick the vapour-deposited and the liquid-cooled film of every run, cut to equal samples.

    The samples come from the bulk of the films and hold exactly the same number of particles of
    each type: composition and number tell nothing. Whether the density does, is what
    :func:`composition_control` says.

    Parameters
    ----------
    data : Configurations or Bunch
        Films as :func:`make_vapor_deposited` and :func:`load_films` return them: ``info`` has
        "run", "material", "state" and "substrate_temperature".
    substrate_temperature : float, default=None
        Of the deposition, met within 0.005. None: that of all films, if there is only one.
    state : {"inherent", "thermal"}, default="inherent"
        Thermal films are told apart by whatever their temperatures differ by.
    n_particles, n_type_1 : int, default=None
        Particles of each sample, and how many of them are of type 1, as in
        :func:`~glassclf.thermodynamics.cut_bulk`.
    margin : float, default=None
        Distance from substrate and surface, as in :func:`~glassclf.thermodynamics.bulk_region`.
    potential : str, default="kob-andersen-2d-film"
        The interaction of the films, for ``info["bulk_energy"]``.

    Returns
    -------
    X : Configurations
        Run by run, in the order of ``data``: vapour-deposited, liquid-cooled, ... ``info`` as of
        :func:`~glassclf.thermodynamics.cut_bulk`.
    y : ndarray of str of shape (n,)
        "vapor-deposited" or "liquid-cooled".
    groups : ndarray of str of shape (n,)
        The run of each sample, for grouped cross-validation: a liquid-cooled film was made from the
        deposited one of its run.

    Raises
    ------
    TypeError
        If ``data`` is neither.
    ValueError
        If ``info`` lacks something, ``data`` is empty, the state or the temperature is not present,
        ``data`` mixes substrate temperatures or fluxes, a run does not have exactly one film of
        each material, or a film cannot be cut (the message names the films and says why).

    Examples
    --------
    >>> from glassclf.datasets import select_films
    >>> from glassclf.testing import toy_films
    >>> X, y, groups = select_films(toy_films(2), n_particles=100, n_type_1=35)
    >>> y.tolist()
    ['vapor-deposited', 'liquid-cooled', 'vapor-deposited', 'liquid-cooled']
    >>> groups.tolist()
    ['toy-000', 'toy-000', 'toy-001', 'toy-001']
    """
    data = _check_data(data)
    chosen = _in_state(data, state) & _at(substrate_temperature, data, state)
    for name in ONE_OF:
        _check_is_one(name, data.info, chosen)
    runs = data.info["run"]
    rows = []
    for run in dict.fromkeys(runs[chosen].tolist()):
        for material in MATERIALS:
            found = np.flatnonzero(chosen & (runs == run) & (data.info["material"] == material))
            if len(found) != 1:
                raise ValueError(
                    f"run {run!r} must have exactly one {state} film that is {material}, it has "
                    f"{len(found)}: leave such runs, or such films, out of data"
                )
            rows.append(found[0])
    X = cut_bulk(data[np.array(rows)], n_particles, n_type_1, margin=margin, potential=potential)
    return X, np.array(X.info["material"]), np.array(X.info["run"])


def _check_data(data):
    data = getattr(data, "data", data)
    if not isinstance(data, Configurations):
        raise TypeError(
            f"data must be a Configurations or the Bunch of load_films, got {type(data).__name__}"
        )
    lacking = [name for name in NEEDED if name not in data.info]
    if lacking:
        raise ValueError(f"data.info must have {list(NEEDED)}, it lacks {lacking}")
    if not len(data):
        raise ValueError("data is empty: there is no film to choose from")
    return data


def _in_state(data, state):
    in_state = data.info["state"] == state
    if not np.any(in_state):
        present = np.unique(data.info["state"]).tolist()
        raise ValueError(f"state must be one of those in data, {present}, got {state!r}")
    return in_state


def _at(temperature, data, state):
    if temperature is None:
        return np.ones(len(data), dtype=bool)
    if not isinstance(temperature, Real) or isinstance(temperature, bool):
        raise ValueError(f"substrate_temperature must be a number or None, got {temperature!r}")
    temperatures = data.info["substrate_temperature"]
    near = np.abs(temperatures - temperature) <= TOLERANCE
    in_state = data.info["state"] == state
    if not (near & in_state).any():
        present = np.unique(temperatures[in_state]).tolist()
        raise ValueError(
            f"substrate_temperature={temperature} is not one of those of data, {present}"
        )
    return near


def _check_is_one(name, info, chosen):
    present = np.unique(info[name][chosen]).tolist() if name in info else []
    if len(present) > 1:
        advice = (
            f"choose one by substrate_temperature={present[0]}"
            if name == "substrate_temperature"
            else f'choose one, such as data[data.info["{name}"] == {present[0]}], '
            f'of a Bunch data.data[data.data.info["{name}"] == {present[0]}]'
        )
        raise ValueError(f"data mixes films of {name}={present}: {advice}")
