"""Histograms of Voronoi cells: known lattices, and what separates phases."""

import numpy as np
import pytest
from scipy.special import sph_harm_y
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configuration, voronoi_cells
from glassclf.featurizers import LocalStructureFeaturizer
from glassclf.featurizers.local_structure import measure_cells
from glassclf.testing import noisy_lattice, two_phases


def triangular(n=6):
    a, b = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    positions = np.column_stack([(a + 0.5 * (b % 2)).ravel(), (b * np.sqrt(0.75)).ravel()])
    return Configuration(positions, np.zeros(n * n, int), [n, n * np.sqrt(0.75)])


def test_triangular_lattice_is_perfectly_ordered():
    counts, areas, orders = measure_cells(triangular(), kind=0)
    assert np.array_equal(counts, np.full((36, 2), 6))
    assert np.allclose(areas, np.sqrt(0.75))
    assert np.allclose(orders, 1)


def test_close_packed_crystal_has_the_published_order():
    base = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    shifts = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 1, 3)
    positions = (base + shifts).reshape(-1, 3)
    counts, volumes, orders = measure_cells(Configuration(positions, [0] * 108, [3.0] * 3), kind=1)
    assert np.array_equal(counts, np.tile([12, 0], (108, 1)))
    assert np.allclose(volumes, 0.25)
    # Steinhardt, Nelson and Ronchetti, Phys. Rev. B 28, 784 (1983), fig. 2.
    assert np.allclose(orders, 0.575, atol=5e-4)


@pytest.mark.parametrize("n_cells", [(6, 7), (4, 4, 4)])
def test_measures_are_those_of_a_loop_over_particles(n_cells):
    configuration = noisy_lattice(0.2, n_cells=n_cells)
    cells = voronoi_cells(configuration)
    counts, areas, orders = measure_cells(configuration, kind=1)
    assert np.array_equal(areas, cells.volumes)
    for particle in range(configuration.n_particles):
        mine = cells.sources == particle
        neighbors, vectors = cells.targets[mine], cells.vectors[mine]
        among = sum(configuration.types[j] == 1 for j in neighbors)
        assert counts[particle].tolist() == [len(neighbors), among]
        azimuth = np.arctan2(vectors[:, 1], vectors[:, 0])
        if len(n_cells) == 2:
            expected = abs(np.mean([np.exp(6j * angle) for angle in azimuth]))
        else:
            polar = np.arccos(vectors[:, 2] / np.linalg.norm(vectors, axis=1))
            means = [np.mean(sph_harm_y(6, m, polar, azimuth)) for m in range(-6, 7)]
            expected = np.sqrt(4 * np.pi / 13 * np.sum(np.abs(means) ** 2))
        assert orders[particle] == pytest.approx(expected)


def test_histograms_sum_to_one_for_each_type():
    X, _, _ = two_phases(n_runs=2)
    local = LocalStructureFeaturizer(n_bins=5)
    table = local.fit_transform(X)
    n = len(local.counts_)
    assert table.shape == (4, 2 * (n + 10))
    for start in (0, n + 10):
        for first, last in ((0, n), (n, n + 5), (n + 5, n + 10)):
            assert np.allclose(table[:, start + first : start + last].sum(axis=1), 1)


def test_features_are_shares_under_their_names():
    X, _, _ = two_phases(n_runs=2)
    local = LocalStructureFeaturizer(n_bins=4).fit(X)
    features = dict(zip(local.get_feature_names_out(), local.transform(X[:1])[0]))
    counts, areas, orders = measure_cells(X[0], kind=1)
    kind = X[0].types
    share = np.mean((counts[kind == 1] == [6, 2]).all(axis=1))
    assert features["neighbors_1_6_2"] == pytest.approx(share)
    assert features["psi6_0_0.375"] == np.mean((orders[kind == 0] // 0.25) == 1)
    edges = local.area_edges_[0]
    last = f"area_0_{(edges[-1] + edges[-2]) / 2:.4g}"
    assert features[last] == np.mean(areas[kind == 0] > edges[-2])


def test_names_in_three_dimensions():
    X = [noisy_lattice(0.1, n_cells=(4, 4, 4))]
    names = LocalStructureFeaturizer(n_bins=2).fit(X).get_feature_names_out()
    assert names[-1] == "Q6_1_0.75"
    assert names[-3].startswith("volume_1_")


def test_neighbourhoods_that_fit_never_saw_count_nowhere():
    local = LocalStructureFeaturizer(n_bins=3).fit([triangular()])
    table = local.transform([triangular(), noisy_lattice(0.3, n_cells=(6, 6), types=(0,))])
    assert local.counts_.tolist() == [[6, 6]]
    assert table[0, 0] == 1
    assert table[1, 0] < 0.5


def test_type_without_closed_cells_gives_zero():
    inside = noisy_lattice(0.1, n_cells=(6, 6), periodic=False)
    types = np.where(voronoi_cells(inside).closed, 0, 1)
    outside = Configuration(inside.positions, types, inside.box, periodic=False)
    local = LocalStructureFeaturizer(n_bins=3).fit([inside])
    table = local.transform([outside])[0]
    half = len(table) // 2
    assert table[half:].tolist() == [0] * half
    assert LocalStructureFeaturizer().fit([outside]).area_edges_[1].tolist()[-1] == 1.0


def test_a_set_without_closed_cells_is_refused():
    with pytest.raises(
        ValueError, match="no particle of X has a closed Voronoi cell: all are at o"
    ):
        LocalStructureFeaturizer().fit([noisy_lattice(0.1, n_cells=(2, 2), periodic=False)])


def test_phases_are_told_apart():
    X, y, groups = two_phases(n_runs=8)
    model = make_pipeline(LocalStructureFeaturizer(), LogisticRegression())
    scores = cross_val_score(model, X, y, groups=groups, cv=GroupKFold(4), scoring="roc_auc")
    assert scores.mean() > 0.95
