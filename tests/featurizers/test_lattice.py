"""Lattice snapshots as images, lazily or not, and into a network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.ensemble import VotingRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Lattices
from glassclf.datasets import make_persistent_exclusion
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import LatticeFeaturizer, LazyImages
from glassclf.inspection import regression_report

SITES = hnp.arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 4))


@given(sites=SITES)
def test_channels_are_those_of_the_sites(sites):
    images = {
        channels: LatticeFeaturizer(channels, lazy=False).fit_transform(sites)
        for channels in ("occupancy", "orientation", "vector", "grey")
    }
    occupied = sites > 0
    assert np.array_equal(images["occupancy"][:, 0], occupied)
    for channel in range(4):
        assert np.array_equal(images["orientation"][:, channel], sites == channel + 1)
    assert np.array_equal(images["grey"][:, 0] * 4, sites)
    lengths = (images["vector"] ** 2).sum(axis=1)
    assert np.array_equal(lengths, occupied)
    assert np.array_equal(images["vector"][:, 0], (sites == 1) * 1 - (sites == 3) * 1)
    assert {image.dtype for image in images.values()} == {np.dtype(np.float32)}


def test_lazy_images_carry_the_runs_and_are_those_of_an_array():
    X = make_persistent_exclusion([0.3, 0.6], 0.2, 2, shape=(8, 8), random_state=0, verbose=0)
    images = LatticeFeaturizer("orientation").fit_transform(X)
    assert isinstance(images, LazyImages)
    assert images.shape == (400, 4, 8, 8)
    assert np.array_equal(images.info["run"], X.info["run"])
    rows = [300, 2, 17]
    expected = LatticeFeaturizer("orientation", lazy=False).fit_transform(X[rows])
    assert np.array_equal(images[rows].compute([0, 1, 2]), expected)
    assert np.array_equal(images.compute(rows), expected)
    assert images.fingerprint() != LatticeFeaturizer("vector").fit_transform(X).fingerprint()


def test_a_network_learns_the_rate_and_splits_by_run():
    rates = [0.02, 0.15, 1.0]
    settings = {"n_snapshots": 16, "shape": (32, 32), "warm_up": 100, "verbose": 0}
    X = make_persistent_exclusion(rates, 0.3, 4, random_state=0, **settings)
    y = np.log2(X.info["tumbling_rate"])
    network = CNNRegressor(n_filters=(8, 16), max_epochs=15, random_state=0)
    model = make_pipeline(LatticeFeaturizer(), network)
    found = cross_val_predict(model, X, y, groups=X.info["run"], cv=GroupKFold(4))
    assert np.corrcoef(found, y)[0, 1] > 0.9
    fitted = model.fit(X, y)
    # Another lattice size is no obstacle to a network that averages over the lattice.
    larger = make_persistent_exclusion(1.0, 0.3, random_state=1, **{**settings, "shape": (48, 40)})
    assert fitted.predict(larger).mean() == pytest.approx(0.0, abs=1.5)


def test_validation_parts_hold_whole_runs():
    X = make_persistent_exclusion([0.3, 0.6], 0.2, 4, shape=(8, 8), random_state=0, verbose=0)
    network = CNNRegressor(
        n_filters=(4,), max_epochs=1, validation_fraction=0.25, augment="shifts", random_state=0
    )
    model = make_pipeline(LatticeFeaturizer(), network).fit(X, X.info["tumbling_rate"])
    assert model[-1].card_["n_groups"] == 8


def test_bad_channels_and_lattices_are_refused():
    with pytest.raises(ValueError, match="The 'channels' parameter of LatticeFeaturizer must be"):
        LatticeFeaturizer("colour").fit(np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="sites must be 0 .empty. or an orientation"):
        LatticeFeaturizer().fit(np.full((1, 2, 2), 9))
    with pytest.raises(ValueError, match="one shape"):
        LatticeFeaturizer().fit(Lattices([np.zeros((1, 2, 2)), np.zeros((1, 3, 3))]))


def test_an_ensemble_gives_an_uncertainty():
    rates = [0.02, 0.15, 1.0]
    settings = {"n_snapshots": 12, "shape": (24, 24), "warm_up": 50, "verbose": 0}
    X = make_persistent_exclusion(rates, 0.3, 3, random_state=0, **settings)
    y, run = np.log2(X.info["tumbling_rate"]), X.info["run"]
    members = [
        (str(seed), CNNRegressor(n_filters=(8, 8), max_epochs=8, random_state=seed))
        for seed in range(3)
    ]
    held_out = np.char.endswith(run, "002")
    images = LatticeFeaturizer().fit(X)
    ensemble = VotingRegressor(members).fit(images.transform(X[~held_out]), y[~held_out])
    found = ensemble.transform(images.transform(X[held_out]))
    assert found.shape == (36, 3)
    report = regression_report(y[held_out], found.mean(axis=1), std=found.std(axis=1))
    assert report.r > 0.9
    # Few members that saw the same runs are surer than they should be.
    assert report.scale > 1
    assert report.coverage[0] < report.coverage[1] < 1
