"""The learning-rate range test: which rates a network can be trained with."""

import math
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch
from sklearn.utils._param_validation import validate_params

from glassclf.estimators.base import DEFAULT_VALIDATION_FRACTION
from glassclf.estimators.net import Diverged
from glassclf.estimators.observers import RisingRate
from glassclf.featurizers.base import Number
from glassclf.model_selection.network import prepare_network

SMOOTHING = 0.9
# Of fewer batches the running average keeps the noise, and the rate rises in leaps.
FEW_BATCHES = 20
EXPLOSION = 4.0

# The suggested rate over that of the lowest loss: there the loss is about to rise.
MARGIN = 0.1

# What makes no sense while the rate rises, or what would write something. The validation part
# stays as it is: the rate must not be chosen on it.
WITHOUT = {
    "average_weights": None,
    "checkpoint": None,
    "checkpoint_batches": None,
    "data_parallel": False,
    "early_stopping": False,
    "max_time": None,
    "schedule": "constant",
    "verbose": 0,
    "warm_start": False,
}


@validate_params(
    {
        "lr_min": [Number(Real, 0, None, closed="neither")],
        "lr_max": [Number(Real, 0, None, closed="neither")],
        "n_batches": [Number(Integral, 2, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def lr_range(
    estimator,
    X,
    y,
    *,
    lr_min=1e-6,
    lr_max=1.0,
    n_batches=100,
    groups=None,
    sample_weight=None,
):
    """Find the learning rates that suit a network: the range test.

    One training, in which the rate rises exponentially from batch to batch. The loss first stays,
    then falls, and explodes where the rate is too large; there the training stops.

    Parameters
    ----------
    estimator : estimator
        A network of :mod:`glassclf.estimators`, or a pipeline that ends in one. It is not
        changed. Its own ``lr``, schedule and callbacks play no part.
    X : array-like or Configurations
        Samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    lr_min : float, default=1e-6
        Rate of the first batch.
    lr_max : float, default=1.0
        Rate of the last batch.
    n_batches : int, default=100
        Batches of the test, 20 or more; the samples are gone through as often as it takes.
    groups : array-like of shape (n_samples,), default=None
        For the validation part, which stays out of the test where the network has one. None
        means ``X.info["run"]`` where X carries it.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample in the loss.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``lr`` : ndarray of shape (n_done,), rates of the batches, fewer than ``n_batches`` where
        the loss exploded; ``loss`` : ndarray of shape (n_done,), loss of each batch;
        ``smoothed_loss`` : ndarray of shape (n_done,), its running average; ``suggestion`` :
        float, a tenth of the rate at which the smoothed loss was lowest, NaN if the loss did not
        fall.

    Raises
    ------
    TypeError
        If ``estimator`` does not end in a network.
    ValueError
        If ``lr_min`` is not below ``lr_max``, if the loss was not finite in the first batch, or
        with ``freeze_encoder=True``: the test starts from new weights.

    Warns
    -----
    UserWarning
        If ``n_batches`` is below 20, or if the loss did not fall, or was lowest at ``lr_max``.

    See Also
    --------
    glassclf.plotting.LearningRateRangeDisplay : Draws the result.
    repeat_fit : Trains with several seeds.

    Notes
    -----
    L. N. Smith, arXiv:1506.01186, section 3.3, raises the rate linearly; over six decades an
    exponential rise shows all of them.

    The running average has the weights 0.9, 0.81, ... of the batches before, divided by their
    sum; the loss has exploded when it is four times its lowest value.

    Examples
    --------
    >>> from glassclf.estimators import MPNNClassifier
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.model_selection import lr_range
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> graphs = GraphFeaturizer(n_neighbors=4).fit_transform(X)
    >>> network = MPNNClassifier(hidden_size=8, random_state=0)
    >>> result = lr_range(network, graphs, y, n_batches=50)
    >>> 1e-4 < result.suggestion < 1
    True
    """
    if lr_min >= lr_max:
        raise ValueError(f"lr_min must be below lr_max, got {lr_min} and {lr_max}")
    if n_batches < FEW_BATCHES:
        warnings.warn(
            f"n_batches={n_batches} is too few to tell a rate from noise: the suggestion means "
            f"little below {FEW_BATCHES}",
            stacklevel=3,
        )
    network, features, groups = prepare_network(estimator, X, y, groups)
    if network.early_stopping and network.validation_fraction is None:
        # The part that it would stop by: without early stopping there would be none.
        network.set_params(validation_fraction=DEFAULT_VALIDATION_FRACTION)
    rates = np.geomspace(lr_min, lr_max, n_batches)
    observer = RisingRate(rates.tolist(), SMOOTHING, EXPLOSION)
    # An epoch has one batch at least, and the observer ends the training before the last epoch.
    network.set_params(**WITHOUT, lr=lr_min, max_epochs=n_batches + 1, callbacks=[observer])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            network.fit(features, y, groups=groups, sample_weight=sample_weight)
        except Diverged:
            # As it should in the end; what the observer saw before is the result.
            pass
    if not observer.losses_:
        raise ValueError(
            f"the loss was not finite in the first batch, at a rate of lr_min={lr_min}: check X "
            "and y"
        )
    lr = rates[: len(observer.losses_)]
    smoothed = np.array(observer.smoothed_)
    return Bunch(
        lr=lr,
        loss=np.array(observer.losses_),
        smoothed_loss=smoothed,
        suggestion=_suggest(lr, smoothed, lr_max),
    )


def _suggest(lr, smoothed, lr_max):
    lowest = int(np.argmin(smoothed))
    if lowest == 0:
        warnings.warn(
            f"the loss did not fall at any rate from {lr[0]:.3g} to {lr[-1]:.3g}: lower lr_min, "
            "or raise n_batches",
            stacklevel=4,
        )
        return math.nan
    if lr[lowest] == lr_max:
        warnings.warn(
            f"the loss was lowest at lr_max={lr_max}, so that the suggestion may be far too low: "
            "raise lr_max to see where it explodes",
            stacklevel=4,
        )
    return float(MARGIN * lr[lowest])
