"""Networks whose output is an energy, and whose gradient therefore is a force."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn

from glassclf.networks.core import with_core


class EnergyForcesVirial(NamedTuple):
    """What a potential says of a batch of graphs, in its own units.

    Attributes
    ----------
    energies : tensor of shape (n_graphs,)
        Of whole graphs.
    forces : tensor of shape (n_nodes, n_dims)
        Minus the gradient of the energies.
    virials : tensor of shape (n_graphs, n_dims, n_dims)
        Derivative of the energies by a strain.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import EnergyForcesVirial
    >>> nothing = EnergyForcesVirial(torch.zeros(1), torch.zeros(2, 3), torch.zeros(1, 3, 3))
    >>> nothing.forces.shape
    torch.Size([2, 3])
    """

    energies: torch.Tensor
    forces: torch.Tensor
    virials: torch.Tensor


class EnergyNetwork(nn.Module):
    """Base of the potentials: energies of particles, summed; forces from their gradient.

    A subclass writes ``node_energies(batch)``, which returns the energy of each node, shape
    (n_nodes,), out of ``batch.vectors``, ``batch.distances`` and ``batch.types``, with two
    derivatives by the vectors; and ``embed(batch)`` if ``transform`` is to work. Forces then are
    exact, sum to zero, and turn with the configuration if the energy does not.

    Parameters
    ----------
    length : float, default=1.0
        Unit of length of the network's own units: forces are energies divided by it.

    Examples
    --------
    Springs between neighbours, which each end counts half:

    >>> import torch
    >>> from glassclf.networks import EnergyNetwork, GraphBatch
    >>> class Springs(EnergyNetwork):
    ...     def node_energies(self, batch):
    ...         return batch.sum_edges((batch.distances - 1.0) ** 2 / 4)
    >>> pair = GraphBatch(
    ...     types=torch.tensor([0, 0]),
    ...     graph=torch.tensor([0, 0]),
    ...     n_nodes=torch.tensor([2]),
    ...     sources=torch.tensor([0, 1]),
    ...     neighbors=torch.tensor([1, 0]),
    ...     vectors=torch.tensor([[1.5, 0.0], [-1.5, 0.0]]),
    ...     distances=torch.tensor([1.5, 1.5]),
    ... )
    >>> Springs().respond(pair).forces.tolist()
    [[0.5, 0.0], [-0.5, 0.0]]
    """

    def __init__(self, length=1.0):
        super().__init__()
        self.length = length

    def node_energies(self, batch):
        """Energy of each node, shape (n_nodes,)."""
        raise NotImplementedError("a potential needs node_energies(batch)")

    def respond(self, batch, core=None):
        """Energies, forces and virials of a :class:`GraphBatch`, without a graph of gradients.

        Parameters
        ----------
        batch : GraphBatch
        core : tensor of shape (3, n_types, n_types), default=None
            Of each two types the distance at which a repulsive core begins, its force there, in
            the network's energy by the length of the vectors, and the length over which it grows
            by e. Inside, the network is asked about particles a quarter of a length inside at most.
            Training data have no pairs that close, and need none.

        Returns
        -------
        found : EnergyForcesVirial
        """
        energies, gradients, batch = self._differentiate(batch, create_graph=False, core=core)
        forces = _forces(gradients, batch)
        strains = gradients.detach()[:, :, None] * batch.vectors.detach()[:, None, :]
        virials = strains.new_zeros(len(batch), *strains.shape[1:])
        virials.index_add_(0, batch.graph.index_select(0, batch.sources), strains)
        return EnergyForcesVirial(energies.detach(), forces.detach() * self.length, virials)

    def forward(self, batch):
        """Energy per node, and mean squared error of the forces, shape (n_graphs, 2).

        The error, of a component, is zero where ``batch.forces`` is None.
        """
        if batch.forces is None:
            energies = self._sum(self.node_energies(batch), batch)
            errors = batch.vectors.new_zeros(len(batch))
        else:
            energies, gradients, batch = self._differentiate(batch, create_graph=self.training)
            forces = _forces(gradients, batch) * self.length
            errors = batch.mean_nodes(((forces - batch.forces) ** 2).mean(1, keepdim=True))[:, 0]
        return torch.stack([(energies / batch.n_nodes).to(errors.dtype), errors], dim=1)

    def _differentiate(self, batch, create_graph, core=None):
        # Where validation switched gradients off, forces still need that of the energy.
        with torch.enable_grad():
            vectors = batch.vectors.detach().requires_grad_()
            batch = replace(batch, vectors=vectors, distances=vectors.square().sum(1).sqrt())
            if core is None:
                energies = self._sum(self.node_energies(batch), batch)
            else:
                stopped, of_core = with_core(batch, core)
                nodes = self.node_energies(stopped) + batch.sum_edges(of_core)
                energies = self._sum(nodes, batch)
            (gradients,) = torch.autograd.grad(energies.sum(), vectors, create_graph=create_graph)
        return energies, gradients, batch

    def _sum(self, node_energies, batch):
        # In double precision: of a thousand particles the last digits of the energy would be lost.
        node_energies = node_energies.double()
        out = node_energies.new_zeros(len(batch))
        return out.index_add(0, batch.graph, node_energies)


def _forces(gradients, batch):
    """Each edge pulls its source along the gradient, and its neighbour against it."""
    out = gradients.new_zeros(len(batch.types), gradients.shape[1])
    out = out.index_add(0, batch.sources, gradients)
    return out.index_add(0, batch.neighbors, gradients, alpha=-1)
