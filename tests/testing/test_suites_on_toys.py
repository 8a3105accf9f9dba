from collections import Counter

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from toys import (
    MinimalFeaturizer,
    OwnParameterFeaturizer,
    ToyClassifier,
    ToyFeaturizer,
    ToyRegressor,
)

from glassclf.testing import check_configuration_estimator, check_featurizer


@pytest.mark.parametrize(
    ("check", "estimator"),
    [
        (check_featurizer, ToyFeaturizer()),
        (check_configuration_estimator, ToyClassifier()),
        (check_configuration_estimator, ToyRegressor()),
        (check_configuration_estimator, make_pipeline(ToyFeaturizer(), LogisticRegression(C=1e3))),
        (check_configuration_estimator, make_pipeline(ToyFeaturizer(), Ridge(alpha=1e-3))),
    ],
    ids=["featurizer", "classifier", "regressor", "classifier pipeline", "regressor pipeline"],
)
def test_correct_classes_pass_every_check(check, estimator):
    results = check(estimator, on_skip=None)
    status = Counter(result["status"] for result in results)
    assert status["passed"] >= 50
    assert set(status) <= {"passed", "skipped"}


@pytest.mark.parametrize("featurizer", [MinimalFeaturizer(), OwnParameterFeaturizer()])
def test_minimal_featurizers_pass_and_need_no_names(featurizer):
    results = check_featurizer(featurizer, on_skip=None)
    reasons = {one["check_name"]: str(one["exception"]) for one in results if one["exception"]}
    assert {one["status"] for one in results} == {"passed", "skipped"}
    assert "without get_feature_names_out" in reasons["check_feature_names"]
    assert "check_set_output" not in reasons or "pandas" in reasons["check_set_output"]
