"""Molecules: elements as types, open boundaries, eV and angstrom, trajectories of ASE."""

import numpy as np
import pytest

from glassclf.configurations import read_labelled
from glassclf.estimators import PairSplineRegressor, PotentialRegressor, as_ase_calculator

pytest.importorskip("ase")
from ase import units
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.io import read, write
from ase.md.verlet import VelocityVerlet

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:particles of types",
    "ignore:two particles are",
)


@pytest.fixture(scope="module")
def ethanol(tmp_path_factory):
    """Ethanol near its rest position, with energies and forces of ASE's own calculator."""
    rng = np.random.RandomState(0)
    frames = []
    for _ in range(40):
        atoms = molecule("CH3CH2OH")
        atoms.positions += 0.03 * rng.standard_normal(atoms.positions.shape)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(atoms)
    path = tmp_path_factory.mktemp("ethanol") / "ethanol.extxyz"
    write(path, frames)
    return read_labelled(path)


def test_elements_are_types(ethanol):
    X, energy, forces = ethanol
    assert np.unique(X.types).tolist() == [1, 6, 8]
    # Between the shells of a molecule are distances that no pair has, or one of a few.
    model = PairSplineRegressor(r_max=4.0).fit(X[:30], energy[:30], forces=forces[:30])
    error = np.concatenate(model.predict_forces(X[30:])) - np.concatenate(forces[30:])
    assert error.std() < 0.1 * np.concatenate(forces[30:]).std()


def test_dynamics_writes_a_trajectory(ethanol, tmp_path):
    X, energy, forces = ethanol
    model = PotentialRegressor(
        r_max=4.0, hidden_size=8, max_epochs=5, pair_prior=True, random_state=0
    )
    model.fit(X, energy, forces=forces)
    atoms = molecule("CH3CH2OH")
    atoms.calc = as_ase_calculator(model)
    path = tmp_path / "run.traj"
    run = VelocityVerlet(atoms, timestep=0.2 * units.fs, trajectory=str(path), loginterval=5)
    run.run(20)
    frames = read(path, ":")
    assert len(frames) == 5
    assert frames[-1].get_potential_energy() == pytest.approx(atoms.get_potential_energy())
    boxed = atoms.copy()
    boxed.center(vacuum=2.0)
    expected = atoms.get_potential_energy()
    np.testing.assert_allclose(model.predict([atoms, boxed]), expected, rtol=1e-4)


def test_planar_molecules_without_a_cell():
    stretched = []
    for length in np.linspace(0.9, 1.1, 20):
        atoms = molecule("H2O")
        atoms.rotate(90, "y")
        atoms.positions[:, 2] = 0.0
        atoms.set_distance(0, 1, length, fix=0)
        stretched.append(atoms)
    energy = [10 * (atoms.get_distance(0, 1) - 1.0) ** 2 for atoms in stretched]
    model = PairSplineRegressor(r_max=3.0, n_splines=10).fit(stretched, energy)
    np.testing.assert_allclose(model.predict(stretched), energy, atol=1e-3)
    atoms = stretched[3].copy()
    atoms.calc = as_ase_calculator(model)
    assert atoms.get_potential_energy() == pytest.approx(model.predict([atoms])[0])
