"""Metrics of bonds on graphs that can be counted by hand, and against a plain twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.featurizers import GraphFeaturizer
from glassclf.inspection import attention, bond_metrics
from glassclf.testing import noisy_lattice

# A - B   B - B - A   A   B, one unit apart within a group.
ROW = np.array([[1, 1], [2, 1], [5, 1], [6, 1], [7, 1], [10, 1], [13, 1]], dtype=float)
TYPES = [0, 1, 1, 1, 0, 0, 1]


@pytest.fixture
def row():
    return GraphFeaturizer(r_max=1.5).fit_transform([(ROW, TYPES, [50.0, 50.0])])


def as_lists(metrics):
    return {name: values.tolist() for name, values in metrics.items()}


def test_metrics_of_a_row_of_particles(row):
    expected = {"n_subgraphs": [2], "n_bb_bonds": [1], "n_isolated_a": [1], "n_isolated_b": [1]}
    assert as_lists(bond_metrics(row)) == expected
    # The other type takes the part of B.
    expected = {"n_subgraphs": [2], "n_bb_bonds": [0], "n_isolated_a": [2], "n_isolated_b": [1]}
    assert as_lists(bond_metrics(row, kind=0)) == expected


def test_only_bonds_above_the_quantile_count(row):
    # Bonds in the order of their source: 0-1, 1-0, 2-3, 3-2, 3-4, 4-3.
    scores = [np.array([9.0, 0, 0, 0, 0, 0])]
    expected = {"n_subgraphs": [1], "n_bb_bonds": [0], "n_isolated_a": [2], "n_isolated_b": [3]}
    assert as_lists(bond_metrics(row, scores, quantile=0.8)) == expected
    none = {"n_subgraphs": [0], "n_bb_bonds": [0], "n_isolated_a": [3], "n_isolated_b": [4]}
    assert as_lists(bond_metrics(row, scores, quantile=1.0)) == none


@given(seed=st.integers(0, 10**6), r_max=st.floats(0.5, 1.6))
def test_metrics_are_those_of_a_plain_search(seed, r_max):
    configuration = noisy_lattice(None, n_cells=(5, 5), random_state=seed)
    types = configuration.types
    bonded = np.zeros((25, 25), dtype=bool)
    for i in range(25):
        for j in range(25):
            step = configuration.positions[i] - configuration.positions[j]
            step -= configuration.box * np.round(step / configuration.box)
            bonded[i, j] = i != j and np.linalg.norm(step) <= r_max
    touching = bonded & ((types[:, None] == 1) | (types == 1))
    unseen, n_parts = set(np.flatnonzero(touching.any(axis=1)).tolist()), 0
    inside = set(unseen)
    while unseen:
        n_parts += 1
        pending = [unseen.pop()]
        while pending:
            near = set(np.flatnonzero(touching[pending.pop()]).tolist()) & unseen
            unseen -= near
            pending += near
    outside = set(range(25)) - inside
    metrics = bond_metrics(GraphFeaturizer(r_max=r_max).fit_transform([configuration]))
    assert metrics.n_subgraphs[0] == n_parts
    assert metrics.n_bb_bonds[0] == bonded[types == 1][:, types == 1].sum() / 2
    assert metrics.n_isolated_a[0] == sum(types[i] == 0 for i in outside)
    assert metrics.n_isolated_b[0] == sum(types[i] == 1 for i in outside)


def test_bonds_by_attention(attentive, phases):
    graphs = attentive[0].transform(phases[0])
    some = bond_metrics(graphs, attention(attentive, phases[0]).bonds, quantile=0.8)
    everything = bond_metrics(graphs)
    assert (some.n_bb_bonds < everything.n_bb_bonds).all()
    assert (some.n_isolated_a >= everything.n_isolated_a).all()


def test_bad_input_is_refused(row):
    with pytest.raises(TypeError, match="graphs must be Graphs, got list"):
        bond_metrics([row])
    with pytest.raises(ValueError, match="quantile must be between 0 and 1, got 90"):
        bond_metrics(row, quantile=90)
    with pytest.raises(ValueError, match=r"expected lengths \[6\], got \[5\]"):
        bond_metrics(row, [np.zeros(5)])
    with pytest.raises(ValueError, match=r"kind must be one of the types \[0, 1\], got 7"):
        bond_metrics(row, kind=7)
    three = GraphFeaturizer(r_max=1.5).fit_transform([(ROW, [0, 1, 2, 1, 0, 0, 1], [50.0, 50.0])])
    with pytest.raises(ValueError, match=r"give kind, the type called B, one of \[0, 1, 2\]"):
        bond_metrics(three)


def test_what_cannot_be_counted(row):
    with pytest.raises(ValueError, match="scores of graph 0 must be finite"):
        bond_metrics(row, [np.full(6, np.nan)])
    lazy = GraphFeaturizer(r_max=1.5, lazy=True).fit_transform([(ROW, TYPES, [50.0, 50.0])])
    with pytest.raises(TypeError, match="got LazyGraphs: graphs.compute"):
        bond_metrics(lazy)
    assert as_lists(bond_metrics(lazy.compute(range(1)))) == as_lists(bond_metrics(row))
    assert bond_metrics(row[:0]).n_subgraphs.shape == (0,)
