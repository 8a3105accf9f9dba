"""Faults that featurizers and estimators can have alike, one for each check of both suites.

Each is a mixin that stands before a correct toy class.
"""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state

from glassclf.configurations import Configurations, as_configurations


class ChangesParameterInInit:
    def __init__(self, n_bins=8, *, n_jobs=None, random_state=None):
        super().__init__([n_bins], n_jobs=n_jobs, random_state=random_state)


class BreaksRepr:
    def __repr__(self, **options):
        raise RuntimeError("no repr")


class SetsMoreInInit:
    def __init__(self, n_bins=8, *, n_jobs=None, random_state=None):
        super().__init__(n_bins, n_jobs=n_jobs, random_state=random_state)
        self.edges = np.arange(3)


class HasMutableDefault:
    def __init__(self, n_bins=[8], *, n_jobs=None, random_state=None):  # noqa: B006
        super().__init__(n_bins, n_jobs=n_jobs, random_state=random_state)


class ChecksParametersInInit:
    def __init__(self, n_bins=8, *, n_jobs=None, random_state=None):
        if not isinstance(n_bins, int) or n_bins < 1:
            raise ValueError("n_bins too small")
        super().__init__(n_bins, n_jobs=n_jobs, random_state=random_state)


class HidesParameterFromDeep:
    def get_params(self, deep=True):
        params = super().get_params(deep)
        if deep:
            del params["n_jobs"]
        return params


class IgnoresSetParams:
    def set_params(self, **params):
        return self


class HasTagOfWrongType:
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.no_validation = "yes"
        return tags


class LacksConstraints:
    _parameter_constraints = {}


class SkipsValidation:
    def _validate_params(self):
        pass


class ChangesParameterInFit:
    def _learn(self, X):
        self.n_bins = self.n_bins + 1
        super()._learn(X)


class SetsPublicAttributeInFit:
    def _learn(self, X):
        self.edges = np.arange(3)
        super()._learn(X)


class ReturnsNothingFromFit:
    def fit(self, X, y=None, **parameters):
        super().fit(X, y, **parameters)


class ForgetsFittedCheck:
    def _assert_fitted(self):
        pass


class SetsAttributesBeforeChecking:
    def fit(self, X, y=None, **parameters):
        self.n_samples_ = len(X)
        return super().fit(X, y, **parameters)


class DrawsFromGlobalGenerator:
    def _learn(self, X):
        check_random_state(None).uniform()
        super()._learn(X)


class ShiftsItsInput:
    def _accept(self, X):
        X = super()._accept(X)
        X.positions[0] += 1e-3
        return X


class WritesWithoutChange:
    def _accept(self, X):
        X = super()._accept(X)
        X.positions[0] += 0.0
        return X


class TakesOnlySets:
    def _accept(self, X):
        if not isinstance(X, Configurations):
            raise TypeError("X must be a Configurations")
        return super()._accept(X)


class DropsRepeatedConfigurations:
    def _measure(self, X):
        features = super()._measure(X)
        _, first = np.unique(features, axis=0, return_index=True)
        return features[np.sort(first)]


class NeedsEqualSizes:
    def _measure(self, X):
        X.positions.reshape(len(X), X.n_particles[0], X.n_dims)
        return super()._measure(X)


class DividesByNumberOfEachType:
    def _measure(self, X):
        counts = np.array([(one.types[:, None] == self.types_).sum(axis=0) for one in X])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = 1.0 / counts * np.where(counts == 0, np.nan, 1.0)
        return np.hstack([super()._measure(X), shares])


class ReadsRawPositions:
    def _measure(self, X):
        means = np.array([one.positions.mean(axis=0) for one in X])
        return np.hstack([super()._measure(X), means])


class KeepsOldTypes:
    def _learn(self, X):
        before = getattr(self, "types_", X.types[:0])
        super()._learn(X)
        self.types_ = np.union1d(before, self.types_)


class NamesNoIndex:
    def _accept(self, X):
        try:
            return super()._accept(X)
        except ValueError as error:
            raise ValueError("X is bad") from error


class FitsEmptySets:
    def fit(self, X, y=None, **parameters):
        return self if len(X) == 0 else super().fit(X, y, **parameters)


class MixesUpDimensions:
    def _check_dimension(self, X):
        pass


class AcceptsUnseenTypes:
    def _check_types(self, X):
        pass


class AddsNoise:
    def _measure(self, X):
        features = super()._measure(X)
        return features + np.random.default_rng().normal(size=features.shape)


class IgnoresRandomState:
    def _learn(self, X):
        super()._learn(X)
        self.offset_ = np.random.default_rng().normal()

    def _measure(self, X):
        return super()._measure(X) + self.offset_


class CountsItsFits:
    def _learn(self, X):
        super()._learn(X)
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1

    def _measure(self, X):
        return super()._measure(X) + self.n_fits_


class NumbersTheSamples:
    def _measure(self, X):
        return super()._measure(X) + np.arange(len(X))[:, None]


