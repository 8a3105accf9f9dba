"""Batches that are filled by the number of particles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.estimators import MPNNClassifier
from glassclf.estimators.batching import ArraySamples, GraphSamples, batch_ends, filled_batches
from glassclf.featurizers import GraphFeaturizer, Graphs
from glassclf.testing import noisy_lattice


class Sized:
    """Samples of some sizes, without anything in them."""

    def __init__(self, sizes):
        self.n_nodes = np.array(sizes)

    def __len__(self):
        return len(self.n_nodes)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.integers(1, 9))
def test_every_sample_once_and_no_batch_too_full(sizes, batch_size):
    samples = Sized(sizes)
    batches = list(filled_batches(samples, batch_size))
    assert np.concatenate(batches).tolist() == list(range(len(sizes)))
    limit = batch_size * np.mean(sizes)
    for rows in batches:
        assert len(rows) == 1 or samples.n_nodes[rows].sum() <= limit * (1 + 1e-12)
    # Greedy: the first sample of the next batch would have been too much.
    for rows, following in zip(batches, batches[1:]):
        assert samples.n_nodes[np.append(rows, following[0])].sum() > limit * (1 - 1e-12)


def test_all_samples_make_one_batch():
    """The mean of these sizes, times seven, is a little less than their sum."""
    assert batch_ends(np.array([48, 43, 39, 44, 18, 18, 41]), 7).tolist() == [7]


@pytest.mark.parametrize("samples", [Sized([7] * 10), ArraySamples(np.zeros((10, 1)))])
def test_equal_samples_are_counted(samples):
    assert [len(rows) for rows in filled_batches(samples, 4)] == [4, 4, 2]


def test_thousands_of_tiny_graphs_and_a_huge_one():
    """Predictions do not depend on what else is in the batch, however large."""
    small = [noisy_lattice(0.1, random_state=seed, n_cells=(4, 4)) for seed in range(8)]
    huge = noisy_lattice(0.1, n_cells=(150, 150))
    graphs = GraphFeaturizer(n_neighbors=6).fit_transform(small)
    model = MPNNClassifier(max_epochs=1, validation_fraction=None, random_state=0)
    model.fit(graphs, np.arange(8) % 2, groups=np.arange(8))
    mixed = GraphFeaturizer(n_neighbors=6).fit_transform([*small * 300, huge])
    sizes = [len(rows) for rows in filled_batches(GraphSamples(mixed, [0]), model.batch_size)]
    assert min(sizes) == 1
    assert max(sizes) > model.batch_size
    found = model.predict_proba(mixed)
    assert np.allclose(found[:8], model.predict_proba(graphs), atol=1e-5)
    assert np.allclose(found[:2400].reshape(300, 8, 2), found[:8], atol=1e-5)
    assert np.allclose(found[-1:], model.predict_proba(mixed[[2400]]), atol=1e-5)


def test_more_bonds_than_32_bits_can_count(tmp_path):
    """In files with holes, of which only what is written takes room."""
    n_before, degree = 2**31 + 4096, 2**20
    small = GraphFeaturizer(n_neighbors=2).fit_transform([noisy_lattice(0.1, n_cells=(4, 4))])
    n_nodes = -(-n_before // degree)
    n_before = n_nodes * degree

    def after_a_hole(values, n_rows):
        shape = (n_rows + len(values), *values.shape[1:])
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.dat"
        whole = np.memmap(path, dtype=values.dtype, mode="w+", shape=shape)
        whole[n_rows:] = values
        return whole

    graphs = Graphs.from_arrays(
        node_offsets=np.array([0, n_nodes, n_nodes + 16]),
        types=np.concatenate([np.zeros(n_nodes, dtype=np.int64), small.types]),
        edge_offsets=np.array([0, n_before, n_before + 32]),
        degrees=np.concatenate([np.full(n_nodes, degree, dtype=np.int32), small.degrees]),
        neighbors=after_a_hole(small.neighbors, n_before),
        vectors=after_a_hole(small.vectors, n_before),
        distances=after_a_hole(small.distances, n_before),
    )
    assert graphs.n_edges.tolist() == [n_before, 32]
    np.testing.assert_array_equal(graphs[1].neighbors, small[0].neighbors)
    batch = GraphSamples(graphs, [0]).batch(np.array([1]))
    expected = GraphSamples(small, [0]).batch(np.array([0]))
    assert batch.neighbors.equal(expected.neighbors)
    assert batch.vectors.equal(expected.vectors)
