"""How much of an image the layers of a convolutional network see."""

import numpy as np
from sklearn.utils import Bunch

from glassclf.inspection.subject import fitted_network
from glassclf.networks import ConvolutionalNetwork, LayeredNetwork
from glassclf.networks.geometry import trace_layers


def receptive_field(estimator, extent):
    r"""Size of the output and receptive field of each layer of a convolutional network.

    Parameters
    ----------
    estimator : CNNClassifier, CNNRegressor, or a pipeline that ends in one
        Fitted.
    extent : int
        Pixels, or lattice sites, along an axis of the image.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``names`` : list of str, of the convolutions and poolings in the order in which they act;
        ``output_size`` : ndarray of int of shape (n_layers,), sites behind each;
        ``receptive_field`` : ndarray of int of shape (n_layers,), sites of the image that one
        output depends on, along an axis; at most ``extent`` where the padding is circular;
        ``step`` : ndarray of int of shape (n_layers,), sites of the image between two outputs;
        ``dropped`` : ndarray of int of shape (n_layers,), sites at the upper border of the layer's
        own input that it does not see, as its stride does not divide them;
        ``wraps`` : bool, whether an output of the last layer sees the whole of a periodic image,
        some of it more than once.

    Raises
    ------
    TypeError
        If the estimator does not end in a CNN of ours, or that has a ``module`` of its own.
    ValueError
        If the image is too small for a layer.

    Notes
    -----
    :math:`V` sites become :math:`\lfloor (V - k + 2 P) / S \rfloor + 1` with kernel :math:`k`,
    padding :math:`P` and stride :math:`S`; receptive fields are :math:`1 + \sum_l (k_l - 1)
    \prod_{i < l} S_i` (A. Araujo, W. Norris and J. Sim, Distill (2019), equation 2). Poolings are
    layers. All positions are averaged in the end, so that the prediction depends on the whole
    image; the receptive field is the size of the patterns that it is an average of.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.estimators import CNNRegressor
    >>> from glassclf.inspection import receptive_field
    >>> X = np.random.default_rng(0).random((8, 1, 16, 16))
    >>> model = CNNRegressor(architecture="strided", max_epochs=1, random_state=0)
    >>> result = receptive_field(model.fit(X, X.mean((1, 2, 3))), 128)
    >>> result.output_size.tolist(), result.receptive_field.tolist()
    ([64, 32, 16, 8], [5, 9, 17, 33])
    """
    _, network = fitted_network(
        estimator, (ConvolutionalNetwork, LayeredNetwork), "receptive_field"
    )
    module = network.net_.module_
    sizes = trace_layers(module.spatial_layers(), extent)
    circular = module.padding == "circular"
    fields = np.array([size.receptive_field for size in sizes])
    return Bunch(
        names=[size.name for size in sizes],
        output_size=np.array([size.output_size for size in sizes]),
        receptive_field=np.minimum(fields, extent) if circular else fields,
        step=np.array([size.step for size in sizes]),
        dropped=np.array([size.dropped for size in sizes]),
        wraps=bool(circular and fields[-1] > extent),
    )
