from pathlib import Path

import numpy as np
import pytest

from glassclf.configurations import minimum_image, pairs_within
from glassclf.datasets import load_kob_andersen
from glassclf.datasets.kob_andersen import pack_runs, unpack_runs
from glassclf.simulation.potentials import get_potential

# Energies per particle that slow, independent runs of the same protocol gave.
EXPECTED_THERMAL = {0.05: -3.65, 0.479: -3.22, 1.0: -2.69}
EXPECTED_INHERENT = {0.05: -3.697, 0.479: -3.686, 0.635: -3.671, 1.0: -3.641}


@pytest.fixture(scope="module")
def bunch():
    return load_kob_andersen()


@pytest.fixture(scope="module")
def data(bunch):
    return bunch.data


def _energy(configuration):
    potential = get_potential("kob-andersen-2d")
    pairs = pairs_within(configuration, 2.5)
    a, b = configuration.types[pairs.sources], configuration.types[pairs.targets]
    epsilon, x = potential.epsilon[a, b], potential.sigma[a, b] / pairs.distances
    cut = 1 / potential.cutoff
    energies = 4 * epsilon * (x**12 - x**6 - cut**12 + cut**6)
    return energies[x > cut].sum() / 2 / configuration.n_particles


def test_contents(data):
    assert len(data) == 832
    assert set(data.n_particles) == {1080}
    assert np.bincount(data[0].types).tolist() == [702, 378]
    assert data.periodic.all()
    np.testing.assert_allclose(data.cells[:, 0, 0] ** 2 * 1.2, 1080)
    assert len(set(data.info["run"])) == 32
    assert set(data.info["state"]) == {"thermal", "inherent"}
    assert set(data.info["cooling_steps"]) == {200_000}
    assert all(len(values) == 832 for values in data.info.values())
    assert data.info["run"][0] == "ka2d-N1080-c200000-s20261-000"
    assert data.info["potential_energy"].dtype == np.float64


def test_runs_stand_one_after_the_other_thermal_first(data):
    runs = data.info["run"].reshape(32, 26)
    assert (runs == runs[:, :1]).all()
    assert (data.info["state"].reshape(32, 2, 13)[:, 0] == "thermal").all()
    temperatures = data.info["temperature"].reshape(64, 13)
    assert (temperatures == temperatures[0]).all()
    assert (np.diff(temperatures[0]) < 0).all()


@pytest.mark.parametrize(
    ("state", "expected"), [("thermal", EXPECTED_THERMAL), ("inherent", EXPECTED_INHERENT)]
)
def test_mean_energies(data, state, expected):
    for temperature, energy in expected.items():
        chosen = (data.info["state"] == state) & (data.info["temperature"] == temperature)
        mean = data.info["potential_energy"][chosen].mean()
        assert mean == pytest.approx(energy, abs=0.02), temperature


def test_measured_temperature_is_that_of_the_thermostat(data):
    measured = data.info["measured_temperature"].reshape(32, 26).mean(axis=0)
    np.testing.assert_allclose(measured, data.info["temperature"][:26], rtol=0.03)


@pytest.mark.parametrize("index", [0, 12, 13, 25, 400, 831])
def test_stored_energy_is_that_of_the_decoded_positions(data, index):
    energy = data.info["potential_energy"][index]
    assert energy == pytest.approx(_energy(data[index]), abs=1e-5)


def test_inherent_structures_belong_to_their_snapshots(data):
    inherent = data.info["state"] == "inherent"
    np.testing.assert_array_equal(
        data.info["inherent_energy"][inherent], data.info["potential_energy"][inherent]
    )
    np.testing.assert_array_equal(
        data.info["inherent_energy"][inherent], data.info["inherent_energy"][~inherent]
    )
    glass, relaxed = data[12], data[25]
    moved = minimum_image(glass.positions - relaxed.positions, glass.cell, glass.periodic)
    assert np.sqrt((moved**2).sum(axis=1).mean()) < 0.2


def test_no_two_runs_are_alike(data):
    first = data.positions.reshape(32, 26, 1080, 2)[:, 0]
    far = [np.abs(first[i] - first[j]).max() for i in range(32) for j in range(i)]
    assert min(far) > 1.0


def test_bunch(bunch):
    assert set(bunch) == {"data", "DESCR", "units", "filename"}
    assert "Kob-Andersen" in bunch.DESCR
    assert "random_state=20261" in bunch.DESCR
    assert bunch.units["positions"] == "sigma_AA"
    assert Path(bunch.filename).stat().st_size < 5.9e6


def test_each_call_gives_data_of_its_own(data):
    other = load_kob_andersen().data
    other.positions[:] = 0
    other.info["temperature"][:] = 0
    assert data.positions.any()
    assert data.info["temperature"].all()


def test_packing_keeps_everything_but_the_last_digits(data):
    few = data[data.info["run"] <= "ka2d-N1080-c200000-s20261-001"]
    unpacked = unpack_runs(pack_runs(few))
    np.testing.assert_array_equal(unpacked.positions, few.positions)
    np.testing.assert_array_equal(unpacked.types, few.types)
    np.testing.assert_array_equal(unpacked.offsets, few.offsets)
    np.testing.assert_array_equal(unpacked.cells, few.cells)
    assert set(unpacked.info) == set(few.info)
    for name, values in few.info.items():
        np.testing.assert_array_equal(unpacked.info[name], values)
