import numpy as np
import pytest

from glassclf.testing import graded_disorder, noisy_lattice, two_phases
from glassclf.testing.samples import as_triples, without_info


@pytest.mark.parametrize("n_cells", [(6, 7), (3, 4, 5)])
def test_lattice_without_noise_has_particles_one_apart(n_cells):
    one = noisy_lattice(0.0, n_cells=n_cells)
    assert one.n_particles == np.prod(n_cells) == np.prod(one.box)
    differences = one.positions[:, None] - one.positions[None]
    distances = np.linalg.norm(differences, axis=-1)
    assert distances[distances > 0].min() == pytest.approx(1.0)


def test_every_type_occurs():
    one = noisy_lattice(None, types=(2, 5, 7), random_state=3)
    types, counts = np.unique(one.types, return_counts=True)
    assert types.tolist() == [2, 5, 7]
    assert counts[0] == 27


@pytest.mark.parametrize("make", [two_phases, graded_disorder])
def test_sets_are_seeded_and_grouped_by_run(make):
    X, y, groups = make(n_runs=3)
    again, _, _ = make(n_runs=3)
    other, _, _ = make(n_runs=3, random_state=1)
    np.testing.assert_array_equal(X.positions, again.positions)
    assert not np.array_equal(X.positions, other.positions)
    assert len(X) == len(y) == len(groups) == 6
    np.testing.assert_array_equal(np.unique(groups, return_counts=True)[1], 2)
    np.testing.assert_array_equal(X.info["run"], groups)


def test_phases_in_three_dimensions():
    X, _, _ = two_phases(n_runs=1, n_dims=3)
    assert X.n_dims == 3
    assert X.n_particles.tolist() == [216, 216]


def test_other_forms_hold_the_same_particles():
    X, _, _ = two_phases(n_runs=1)
    assert without_info(X).info == {}
    for (positions, types, box), one in zip(as_triples(X), X):
        np.testing.assert_array_equal(positions, one.positions)
        np.testing.assert_array_equal(types, one.types)
        np.testing.assert_array_equal(box, one.box)
