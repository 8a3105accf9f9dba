"""Molecular dynamics with fitted potentials: the way to ASE."""

import functools
import numbers

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations import Configuration, Configurations, volume
from glassclf.estimators.kept_pairs import KeptPairs, configuration_of, types_of
from glassclf.estimators.labels import PotentialMixin

# Thickness of the empty slab that ASE wants around a plane.
THICKNESS = 10.0
# Of the elements that ASE knows.
HEAVIEST = 118


def as_ase_calculator(estimator, *, skin=0.3):
    """Make a calculator of ASE out of a fitted potential.

    Energies, forces and stress have the units of the training. Trained in eV and angstrom, they
    are those of ASE. In reduced units (sigma = eps = m = k_B = 1) ASE works as it is, with masses
    of 1: the unit of time of ASE is then that of Lennard-Jones, a time step is ``timestep=0.005``,
    and a temperature T is ``temperature_K=T / ase.units.kB``.

    Parameters
    ----------
    estimator : PotentialRegressor or PairSplineRegressor
        Fitted.
    skin : float, default=0.3
        Neighbours are kept up to ``r_max + skin`` and searched anew when a particle has moved by
        half the skin, in units of the positions. It does not change the result.

    Returns
    -------
    calculator : ase.calculators.calculator.Calculator
        With "energy", "free_energy" and "forces"; in three dimensions "stress" as well, where the
        box is periodic in all directions. ``n_searches`` counts the searches for neighbours. Types
        are ``atoms.arrays["types"]`` where present, else atomic numbers; either may change between
        calls, as in a swap. It warns, once, of particles that are closer than any in the training,
        and raises ValueError for particles at the same place, unknown types, or atoms whose number
        of dimensions is not that of the potential.

    Raises
    ------
    TypeError
        If the estimator is no potential.
    ValueError
        If the skin is negative.
    ImportError
        If ASE is missing: ``pip install "glassclf[io]"``.

    See Also
    --------
    as_ase_atoms : Configurations in two dimensions for it.

    Examples
    --------
    >>> import numpy as np
    >>> from ase.md.verlet import VelocityVerlet
    >>> from glassclf.configurations import Configuration
    >>> from glassclf.estimators import PairSplineRegressor, as_ase_atoms, as_ase_calculator
    >>> distances = np.linspace(1.0, 2.0, 40)
    >>> X = [([[4.0, 5.0], [4.0 + r, 5.0]], [0, 0], [10.0, 10.0]) for r in distances]
    >>> model = PairSplineRegressor(r_max=2.0).fit(X, (2.0 - distances) ** 3)
    >>> atoms = as_ase_atoms(Configuration(*X[20]))
    >>> atoms.calc = as_ase_calculator(model)
    >>> VelocityVerlet(atoms, timestep=0.005).run(100)
    True
    >>> bool(atoms.get_distance(0, 1) > distances[20])
    True
    """
    if not isinstance(estimator, PotentialMixin):
        raise TypeError(
            "estimator must be a PotentialRegressor or a PairSplineRegressor, such as "
            "pipeline[-1] or search.best_estimator_, got " + type(estimator).__name__
        )
    estimator._check_fitted()
    if not isinstance(skin, numbers.Real) or isinstance(skin, bool) or not 0 <= skin < np.inf:
        raise ValueError(f"skin must be 0 or a positive number, got {skin!r}")
    return _calculator_class()(estimator, float(skin))


