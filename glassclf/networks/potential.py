"""A continuous-filter network whose output is an energy, smooth in all positions."""

import torch
from torch import nn

from glassclf.networks.energy import EnergyNetwork


class InverseBasis(nn.Module):
    """Gaussians of the inverse distance, which end smoothly at ``r_max``.

    Forces grow fast where particles repel each other, and there the functions stand closest.

    Parameters
    ----------
    n_radial : int
        Number of functions.
    r_min, r_max : float
        Their centres stand at equal steps of the inverse from one to the other.

    Notes
    -----
    All are multiplied by 1 - 10 u^3 + 15 u^4 - 6 u^5, u = r / r_max, which has two continuous
    derivatives where it ends.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import InverseBasis
    >>> InverseBasis(n_radial=3, r_min=1.0, r_max=2.0)(torch.tensor([1.0, 2.0]))
    tensor([[0.5000, 0.3033, 0.0677],
            [0.0000, 0.0000, 0.0000]])
    """

    def __init__(self, n_radial, r_min, r_max):
        super().__init__()
        centers = torch.linspace(1 / r_min, 1 / r_max, n_radial)
        self.r_max = r_max
        self.width = (1 / r_min - 1 / r_max) / max(n_radial - 1, 1)
        self.register_buffer("centers", centers)

    def forward(self, distances):
        """Basis values of shape (n_edges, n_radial) of distances of shape (n_edges,)."""
        u = (distances / self.r_max).clamp(max=1.0)
        end = 1 - u**3 * (10 - 15 * u + 6 * u**2)
        scaled = (1 / distances[:, None] - self.centers) / self.width
        return torch.exp(-0.5 * scaled**2) * end[:, None]


