"""Faults that only featurizers have, one for each check of what they give out."""

import numpy as np
from faults import SHARED_FAULTS, CannotBePickled, break_class
from toys import ToyFeaturizer

from glassclf.configurations import pairs_within
from glassclf.featurizers import GraphFeaturizer


class TransformsOtherwiseInFit:
    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X) + 1.0


class LearnsFromLabels:
    def fit(self, X, y=None):
        super().fit(X, y)
        self.offset_ = 0.0 if y is None else 1.0
        return self

    def _measure(self, X):
        return super()._measure(X) + self.offset_


class SqueezesSingleSamples:
    def _measure(self, X):
        return super()._measure(X)[0 if len(X) == 1 else slice(None)]


class TakesLogarithm:
    def _measure(self, X):
        with np.errstate(divide="ignore"):
            return np.log(super()._measure(X))


class ForgetsInfo(GraphFeaturizer):
    def _stack(self, pieces, X):
        graphs = super()._stack(pieces, X)
        graphs.info = {}
        return graphs


class BondsOthersLazily(GraphFeaturizer):
    def _bonds(self, configuration):
        return pairs_within(configuration, 1.5) if self.lazy else super()._bonds(configuration)


class AssumesTwoDimensions:
    def _measure(self, X):
        for x, y in X.positions:
            assert x + y is not None
        return super()._measure(X)


class DividesByPeriodicDirections:
    def _measure(self, X):
        with np.errstate(divide="ignore", invalid="ignore"):
            return super()._measure(X) * np.divide(0.0, X.periodic.sum(axis=1))[:, None]


class NeverWraps(ToyFeaturizer, auto_wrap_output_keys=None):
    pass


class RepeatsNames:
    def get_feature_names_out(self, input_features=None):
        return np.full_like(super().get_feature_names_out(), "pairs")


class MisspellsInvariance:
    _invariances = ("translations",)


class AddsCornerDensity:
    def _measure(self, X):
        corner = [(one.positions < 2.0).all(axis=1).mean() for one in X]
        return np.column_stack([super()._measure(X), corner])


class AddsWidth:
    def _measure(self, X):
        return np.column_stack([super()._measure(X), X.cells[:, 0, 0]])


class AddsFirstType:
    def _measure(self, X):
        return np.column_stack([super()._measure(X), X.types[X.offsets[:-1]]])


FEATURIZER_FAULTS = {
    **SHARED_FAULTS,
    "check_fit_transform": (TransformsOtherwiseInFit, "fit_transform"),
    "check_y_ignored": (LearnsFromLabels, "fit with y"),
    "check_output_length": (SqueezesSingleSamples, "1 configurations gave"),
    "check_output_is_finite": (TakesLogarithm, "must be finite"),
    "check_info_handed_on": (ForgetsInfo, "info of the output"),
    "check_lazy": (BondsOthersLazily, "lazy features"),
    "check_three_dimensions": (AssumesTwoDimensions, "too many values"),
    "check_windows": (DividesByPeriodicDirections, "NaN"),
    "check_set_output": (NeverWraps, "expected a DataFrame"),
    "check_feature_names": (RepeatsNames, "must differ"),
    "check_make_union": (TransformsOtherwiseInFit, "the union of two"),
    "check_pipeline_memory": (CannotBePickled, "cannot be pickled"),
    "check_declared_invariances": (MisspellsInvariance, "translations"),
    "check_translation_invariance": (AddsCornerDensity, "after a translation"),
    "check_rotation90_invariance": (AddsWidth, "after a rotation90"),
    "check_rotation_invariance": (AddsWidth, "after a rotation"),
    "check_permutation_invariance": (AddsFirstType, "after a permutation"),
}


def broken_featurizer(check_name):
    """Build the featurizer that fails the check, and say with which words."""
    fault, words = FEATURIZER_FAULTS[check_name]
    return break_class(fault, ToyFeaturizer)(), words