class CentresOnTheSet:
    def _measure(self, X):
        features = super()._measure(X)
        return features - features.mean(axis=0)


class CannotBePickled:
    def __getstate__(self):
        raise TypeError("cannot be pickled")


class WritesIntoFittedArray:
    def _learn(self, X):
        super()._learn(X)
        self.scale_ = np.ones(3)

    def _measure(self, X):
        self.scale_[0] = 1.0
        return super()._measure(X)


class DependsOnNumberOfJobs:
    def _measure(self, X):
        return super()._measure(X) + (self.n_jobs or 1)


class NeedsTheWholeSet:
    def fit(self, X, y=None, **parameters):
        X = as_configurations(X)
        if len(X) < 16:
            raise ValueError("16 configurations are needed")
        return super().fit(X, y, **parameters)


# Name of the check -> the fault, and words of the message with which the check fails.
SHARED_FAULTS = {
    "check_estimator_cloneable": (ChangesParameterInInit, "Cloning of .* failed"),
    "check_estimator_repr": (BreaksRepr, "Repr of .* failed"),
    "check_no_attributes_set_in_init": (SetsMoreInInit, "edges"),
    "check_parameters_default_constructible": (HasMutableDefault, "of type list"),
    "check_do_not_raise_errors_in_init_or_set_params": (ChecksParametersInInit, "n_bins too small"),
    "check_get_params_invariance": (HidesParameterFromDeep, None),
    "check_set_params": (IgnoresSetParams, "get_params result does not match"),
    "check_mixin_order": (MetaEstimatorMixin, "wrong order"),
    "check_valid_tag_types": (HasTagOfWrongType, "Tag values"),
    "check_parameter_constraints": (LacksConstraints, "missing .*n_bins"),
    "check_bad_parameter_values": (SkipsValidation, "InvalidParameterError"),
    "check_parameters_unchanged_by_fit": (ChangesParameterInFit, "n_bins"),
    "check_no_public_attributes_added_by_fit": (SetsPublicAttributeInFit, "edges"),
    "check_fit_returns_self": (ReturnsNothingFromFit, "return self"),
    "check_not_fitted_error": (ForgetsFittedCheck, "must raise NotFittedError"),
    "check_failed_fit_leaves_no_attributes": (SetsAttributesBeforeChecking, "n_samples_"),
    "check_global_random_state_untouched": (DrawsFromGlobalGenerator, "global random state"),
    "check_X_and_y_unchanged": (ShiftsItsInput, "wrote into X"),
    "check_readonly_memmap": (WritesWithoutChange, "read-only"),
    "check_opened_store": (WritesWithoutChange, "read-only"),
    "check_list_of_configurations": (TakesOnlySets, "must be a Configurations"),
    "check_list_of_triples": (TakesOnlySets, "must be a Configurations"),
    "check_list_of_atoms": (TakesOnlySets, "must be a Configurations"),
    "check_index_kinds": (DropsRepeatedConfigurations, "indexed by a list"),
    "check_sizes_mixed": (NeedsEqualSizes, "reshape"),
    "check_missing_type": (DividesByNumberOfEachType, "NaN"),
    "check_unwrapped_positions": (ReadsRawPositions, "unwrapped"),
    "check_refit_other_types": (KeepsOldTypes, "refit on other types"),
    "check_non_finite_positions_refused": (NamesNoIndex, "must name 3"),
    "check_bad_types_refused": (NamesNoIndex, "must name 3"),
    "check_bad_box_refused": (NamesNoIndex, "must name 3"),
    "check_empty_configuration_refused": (NamesNoIndex, "must name 3"),
    "check_empty_set_refused": (FitsEmptySets, "an empty list must be refused"),
    "check_mixed_dimensions_refused": (NamesNoIndex, "must name 3"),
    "check_other_dimension_refused": (MixesUpDimensions, "3D after a fit on 2D"),
    "check_unseen_type_refused": (AcceptsUnseenTypes, "unseen in fit"),
    "check_output_repeatable": (AddsNoise, "second output"),
    "check_equal_seeds": (IgnoresRandomState, "same random_state"),
    "check_refit_forgets": (CountsItsFits, "second fit of the same object"),
    "check_sample_order_invariance": (NumbersTheSamples, "another order"),
    "check_subset_invariance": (CentresOnTheSet, "a subset"),
    "check_pickle": (CannotBePickled, "cannot be pickled"),
    "check_joblib_memmap_load": (WritesIntoFittedArray, "read-only"),
    "check_n_jobs": (DependsOnNumberOfJobs, "n_jobs=2"),
    "check_cross_validate": (NeedsTheWholeSet, "16 configurations"),
}


def break_class(fault, correct):
    """Derive from a correct class one that has the fault, importable so that it can be pickled."""
    if issubclass(fault, BaseEstimator):
        return fault
    bases = (correct, fault) if fault is MetaEstimatorMixin else (fault, correct)
    name = f"{fault.__name__}{correct.__name__}"
    globals()[name] = type(name, bases, {"__module__": __name__})
    return globals()[name]
