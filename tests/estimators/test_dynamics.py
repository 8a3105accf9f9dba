"""Dynamics with ASE: energies, neighbours, conservation, temperature."""

import warnings

import numpy as np
import pytest

from glassclf.configurations import Configuration
from glassclf.estimators import (
    PairSplineRegressor,
    PotentialRegressor,
    as_ase_atoms,
    as_ase_calculator,
)
from glassclf.testing import labelled_lattices, noisy_lattice

pytest.importorskip("ase")
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:particles of types",
    "ignore:two particles are",
)


@pytest.fixture(scope="module")
def spline():
    X, energy, forces = labelled_lattices(20)
    return PairSplineRegressor(r_max=2.0).fit(X, energy, forces=forces)


@pytest.fixture(scope="module")
def network():
    X, energy, forces = labelled_lattices(8)
    model = PotentialRegressor(
        r_max=2.0, hidden_size=8, n_radial=10, max_epochs=20, pair_prior=True, random_state=0
    )
    return model.fit(X, energy, forces=forces)


@pytest.fixture(params=["spline", "network"])
def potential(request):
    return request.getfixturevalue(request.param)


def start(temperature=0.3, seed=5):
    atoms = as_ase_atoms(noisy_lattice(0.05, n_cells=(8, 9), random_state=seed))
    rng = np.random.RandomState(0)
    atoms.set_velocities(np.sqrt(temperature) * rng.standard_normal((len(atoms), 3)))
    return atoms


def as_configuration(atoms):
    return Configuration(
        atoms.positions[:, :2], atoms.arrays["types"], np.asarray(atoms.cell)[:2, :2]
    )


def test_it_says_what_the_estimator_says(potential):
    atoms = start()
    atoms.calc = as_ase_calculator(potential)
    one = as_configuration(atoms)
    assert atoms.get_potential_energy() == pytest.approx(potential.predict([one])[0], rel=1e-6)
    forces = atoms.get_forces(apply_constraint=False)
    np.testing.assert_allclose(forces[:, :2], potential.predict_forces([one])[0], atol=1e-3)
    assert (forces[:, 2] == 0).all()


def test_kept_neighbours_are_those_of_a_fresh_search(potential):
    atoms = start(temperature=1.0)
    atoms.calc = as_ase_calculator(potential, skin=0.4)
    run = VelocityVerlet(atoms, timestep=0.005)
    for _ in range(10):
        run.run(20)
        fresh = potential.predict_forces([as_configuration(atoms)])[0]
        scale = np.abs(fresh).max()
        np.testing.assert_allclose(atoms.get_forces()[:, :2], fresh, atol=1e-4 * scale)
    assert 1 < atoms.calc.n_searches < 60


def test_energy_is_conserved(potential):
    atoms = start()
    atoms.calc = as_ase_calculator(potential)
    energies = []
    run = VelocityVerlet(atoms, timestep=0.002)
    run.attach(lambda: energies.append(atoms.get_total_energy() / len(atoms)), interval=10)
    run.run(1000)
    kinetic = atoms.get_kinetic_energy() / len(atoms)
    assert np.std(energies) < 0.01 * kinetic
    slope = np.polyfit(np.arange(len(energies)) / 100, energies, 1)[0]
    assert abs(slope) < 0.005 * kinetic


def test_thermostat_holds_two_degrees_of_freedom(spline):
    atoms = start()
    atoms.calc = as_ase_calculator(spline)
    rng = np.random.RandomState(1)
    settings = {"temperature_K": 0.5 / units.kB, "friction": 1.0, "fixcm": False}
    run = Langevin(atoms, timestep=0.005, **settings, rng=rng)
    run.run(500)
    temperatures = []
    run.attach(lambda: temperatures.append(atoms.get_temperature() * units.kB), interval=10)
    run.run(3000)
    assert np.mean(temperatures) == pytest.approx(0.5, rel=0.1)
    assert (atoms.positions[:, 2] == 0).all()
    assert (atoms.get_velocities()[:, 2] == 0).all()
    # Two degrees of freedom: <v^2> = 2 T.
    squares = (atoms.get_velocities() ** 2).sum(axis=1).mean()
    assert squares == pytest.approx(2 * temperatures[-1], rel=0.1)


def three_dimensions():
    X, energy, forces = labelled_lattices(4, n_cells=(5, 5, 5))
    return X, PairSplineRegressor(r_max=2.0).fit(X, energy, forces=forces)


def test_stress_in_three_dimensions():
    X, model = three_dimensions()
    atoms = as_ase_atoms(X[0])
    atoms.calc = as_ase_calculator(model)
    np.testing.assert_allclose(
        atoms.get_stress(voigt=False), model.predict_stress(X[:1])[0], atol=1e-10
    )
    atoms.pbc = [True, True, False]
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()


def test_atoms_without_a_cell_and_with_elements():
    X = [Atoms("CO", [[0, 0, 0], [0, 0, r]], cell=[9, 9, 9]) for r in np.linspace(1.0, 1.5, 20)]
    energy = [(atoms.get_distance(0, 1) - 1.2) ** 2 for atoms in X]
    model = PairSplineRegressor(r_max=3.0).fit(X, energy)
    molecule = Atoms("CO", [[0, 0, 0], [0, 1.3, 0]])
    molecule.calc = as_ase_calculator(model)
    assert molecule.get_potential_energy() == pytest.approx(0.01, abs=1e-3)
    molecule.numbers[0] = 7
    with pytest.raises(ValueError, match="has particles of type 7, which fit never saw"):
        molecule.get_potential_energy()
    assert as_ase_atoms(Configuration([[0.0] * 3], [8], [9] * 3), mass=None).get_masses() > 15


