"""Models to save; what the tests share is imported by name."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from glassclf.featurizers import BondOrderFeaturizer, RDFFeaturizer
from glassclf.testing import two_phases

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def phases():
    """Configurations, labels and runs."""
    return two_phases(n_runs=6)


@pytest.fixture(scope="session")
def table():
    """Rows of numbers with three string labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    return X, np.array(["gas", "glass", "liquid"])[np.arange(60) % 3]


@pytest.fixture(scope="session")
def union():
    """RDF and bond order side by side, before a support vector machine."""
    features = FeatureUnion(
        [
            ("rdf", RDFFeaturizer(r_max=2.0, n_bins=20)),
            ("order", make_pipeline(BondOrderFeaturizer(orders=(4, 6)), StandardScaler())),
        ]
    )
    return make_pipeline(features, SVC(C=2.0))


@pytest.fixture
def baseline():
    return make_pipeline(RDFFeaturizer(n_bins=10), StandardScaler(), LogisticRegression())
