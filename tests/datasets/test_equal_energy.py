from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from glassclf.configurations import Configurations
from glassclf.datasets import (
    compare_classes,
    load_equal_energy,
    load_kob_andersen,
    match_energy,
    select_rates,
)
from glassclf.datasets.equal_energy import pack_inherent, unpack_inherent
from glassclf.simulation import particle_energies


@pytest.fixture(scope="module")
def bunch():
    return load_equal_energy()


@pytest.fixture(scope="module")
def slow():
    return load_kob_andersen().data


def test_pairs(bunch):
    X, y, groups = bunch.data, bunch.target, bunch.groups
    assert len(X) >= 2 * 24
    assert y.tolist() == ["glass", "liquid"] * (len(X) // 2)
    assert set(X.info["state"]) == {"inherent"}
    assert X.info["temperature"].tolist() == [0.05, 0.8] * (len(X) // 2)
    assert X.info["cooling_steps"].tolist() == [20_000, 200_000] * (len(X) // 2)
    energy = X.info["inherent_energy"].reshape(-1, 2)
    assert np.abs(np.diff(energy)).max() <= 0.002
    assert len(set(X.info["run"])) == len(X)
    assert groups.tolist() == np.repeat(groups[::2], 2).tolist()
    assert len(set(groups)) == len(X) // 2


def test_the_energy_tells_nothing(bunch):
    comparison = compare_classes(bunch.data, bunch.target, bunch.groups)
    assert "energy" in comparison.equal
    assert comparison.energy_auc < 0.55


def test_groups_do_not_leak(bunch):
    X, y, groups = bunch.data, bunch.target, bunch.groups
    for train, test in GroupKFold(4).split(X, y, groups):
        assert not set(X.info["run"][train]) & set(X.info["run"][test])
        assert (y[test] == "glass").mean() == 0.5


def test_fast_runs(bunch):
    fast = bunch.fast_runs
    assert len(fast) == 160
    assert len(set(fast.info["run"])) == 128
    assert fast.info["run"][0] == "ka2d-N1080-c20000-s20262-000"
    assert fast.info["temperature"].tolist() == [0.401, 0.05] * 32 + [0.05] * 96
    assert set(fast.info["state"]) == {"inherent"}
    assert set(fast.n_particles) == {1080}
    assert np.bincount(fast[0].types).tolist() == [702, 378]
    np.testing.assert_allclose(fast.cells[:, 0, 0] ** 2 * 1.2, 1080)
    glasses = fast.info["temperature"] == 0.05
    assert fast.info["inherent_energy"][glasses].mean() == pytest.approx(-3.663, abs=0.005)
    measured = fast.info["measured_temperature"]
    assert measured[glasses].mean() == pytest.approx(0.05, rel=0.06)
    assert measured[~glasses].mean() == pytest.approx(0.401, rel=0.02)


def test_fast_and_slow_runs_share_no_melt(bunch, slow):
    # Hot and fast runs of one melt would still be alike; these are as far apart as any two.
    hot = slow[(slow.info["state"] == "inherent") & (slow.info["temperature"] == 1.95)]
    glasses = bunch.fast_runs[bunch.fast_runs.info["temperature"] == 0.05]
    fast = glasses.positions.reshape(128, -1)
    every = np.concatenate([fast, hot.positions.reshape(32, -1)])
    length = slow.cells[0, 0, 0]
    for i in range(len(every)):
        distance = every[:i] - every[i]
        distance -= length * np.rint(distance / length)
        assert i == 0 or np.abs(distance).mean(axis=1).min() > 0.2 * length


@pytest.mark.parametrize("index", [0, 1, 159])
def test_stored_energy_is_that_of_the_decoded_positions(bunch, index):
    fast = bunch.fast_runs
    (energies,) = particle_energies(fast[[index]])
    assert energies.mean() == pytest.approx(fast.info["inherent_energy"][index], abs=1e-5)


def test_one_set_with_the_slow_runs(bunch, slow):
    assert set(bunch.fast_runs.info) == set(slow.info)
    both = Configurations.concatenate([bunch.fast_runs, slow])
    X, y, groups = match_energy(both)
    np.testing.assert_array_equal(X.positions, bunch.data.positions)
    np.testing.assert_array_equal(groups, bunch.groups)
    _, y, _ = select_rates(both, temperature=0.401)
    assert len(y) == 64


def test_bunch(bunch):
    assert set(bunch) == {
        "data",
        "target",
        "groups",
        "fast_runs",
        "DESCR",
        "units",
        "filename",
    }
    assert "random_state=20262" in bunch.DESCR
    assert bunch.units["positions"] == "sigma_AA"
    assert Path(bunch.filename).stat().st_size < 1.1e6


def test_packing_keeps_everything_but_the_last_digits(bunch):
    few = bunch.fast_runs[:6]
    unpacked = unpack_inherent(pack_inherent(few))
    np.testing.assert_array_equal(unpacked.positions, few.positions)
    np.testing.assert_array_equal(unpacked.types, few.types)
    np.testing.assert_array_equal(unpacked.offsets, few.offsets)
    np.testing.assert_array_equal(unpacked.cells, few.cells)
    assert set(unpacked.info) == set(few.info)
    for name, values in few.info.items():
        np.testing.assert_array_equal(unpacked.info[name], values)
