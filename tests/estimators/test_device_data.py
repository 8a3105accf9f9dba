"""Samples that live on the device of the training."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glassclf.estimators.batching import ArraySamples, GraphSamples
from glassclf.estimators.device_data import PIECE_BYTES, place_arrays, place_samples
from glassclf.featurizers import Graphs

CPU = torch.device("cpu")


@st.composite
def graph_sets(draw):
    n_nodes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    total = sum(n_nodes)
    if draw(st.booleans()):
        degrees = np.full(total, draw(st.integers(0, 3)))
    else:
        degrees = np.array(draw(st.lists(st.integers(0, 3), min_size=total, max_size=total)))
    sizes = np.repeat(np.repeat(n_nodes, n_nodes), degrees)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    neighbors = (rng.random(len(sizes)) * sizes).astype(int)
    types = rng.choice([2, 5], total)
    return Graphs(n_nodes, types, degrees, neighbors, rng.standard_normal((len(sizes), 2)))


@given(graphs=graph_sets(), data=st.data())
def test_batches_of_placed_graphs_are_those_of_graphs(graphs, data):
    samples = GraphSamples(graphs, np.array([2, 5]))
    placed = place_samples(samples, CPU)
    assert len(placed) == len(samples)
    rows = st.lists(st.integers(0, len(graphs) - 1), min_size=1, max_size=8)
    indices = np.array(data.draw(rows))
    expected, found = samples.batch(indices), placed.batch(indices)
    for field in fields(expected):
        one, other = getattr(expected, field.name), getattr(found, field.name)
        if not torch.is_tensor(one):
            assert one == other, field.name
        else:
            assert one.dtype == other.dtype, field.name
            assert torch.equal(one, other), field.name


def test_batches_of_placed_arrays_are_those_of_arrays():
    X = np.random.default_rng(0).random((9, 2, 4, 4)).astype(np.float32)
    X.flags.writeable = False  # as a memory map may be
    placed = place_samples(ArraySamples(X), CPU)
    assert len(placed) == 9
    indices = np.array([7, 0, 7])
    assert torch.equal(placed.batch(indices), ArraySamples(X).batch(indices))


@pytest.mark.filterwarnings("error")
def test_large_arrays_are_moved_in_pieces():
    # Two rows make a piece; five do not come out even.
    n = PIECE_BYTES // 4
    X = np.broadcast_to(np.arange(5, dtype=np.int16)[:, None], (5, n))
    (tensor,) = place_arrays([X], CPU)
    assert tensor[:, ::1000000].equal(torch.arange(5, dtype=torch.int16)[:, None].expand(-1, 17))


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 4)), elements=st.just(1.5)))
def test_any_shape_can_be_placed(X):
    (tensor,) = place_arrays([X], CPU)
    np.testing.assert_array_equal(tensor.numpy(), X)


def test_too_little_memory_names_the_bytes():
    # 40 TB, which no machine has; the array itself is one number.
    X = np.broadcast_to(np.float32(0), (10**7, 10**6))
    with pytest.raises(
        torch.OutOfMemoryError,
        match=r"data_device='cpu': the samples take 40,000,000,000,000 bytes; use data_device=None",
    ):
        place_samples(ArraySamples(X), CPU)


def test_samples_that_are_computed_cannot_be_placed():
    class ComputedSamples:
        pass

    with pytest.raises(TypeError, match="data_device needs samples in memory"):
        place_samples(ComputedSamples(), CPU)
