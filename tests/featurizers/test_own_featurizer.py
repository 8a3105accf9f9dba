"""What a user's own subclass may return, leave out, and get wrong."""

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.featurizers import ConfigurationFeaturizer


def featurizer_from(featurize, **options):
    # Local classes travel to worker processes by value, as those of a notebook do.
    class Own(ConfigurationFeaturizer):
        def _featurize(self, configuration):
            return featurize(configuration)

    return Own(**options)


@pytest.fixture(scope="module")
def X(gas):
    return Configurations([gas(n_particles, [5, 6])[0] for n_particles in (8, 8, 9, 12)])


@pytest.mark.parametrize(
    ("featurize", "expected"),
    [
        (lambda one: [one.n_particles, 0.5], [[8, 0.5], [8, 0.5], [9, 0.5], [12, 0.5]]),
        (lambda one: one.n_particles / 4, [[2], [2], [2.25], [3]]),
        (lambda one: one.n_particles, [[8], [8], [9], [12]]),
        (lambda one: [[one.n_particles], [1]], [[[8], [1]], [[8], [1]], [[9], [1]], [[12], [1]]]),
    ],
    ids=["list", "float", "int", "nested"],
)
def test_numbers_and_lists_count_as_arrays(X, featurize, expected):
    features = featurizer_from(featurize).fit_transform(X)
    assert features.tolist() == expected


def test_a_later_configuration_keeps_its_fractions(X):
    # The first is an integer: an array of its type would cut the others.
    features = featurizer_from(lambda one: [one.n_particles / 4 if one.n_particles > 8 else 2])
    assert features.fit_transform(X).ravel().tolist() == [2, 2, 2.25, 3]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_features_of_unequal_shape_are_named(X, n_jobs):
    featurizer = featurizer_from(lambda one: one.positions.ravel(), n_jobs=n_jobs)
    message = (
        r"Own\._featurize must return one shape for all configurations, got \(16,\) for "
        r"configuration 0 and \(18,\) for configuration 2"
    )
    with pytest.raises(ValueError, match=message):
        featurizer.fit_transform(X)


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "NoneType"),
        ("liquid", "str"),
        ([1.0, None], "list"),
        ([[1.0], [1.0, 2.0]], "list"),
        ({"a": 1.0}, "dict"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(X, returned, got):
    featurizer = featurizer_from(lambda one: returned if one.n_particles == 9 else [1.0, 2.0])
    message = (
        rf"Own\._featurize must return an array of numbers, got .*\({got}\) for configuration 2"
    )
    with pytest.raises(TypeError, match=message):
        featurizer.fit_transform(X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, np.linalg.LinAlgError])
def test_every_error_names_the_configuration(X, error, n_jobs):
    def featurize(configuration):
        if configuration.n_particles == 9:
            raise error("as it were")
        return [1.0]

    with pytest.raises(ValueError if issubclass(error, ValueError) else error) as caught:
        featurizer_from(featurize, n_jobs=n_jobs).fit_transform(X)
    told = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    assert "configuration 2" in "\n".join(told)
    assert "as it were" in "\n".join(told)


def test_a_constructor_may_lack_n_jobs(X):
    class Share(ConfigurationFeaturizer):
        _parameter_constraints = {"kind": ["array-like", int]}

        def __init__(self, kind=0):
            self.kind = kind

        def _featurize(self, configuration):
            return np.mean(configuration.types == self.kind)

    assert Share(1).fit_transform(X)[:2].tolist() == [[0.5], [0.5]]


def test_a_subclass_must_say_what_its_features_are(X):
    with pytest.raises(NotImplementedError, match="must define _featurize"):
        ConfigurationFeaturizer().fit_transform(X)
