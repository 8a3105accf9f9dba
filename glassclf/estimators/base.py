"""What all network estimators share: parameters, training, evaluation."""

import contextlib
import copy
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from skorch.callbacks import EarlyStopping, GradientNormClipping
from skorch.helper import predefined_split

from glassclf.estimators.batching import BatchLoader, TrainingData
from glassclf.estimators.history import history_arrays, warn_if_falling
from glassclf.estimators.net import (
    LearningRate,
    Net,
    ValidationScore,
    evaluate,
    probe_module,
    quiet,
    settle_statistics,
    take_over,
)
from glassclf.estimators.seeds import draw_seed, seeded
from glassclf.estimators.settings import (
    choose_device,
    module_arguments,
    module_class,
    optimizer_arguments,
    optimizer_class,
    refuse_unfinished,
)
from glassclf.estimators.validation_split import split_validation
from glassclf.featurizers.base import Number

DEFAULT_VALIDATION_FRACTION = 0.2


@dataclass(kw_only=True, repr=False, eq=False)
class NetworkEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of the four network estimators: everything that depends on neither input nor target.

    A subclass reads its input (``_read_samples``, ``_check_samples``, ``_module_facts``) and its
    target (``_encode_targets``, ``_criterion``, ``_score_outputs``). The parameters are the fields
    of the dataclass, so that each stands in one place and in the signature of every subclass.
    """

    lr: float = 3e-3
    max_epochs: int = 40
    batch_size: int = 8
    weight_decay: float = 1e-2
    dropout: float = 0.0
    optimizer: object = "adamw"
    schedule: str = "constant"
    validation_fraction: float = None
    early_stopping: bool = False
    patience: int = 10
    augment: object = None
    clip_norm: float = None
    module: type = None
    callbacks: list = None
    checkpoint: str = None
    max_time: float = None
    warm_start: bool = False
    precision: str = "32"
    device: str = "auto"
    data_device: str = None
    compile: bool = False
    random_state: int = None
    verbose: int = 0

    _parameter_constraints = {
        "lr": [Number(Real, 0, None, closed="neither")],
        "max_epochs": [Number(Integral, 1, None, closed="left")],
        "batch_size": [Number(Integral, 1, None, closed="left")],
        "weight_decay": [Number(Real, 0, None, closed="left")],
        "dropout": [Number(Real, 0, 1, closed="left")],
        "optimizer": [StrOptions({"adamw", "adam", "sgd"}), callable],
        "schedule": [
            StrOptions({"constant", "exponential", "noam", "cosine", "plateau", "threshold"})
        ],
        "validation_fraction": [Number(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Number(Integral, 1, None, closed="left")],
        "augment": [str, list, tuple, callable, None],
        "clip_norm": [Number(Real, 0, None, closed="neither"), None],
        "module": [callable, None],
        "callbacks": [list, None],
        "checkpoint": [str, PathLike, None],
        "max_time": [Number(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "precision": [StrOptions({"32", "bf16", "16"})],
        "device": [str, torch.device],
        "data_device": [str, torch.device, None],
        "compile": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

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
            Fitted. If anything fails or is interrupted, the estimator is as it was before.
        """
        continued = self.warm_start and hasattr(self, "net_")
        return self._fit(X, y, groups, sample_weight, self.max_epochs, continued)

    def _fit(self, X, y, groups, sample_weight, n_epochs, continued, **encoding):
        with self._unchanged_on_failure():
            self._validate_params()
            refuse_unfinished(self)
            samples, y = self._read_samples(X, y, reset=not continued)
            targets = self._encode_targets(y, reset=not continued, **encoding)
            self._train(X, samples, targets, groups, sample_weight, n_epochs, continued)
        return self

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # embeddings are float32, whatever X is
        return tags

    def _evaluate(self, X, method):
        check_is_fitted(self, "net_")
        samples = self._check_samples(X)
        return evaluate(self.net_, samples, self.batch_size, method, self._evaluation_dtype)

    def _train(self, X, samples, targets, groups, sample_weight, n_epochs, continued):
        weights = _check_sample_weight(sample_weight, samples, ensure_non_negative=True)
        weights = self._loss_weights(targets, weights)
        if not continued:
            # Kept, so that a training that goes on validates on what it has never trained on.
            self._split_seed = draw_seed(self.random_state)
        train, valid = self._split(X, targets, groups)
        device = choose_device(self.device)
        done = self.n_iter_ if continued else 0
        # A schedule spans a fit, or all calls of partial_fit.
        net = self._build_net(targets, device, first_epoch=done if n_epochs > 1 else 0)
        if not weights[train].any():
            raise ValueError("sample_weight is 0 for every sample outside the validation part")
        if valid is not None:
            net.train_split = predefined_split(TrainingData(samples, targets, weights, valid))
        with seeded(draw_seed(self.random_state) + done, device):
            net.initialize()
            if continued:
                take_over(net, self.net_)
            width = probe_module(net, samples, self._count_outputs(targets))
            data = TrainingData(samples, targets, weights, train)
            net.train_epochs(data, n_epochs)
            settle_statistics(net, data)
        # The net must not keep the data alive, nor be saved with it.
        net.train_split = None
        self.net_ = net
        self.n_threads_ = torch.get_num_threads()
        self.n_iter_ = len(net.history)
        self.history_ = history_arrays(net.history)
        self._n_features_out = width
        if self.n_iter_ - done == n_epochs > 1:
            warn_if_falling(self.history_["train_loss"][done:], type(self).__name__, n_epochs)

    @contextlib.contextmanager
    def _unchanged_on_failure(self):
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _split(self, X, targets, groups):
        """Indices of the training and of the validation part, None where there is none."""
        n_samples = len(targets)
        if groups is None:
            info = getattr(X, "info", None)
            # The info of a pandas table is a method.
            groups = info.get("run") if isinstance(info, dict) else None
        if groups is not None:
            if not hasattr(groups, "dtype"):
                # numpy would turn a missing value among strings into the word "nan".
                groups = np.array(list(groups), dtype=object)
            groups = np.asarray(groups)
            if groups.shape != (n_samples,):
                raise ValueError(
                    f"groups must have one value for each sample, shape ({n_samples},), "
                    f"got shape {groups.shape}"
                )
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return np.arange(n_samples), None
        return split_validation(
            n_samples,
            fraction,
            labels=self._class_labels(targets),
            groups=groups,
            random_state=self._split_seed,
        )

    def _build_net(self, targets, device, first_epoch):
        module = module_class(self.module, self._default_module)
        facts = {**self._module_facts(), "n_outputs": self._count_outputs(targets)}
        arguments = {
            **module_arguments(module, facts, self.get_params(deep=False)),
            **{f"criterion__{name}": value for name, value in self._criterion_arguments().items()},
            **optimizer_arguments(self.optimizer, self.weight_decay),
        }
        callbacks = [
            ("_validation_score", ValidationScore(self._score_outputs)),
            ("_learning_rate", LearningRate(self.schedule, self.lr, self.max_epochs, first_epoch)),
        ]
        if self.clip_norm is not None:
            callbacks.append(("_clip_norm", GradientNormClipping(self.clip_norm)))
        if self.early_stopping:
            stop = EarlyStopping(patience=self.patience, load_best=True, sink=quiet)
            callbacks.append(("_early_stopping", stop))
        # Copies: callbacks keep what they have seen, and a parameter must stay as it was given.
        callbacks += copy.deepcopy(list(self.callbacks or []))
        return Net(
            module,
            criterion=self._criterion,
            optimizer=optimizer_class(self.optimizer),
            lr=self.lr,
            batch_size=self.batch_size,
            iterator_train=BatchLoader,
            iterator_train__shuffle=True,
            iterator_valid=BatchLoader,
            train_split=None,
            callbacks=callbacks,
            device=str(device),
            verbose=self.verbose,
            **arguments,
        )
