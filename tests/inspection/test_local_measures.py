"""Measures of structure on lattices whose values are known, and under symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.configurations import Configuration, as_configurations
from glassclf.inspection import mean_measures, particle_measures
from glassclf.testing import noisy_lattice

DIAMOND = np.array(
    [[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]
)


def repeated(basis, n):
    """A basis in a cell of edge 4, n times along every direction."""
    shifts = np.stack(np.meshgrid(*[np.arange(n)] * basis.shape[1]), axis=-1)
    shifts = shifts.reshape(-1, 1, basis.shape[1])
    return (basis + 4.0 * shifts).reshape(-1, basis.shape[1])


def triangular(n=6):
    rows, columns = np.divmod(np.arange(2 * n * n), n)
    x = columns + 0.5 * (rows % 2)
    return np.stack([x, rows * np.sqrt(3) / 2], axis=1), np.array([n, n * np.sqrt(3)])


def test_a_triangular_lattice_has_six_neighbours_and_no_other_order():
    positions, box = triangular()
    measures = particle_measures([(positions, np.arange(72) % 2, box)])
    assert (measures["coordination"][0] == 6).all()
    assert measures["area"][0] == pytest.approx(np.sqrt(3) / 2)
    assert measures["psi6"][0] == pytest.approx(1.0)
    total = measures["coordination_0"][0] + measures["coordination_1"][0]
    assert (total == measures["coordination"][0]).all()


def test_diamond_is_tetrahedral():
    positions = repeated(DIAMOND, 2)
    measures = mean_measures([(positions, np.zeros(64, int), [8.0] * 3)])
    assert measures["tetrahedrality_0"] == pytest.approx(1.0)
    assert measures["volume_0"] == pytest.approx(8.0)
    # Errington and Debenedetti: 0 on average where directions are at random.
    rng = np.random.RandomState(0)
    gas = (rng.uniform(0, 10, (4000, 3)), np.zeros(4000, int), [10.0] * 3)
    assert mean_measures([gas])["tetrahedrality_0"] == pytest.approx(0.0, abs=0.02)


def test_face_centred_cubic_has_the_known_orders():
    basis = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]])
    measures = mean_measures([(repeated(basis, 3), np.zeros(108, int), [12.0] * 3)])
    # Steinhardt, Nelson and Ronchetti (1983), table I, over the 12 nearest neighbours.
    assert measures["Q4_0"] == pytest.approx(0.190940, abs=1e-5)
    assert measures["Q6_0"] == pytest.approx(0.574524, abs=1e-5)


@given(seed=st.integers(0, 10**6), angle=st.floats(0, 6.28))
@settings(max_examples=20, deadline=None)
def test_measures_do_not_depend_on_how_the_box_lies(seed, angle):
    rng = np.random.RandomState(seed)
    plain = noisy_lattice(0.3, random_state=seed)
    order = rng.permutation(plain.n_particles)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = Configuration(
        ((plain.positions + rng.uniform(-3, 3, 2)) @ turn)[order],
        plain.types[order],
        plain.cell @ turn,
    )
    before, after = particle_measures([plain]), particle_measures([moved])
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_allclose(before[name][0][order], after[name][0], atol=1e-6, err_msg=name)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_cells_fill_the_box_and_neighbours_are_mutual(seed):
    configuration = noisy_lattice(0.4, random_state=seed)
    n = np.bincount(configuration.types, minlength=2)
    means = {name: values[0] for name, values in mean_measures([configuration]).items()}
    assert n @ [means["area_0"], means["area_1"]] == pytest.approx(42.0)
    # Euler: six on average; and as many bonds from A to B as from B to A.
    assert n @ [means["coordination_0"], means["coordination_1"]] == pytest.approx(6 * 42)
    assert n[0] * means["coordination_0_1"] == pytest.approx(n[1] * means["coordination_1_0"])


def test_a_cell_at_an_open_border_is_not_measured():
    configuration = noisy_lattice(0.1, periodic=False)
    measures = particle_measures([configuration])
    open_cells = np.isnan(measures["area"][0])
    assert 0 < open_cells.sum() < 42
    assert (np.isnan(measures["coordination_1"][0]) == open_cells).all()
    assert np.isfinite(measures["psi6"][0]).all()
    inner = measures["area"][0][(configuration.types == 0) & ~open_cells]
    assert mean_measures([configuration])["area_0"] == pytest.approx(inner.mean())


def test_a_configuration_without_a_type_has_no_mean_of_it():
    one_type = Configuration(noisy_lattice(0.1).positions, np.zeros(42, int), [7.0, 6.0])
    means = mean_measures([noisy_lattice(0.1), one_type])
    assert np.isnan(means["psi6_1"]).tolist() == [False, True]
    assert means["coordination_0_1"][1] == 0


def test_what_cannot_be_measured_is_named():
    few = ([[1.0, 1.0], [2.0, 2.0], [1.0, 2.0]], [0, 0, 1], [5.0, 5.0])
    with pytest.raises(ValueError, match="configuration 1: bond order over 6 .* got 3"):
        particle_measures([noisy_lattice(0.1), few])
    with pytest.raises(ValueError, match="X holds no configuration"):
        mean_measures(as_configurations([noisy_lattice(0.1)])[:0])
