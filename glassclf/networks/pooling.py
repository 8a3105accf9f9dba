"""From a vector per particle to a vector per configuration."""

import torch
from torch import nn

from glassclf.networks.graph_batch import at_least_single


class MeanPooling(nn.Module):
    """Average over the particles of each graph: an intensive quantity.

    Parameters
    ----------
    width : int
        Length of the vector of a particle.

    Examples
    --------
    Two graphs, of two particles and of one; a pooling looks at nothing else of the batch:

    >>> import torch
    >>> from glassclf.networks import GraphBatch, MeanPooling
    >>> bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1, 0]),
    ...     graph=torch.tensor([0, 0, 1]),
    ...     n_nodes=torch.tensor([2, 1]),
    ...     **bonds,
    ... )
    >>> nodes = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 5.0]])
    >>> MeanPooling(width=2)(nodes, batch).tolist()
    [[2.0, 0.0], [5.0, 5.0]]
    """

    def __init__(self, width):
        super().__init__()
        self.width = width

    def weights(self, nodes, batch):
        """Weight of each particle, shape (n_nodes,); those of one graph sum to 1."""
        return at_least_single(nodes.new_ones(len(nodes))) / batch.n_nodes[batch.graph]

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
    Attention pooling of M. Ilse, J. M. Tomczak and M. Welling, arXiv:1802.04712, equations 7 and 8
    (without the gate).

    Examples
    --------
    Two graphs, of two particles and of one; a pooling looks at nothing else of the batch:

    >>> import torch
    >>> from glassclf.networks import AttentionPooling, GraphBatch
    >>> bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1, 0]),
    ...     graph=torch.tensor([0, 0, 1]),
    ...     n_nodes=torch.tensor([2, 1]),
    ...     **bonds,
    ... )
    >>> nodes = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 5.0]])
    >>> pooling = AttentionPooling(width=2)
    >>> pooling(nodes, batch).shape
    torch.Size([2, 2])
    >>> round(pooling.weights(nodes, batch)[:2].sum().item(), 5)
    1.0
    """

    def __init__(self, width):
        super().__init__()
        # A shift of all scores would change no weight: the last layer has none.
        last = nn.Linear(width, 1, bias=False)
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), last)

    def weights(self, nodes, batch):
        """Weight of each particle, shape (n_nodes,); those of one graph sum to 1."""
        scores = at_least_single(self.score(nodes)[:, 0])
        # The softmax is shifted by the largest score of each graph, so that none overflows.
        largest = scores.new_full((len(batch),), -torch.inf)
        largest = largest.scatter_reduce(0, batch.graph, scores.detach(), "amax")
        scores = (scores - largest[batch.graph]).exp()
        totals = scores.new_zeros(len(batch)).index_add(0, batch.graph, scores)
        return scores / totals[batch.graph]

    def forward(self, nodes, batch):
        """Pool ``nodes``, shape (n_nodes, width), into shape (n_graphs, width)."""
        nodes, weights = at_least_single(nodes), self.weights(nodes, batch)
        weighted = nodes * weights[:, None]
        return nodes.new_zeros(len(batch), nodes.shape[1]).index_add(0, batch.graph, weighted)


POOLINGS = {"mean": MeanPooling, "attention": AttentionPooling}
