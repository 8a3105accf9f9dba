"""What classifiers and regressors do differently: targets, losses, predictions."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from scipy.special import expit
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets

from glassclf.estimators.base import NetworkEstimator
from glassclf.featurizers.base import Number


@dataclass(kw_only=True, repr=False, eq=False)
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """Classes as targets: label encoding, cross entropy, probabilities."""

    label_smoothing: float = 0.0
    class_weight: object = None

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "label_smoothing": [Number(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _criterion = torch.nn.CrossEntropyLoss
    _multi_output = False

    def partial_fit(self, X, y, classes=None, *, groups=None, sample_weight=None):
        """Train for one more epoch.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call.
        groups, sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : object
        """
        self._validate_params()
        continued = hasattr(self, "net_")
        if classes is None and not continued:
            raise ValueError("classes must be given in the first call of partial_fit")
        if self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" cannot be known from a part of the data: give partial_fit '
                "the weights as a dict"
            )
        return self._fit(X, y, groups, sample_weight, n_epochs=1, classes=classes)

    def predict(self, X):
        """Predict classes.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        outputs = self._evaluate(X, "forward")
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float64
            Columns follow ``classes_``; rows sum to 1.
        """
        outputs = self._evaluate(X, "forward").astype(np.float64)
        proba = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return proba / proba.sum(axis=1, keepdims=True)

    def _encode_targets(self, y, reset, classes=None):
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes={np.unique(classes).tolist()} differ from those of the first call of "
                f"partial_fit, {self.classes_.tolist()}"
            )
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in y, got 1 class: "
                f"{self.classes_.tolist()[0]!r}"
            )
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the class {unknown.tolist()[0]!r}, which is not among the classes of the "
                f"first fit: {self.classes_.tolist()}"
            )
        return np.searchsorted(self.classes_, y)

    def _class_labels(self, targets):
        return self.classes_[targets]

    def _loss_weights(self, targets, sample_weight):
        if self.class_weight is not None:
            labels = self.classes_[targets]
            sample_weight = sample_weight * compute_sample_weight(self.class_weight, labels)
        return normalized_weights(sample_weight)

    def _count_outputs(self, targets):
        return len(self.classes_)

    def _criterion_arguments(self):
        return {"reduction": "none", "label_smoothing": self.label_smoothing}

    @staticmethod
    def _score_outputs(outputs, targets):
        return np.mean(outputs.argmax(axis=1) == targets)


@dataclass(kw_only=True, repr=False, eq=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """Numbers as targets: scaling to unit variance inside, squared error.

    With bounds the targets are scaled to [0, 1], and the outputs are logits of them.
    """

    bounds: object = None

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "bounds": ["array-like", None],
    }
    _multi_output = True
    # Whether the network was fitted with bounds; a model of an earlier version was not.
    _bounded = False

    def partial_fit(self, X, y, *, groups=None, sample_weight=None):
        """Train for one more epoch; targets keep the scale of the first call.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        groups, sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : object
        """
        return self._fit(X, y, groups, sample_weight, n_epochs=1)

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Of the shape that ``y`` had in fit.
        """
        return self._decode_outputs(self._evaluate(X, "forward"))

    def _decode_outputs(self, outputs):
        outputs = outputs.astype(np.float64)
        outputs = expit(outputs) if self._bounded else outputs
        y = outputs * self.target_scale_ + self.target_mean_
        return y[:, 0] if self._single_target else y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def _encode_targets(self, y, reset):
        single = np.ndim(y) == 1
        y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        origin, scale = self._units(y)
        if reset:
            self._single_target, self._bounded = single, self.bounds is not None
            self.target_mean_, self.target_scale_ = origin, scale
        elif self._bounded != (self.bounds is not None) or (
            self._bounded and (origin[0], scale[0]) != (self.target_mean_[0], self.target_scale_[0])
        ):
            raise ValueError(
                f"bounds={self.bounds!r} differ from those of the first fit: use warm_start=False"
            )
        if y.shape[1] != len(self.target_mean_):
            raise ValueError(
                f"y has {y.shape[1]} outputs, the first fit had {len(self.target_mean_)}"
            )
        return ((y - self.target_mean_) / self.target_scale_).astype(np.float32)

    def _units(self, y):
        """What is 0 and what is 1 inside the network, for each target."""
        if self.bounds is None:
            spread = y.std(axis=0)
            return y.mean(axis=0), np.where(spread > 0, spread, 1.0)
        bounds = np.asarray(self.bounds)
        numbers = bounds.shape == (2,) and bounds.dtype.kind in "iuf" and np.isfinite(bounds).all()
        if not numbers or bounds[0] >= bounds[1]:
            raise ValueError(f"bounds must be two rising numbers, got {self.bounds!r}")
        # What rounding to single precision adds is forgiven: the loss takes it as it is.
        slack = 1e-6 * float(bounds[1] - bounds[0])
        outside = ((y < bounds[0] - slack) | (y > bounds[1] + slack)).any(axis=1)
        if outside.any():
            first = int(np.argmax(outside))
            raise ValueError(
                f"y must lie within bounds={self.bounds!r}, got {y[first].tolist()} for sample "
                f"{first}"
            )
        return np.full(y.shape[1], bounds[0]), np.full(y.shape[1], bounds[1] - bounds[0])

    @property
    def _criterion(self):
        return torch.nn.MSELoss if self.bounds is None else torch.nn.BCEWithLogitsLoss

    def _class_labels(self, targets):
        return None

    def _loss_weights(self, targets, sample_weight):
        return normalized_weights(sample_weight)

    def _count_outputs(self, targets):
        return targets.shape[1]

    def _criterion_arguments(self):
        return {"reduction": "none"}

    @property
    def _score_outputs(self):
        return _score_logits if self._bounded else _score_numbers


def _score_numbers(outputs, targets):
    return r2_score(targets, outputs) if len(targets) > 1 else np.nan


def _score_logits(outputs, targets):
    return _score_numbers(expit(outputs), targets)


def normalized_weights(sample_weight):
    """Scale weights to a mean of 1, so that the learning rate keeps its meaning.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,)

    Returns
    -------
    weights : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If a weight is negative, or none is positive.
    """
    if sample_weight.min() < 0 or sample_weight.max() == 0:
        raise ValueError("class_weight must leave weights >= 0, at least one of them positive")
    return sample_weight / sample_weight.mean()
