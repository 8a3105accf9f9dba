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


def test_arrays_of_the_revised_md17(tmp_path):
    names = {"R": "coords", "z": "nuclear_charges", "E": "energies", "F": "forces"}
    np.savez(tmp_path / "co.npz", **ARRAYS)
    renamed = {names[name]: array for name, array in ARRAYS.items()}
    np.savez(tmp_path / "revised.npz", **renamed, old_indices=np.arange(2), name="CO")
    (X, energy, forces), (Y, energy_too, forces_too) = (
        read_labelled(tmp_path / name) for name in ("co.npz", "revised.npz")
    )
    assert X.fingerprint() == Y.fingerprint()
    np.testing.assert_array_equal(energy, energy_too)
    np.testing.assert_array_equal(forces, forces_too)


def with_nan(array):
    array = np.array(array, dtype=float)
    array[(1, *[0] * (array.ndim - 1))] = np.nan
    return array


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"E": None}, "has no array E or energies; there are: R, z, F"),
        ({"z": None, "F": None}, "has no array z or nuclear_charges, F or forces; there are: R, E"),
        (
            {"F": np.zeros((2, 3, 3))},
            r"F must have shape \(2, 2, 3\), to go with R of .*3, 3\)",
        ),
        ({"E": np.zeros(1)}, r"E must have shape \(2,\), to go with R of .*, got \(1,\)"),
        ({"z": np.array([6, 8, 1])}, r"z must have shape \(2,\), to go with R"),
        ({"R": np.zeros((2, 3))}, r"R must have shape \(n, n_atoms, 3\), got \(2, 3\)"),
        ({"z": np.array([6.0, 8.5])}, r"z must be whole numbers, got 8\.5"),
        ({"z": np.array(["C", "O"])}, "z must be numbers, got an array of <U1"),
        ({"R": with_nan(POSITIONS)}, r"configuration 1: positions must be finite, .* particle 0"),
        ({"E": np.array([1.0, np.nan])}, r"co\.npz: configuration 1 has NaN or inf.* its energy"),
        ({"F": with_nan(ARRAYS["F"])}, r"co\.npz: configuration 1 has NaN or inf.* its forces"),
        (
            {"R": POSITIONS[:0], "E": np.zeros(0), "F": POSITIONS[:0]},
            r"co\.npz holds no configuration",
        ),
    ],
)
def test_bad_arrays(tmp_path, changed, message):
    arrays = {name: value for name, value in (ARRAYS | changed).items() if value is not None}
    np.savez(tmp_path / "co.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_labelled(tmp_path / "co.npz")


def test_no_arrays_at_all(tmp_path):
    junk, pickled, single = (tmp_path / f"{name}.npz" for name in ("junk", "pickled", "single"))
    junk.write_text("nothing")
    (tmp_path / "empty.npz").touch()
    np.savez(pickled, **ARRAYS | {"E": np.array([{}, {}])})
    with open(single, "wb") as file:
        np.save(file, POSITIONS)
    for path in (junk, tmp_path / "empty.npz", pickled, single):
        with pytest.raises(ValueError, match="is no .npz file of arrays of numbers") as raised:
            read_labelled(path)
        assert "allow_pickle" not in str(raised.value)
        assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["absent.npz", "absent.extxyz"])
def test_a_file_that_is_not_there(tmp_path, name):
    pytest.importorskip("ase")
    with pytest.raises(FileNotFoundError):
        read_labelled(tmp_path / name)


@pytest.mark.parametrize("text", ["", "nothing\n", "2\n\nCu 0 0\n", "2\nx\nCu 0 0 0\n"])
@pytest.mark.parametrize("ending", ["xyz", "extxyz"])
def test_junk_for_ase(tmp_path, text, ending):
    pytest.importorskip("ase")
    path = tmp_path / f"junk.{ending}"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"junk\.{ending} (is no file that|holds no config)"):
        read_labelled(path)


def test_gaps_in_files_of_ase(tmp_path):
    ase = pytest.importorskip("ase")
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    def refusal(energy=1.0, forces=0.0, **changes):
        atoms = ase.Atoms("Cu", **changes)
        forces = np.full((1, 3), forces)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        write(tmp_path / "gap.traj", atoms)
        with pytest.raises(ValueError, match=r"gap\.traj: configuration 0") as raised:
            read_labelled(tmp_path / "gap.traj")
        return str(raised.value)

    assert "NaN or infinity in its energy" in refusal(energy=np.nan)
    assert "NaN or infinity in its forces" in refusal(forces=np.inf)
    assert "pbc is set, but there is no cell" in refusal(pbc=True)


def test_files_of_ase(tmp_path):
    ase = pytest.importorskip("ase")
    from ase.calculators.emt import EMT
    from ase.io import write

    frames = []
    for cell in (None, [4.0, 4.0, 4.0]):
        atoms = ase.Atoms("CuAg", [[0, 0, 0], [0, 0, 2.5]], cell=cell, pbc=cell is not None)
        atoms.calc = EMT()
        atoms.get_forces()
        atoms.info.update(run=f"run-{len(frames)}", temperature=0.5, field=[0.0, 1.0])
        frames.append(atoms)
    write(tmp_path / "alloy.extxyz", frames)
    X, energy, forces = read_labelled(tmp_path / "alloy.extxyz")
    assert X.types.tolist() == [29, 47, 29, 47]
    assert X.periodic.all(axis=1).tolist() == [False, True]
    # Else snapshots of one run could not be kept together.
    assert X.info["run"].tolist() == ["run-0", "run-1"]
    assert X.info["temperature"].tolist() == [0.5, 0.5]
    assert sorted(X.info) == ["run", "temperature"]
    np.testing.assert_allclose(energy, [atoms.get_potential_energy() for atoms in frames])
    np.testing.assert_allclose(forces[1], frames[1].get_forces(), atol=1e-7)
    write(tmp_path / "bare.extxyz", ase.Atoms("Cu", cell=[4, 4, 4]))
    with pytest.raises(ValueError, match=r"bare\.extxyz: configuration 0 has no energy"):
        read_labelled(tmp_path / "bare.extxyz")
