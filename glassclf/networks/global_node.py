"""A node that all particles of a configuration are joined to."""

from torch import nn


class GlobalNode(nn.Module):
    r"""Tell each particle what the whole configuration is like.

    A node hears all particles of its graph, and all of them hear it, however far apart they are:

    .. math:: h_i \leftarrow h_i + M\Big(\frac1N \sum_{j=1}^N h_j\Big).

    It takes a mean, not a sum, so that the number of particles does not matter.

    Parameters
    ----------
    hidden_size : int
        Length of the state of a particle.

    Notes
    -----
    The "master node" of J. Gilmer et al., Proc. ICML 70, 1263 (2017), section 5.2. Theirs keeps a
    state of its own; here the states of the particles carry it to the next layer.

    Examples
    --------
    Two graphs, of two particles and of one; no bonds are needed:

    >>> import torch
    >>> from glassclf.networks import GlobalNode, GraphBatch
    >>> bonds = {"sources": [], "neighbors": [], "vectors": [], "distances": []}
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1, 0]),
    ...     graph=torch.tensor([0, 0, 1]),
    ...     n_nodes=torch.tensor([2, 1]),
    ...     **bonds,
    ... )
    >>> states = torch.zeros(3, 4)
    >>> heard = GlobalNode(hidden_size=4)(states, batch)
    >>> heard.shape, torch.equal(heard[0], heard[1])
    (torch.Size([3, 4]), True)
    """

    def __init__(self, hidden_size):
        super().__init__()
        self.update = nn.Sequential(
            nn.Linear(hidden_size, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size)
        )

    def forward(self, states, batch):
        """States of shape (n_nodes, hidden_size), with what the whole graph adds to them."""
        whole = self.update(batch.mean_nodes(states))
        return states + whole.to(states.dtype).index_select(0, batch.graph)
