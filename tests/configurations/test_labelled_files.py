"""Energies and forces from files: what ASE writes, and arrays as of MD17."""

import numpy as np
import pytest

from glassclf.configurations import read_labelled

POSITIONS = np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]], [[0.0, 0.0, -3.0], [0.0, 0.2, -1.8]]])
ARRAYS = {
    "R": POSITIONS,
    "z": np.array([6, 8]),
    "E": np.array([[-100.0], [-90.0]]),
    "F": np.arange(12.0).reshape(2, 2, 3),
}


def test_arrays_of_md17(tmp_path):
    np.savez(tmp_path / "co.npz", **ARRAYS)
    X, energy, forces = read_labelled(tmp_path / "co.npz")
    assert X.types.tolist() == [6, 8, 6, 8]
    assert not X.periodic.any()
    # 1 kcal/mol is 43.364 meV.
    np.testing.assert_allclose(energy, [-4.33641, -3.90277], atol=1e-5)
    np.testing.assert_allclose(forces[1][1], np.array([9.0, 10.0, 11.0]) * 0.0433641, rtol=1e-6)
    for one, positions in zip(X, POSITIONS):
        np.testing.assert_allclose(np.diff(one.positions, axis=0), np.diff(positions, axis=0))
        assert (one.positions > 0).all()
        assert (one.positions < one.box).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"E": None}, "has no array E"),
        ({"z": None, "F": None}, "has no array z or nuclear_charges, F"),
        ({"F": np.zeros((2, 3, 3))}, r"R and F must have shape \(2, 2, 3\), as of E and z, got"),
    ],
)
def test_bad_arrays(tmp_path, changed, message):
    arrays = {name: value for name, value in (ARRAYS | changed).items() if value is not None}
    np.savez(tmp_path / "co.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_labelled(tmp_path / "co.npz")


def test_no_arrays_at_all(tmp_path):
    (tmp_path / "co.npz").write_text("nothing")
    with pytest.raises(ValueError, match=r"co\.npz is no file of numpy arrays"):
        read_labelled(tmp_path / "co.npz")


def test_files_of_ase(tmp_path):
    ase = pytest.importorskip("ase")
    from ase.calculators.emt import EMT
    from ase.io import write

    frames = []
    for cell in (None, [4.0, 4.0, 4.0]):
        atoms = ase.Atoms("CuAg", [[0, 0, 0], [0, 0, 2.5]], cell=cell, pbc=cell is not None)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(atoms)
    write(tmp_path / "alloy.extxyz", frames)
    X, energy, forces = read_labelled(tmp_path / "alloy.extxyz")
    assert X.types.tolist() == [29, 47, 29, 47]
    assert X.periodic.all(axis=1).tolist() == [False, True]
    np.testing.assert_allclose(energy, [atoms.get_potential_energy() for atoms in frames])
    np.testing.assert_allclose(forces[1], frames[1].get_forces(), atol=1e-7)
    write(tmp_path / "bare.extxyz", ase.Atoms("Cu", cell=[4, 4, 4]))
    with pytest.raises(ValueError, match=r"bare\.extxyz: configuration 0 has no energy"):
        read_labelled(tmp_path / "bare.extxyz")
