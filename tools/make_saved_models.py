"""Save the models of this version that all later ones must load, with what they predict.

    python tools/make_saved_models.py

Run once for each release; the files in tests/saved are never written again.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import glassclf
from glassclf.estimators import CNNClassifier, MPNNRegressor
from glassclf.featurizers import (
    BondOrderFeaturizer,
    GraphFeaturizer,
    ImageFeaturizer,
    RDFFeaturizer,
)
from glassclf.testing import graded_disorder, two_phases

SAVED = Path(__file__).resolve().parents[1] / "tests" / "saved"


def main():
    warnings.simplefilter("ignore")
    X, y, groups = two_phases(n_runs=4)
    disordered, disorder, _ = graded_disorder(n_runs=4)
    features = FeatureUnion(
        [("rdf", RDFFeaturizer(n_bins=10)), ("order", BondOrderFeaturizer(orders=(4, 6)))]
    )
    common = {"max_epochs": 3, "validation_fraction": 0.25, "random_state": 0}
    network = CNNClassifier(n_filters=(2, 4), **common)
    graphs = MPNNRegressor(hidden_size=4, n_layers=2, **common)
    models = {
        "baseline": make_pipeline(RDFFeaturizer(n_bins=10), StandardScaler(), LogisticRegression()),
        "union": make_pipeline(features, StandardScaler(), PCA(3), SVC()),
        "cnn": make_pipeline(ImageFeaturizer(8), network),
        "mpnn": make_pipeline(GraphFeaturizer(4), graphs),
    }
    for name, model in models.items():
        samples, target = (disordered, disorder) if name == "mpnn" else (X, y)
        model.fit(samples, target)
        path = SAVED / f"{glassclf.__version__}-{name}.safetensors"
        if path.exists():
            raise SystemExit(f"{path} is there already: this version has its files")
        SAVED.mkdir(exist_ok=True)
        glassclf.save(model, path)
        path.with_suffix(".json").write_text(json.dumps(outputs_of(model, samples)))
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


def outputs_of(model, X):
    """What the model says of its training data, by method."""
    methods = ("predict", "predict_proba", "decision_function")
    return {
        method: np.asarray(getattr(model, method)(X)).tolist()
        for method in methods
        if hasattr(model, method)
    }


if __name__ == "__main__":
    main()
