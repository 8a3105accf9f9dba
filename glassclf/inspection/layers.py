"""What single layers of a network do: activations of a layer, filters of a convolution."""

from numbers import Integral

import numpy as np
import torch

from glassclf.inspection.subject import features_for, fitted_network
from glassclf.networks import ConvolutionalNetwork, MessagePassingNetwork


def activations(estimator, X, layer=-1):
    """Activations of one layer of a network.

    Parameters
    ----------
    estimator : network of :mod:`glassclf.estimators`, or a pipeline that ends in one
        Fitted.
    X : Configurations, or what the estimator takes
    layer : int, default=-1
        Number of the block of a CNN, or of the message-passing layer of an MPNN; negative ones
        count from the last.

    Returns
    -------
    activations : ndarray of shape (n, n_filters, ...) or list of ndarray
        Of a CNN the maps of each filter behind normalisation and ReLU, one axis for each of the
        image, every second pixel of the layer before; a list where sizes of images differ. Of an
        MPNN a list of ndarray of shape (n_particles, hidden_size), the states of the particles.

    Raises
    ------
    TypeError
        If the estimator does not end in a network of ours, or that has a ``module`` of its own.
    ValueError
        If the network has no such layer.

    See Also
    --------
    filters : The weights of a convolution.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.inspection import activations
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> network = CNNClassifier(n_filters=(3, 4), max_epochs=2, random_state=0)
    >>> model = make_pipeline(ImageFeaturizer(16), network).fit(X, y)
    >>> activations(model, X, layer=0).shape, activations(model, X).shape
    ((16, 3, 16, 16), (16, 4, 8, 8))
    """
    before, network = fitted_network(
        estimator, (ConvolutionalNetwork, MessagePassingNetwork), "activations"
    )
    module = network.net_.module_.eval()
    samples = network._check_samples(features_for(before, X))
    of_layer = _image_layer if isinstance(module, ConvolutionalNetwork) else _graph_layer
    with torch.inference_mode():
        found = [
            of_layer(module, samples.batch(np.array([row])).to(network.net_.device), layer)
            for row in range(len(samples))
        ]
    found = [values.cpu().numpy() for values in found]
    return np.concatenate(found) if isinstance(module, ConvolutionalNetwork) else found


def filters(estimator, layer=0):
    """Filters of a convolution, as images.

    Parameters
    ----------
    estimator : CNNClassifier, CNNRegressor, or a pipeline that ends in one
        Fitted.
    layer : int, default=0
        Number of the block.

    Returns
    -------
    filters : ndarray of shape (n_filters, n_channels, kernel_size, ...)
        The weights. Channels are those of the input, or the filters of the block before.

    Raises
    ------
    TypeError
        If the estimator does not end in a CNN of ours, or that has a ``module`` of its own.
    ValueError
        If the network has no such layer.

    See Also
    --------
    activations : Where in an image the filters answer.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import CNNClassifier
    >>> from glassclf.featurizers import ImageFeaturizer
    >>> from glassclf.inspection import filters
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> network = CNNClassifier(n_filters=(3, 4), max_epochs=2, random_state=0)
    >>> model = make_pipeline(ImageFeaturizer(16), network).fit(X, y)
    >>> filters(model).shape, filters(model, layer=1).shape
    ((3, 2, 3, 3), (4, 3, 3, 3))
    """
    _, network = fitted_network(estimator, ConvolutionalNetwork, "filters")
    module = network.net_.module_
    block = module.blocks[_number(layer, len(module.blocks))]
    # Before the normalisation, whose weights are one a channel.
    weights = [weight for name, weight in block.named_parameters() if weight.dim() > 1]
    return weights[0].detach().cpu().numpy().copy()


def _image_layer(module, image, layer):
    x = module.input_norm(image)
    for number in range(_number(layer, len(module.blocks)) + 1):
        x = module.blocks[number](module.pool(x) if number else x)
    return x


def _graph_layer(module, batch, layer):
    n_layers = 1 + len(module.interactions)
    states = module.embed_nodes(batch)
    width = states.shape[1] // n_layers
    number = _number(layer, n_layers)
    return states[:, number * width : (number + 1) * width]


def _number(layer, n_layers):
    if not isinstance(layer, Integral) or not -n_layers <= layer < n_layers:
        raise ValueError(
            f"layer must be an int from 0 to {n_layers - 1} (or from -{n_layers} to -1), got "
            f"{layer!r}"
        )
    return layer % n_layers
