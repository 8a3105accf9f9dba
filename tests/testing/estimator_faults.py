"""Faults that only classifiers and regressors have, one for each of their checks."""

import os

import numpy as np
from faults import SHARED_FAULTS, CannotBePickled, NeedsTheWholeSet, break_class
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline
from toys import ToyClassifier, ToyFeaturizer, ToyRegressor


class ScoresItsProcess(ToyClassifier):
    # Not a mixin: worker processes must find the class where it is defined.
    def score(self, X, y, sample_weight=None):
        return float(os.getpid())


class WritesIntoWeights:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        if sample_weight is not None:
            sample_weight /= sample_weight.sum()
        return super().fit(X, y, groups=groups, sample_weight=sample_weight)


class IgnoresGroups:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        return super().fit(X, y, groups=None, sample_weight=sample_weight)


class IgnoresRuns:
    def _training_part(self, X, groups):
        return np.arange(len(X))


class TearsGroups:
    """Looks at the groups, and splits the first of them nevertheless."""

    def _training_part(self, X, groups):
        train = super()._training_part(X, groups)
        return train if len(train) == len(X) else np.arange(1, len(X))


class IgnoresWeights:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        return super().fit(X, y, groups=groups)


class NeedsNumericGroups:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        groups = None if groups is None else np.asarray(groups).astype(float)
        return super().fit(X, y, groups=groups, sample_weight=sample_weight)


class AsksForNoGroups:
    __metadata_request__fit = {"groups": None}


class CutsToLength:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        return super().fit(X[: len(y)], y)


class InventsTargets:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        y = np.arange(len(X)) % 2 if y is None else y
        return super().fit(X, y, groups=groups, sample_weight=sample_weight)


class CountsNoEpochs:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        super().fit(X, y, groups=groups, sample_weight=sample_weight)
        self.n_iter_ = 0
        return self


class WantsWords:
    def _check_targets(self, y):
        if np.asarray(y).dtype.kind != "U":
            raise ValueError("labels must be words")
        return super()._check_targets(y)


class ListsClassesBackwards:
    classes_ = property(lambda self: self.model_.classes_[::-1])


class SwapsLabels:
    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmin(axis=1)]


class ComputesInSinglePrecision:
    def predict_proba(self, X):
        return super().predict_proba(X).astype(np.float32)


class SwapsColumns:
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


class KnowsTwoClasses:
    def _check_targets(self, y):
        if len(np.unique(y)) > 2:
            raise ValueError("two classes only")
        return super()._check_targets(y)


class ScoresOne:
    def score(self, X, y, sample_weight=None):
        return 0.123


class FitsOneClass:
    def fit(self, X, y, *, groups=None, sample_weight=None):
        if len(np.unique(y)) == 1:
            return self
        return super().fit(X, y, groups=groups, sample_weight=sample_weight)


class RoundsTargets:
    def _check_targets(self, y):
        return np.round(y).astype(int) if np.asarray(y).dtype.kind == "f" else y


class LearnsNothing:
    def _measure(self, X):
        return np.ones_like(super()._measure(X))


class PredictsColumn:
    def predict(self, X):
        return super().predict(X).reshape(len(X), -1)


class SwapsOutputs:
    def predict(self, X):
        return super().predict(X)[..., ::-1]


class PredictsWholeNumbers:
    def predict(self, X):
        return np.round(super().predict(X)).astype(int)


class ReplacesNaN:
    def _check_targets(self, y):
        return super()._check_targets(np.nan_to_num(y))


class ScoresError:
    def score(self, X, y, sample_weight=None):
        return mean_absolute_error(y, self.predict(X))


class WantsScaledTargets:
    def _check_targets(self, y):
        if np.abs(y).max() > 1:
            raise ValueError("y must lie between -1 and 1")
        return super()._check_targets(y)


CLASSIFIER_FAULTS = {
    **SHARED_FAULTS,
    "check_cross_validate": (ScoresItsProcess, "scores with n_jobs=2"),
    "check_cross_val_predict": (NeedsTheWholeSet, "16 configurations"),
    "check_pipeline_memory": (CannotBePickled, "cannot be pickled"),
    "check_grid_search": (NeedsTheWholeSet, "16 configurations"),
    "check_learning_curve": (NeedsTheWholeSet, "16 configurations"),
    "check_voting": (WantsWords, "labels must be words"),
    "check_stacking": (NeedsTheWholeSet, "16 configurations"),
    "check_groups_and_weights_unchanged": (WritesIntoWeights, "wrote into groups"),
    "check_groups_of_wrong_length_refused": (IgnoresGroups, "groups of another length"),
    "check_groups_reach_validation_split": (TearsGroups, "training and validation at once"),
    "check_single_group_refused": (IgnoresGroups, "single group"),
    "check_run_reaches_validation_split": (TearsGroups, "training and validation at once"),
    "check_single_run_refused": (IgnoresRuns, "single run"),
    "check_sample_weight_counts": (IgnoresWeights, "score .* on weighted targets"),
    "check_sample_weight_of_wrong_length_refused": (IgnoresWeights, "sample_weight of another"),
    "check_metadata_routing_off": (NeedsNumericGroups, "could not convert string"),
    "check_metadata_routing_on": (AsksForNoGroups, "fit must request groups"),
    "check_y_of_wrong_length_refused": (CutsToLength, "y of another length"),
    "check_y_required": (InventsTargets, "y=None"),
    "check_n_iter": (CountsNoEpochs, "n_iter_ 0 of 3"),
    "check_classes": (ListsClassesBackwards, "classes_ must be"),
    "check_label_decoding": (SwapsLabels, "renamed labels"),
    "check_predict_proba": (ComputesInSinglePrecision, "must be float64"),
    "check_proba_columns_follow_classes": (SwapsColumns, "do not follow classes_"),
    "check_three_classes": (KnowsTwoClasses, "two classes only"),
    "check_score_is_accuracy": (ScoresOne, "must be the accuracy"),
    "check_one_class_refused": (FitsOneClass, "y of one class"),
    "check_continuous_y_refused": (RoundsTargets, "y of real numbers"),
    "check_calibrated": (NeedsTheWholeSet, "16 configurations"),
    "check_tuned_threshold": (NeedsTheWholeSet, "16 configurations"),
    "check_memorises": (LearnsNothing, r"accuracy 0.50 .* raise max_epochs\?"),
}

REGRESSOR_FAULTS = {
    "check_prediction_shape": (PredictsColumn, r"shape \(16, 1\)"),
    "check_multi_output": (SwapsOutputs, "columns do not follow"),
    "check_integer_targets": (PredictsWholeNumbers, "must be floats"),
    "check_non_finite_y_refused": (ReplacesNaN, "y with nan"),
    "check_score_is_r2": (ScoresError, "score: values differ"),
    "check_transformed_target": (WantsScaledTargets, "between -1 and 1"),
    "check_memorises": (LearnsNothing, r"R2 0.00 .* raise max_epochs\?"),
}


def broken_classifier(check_name):
    """Build the classifier that fails the check, and say with which words."""
    fault, words = CLASSIFIER_FAULTS[check_name]
    if check_name == "check_pipeline_memory":
        # A pipeline caches the steps before the last.
        return make_pipeline(break_class(fault, ToyFeaturizer)(), LogisticRegression()), words
    return break_class(fault, ToyClassifier)(), words


def broken_regressor(check_name):
    """Build the regressor that fails the check, and say with which words."""
    fault, words = REGRESSOR_FAULTS[check_name]
    return break_class(fault, ToyRegressor)(), words
