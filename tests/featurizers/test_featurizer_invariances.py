"""Declared invariances, on random configurations in every kind of box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.configurations import Configuration
from glassclf.featurizers import (
    BondOrderFeaturizer,
    GraphFeaturizer,
    ImageFeaturizer,
    RDFFeaturizer,
)

FEATURIZERS = [
    RDFFeaturizer(r_max=3.5, n_bins=9),
    RDFFeaturizer(r_max=1.5, n_bins=9, partial=False),
    BondOrderFeaturizer(),
    ImageFeaturizer(7, blur=0.4),
    GraphFeaturizer(n_neighbors=4),
    GraphFeaturizer(r_max=1.5),
    GraphFeaturizer(n_neighbors=4, r_max=1.5, connect=True),
]


def moved(one, positions=None, cell=None, periodic=None):
    return Configuration(
        one.positions if positions is None else positions,
        one.types,
        one.box if cell is None else cell,
        one.periodic if periodic is None else periodic,
    )


def translate(one, rng):
    # Also out of the box: positions may be unwrapped along periodic directions.
    steps = rng.uniform(-3, 3, one.n_dims) * one.periodic
    return moved(one, one.positions + steps @ one.cell)


def permute(one, rng):
    order = rng.permutation(one.n_particles)
    return Configuration(one.positions[order], one.types[order], one.box, one.periodic)


def turn_by_90_degrees(one, rng):
    # x -> y, y -> -x, back into the box by its new width; box directions swap as the axes do.
    order = [1, 0, 2][: one.n_dims]
    turn = np.eye(one.n_dims)[:, order] * [-1, 1, 1][: one.n_dims]
    cell = (one.cell @ turn)[order]
    cell[0] = -cell[0]
    return moved(one, one.positions @ turn + cell[0], cell, one.periodic[order])


def turn(one, rng):
    rotation, _ = np.linalg.qr(rng.normal(size=(one.n_dims, one.n_dims)))
    rotation[0] *= np.linalg.det(rotation)
    return moved(one, one.positions @ rotation, one.cell @ rotation)


MOTIONS = {
    "translation": translate,
    "rotation90": turn_by_90_degrees,
    "rotation": turn,
    "permutation": permute,
}


def comparable(features):
    """Numbers that must stay: of graphs those that follow the particles."""
    if isinstance(features, np.ndarray):
        return [features]
    return [features.degrees, features.neighbors, features.vectors, features.distances]


@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=str)
@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    n_dims=st.sampled_from([2, 3]),
    periodic=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    triclinic=st.booleans(),
)
def test_declared_invariances(gas, featurizer, seed, n_dims, periodic, triclinic):
    rng = np.random.default_rng(seed)
    box = np.diag(rng.uniform(3, 6, n_dims))
    if triclinic:
        box[1, 0] = rng.uniform(-0.4, 0.4) * box[0, 0]
    one = gas(25, box, periodic=list(periodic[:n_dims]), seed=seed)[0]
    featurizer.fit([one])
    expected = comparable(featurizer.transform([one]))
    assert featurizer._invariances
    for name in featurizer._invariances:
        for before, after in zip(
            expected, comparable(featurizer.transform([MOTIONS[name](one, rng)])), strict=True
        ):
            np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5, err_msg=name)
