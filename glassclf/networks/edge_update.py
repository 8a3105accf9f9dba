"""Bonds with a state of their own, which learns from the particles at both ends."""

from torch import nn


class EdgeUpdate(nn.Module):
    r"""Update the state of each bond from the particles that it joins.

    .. math:: e_{ij} \leftarrow e_{ij} + W \sigma(W_1 h_i + W_2 h_j + W_3 e_{ij})

    With it, what a particle hears of a neighbour depends on the particle itself, too.

    Parameters
    ----------
    hidden_size : int
        Length of the state of a particle.
    n_radial : int
        Length of the state of a bond.

    Notes
    -----
    P. B. Jorgensen, K. W. Jacobsen and M. N. Schmidt, arXiv:1806.03146, edge update network: two
    layers on the states of both ends and of the bond, side by side. Here the result is added to the
    state, and the activation is that of the other layers.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import EdgeUpdate, GraphBatch
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1]),
    ...     graph=torch.tensor([0, 0]),
    ...     n_nodes=torch.tensor([2]),
    ...     sources=torch.tensor([0, 1]),
    ...     neighbors=torch.tensor([1, 0]),
    ...     vectors=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
    ...     distances=torch.tensor([1.0, 1.0]),
    ... )
    >>> update = EdgeUpdate(hidden_size=8, n_radial=3)
    >>> update(torch.zeros(2, 3), torch.zeros(2, 8), batch).shape
    torch.Size([2, 3])
    """

    def __init__(self, hidden_size, n_radial):
        super().__init__()
        width = max(1, hidden_size // 2)
        self.source = nn.Linear(hidden_size, width)
        self.neighbor = nn.Linear(hidden_size, width, bias=False)
        self.edge = nn.Linear(n_radial, width, bias=False)
        self.last = nn.Linear(width, n_radial)

    def forward(self, edges, states, batch):
        """New states of the bonds, shape (n_edges, n_radial)."""
        # One linear layer on all three side by side, which is cheaper where particles are few.
        at_source = self.source(states).index_select(0, batch.sources)
        at_neighbor = self.neighbor(states).index_select(0, batch.neighbors)
        hidden = nn.functional.silu(at_source + at_neighbor + self.edge(edges))
        return edges + self.last(hidden)
