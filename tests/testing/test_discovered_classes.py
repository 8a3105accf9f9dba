"""Every featurizer and estimator of glassclf passes the whole suite."""

from collections import Counter

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, RDFFeaturizer
from glassclf.testing import all_classes, check_configuration_estimator, check_featurizer

SMALL_NETWORK = {"batch_size": 16, "lr": 0.02, "device": "cpu"}
# What keeps a suite of some 120 short fits within half a minute.
CHEAP = {
    "ImageFeaturizer": {"n_pixels": 12},
    "CNNClassifier": {"n_filters": (8,), "max_epochs": 20, **SMALL_NETWORK},
    "CNNRegressor": {"n_filters": (16,), "max_epochs": 60, **SMALL_NETWORK},
    "MPNNClassifier": {"hidden_size": 8, "n_layers": 1, "max_epochs": 10, **SMALL_NETWORK},
    "MPNNRegressor": {"hidden_size": 8, "n_layers": 1, "max_epochs": 40, **SMALL_NETWORK},
    "PairSplineRegressor": {"n_splines": 20},
    "PotentialRegressor": {
        **{"r_max": 1.6, "hidden_size": 16, "n_layers": 1, "n_radial": 10, "max_epochs": 60},
        **{"average_weights": None, **SMALL_NETWORK},
    },
}
# A search splits once more what it is given: the smallest sets of the suite leave it nothing. It
# has the suite of scikit-learn instead.
ESTIMATORS = [(name, found) for name, found in all_classes("estimator") if name != "OptunaSearch"]
FEATURIZER_OF = {
    "CNN": lambda: ImageFeaturizer(12),
    "MPNN": lambda: GraphFeaturizer(n_neighbors=6),
}


INNER = {"Classifier": LogisticRegression, "Regressor": Ridge}


def build(name, found):
    if name.startswith("Windowed"):
        inner = INNER[name.removeprefix("Windowed")]()
        return found(make_pipeline(RDFFeaturizer(r_max=1.5, n_bins=15), inner), side=3.0)
    estimator = found(**CHEAP.get(name, {}))
    for prefix, featurizer in FEATURIZER_OF.items():
        if name.startswith(prefix):
            return make_pipeline(featurizer(), estimator)
    return estimator


def assert_all_pass(results):
    status = Counter(result["status"] for result in results)
    assert status["passed"] >= 25
    assert set(status) <= {"passed", "skipped"}


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize(("name", "found"), all_classes("featurizer"))
def test_featurizer_passes_every_check(name, found):
    assert_all_pass(check_featurizer(build(name, found), on_skip=None))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "found"), ESTIMATORS)
def test_estimator_passes_every_check(name, found):
    assert_all_pass(check_configuration_estimator(build(name, found), on_skip=None))


def test_discovery_finds_both_kinds():
    names = [name for name, _ in all_classes()]
    assert names == sorted(names)
    assert {"RDFFeaturizer", "ImageFeaturizer", "GraphFeaturizer", "BondOrderFeaturizer"} <= {
        name for name, _ in all_classes("featurizer")
    }
    assert {"CNNClassifier", "CNNRegressor", "MPNNClassifier", "MPNNRegressor"} <= {
        name for name, _ in all_classes("estimator")
    }
    assert {"LatticeFeaturizer", "LatticeCorrelationFeaturizer"} == {
        name for name, _ in all_classes("lattice_featurizer")
    }
    assert {"NeighborhoodFeaturizer", "ShellAverageFeaturizer"} == {
        name for name, _ in all_classes("field_featurizer")
    }
    assert "ConfigurationFeaturizer" not in names
    assert "Graphs" not in names


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of .'estimator', 'featurizer'"):
        all_classes("x")