class PotentialNetwork(EnergyNetwork):
    r"""Potential energy of typed particles, by continuous filters.

    The first layer sees, for every particle, the density of neighbours of each type, and with
    ``angular_order`` also which way they lie,

    .. math::
        A_{i,tk} = \sum_{j:\, t_j = t} \phi_k(r_{ij}), \qquad
        B^l_{i,tc} = \Big\| \sum_{j:\, t_j = t} (W\phi)_c(r_{ij}) \hat r_{ij}^{\otimes l} \Big\|^2,

    with weights of its own for each type of the particle itself. Later layers pass on what the
    neighbours have learned,

    .. math:: h_i \leftarrow h_i + U(h_i, \sum_j V h_j \circ W\phi(r_{ij})).

    The energy of a particle is read from the states of all layers; that of a graph is the sum.

    Parameters
    ----------
    n_types, n_dims : int
        Number of particle types and of spatial dimensions.
    r_min, r_max : float
        Range of the radial functions, in units of the input length; the energy does not depend on
        what is beyond ``r_max``.
    hidden_size : int, default=32
        Length of the state of a particle.
    n_layers : int, default=2
        Number of layers; a particle sees as many shells of neighbours.
    n_radial : int, default=24
        Number of radial functions.
    angular_order : {0, 1, 2}, default=0
        Highest l of the above. Without any, angles are seen in the later layers only.

    Notes
    -----
    Messages after Schuett et al., J. Chem. Phys. 148, 241722 (2018), equations 6 and 7. The sums
    over tensor powers are those of moment tensor potentials: Shapeev, Multiscale Model. Simul. 14,
    1153 (2016), equation 10.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import GraphBatch, PotentialNetwork
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1]),
    ...     graph=torch.tensor([0, 0]),
    ...     n_nodes=torch.tensor([2]),
    ...     sources=torch.tensor([0, 1]),
    ...     neighbors=torch.tensor([1, 0]),
    ...     vectors=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
    ...     distances=torch.tensor([1.0, 1.0]),
    ... )
    >>> network = PotentialNetwork(n_types=2, n_dims=2, r_min=0.8, r_max=2.5)
    >>> network.respond(batch).forces.sum(0).tolist()
    [0.0, 0.0]
    """

    def __init__(
        self,
        n_types,
        n_dims,
        r_min,
        r_max,
        hidden_size=32,
        n_layers=2,
        n_radial=24,
        angular_order=0,
    ):
        super().__init__(length=r_min)
        self.n_types, self.angular_order = n_types, angular_order
        self.basis = InverseBasis(n_radial, r_min, r_max)
        n_channels = max(1, hidden_size // 4)
        self.channels = nn.Linear(n_radial, n_channels, bias=False) if angular_order else None
        self.mixing = nn.ModuleList(
            nn.Linear(n_types * n_channels, n_types * n_channels, bias=False)
            for _ in range(angular_order)
        )
        n_seen = n_types * (n_radial + angular_order * n_channels)
        self.first = nn.Linear(n_seen, n_types * 2 * hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.interactions = nn.ModuleList(
            FilterInteraction(hidden_size, n_radial) for _ in range(n_layers - 1)
        )
        self.head = nn.Sequential(
            nn.Linear(hidden_size * n_layers, hidden_size), nn.SiLU(), nn.Linear(hidden_size, 1)
        )
        self.pairs = nn.Linear(hidden_size, 1, bias=False)

    def embed_nodes(self, batch):
        """State of each particle in all layers, shape (n_nodes, hidden_size * n_layers)."""
        return self._states(batch)[0]

    def embed(self, batch):
        """Mean state of the particles, shape (n_graphs, hidden_size * n_layers)."""
        return batch.mean_nodes(self.embed_nodes(batch))

    def node_energies(self, batch):
        """Energy of each particle, shape (n_nodes,)."""
        states, linear = self._states(batch)
        return (self.head(states) + self.pairs(linear))[:, 0]

    def _states(self, batch):
        radial = self.basis(batch.distances)
        density = batch.sum_edges_by_type(radial, self.n_types)
        seen = torch.cat([density, *self._angles(radial, batch)], 1)
        own = self.first(seen).reshape(len(batch.types), self.n_types, -1)
        own = own[torch.arange(len(own), device=own.device), batch.types]
        # Half of it goes on as it is, so that energies of pairs are within reach at once.
        curved, linear = own.chunk(2, dim=1)
        state = nn.functional.silu(self.second(nn.functional.silu(curved)))
        states = [state]
        for interaction in self.interactions:
            state = interaction(state, radial, batch)
            states.append(state)
        return torch.cat(states, dim=1), linear

    def _angles(self, radial, batch):
        if not self.angular_order:
            return
        weights = self.channels(radial)
        along = batch.vectors / batch.distances[:, None]
        n_nodes, n_channels = len(batch.types), weights.shape[1]
        powers = along
        for mix in self.mixing:
            tensors = (powers[:, :, None] * weights[:, None, :]).flatten(1)
            tensors = batch.sum_edges_by_type(tensors, self.n_types)
            tensors = tensors.reshape(n_nodes, self.n_types, -1, n_channels)
            tensors = tensors.transpose(1, 2).reshape(n_nodes, powers.shape[1], -1)
            yield (tensors * mix(tensors)).sum(1)
            powers = (powers[:, :, None] * along[:, None, :]).flatten(1)


class FilterInteraction(nn.Module):
    """One round of messages between neighbours, weighted by filters of the distance.

    Parameters
    ----------
    hidden_size : int
        Length of the state of a particle.
    n_radial : int
        Number of radial functions.
    """

    def __init__(self, hidden_size, n_radial):
        super().__init__()
        self.filter = nn.Linear(n_radial, hidden_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.update = nn.Sequential(
            nn.Linear(2 * hidden_size, hidden_size), nn.SiLU(), nn.Linear(hidden_size, hidden_size)
        )

    def forward(self, states, radial, batch):
        """New states of shape (n_nodes, hidden_size)."""
        # index_select, not indexing: its gradient is a plain index_add, much faster on the CPU.
        messages = self.value(states).index_select(0, batch.neighbors) * self.filter(radial)
        return states + self.update(torch.cat([states, batch.sum_edges(messages)], dim=1))
