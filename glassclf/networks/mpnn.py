"""A message-passing network on the graph of neighbouring particles."""

import torch
from torch import nn

from glassclf.networks.edge_update import EdgeUpdate
from glassclf.networks.global_node import GlobalNode
from glassclf.networks.normalization import SafeBatchNorm
from glassclf.networks.pooling import POOLINGS
from glassclf.networks.radial import GaussianBasis


class MessagePassingNetwork(nn.Module):
    r"""Continuous-filter message passing over typed particles.

    The first layer sees, for every particle, the density of neighbours of each type along the
    distance,

    .. math:: A_{i,tk} = \sum_{j \in N(i),\, t_j = t} \phi_k(r_{ij}),

    which is the message of one-hot types and, averaged over particles, a smoothed partial radial
    distribution function. Later layers pass on what the neighbours have learned,

    .. math:: h_i \leftarrow h_i + U(h_i, \sum_{j \in N(i)} V h_j \circ W\phi(r_{ij})).

    The states of all layers are pooled and read by one linear head.

    Parameters
    ----------
    n_types : int
        Number of particle types.
    n_outputs : int
        Number of outputs.
    r_min, r_max : float
        Range of the radial functions, in units of the input length.
    hidden_size : int, default=64
        Length of the state of a particle.
    n_layers : int, default=3
        Number of layers; a particle sees as many shells of neighbours.
    n_radial : int, default=16
        Number of radial functions.
    pooling : {"mean", "attention"}, default="mean"
        From particles to configurations.
    dropout : float, default=0.0
        Share of the pooled embedding that is dropped in training.
    global_node : bool, default=False
        Whether a :class:`GlobalNode` tells all particles the mean state of the configuration before
        each layer but the first.
    edge_update : bool, default=False
        Whether bonds have a state, which starts as :math:`\phi(r_{ij})` and is updated before each
        layer but the first by an :class:`EdgeUpdate`; the filters W read it in place of
        :math:`\phi`.

    Notes
    -----
    Messages after Schuett et al., J. Chem. Phys. 148, 241722 (2018), equations 6 and 7; reading
    out all layers after Xu et al., Proc. ICML 80, 5453 (2018).

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import GraphBatch, MessagePassingNetwork
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1, 0]),
    ...     graph=torch.tensor([0, 0, 1]),
    ...     n_nodes=torch.tensor([2, 1]),
    ...     sources=torch.tensor([0, 1]),
    ...     neighbors=torch.tensor([1, 0]),
    ...     vectors=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
    ...     distances=torch.tensor([1.0, 1.0]),
    ... )
    >>> network = MessagePassingNetwork(n_types=2, n_outputs=3, r_min=0.5, r_max=2.5)
    >>> network(batch).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        n_types,
        n_outputs,
        r_min,
        r_max,
        hidden_size=64,
        n_layers=3,
        n_radial=16,
        pooling="mean",
        dropout=0.0,
        global_node=False,
        edge_update=False,
    ):
        super().__init__()
        self.n_types = n_types
        self.basis = GaussianBasis(n_radial, r_min, r_max)
        n_densities = n_types * (1 + n_radial)
        self.first = nn.Sequential(
            SafeBatchNorm(n_densities, momentum=None, affine=False),
            nn.Linear(n_densities, hidden_size, bias=False),
            SafeBatchNorm(hidden_size),
            nn.SiLU(),
        )
        self.interactions = nn.ModuleList(
            Interaction(hidden_size, n_radial) for _ in range(n_layers - 1)
        )
        # One for each round of messages, or none at all.
        self.global_nodes = nn.ModuleList(
            GlobalNode(hidden_size) for _ in self.interactions if global_node
        )
        self.edge_updates = nn.ModuleList(
            EdgeUpdate(hidden_size, n_radial) for _ in self.interactions if edge_update
        )
        width = hidden_size * n_layers
        self.pooling = POOLINGS[pooling](width)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_outputs))

    def embed_nodes(self, batch):
        """State of each particle in all layers, shape (n_nodes, hidden_size * n_layers)."""
        radial = self.basis(batch.distances)
        kinds = nn.functional.one_hot(batch.types, self.n_types).to(radial.dtype)
        density = batch.sum_edges_by_type(radial, self.n_types)
        states = [self.first(torch.cat([kinds, density], dim=1))]
        edges = radial
        for number, interaction in enumerate(self.interactions):
            nodes = states[-1]
            if self.global_nodes:
                nodes = self.global_nodes[number](nodes, batch)
            if self.edge_updates:
                edges = self.edge_updates[number](edges, nodes, batch)
            states.append(interaction(nodes, edges, batch))
        return torch.cat(states, dim=1)

    def embed(self, batch):
        """Embedding of shape (n_graphs, hidden_size * n_layers) of a :class:`GraphBatch`."""
        return self.pooling(self.embed_nodes(batch), batch)

    def forward(self, batch):
        """Outputs of shape (n_graphs, n_outputs) of a :class:`GraphBatch`."""
        return self.head(self.embed(batch))


class Interaction(nn.Module):
    """One round of messages between neighbouring particles.

    Parameters
    ----------
    hidden_size : int
        Length of the state of a particle.
    n_radial : int
        Number of radial functions.
    """

    def __init__(self, hidden_size, n_radial):
        super().__init__()
        # Edges outnumber particles by far: half the width there saves half the time.
        width = max(1, hidden_size // 2)
        self.filter = nn.Linear(n_radial, width)
        self.value = nn.Linear(hidden_size, width)
        self.norm = SafeBatchNorm(width)
        self.update = nn.Sequential(
            nn.Linear(hidden_size + width, hidden_size),
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),
        )

    def forward(self, states, edges, batch):
        """New states of shape (n_nodes, hidden_size); ``edges`` are those of the bonds."""
        received = self.norm(batch.sum_messages(self.value(states), self.filter, edges))
        return states + self.update(torch.cat([states, received], dim=1))