@functools.cache
def _calculator_class():
    """Class of the calculators, made when ASE is asked for: it is no dependency."""
    base = import_extra("ase.calculators.calculator", "io", "a calculator for ASE")

    class FittedPotential(base.Calculator):
        implemented_properties = ["energy", "free_energy", "forces", "stress"]

        def __init__(self, potential, skin):
            super().__init__()
            self.kept = KeptPairs(potential, skin)

        @property
        def n_searches(self):
            return self.kept.n_searches

        def check_state(self, atoms, tol=1e-15):
            # ASE looks at numbers alone: a swap of types would leave the energy as it was.
            changes = super().check_state(atoms, tol)
            if self.atoms is not None and not np.array_equal(types_of(self.atoms), types_of(atoms)):
                changes.append("types")
            return changes

        def calculate(self, atoms=None, properties=("energy",), system_changes=base.all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results = _results(self.kept, self.atoms)

    return FittedPotential


def _results(kept, atoms):
    """Everything at once, in the form of ASE."""
    n_dims = kept.potential.n_dims_
    now = configuration_of(atoms, n_dims)
    energy, forces, virial = kept.respond(now)
    results = {"energy": float(energy), "free_energy": float(energy)}
    results["forces"] = np.pad(forces, ((0, 0), (0, 3 - n_dims)))
    if n_dims == 3 and now.periodic.all():
        stress = (virial + virial.T) / (2 * volume(now.cell))
        # xx, yy, zz, yz, xz, xy.
        results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return results


def as_ase_atoms(configuration, *, mass=1.0):
    """Make atoms of ASE out of a configuration, for dynamics.

    In two dimensions the cell gets an empty direction z, which does not repeat, and a constraint
    keeps the particles in their plane: thermostats that kick all three components then do no harm,
    and the temperature counts two degrees of freedom.

    Parameters
    ----------
    configuration : Configuration
        In 2 or 3 dimensions.
    mass : float or None, default=1.0
        Of every particle, as in reduced units. None: those of the elements, where types are atomic
        numbers.

    Returns
    -------
    atoms : ase.Atoms
        With the types in ``arrays["types"]``, and as atomic numbers.

    Raises
    ------
    TypeError
        If it is no Configuration.
    ValueError
        If the mass is not positive, or not one number; or if it is None, and a type is no element.
    ImportError
        If ASE is missing: ``pip install "glassclf[io]"``.

    Examples
    --------
    >>> from glassclf.configurations import Configuration
    >>> from glassclf.estimators import as_ase_atoms
    >>> atoms = as_ase_atoms(Configuration([[0.5, 0.5], [1.5, 0.5]], [0, 1], [4.0, 4.0]))
    >>> atoms.pbc.tolist(), int(atoms.get_number_of_degrees_of_freedom())
    ([True, True, False], 4)
    """
    if not isinstance(configuration, Configuration):
        is_set = isinstance(configuration, Configurations)
        got = f"a set of {len(configuration)}: pass one of them, such as X[0]" if is_set else ""
        raise TypeError(
            f"configuration must be a Configuration, got {got or type(configuration).__name__}"
        )
    if mass is not None:
        _check_mass(mass)
    elif configuration.types.max() > HEAVIEST:
        raise ValueError(
            f"mass=None takes the masses of elements, and type {configuration.types.max()} is no "
            "atomic number: give a mass"
        )
    ase = import_extra("ase", "io", "dynamics with ASE")
    n_particles, n_dims = configuration.positions.shape
    positions, cell = np.zeros((n_particles, 3)), np.diag([THICKNESS] * 3)
    positions[:, :n_dims] = configuration.positions
    cell[:n_dims, :n_dims] = configuration.cell
    periodic = np.append(configuration.periodic, False)[:3]
    atoms = ase.Atoms(numbers=configuration.types, positions=positions, cell=cell, pbc=periodic)
    atoms.set_array("types", configuration.types)
    if mass is not None:
        atoms.set_masses(np.full(n_particles, float(mass)))
    if n_dims == 2:
        constraints = import_extra("ase.constraints", "io", "dynamics with ASE")
        plane = constraints.FixCartesian(np.arange(n_particles), mask=(False, False, True))
        atoms.set_constraint(plane)
    return atoms


def _check_mass(mass):
    is_number = isinstance(mass, numbers.Real) and not isinstance(mass, bool)
    if not is_number or not 0 < mass < np.inf:
        raise ValueError(
            "mass must be one positive number, or None for those of the elements; others are set "
            f"by atoms.set_masses, got {mass!r}"
        )
