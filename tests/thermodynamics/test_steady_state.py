"""The start of the steady state, run by run."""

import numpy as np
import pytest

from glassclf.configurations import Lattices
from glassclf.datasets import make_persistent_exclusion
from glassclf.thermodynamics import cluster_measures, steady_state


def drifting(n, decay, seed):
    noise = np.random.default_rng(seed).normal(size=n)
    return 10 * np.exp(-np.arange(n) / decay) + 0.2 * noise


def test_each_run_has_its_own_start():
    values = np.concatenate([drifting(400, 8, 0), drifting(400, 40, 1)])
    runs = np.repeat(["fast", "slow"], 400)
    order = np.argsort(np.tile(np.arange(400), 2), kind="stable")
    result = steady_state(values[order], runs[order])
    assert result.runs.tolist() == ["fast", "slow"]
    assert 15 < result.start[0] < 80 < result.start[1] < 260
    assert result.mask.sum() == 800 - result.start.sum()
    assert (result.n_effective > 100).all()
    # What is left does not drift any more.
    kept = values[order][result.mask & (runs[order] == "slow")]
    assert abs(kept[:50].mean() - kept[-50:].mean()) < 0.1
    alone = steady_state(values[:400])
    assert alone.start[0] == result.start[0]


def test_a_constant_is_steady():
    result = steady_state(np.full(20, 3.0))
    assert result.mask.all()
    assert result.n_effective[0] == 1


def test_a_drift_that_does_not_end_is_told():
    values = np.r_[np.linspace(100, 0, 90), np.random.default_rng(0).normal(size=10)]
    with pytest.warns(UserWarning, match="begins at snapshot .* it may not have been reached"):
        steady_state(values)


def test_active_clusters_grow_until_they_are_steady():
    X = make_persistent_exclusion(
        0.02, 0.3, 2, shape=(40, 40), n_snapshots=150, interval=2, warm_up=0, random_state=0,
        verbose=0,
    )  # fmt: skip
    measures = cluster_measures(X)
    result = steady_state(measures.weighted_mean, X.info["run"])
    assert (result.start > 0).all()
    assert isinstance(X[result.mask], Lattices)
    first = X.info["iteration"] == 0
    assert measures.weighted_mean[result.mask].mean() > 2 * measures.weighted_mean[first].mean()


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="run 1 has 3 snapshots: give at least 10"):
        steady_state(np.arange(15.0), [0] * 12 + [1] * 3)
    with pytest.raises(ValueError, match="values must be finite, got nan for snapshot 1"):
        steady_state([1.0, np.nan] * 10)
    with pytest.raises(ValueError, match=r"one number a snapshot, got shape \(\)"):
        steady_state(None)
