from collections import Counter

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from toys import ToyClassifier, ToyFeaturizer, ToyRegressor

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
