"""Each check is failed by a class that is broken in that place, and for that reason."""

import warnings

import pytest
from estimator_faults import (
    CLASSIFIER_FAULTS,
    REGRESSOR_FAULTS,
    broken_classifier,
    broken_regressor,
)
from featurizer_faults import FEATURIZER_FAULTS, broken_featurizer
from toys import ToyClassifier, ToyRegressor

from glassclf.testing.estimator_checks import checks_for
from glassclf.testing.featurizer_checks import FEATURIZER_CHECKS
from glassclf.testing.regressor_checks import REGRESSOR_CHECKS
from glassclf.testing.runner import run_checks

NEEDED = {"check_list_of_atoms": "ase", "check_set_output": "pandas"}


def assert_fails(check, estimator, words):
    if check.__name__ in NEEDED:
        pytest.importorskip(NEEDED[check.__name__])
    with warnings.catch_warnings():
        # Constant features and swallowed NaN are what some of these are about.
        warnings.simplefilter("ignore")
        (result,) = run_checks(estimator, [check], on_fail=None, on_skip=None)
    assert result["status"] == "failed"
    with pytest.raises(Exception, match=words):
        raise result["exception"]


@pytest.mark.parametrize("check", FEATURIZER_CHECKS, ids=lambda check: check.__name__)
def test_broken_featurizer_fails(check):
    assert_fails(check, *broken_featurizer(check.__name__))


@pytest.mark.parametrize("check", checks_for(ToyClassifier()), ids=lambda check: check.__name__)
def test_broken_classifier_fails(check):
    assert_fails(check, *broken_classifier(check.__name__))


@pytest.mark.parametrize("check", REGRESSOR_CHECKS, ids=lambda check: check.__name__)
def test_broken_regressor_fails(check):
    assert_fails(check, *broken_regressor(check.__name__))


def test_every_check_has_a_broken_class():
    assert set(FEATURIZER_FAULTS) == {check.__name__ for check in FEATURIZER_CHECKS}
    assert set(CLASSIFIER_FAULTS) == {check.__name__ for check in checks_for(ToyClassifier())}
    shared = set(CLASSIFIER_FAULTS) | set(REGRESSOR_FAULTS)
    assert {check.__name__ for check in checks_for(ToyRegressor())} <= shared


def test_names_of_checks_differ_within_a_suite():
    for checks in (FEATURIZER_CHECKS, checks_for(ToyClassifier()), checks_for(ToyRegressor())):
        names = [check.__name__ for check in checks]
        assert len(set(names)) == len(names)
