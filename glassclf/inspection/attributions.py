"""Attribution: how much each particle and each bond adds to the output of a network."""

import numpy as np
import torch
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from glassclf.configurations import as_configurations
from glassclf.featurizers import ImageFeaturizer
from glassclf.inspection.graph_attribution import GraphAttribution
from glassclf.inspection.image_attribution import ImageAttribution
from glassclf.inspection.subject import features_for, fitted_network
from glassclf.inspection.target import Target
from glassclf.networks import ConvolutionalNetwork, MessagePassingNetwork


@validate_params(
    {"method": [StrOptions({"gradient", "occlusion"})]}, prefer_skip_nested_validation=True
)
def attribution(estimator, X, method="gradient", *, target=None):
    r"""Share out the output of a network among the particles and the bonds.

    Parameters
    ----------
    estimator : network of :mod:`glassclf.estimators`, or a pipeline that ends in one
        Fitted. A pipeline of an :class:`~glassclf.featurizers.ImageFeaturizer` and a CNN, or of a
        :class:`~glassclf.featurizers.GraphFeaturizer` and an MPNN, gives values for particles.
    X : Configurations, or what the estimator takes
    method : {"gradient", "occlusion"}, default="gradient"
        "gradient" follows the gradient of the network; "occlusion" takes patches of particles away,
        one by one, which takes far longer for a large graph.
    target : label or int, default=None
        The class whose output is shared out (None: ``classes_[1]`` of two), or the number of an
        output of a regressor.

    Returns
    -------
    result : sklearn.utils.Bunch
        ``output`` : ndarray of shape (n,), what is shared out: of two classes the log odds of the
        target, of more its output minus the mean of the others, of a regressor the prediction;
        ``baseline`` : ndarray of shape (n,), the same for an input that tells nothing: particles
        without bonds, or spread evenly over the image;
        ``particles`` : list of ndarray of shape (n_particles,), or None for a CNN without
        an :class:`~glassclf.featurizers.ImageFeaturizer` right before it;
        ``bonds`` : list of ndarray of shape (n_edges,) in the order of the graph, or None (for a
        CNN, and with "occlusion");
        ``maps`` : list of ndarray of shape (n_channels, ...) of a CNN (one channel with
        "occlusion"), or None.

        With "gradient" the values of the particles of a configuration sum to ``output``, those of
        the bonds, and those of a map, to ``output - baseline``.

    Raises
    ------
    TypeError
        If the estimator does not end in a network of ours, or that has a ``module`` of its own.
    ValueError
        If there are several classes or outputs and no target is given.

    See Also
    --------
    attention : What a network with attention pooling weighs.
    glassclf.plotting.ConfigurationDisplay : Draws particles by such values.

    Notes
    -----
    Particles of an MPNN: its readout is linear in the weighted states of the particles,
    :math:`f = b + \sum_i a_i w \cdot h_i`, and particle :math:`i` gets :math:`a_i w \cdot h_i`, its
    class activation (B. Zhou et al., Proc. CVPR, 2921 (2016), equation 1), and an equal share of
    :math:`b`. Its state knows the particles that ``n_layers`` bonds reach, so the picture is
    blurred by as much.

    Bonds of an MPNN, and pixels of a CNN: integrated gradients (M. Sundararajan, A. Taly and
    Q. Yan, Proc. ICML 70, 3319 (2017), equation 1) along the straight path from the baseline. A
    bond counts by a gate from 0 to 1 on all that it passes on. The integral is a sum over 6 points
    (32 of a CNN, whose slope has jumps), so that sums are met within 1 % or so.

    An image is linear in its particles, and so the values of the pixels go back to the particles
    that they show: each gets the mean gradient under its own blurred disc, minus that of a particle
    spread over the box, and an equal share of the baseline.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.estimators import MPNNClassifier
    >>> from glassclf.featurizers import GraphFeaturizer
    >>> from glassclf.inspection import attribution
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> network = MPNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    >>> model = make_pipeline(GraphFeaturizer(n_neighbors=6), network).fit(X, y)
    >>> result = attribution(model, X[:2])
    >>> result.particles[0].shape, result.bonds[0].shape
    ((42,), (252,))
    >>> bool(np.isclose(result.particles[0].sum(), result.output[0]))
    True
    """
    before, network = fitted_network(
        estimator, (MessagePassingNetwork, ConvolutionalNetwork), "attribution"
    )
    target = Target(network, target)
    module = network.net_.module_.eval()
    features = features_for(before, X)
    samples = network._check_samples(features)
    by_graph = isinstance(module, MessagePassingNetwork)
    share_out = (_of_graphs if by_graph else _of_images)(module, target, method)
    featurizer = before[-1] if before else None
    shows_particles = isinstance(featurizer, ImageFeaturizer)
    configurations = as_configurations(features_for(before[:-1], X)) if shows_particles else None
    rows = []
    with torch.no_grad():
        for index in range(len(samples)):
            batch = samples.batch(np.array([index])).to(network.net_.device)
            one = configurations[index] if shows_particles else None
            rows.append(share_out(batch, featurizer, one))
    particles, bonds, maps, output, baseline = zip(*rows)
    return Bunch(
        particles=_listed(particles),
        bonds=_listed(bonds),
        maps=_listed(maps),
        output=np.array(output),
        baseline=np.array(baseline),
    )


def _listed(values):
    return None if values[0] is None else list(values)


def _of_graphs(module, target, method):
    attribute = getattr(GraphAttribution(module, target), f"by_{method}")

    def share_out(batch, featurizer, configuration):
        particles, bonds, output, baseline = attribute(batch)
        return particles, bonds, None, output, baseline

    return share_out


def _of_images(module, target, method):
    attribute = getattr(ImageAttribution(module, target), f"by_{method}")

    def share_out(image, featurizer, configuration):
        values, detail, output, baseline = attribute(image)
        particles = None
        if configuration is not None and method == "gradient":
            particles = featurizer._read_back(detail, configuration)
            # Without what a particle would add that is spread over the box.
            even = detail.reshape(len(detail), -1).mean(axis=1)
            particles -= even[np.searchsorted(featurizer.types_, configuration.types)]
            particles += baseline / len(particles)
        if configuration is not None and method == "occlusion":
            patch = featurizer._pixel_of(configuration)
            number = detail[tuple(patch.T)]
            lost = np.bincount(detail.ravel(), values.ravel(), minlength=number.max() + 1)
            particles = lost[number] / np.bincount(number)[number]
        return particles, None, values, output, baseline

    return share_out
