from unittest import SkipTest

import pytest
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator
from toys import ToyClassifier, ToyFeaturizer

from glassclf.testing import check_configuration_estimator, check_featurizer
from glassclf.testing.runner import run_checks


def check_good(name, estimator):
    assert name == "ToyFeaturizer"


def check_bad(name, estimator):
    raise AssertionError("bad indeed")


def check_left_out(name, estimator):
    raise SkipTest("not today")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_results_are_those_of_scikit_learn():
    def own_results(**options):
        return run_checks(ToyFeaturizer(), [check_good], **options)

    (ours,) = own_results(on_fail=None)
    theirs = check_estimator(ToyFeaturizer(), on_fail=None, on_skip=None)[0]
    assert list(ours) == list(theirs)
    assert ours["status"] == theirs["status"] == "passed"
    assert ours["expected_to_fail_reason"] == theirs["expected_to_fail_reason"]


def test_failure_is_raised():
    with pytest.raises(AssertionError, match="bad indeed"):
        run_checks(ToyFeaturizer(), [check_bad])


def test_failure_warns():
    with pytest.warns(EstimatorCheckFailedWarning, match="check_bad"):
        (result,) = run_checks(ToyFeaturizer(), [check_bad], on_fail="warn")
    assert result["status"] == "failed"
    assert str(result["exception"]) == "bad indeed"


@pytest.mark.filterwarnings("error")
def test_failure_and_skip_are_silent_if_asked():
    results = run_checks(ToyFeaturizer(), [check_bad, check_left_out], on_fail=None, on_skip=None)
    assert [result["status"] for result in results] == ["failed", "skipped"]


def test_skip_warns():
    with pytest.warns(SkipTestWarning, match="check_left_out.*not today"):
        run_checks(ToyFeaturizer(), [check_left_out])


def test_expected_failure_is_not_raised():
    results = run_checks(
        ToyFeaturizer(),
        [check_bad, check_good],
        expected_failed_checks={"check_bad": "known", "check_good": "it is cured"},
    )
    assert [result["status"] for result in results] == ["xfail", "passed"]
    assert results[0]["expected_to_fail"]
    assert results[0]["expected_to_fail_reason"] == "known"


def test_callback_sees_every_result():
    seen = []
    results = run_checks(
        ToyFeaturizer(),
        [check_good, check_bad],
        on_fail=None,
        callback=lambda **result: seen.append(result),
    )
    assert seen == results


def test_callback_is_refused_with_raise():
    with pytest.raises(ValueError, match="callback needs on_fail='warn' or on_fail=None"):
        run_checks(ToyFeaturizer(), [check_good], callback=print)


@pytest.mark.parametrize(("parameter", "words"), [("on_fail", "'raise'"), ("on_skip", "'warn'")])
def test_unknown_option_is_refused(parameter, words):
    with pytest.raises(ValueError, match=f"{parameter} must be {words}.*got 'never'"):
        run_checks(ToyFeaturizer(), [check_good], **{parameter: "never"})


@pytest.mark.parametrize("check", [check_featurizer, check_configuration_estimator])
def test_class_is_refused(check):
    with pytest.raises(TypeError, match=r"the class ToyClassifier: pass ToyClassifier\(\.\.\.\)"):
        check(ToyClassifier)


def test_transformer_is_no_estimator():
    with pytest.raises(TypeError, match="ToyFeaturizer: check_featurizer takes transformers"):
        check_configuration_estimator(ToyFeaturizer())
