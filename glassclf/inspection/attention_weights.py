"""Which particles a network with attention pooling listens to."""

import numpy as np
import torch
from sklearn.utils import Bunch

from glassclf.inspection.subject import features_for, fitted_network
from glassclf.networks import AttentionPooling, MessagePassingNetwork


def attention(estimator, X):
    """Weight that a message-passing network gives to each particle when it pools them.

    Parameters
    ----------
    estimator : MPNNClassifier, MPNNRegressor, or a pipeline that ends in one
        Fitted, with ``pooling="attention"``.
    X : Configurations, or what the estimator takes

    Returns
    -------
    result : sklearn.utils.Bunch
        ``particles`` : list of ndarray of shape (n_particles,), the weights, which sum to 1 in each
        configuration;
        ``bonds`` : list of ndarray of shape (n_edges,), for each bond, in the order of the graph,
        the mean weight of the two particles that it joins, scaled to a sum of 1.

    Raises
    ------
    TypeError
        If the estimator does not end in a message-passing network with attention pooling.

    See Also
    --------
    attribution : Needs no attention, and tells for which class a particle speaks.

    Notes
    -----
    Attention pooling: M. Ilse, J. M. Tomczak and M. Welling, arXiv:1802.04712, equations 7 and 8.
    A large weight tells that a particle counts, not for what.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import MPNNClassifier
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.inspection import attention
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> network = MPNNClassifier(pooling="attention", hidden_size=8, max_epochs=10, random_state=0)
    >>> model = make_pipeline(GraphFeaturizer(n_neighbors=6), network).fit(X, y)
    >>> result = attention(model, X[:2])
    >>> result.particles[0].shape, result.bonds[0].shape
    ((42,), (252,))
    """
    what = 'attention (of MPNNClassifier and MPNNRegressor with pooling="attention")'
    before, network = fitted_network(estimator, MessagePassingNetwork, what)
    module = network.net_.module_
    if not isinstance(module.pooling, AttentionPooling):
        raise TypeError(
            'the network pools by pooling="mean", which weighs all particles alike: fit one with '
            'pooling="attention", or use attribution, which needs none'
        )
    samples = network._check_samples(features_for(before, X))
    module.eval()
    particles, bonds = [], []
    with torch.inference_mode():
        for index in range(len(samples)):
            batch = samples.batch(np.array([index])).to(network.net_.device)
            weights = module.pooling.weights(module.embed_nodes(batch), batch)
            ends = weights[batch.sources] + weights[batch.neighbors]
            particles.append(weights.double().cpu().numpy())
            bonds.append((ends / ends.sum()).double().cpu().numpy())
    return Bunch(particles=particles, bonds=bonds)
