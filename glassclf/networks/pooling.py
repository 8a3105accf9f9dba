"""From a vector per particle to a vector per configuration."""

import torch
from torch import nn


class MeanPooling(nn.Module):
    """Average over the particles of each graph: an intensive quantity.

    Parameters
    ----------
    width : int
        Length of the vector of a particle.
    """

    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, nodes, batch):
        """Pool ``nodes``, shape (n_nodes, width), into shape (n_graphs, width)."""
        return batch.mean_nodes(nodes)


class AttentionPooling(nn.Module):
    """Weighted average over the particles of each graph, with learned weights.

    Parameters
    ----------
    width : int
        Length of the vector of a particle.

    Notes
    -----
    Gated read-out of Li et al., arXiv:1511.05493, equation 7, normalised over each graph.
    """

    def __init__(self, width):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def weights(self, nodes, batch):
        """Weight of each particle, shape (n_nodes,); those of one graph sum to 1."""
        scores = self.score(nodes)[:, 0]
        # The softmax is shifted by the largest score of each graph, so that none overflows.
        largest = scores.new_full((len(batch),), -torch.inf)
        largest = largest.scatter_reduce(0, batch.graph, scores.detach(), "amax")
        scores = (scores - largest[batch.graph]).exp()
        totals = scores.new_zeros(len(batch)).index_add(0, batch.graph, scores)
        return scores / totals[batch.graph]

    def forward(self, nodes, batch):
        """Pool ``nodes``, shape (n_nodes, width), into shape (n_graphs, width)."""
        weighted = nodes * self.weights(nodes, batch)[:, None]
        return nodes.new_zeros(len(batch), nodes.shape[1]).index_add(0, batch.graph, weighted)


POOLINGS = {"mean": MeanPooling, "attention": AttentionPooling}
