"""The parameters that all network estimators share."""

from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike

import torch
from sklearn.utils._param_validation import StrOptions

from glassclf.featurizers.base import Number


@dataclass(kw_only=True, repr=False, eq=False)
class TrainingParameters:
    """How a network is trained.

    The parameters are the fields of a dataclass, so that each stands in one place and in the
    signature of every estimator.
    """

    lr: float = 3e-3
    max_epochs: int = 40
    batch_size: int = 8
    weight_decay: float = 1e-2
    dropout: float = 0.0
    optimizer: object = "adamw"
    schedule: str = "constant"
    decay_start: float = 0.5
    plateau_patience: int = 5
    threshold: object = 0.9
    threshold_lr: object = None
    validation_fraction: float = None
    early_stopping: bool = False
    patience: int = 10
    augment: object = None
    clip_norm: float = None
    average_weights: float = None
    module: type = None
    callbacks: list = None
    checkpoint: str = None
    checkpoint_batches: int = None
    max_time: float = None
    warm_start: bool = False
    freeze_encoder: bool = False
    precision: str = "32"
    device: str = "auto"
    data_device: str = None
    compile: bool = False
    deterministic: bool = False
    data_parallel: bool = False
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
            StrOptions(
                {"constant", "exponential", "noam", "cosine", "linear", "plateau", "threshold"}
            )
        ],
        "decay_start": [Number(Real, 0, 1, closed="both")],
        "plateau_patience": [Number(Integral, 1, None, closed="left")],
        "threshold": [Real, "array-like"],
        "threshold_lr": [Real, "array-like", None],
        "validation_fraction": [Number(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Number(Integral, 1, None, closed="left")],
        "augment": [str, list, tuple, callable, None],
        "clip_norm": [Number(Real, 0, None, closed="neither"), None],
        "average_weights": [Number(Real, 0, 1, closed="neither"), None],
        "module": [callable, None],
        "callbacks": [list, None],
        "checkpoint": [str, PathLike, None],
        "checkpoint_batches": [Number(Integral, 1, None, closed="left"), None],
        "max_time": [Number(Real, 0, None, closed="neither"), None],
        "warm_start": ["boolean"],
        "freeze_encoder": ["boolean"],
        "precision": [StrOptions({"32", "bf16", "16"})],
        "device": [str, torch.device],
        "data_device": [str, torch.device, None],
        "compile": ["boolean"],
        "deterministic": ["boolean"],
        "data_parallel": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # What glassclf.model_selection.search_space collects: few, as every further one takes trials.
    _search_space = {
        "lr": ("float", 1e-4, 3e-2, "log"),
        "batch_size": ("int", 4, 64, "log"),
        "weight_decay": ("float", 1e-4, 1e-1, "log"),
        "dropout": ("float", 0.0, 0.5),
    }
    # What one schedule alone looks at.
    _schedule_search_spaces = {
        "linear": {"decay_start": ("float", 0.1, 0.9)},
        "plateau": {"plateau_patience": ("int", 2, 10)},
        "threshold": {"threshold": ("float", 0.6, 0.95)},
    }

    def _get_search_space(self):
        space = self._search_space | self._schedule_search_spaces.get(self.schedule, {})
        # Rates given for the thresholds must stay below lr, and several thresholds one above the
        # other: what was chosen by hand is left as it is.
        if self.threshold_lr is not None:
            space.pop("lr", None)
        if not isinstance(self.threshold, Real):
            space.pop("threshold", None)
        return space