def test_neighbours_are_searched_anew_in_another_box(spline):
    atoms = start()
    atoms.calc = as_ase_calculator(spline)
    atoms.get_forces()
    atoms.set_cell(atoms.cell * 1.01, scale_atoms=True)
    fresh = spline.predict([as_configuration(atoms)])[0]
    assert atoms.get_potential_energy() == pytest.approx(fresh, rel=1e-9)
    assert atoms.calc.n_searches == 2


@pytest.mark.parametrize("name", ["types", "numbers"])
def test_types_may_be_swapped_between_calls(spline, name):
    atoms = start()
    if name == "numbers":
        del atoms.arrays["types"]
    atoms.calc = as_ase_calculator(spline)
    before = atoms.get_potential_energy()
    types = atoms.arrays[name]
    a, b = np.flatnonzero(types == 0)[0], np.flatnonzero(types == 1)[0]
    types[[a, b]] = types[[b, a]]
    swapped = Configuration(atoms.positions[:, :2], types, np.asarray(atoms.cell)[:2, :2])
    after = atoms.get_potential_energy()
    assert after == pytest.approx(spline.predict([swapped])[0], rel=1e-9)
    assert after != pytest.approx(before, rel=1e-6)
    types[[a, b]] = types[[b, a]]
    assert atoms.get_potential_energy() == pytest.approx(before, rel=1e-9)


def test_types_that_appear_or_go_count_at_once(spline):
    atoms = start()
    atoms.calc = as_ase_calculator(spline)
    before = atoms.get_potential_energy()
    atoms.arrays["types"] = 1 - atoms.arrays["types"]
    assert atoms.get_potential_energy() != pytest.approx(before, rel=1e-6)
    del atoms.arrays["types"]
    assert atoms.get_potential_energy() == pytest.approx(before, rel=1e-9)


def test_atoms_must_lie_in_the_plane_of_a_potential_in_two_dimensions(spline):
    atoms = start()
    atoms.calc = as_ase_calculator(spline)
    atoms.positions[3, 2] = 5.0
    with pytest.raises(ValueError, match="two-dimensional, the atoms have z from 0 to 5: give all"):
        atoms.get_forces()
    atoms.positions[:, 2] = 5.0
    assert np.isfinite(atoms.get_potential_energy())
    atoms.pbc = True
    with pytest.raises(ValueError, match="repeat along z: set atoms.pbc = .True, True, False"):
        atoms.get_forces()


def test_a_plane_is_refused_by_a_potential_in_three_dimensions():
    X, model = three_dimensions()
    plane = as_ase_atoms(noisy_lattice(0.05, n_cells=(8, 9), random_state=5))
    plane.calc = as_ase_calculator(model)
    with pytest.raises(ValueError, match="three-dimensional, the atoms lie in a plane that do"):
        plane.get_forces()
    # Planar molecules, and layers in a tall box, are of three dimensions.
    plane.pbc = False
    assert np.isfinite(plane.get_potential_energy())
    plane.pbc = True
    plane.cell[2, 2] = 50.0
    assert np.isfinite(plane.get_potential_energy())


def test_particles_at_the_same_place(potential):
    atoms = start()
    atoms.calc = as_ase_calculator(potential)
    atoms.positions[7] = atoms.positions[3]
    with pytest.raises(ValueError, match="particles 3 and 7 of the atoms are at the same place"):
        atoms.get_forces()


@pytest.mark.filterwarnings("default:two particles are")
def test_it_warns_once_of_close_particles(spline):
    atoms = as_ase_atoms(Configuration([[4.0, 5.0], [4.4, 5.0]], [0, 0], [10.0, 10.0]))
    atoms.calc = as_ase_calculator(spline)
    with pytest.warns(
        UserWarning, match=r"two particles are 0\.4 apart, closer than any of"
    ) as seen:
        atoms.get_forces()
    # The line of the user, not one of ours or of ASE.
    assert seen[0].filename == __file__
    atoms.positions[1, 0] -= 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        atoms.get_forces()


def test_bad_input(spline):
    with pytest.raises(TypeError, match="must be a PotentialRegressor or a PairSplineReg.*got int"):
        as_ase_calculator(3)
    with pytest.raises(ValueError, match="mass=None takes the masses of elements, and type 500 is"):
        as_ase_atoms(Configuration([[0.5, 0.5]], [500], [1, 1]), mass=None)
    with pytest.raises(ValueError, match="skin must be 0 or a positive number, got -1"):
        as_ase_calculator(spline, skin=-1)
    with pytest.raises(TypeError, match="configuration must be a Configuration, got list"):
        as_ase_atoms([])
    X = labelled_lattices(2)[0]
    with pytest.raises(TypeError, match=r"got a set of 2: pass one of them, such as X\[0\]"):
        as_ase_atoms(X)
    for mass in (-1.0, 0, np.nan, True, "1", np.ones(42)):
        with pytest.raises(ValueError, match="mass must be one positive number, or None for those"):
            as_ase_atoms(X[0], mass=mass)
