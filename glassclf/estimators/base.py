"""What all network estimators share: parameters, training, evaluation."""

import contextlib
import copy
import time
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from skorch.callbacks import GradientNormClipping

from glassclf.configurations.allocation import keep_freed_memory
from glassclf.estimators.batching import BatchLoader
from glassclf.estimators.callback_copies import any_scheduler, copy_callbacks
from glassclf.estimators.card import TrainingCard, training_card, warn_of_other_kind
from glassclf.estimators.evaluation import evaluate
from glassclf.estimators.fingerprint import data_fingerprint
from glassclf.estimators.fit_tasks import CallbackSupportMixin, FitTasks
from glassclf.estimators.fitting import FitData, fit_network
from glassclf.estimators.memory import explained_out_of_memory
from glassclf.estimators.metadata import known_groups
from glassclf.estimators.net import Net
from glassclf.estimators.net_callbacks import BestEpoch, ValidationScore
from glassclf.estimators.parameters import TrainingParameters
from glassclf.estimators.plain_net import net_from_plain, net_to_plain
from glassclf.estimators.schedules import NEEDS_VALIDATION, LearningRate, check_threshold
from glassclf.estimators.settings import (
    module_arguments,
    module_class,
    optimizer_arguments,
    optimizer_class,
)
from glassclf.estimators.stopping import StopRequest
from glassclf.estimators.training import COMPLETE
from glassclf.estimators.validation_split import split_validation

DEFAULT_VALIDATION_FRACTION = 0.2
# What a training that goes on from a fitted network takes over.
OF_ORIGIN = ("net_", "n_iter_", "_split_seed")


