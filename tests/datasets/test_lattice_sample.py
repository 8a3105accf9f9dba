"""The bundled lattice snapshots, and how they are packed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassclf.configurations import Lattices
from glassclf.datasets import load_persistent_exclusion, make_persistent_exclusion
from glassclf.datasets.lattice_sample import pack_lattices, unpack_lattices

SITES = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)),
    elements=st.integers(0, 4),
)


@given(sites=SITES)
def test_packing_loses_nothing(sites):
    X = Lattices(sites, {"run": np.arange(len(sites)).astype(str)})
    again = unpack_lattices(pack_lattices(X))
    assert np.array_equal(again.sites, sites)
    assert again.info["run"].tolist() == X.info["run"].tolist()


def test_bundled_snapshots_are_those_that_can_be_made_again():
    bunch = load_persistent_exclusion()
    assert len(bunch.data) == len(bunch.target) == len(bunch.groups) == 1200
    assert np.unique(bunch.groups, return_counts=True)[1].tolist() == [15] * 80
    # A run is at one rate.
    for run in np.unique(bunch.groups):
        assert len(set(bunch.target[bunch.groups == run])) == 1
    assert "Sepulveda" in bunch.DESCR
    again = make_persistent_exclusion(
        0.5, 0.15, n_snapshots=15, random_state=20260, verbose=0
    )  # the last rate: its runs are short
    same = bunch.data[bunch.groups == again.info["run"][0]]
    assert same.fingerprint() == again.fingerprint()
