"""The very batch that a network is trained on, before and after augmentation."""

from numbers import Integral

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, validate_params

from glassclf.estimators.augmentation import augmentation_of
from glassclf.estimators.base import NetworkEstimator
from glassclf.estimators.metadata import with_info
from glassclf.featurizers.base import Number
from glassclf.inspection.subject import unrolled


@validate_params(
    {
        "estimator": [HasMethods(["fit"])],
        "n": [Number(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def peek(estimator, X, y, n=4, *, random_state=None):
    """Look at what the network of an estimator gets to see of X and y, before any training.

    Parameters
    ----------
    estimator : network of :mod:`glassclf.estimators`, or a pipeline that ends in one
        Fitted or not. It is not changed: clones of the steps before the network are fitted on X.
    X : Configurations, or what the estimator takes
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    n : int, default=4
        Samples to look at: the first ones.
    random_state : int, RandomState or None, default=None
        Draws the augmentation.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``before`` : tensor of shape (n, n_channels, ...), or GraphBatch of n graphs: the samples as
        they reach the network in prediction;
        ``after`` : the same after augmentation, as in training (equal to ``before`` where the
        network has none);
        ``targets`` : ndarray of shape (n,) or (n, n_outputs), what the network is to produce:
        numbers of classes, or scaled values;
        ``y`` : ndarray, the first of the targets that were given.

    Raises
    ------
    TypeError
        If the estimator does not end in a network of ours.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.inspection import peek
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> pipe = make_pipeline(ImageFeaturizer(16), CNNClassifier(augment="shifts"))
    >>> batch = peek(pipe, X, y, random_state=0)
    >>> batch.before.shape, batch.targets.tolist(), batch.y.tolist()
    (torch.Size([4, 2, 16, 16]), [0, 1, 0, 1], ['glass', 'liquid', 'glass', 'liquid'])
    >>> bool((batch.before == batch.after).all())
    False
    """
    *before, network = unrolled(estimator)
    if not isinstance(network, NetworkEstimator):
        raise TypeError(
            "peek needs a network of glassclf.estimators or a pipeline that ends in one, got "
            f"{type(network).__name__}"
        )
    features = with_info(X)
    check_consistent_length(features, y)
    for step in before:
        features = clone(step).fit_transform(features, y)
    network = clone(network)
    samples, y = network._read_samples(features, np.asarray(y), reset=True)
    targets = network._encode_targets(y, reset=True)
    rows = np.arange(min(n, len(targets)))
    augmentation = augmentation_of(network)
    batch, seed = samples.batch(rows), check_random_state(random_state).randint(2**31 - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        after = samples.batch(rows) if augmentation is None else augmentation(samples.batch(rows))
    return Bunch(before=batch, after=after, targets=targets[rows], y=y[rows])
