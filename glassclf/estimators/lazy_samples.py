"""Samples whose features are computed batch by batch."""

import numpy as np
import torch

from glassclf.estimators.batching import GraphSamples


class LazyArraySamples:
    """Samples that are images still to be computed.

    Parameters
    ----------
    X : LazyImages
    """

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def batch(self, indices):
        """Tensor of the chosen samples."""
        return torch.from_numpy(self.X.compute(indices))


class LazyGraphSamples:
    """Samples that are graphs still to be computed.

    Parameters
    ----------
    graphs : LazyGraphs
    types : ndarray of shape (n_types,)
        Types known to the network, sorted; a node's channel is its place among them.
    """

    def __init__(self, graphs, types):
        self.graphs = graphs
        self.types = types

    def __len__(self):
        return len(self.graphs)

    @property
    def n_nodes(self):
        """Particles of each sample."""
        return self.graphs.n_nodes

    def batch(self, indices):
        """:class:`GraphBatch` of the chosen samples."""
        chosen = GraphSamples(self.graphs.compute(indices), self.types)
        return chosen.batch(np.arange(len(indices)))