@dataclass(kw_only=True, repr=False, eq=False)
class NetworkEstimator(
    TrainingParameters,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base of the four network estimators: everything that depends on neither input nor target.

    A subclass reads its input (``_read_samples``, ``_check_samples``, ``_module_facts``) and its
    target (``_encode_targets``, ``_criterion``, ``_score_outputs``).
    """

    # Without metadata routing a meta-estimator hands groups on by name; with it, fit asks for them.
    __metadata_request__fit = {"groups": True}
    __metadata_request__partial_fit = {"groups": True}

    def fit(self, X, y, *, groups=None, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as one simulation run, never stand on both sides of the
            validation split. None means ``X.info["run"]`` where X carries it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss.

        Returns
        -------
        self : object
            Fitted. If anything fails or is interrupted, the estimator is as it was before; but if
            the loss becomes NaN, or the checkpoint cannot be written, it keeps the last good
            weights.
        """
        return self._fit(X, y, groups, sample_weight)

    def _fit(self, X, y, groups, sample_weight, n_epochs=None, **encoding):
        """Train for ``max_epochs``, or for ``n_epochs`` where fit is called in parts."""
        start = time.monotonic()
        keep_freed_memory()
        with self._unchanged_on_failure():
            self._validate_params()
            origin = self._return_to_origin()
            continued = hasattr(self, "net_") and (self.warm_start or n_epochs is not None)
            if n_epochs is not None and self.checkpoint is not None:
                raise ValueError(
                    "a checkpoint is kept by fit, not by partial_fit: use checkpoint=None, or fit "
                    "with warm_start=True"
                )
            check_threshold(self.threshold, self.threshold_lr, self.lr)
            if self.schedule != "constant" and any_scheduler(self.callbacks):
                raise ValueError(
                    f"schedule={self.schedule!r} would overrule the LRScheduler in callbacks: use "
                    'schedule="constant"'
                )
            if self.freeze_encoder and not continued:
                raise ValueError(
                    "freeze_encoder=True trains the head of a fitted network: fit it first (or "
                    "load it), then set warm_start=True"
                )
            data, y = self._check_data(X, y, groups, sample_weight, continued, encoding)
            stop = StopRequest(self.max_time, start)
            self.card_ = training_card(X, y, data.groups)
            tasks = FitTasks(self, n_epochs or self.max_epochs, X, y, sample_weight)
            # Within the context: it takes back what the end of the callbacks looks at, too.
            failure = fit_network(self, data, stop, tasks, continued, n_epochs)
            if self.checkpoint is not None and (failure or self.stopped_by_ not in COMPLETE):
                self._origin = origin
        stop.pass_on()
        if failure is not None:
            raise failure
        return self

    def _return_to_origin(self):
        """What a fit starts from. One that was stopped is not over: it starts where it did."""
        if self.checkpoint is not None and "_origin" in vars(self):
            for name in OF_ORIGIN:
                vars(self).pop(name, None)
            fitted, random = self._origin
            vars(self).update(fitted)
            if random is not None and isinstance(self.random_state, np.random.RandomState):
                self.random_state.set_state(random)
        vars(self).pop("_origin", None)
        fitted = {name: vars(self)[name] for name in OF_ORIGIN if name in vars(self)}
        drawn = isinstance(self.random_state, np.random.RandomState)
        return fitted, self.random_state.get_state() if drawn else None

    def _check_data(self, X, y, groups, sample_weight, continued, encoding):
        samples, y = self._read_samples(X, y, reset=not continued)
        # A new head may tell other classes apart.
        reset = not continued or self.freeze_encoder
        targets = self._encode_targets(y, reset=reset, **encoding)
        groups = self._known_groups(X, groups, len(targets))
        weights = _check_sample_weight(sample_weight, samples, ensure_non_negative=True)
        hashes = None
        if self.checkpoint is not None:
            source = X if hasattr(X, "fingerprint") else samples.content
            hashes = data_fingerprint(source, y, groups, sample_weight)
        weights = self._loss_weights(targets, weights)
        return FitData(samples, targets, groups, weights, hashes), y

    def transform(self, X):
        """Embed samples: what the network's head sees.

        Parameters
        ----------
        X : ndarray or Graphs
            Samples, see the class.

        Returns
        -------
        embedding : ndarray of shape (n_samples, width), float32
        """
        return self._evaluate(X, "embed").astype(np.float32)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the embedding: class name and number.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str objects of shape (width,)
        """
        check_is_fitted(self, "net_")
        if self._n_features_out is None:
            raise AttributeError(f"module {self.module.__name__} has no method embed")
        return super().get_feature_names_out(input_features)

    def __sklearn_clone__(self):
        # Fits train with copies of the callbacks, which may hold what has none of its own.
        bare = copy.copy(self)
        bare.callbacks = None
        new = super(NetworkEstimator, bare).__sklearn_clone__()
        new.callbacks = self.callbacks if self.callbacks is None else list(self.callbacks)
        return new

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # embeddings are float32, whatever X is
        return tags

    def _evaluate(self, X, method):
        check_is_fitted(self, "net_")
        samples = self._check_samples(X)
        warn_of_other_kind(self.card_, X)
        with explained_out_of_memory(self.batch_size):
            return evaluate(self.net_, samples, self.batch_size, method, self._evaluation_dtype)

    @contextlib.contextmanager
    def _unchanged_on_failure(self):
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _known_groups(self, X, groups, n_samples):
        groups = known_groups(X, groups)
        if groups is None:
            return None
        if not hasattr(groups, "dtype"):
            # numpy would turn a missing value among strings into the word "nan".
            groups = np.array(list(groups), dtype=object)
        groups = np.asarray(groups)
        if groups.shape != (n_samples,):
            raise ValueError(
                f"groups must have one value for each sample, shape ({n_samples},), "
                f"got shape {groups.shape}"
            )
        return groups

    def _split(self, targets, groups):
        """Indices of the training and of the validation part, None where there is none."""
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            if self.schedule in NEEDS_VALIDATION:
                raise ValueError(
                    f"schedule={self.schedule!r} looks at a validation part: set "
                    f"validation_fraction, such as {DEFAULT_VALIDATION_FRACTION}"
                )
            return np.arange(len(targets)), None
        return split_validation(
            len(targets),
            fraction,
            labels=self._class_labels(targets),
            groups=groups,
            random_state=self._split_seed,
        )

    def _build_net(self, targets, device, first_epoch):
        module = module_class(self.module, self._default_module)
        facts = {**self._module_facts(), "n_outputs": self._count_outputs(targets)}
        arguments = module_arguments(module, facts, self.get_params(deep=False))
        rate = LearningRate(
            self.schedule,
            self.lr,
            self.max_epochs,
            first_epoch,
            threshold=self.threshold,
            threshold_lr=self.threshold_lr,
            plateau_patience=self.plateau_patience,
            decay_start=self.decay_start,
        )
        callbacks = [
            ("_validation_score", ValidationScore(self._score_outputs)),
            ("_learning_rate", rate),
        ]
        if self.clip_norm is not None:
            callbacks.append(("_clip_norm", GradientNormClipping(self.clip_norm)))
        best = None
        if self.early_stopping or self.checkpoint is not None:
            best = BestEpoch(self.patience if self.early_stopping else None)
            callbacks.append(("_best_epoch", best))
        # Copies: callbacks keep what they have seen, and a parameter must stay as it was given.
        callbacks += copy_callbacks(self.callbacks)
        return self._make_net(module, arguments, callbacks, device), best

    def _make_net(self, module, arguments, callbacks, device):
        return Net(
            module,
            criterion=self._criterion,
            optimizer=optimizer_class(self.optimizer),
            lr=self.lr,
            batch_size=self.batch_size,
            iterator_train=BatchLoader,
            iterator_valid=BatchLoader,
            train_split=None,
            callbacks=callbacks,
            device=str(device),
            # skorch prints a line an epoch.
            verbose=max(0, self.verbose - 1),
            **arguments,
            **{f"criterion__{name}": value for name, value in self._criterion_arguments().items()},
            **optimizer_arguments(self.optimizer, self.weight_decay),
        )

    def _plain_state(self):
        """Attributes as plain data and tensors, for ``glassclf.save``."""
        state = dict(self.__getstate__())
        state.pop("_skl_callbacks", None)  # they watch fits, and are no part of a model
        state.pop("_origin", None)  # of the fit that was stopped; the model is what it came to
        if "net_" in state:
            state |= {"net_": net_to_plain(self.net_), "card_": dict(self.card_)}
        return state

    def _set_plain_state(self, state):
        vars(self).update(state)
        if "net_" in state:
            self.net_ = net_from_plain(self, state["net_"])
            self.card_ = TrainingCard(state["card_"])
