"""What each particle and each bond adds to the output of a message-passing network."""

from dataclasses import dataclass, fields

import numpy as np
import torch

from glassclf.inspection.path_integral import mean_gradient
from glassclf.networks import GraphBatch

# Points of the path integral. A message-passing network is smooth: a few will do.
N_POINTS = 6


@dataclass(eq=False)
class GatedBatch(GraphBatch):
    """A batch in which a message counts by the gate of its bond, from 0 (closed) to 1 (open).

    All that bonds pass on goes through ``sum_edges``, and what all particles pass on through
    ``mean_nodes``, so that any network of ours can be gated.

    Attributes
    ----------
    gates : tensor of shape (n_edges,) or None
    present : tensor of bool of shape (n_nodes,) or None
        Particles of the one graph that are there. None: all of them.
    """

    gates: torch.Tensor | None = None
    present: torch.Tensor | None = None

    @classmethod
    def around(cls, batch, gates, present=None):
        """Put gates on the bonds of a batch, and leave particles out of its means."""
        known = {each.name: getattr(batch, each.name) for each in fields(batch)}
        return cls(**known, gates=gates, present=present)

    def sum_edges(self, values):
        """Sum values of edges, shape (n_edges, ...), times their gates, for each node."""
        if self.n_neighbors is None:
            return super().sum_edges(values * self.gates[:, None])
        # A product of matrices holds no second array as large as all bonds.
        by_node = (len(self.types), self.n_neighbors)
        return torch.einsum("nk,nkv->nv", self.gates.reshape(by_node), values.reshape(*by_node, -1))

    def sum_edges_by_type(self, values, n_types):
        """Sum values of edges, times their gates, by the type of the neighbour."""
        return super().sum_edges_by_type(values * self.gates[:, None], n_types)

    def sum_messages(self, values, filters, edges):
        """Sum messages, times their gates."""
        return self.sum_edges(values.index_select(0, self.neighbors) * filters(edges))

    def mean_nodes(self, values):
        """Average values of nodes, shape (n_nodes, width), over those that are there."""
        if self.present is None:
            return super().mean_nodes(values)
        return values[self.present].mean(0, keepdim=True)


class GraphAttribution:
    """Attribution for one message-passing network.

    Parameters
    ----------
    module : MessagePassingNetwork
        Trained, in evaluation mode.
    target : Target
    """

    def __init__(self, module, target):
        self.module, self.target = module, target

    def by_gradient(self, batch):
        """Parts of the output by particle and by bond.

        Parameters
        ----------
        batch : GraphBatch
            Of one graph.

        Returns
        -------
        particles : ndarray of shape (n_particles,)
            They sum to ``output``.
        bonds : ndarray of shape (n_edges,)
            They sum to ``output - baseline``.
        output, baseline : float
            The baseline is the output for the particles without bonds.
        """
        nodes, output = self._read(batch)
        particles = self._shares(nodes, batch)
        closed, opened = torch.zeros_like(batch.distances), torch.ones_like(batch.distances)
        bonds = mean_gradient(
            lambda gates: self.target(self.module(GatedBatch.around(batch, gates))),
            closed,
            opened,
            N_POINTS,
        )
        _, baseline = self._read(GatedBatch.around(batch, closed))
        return particles, bonds.cpu().numpy(), output, baseline

    def by_occlusion(self, batch):
        """Change of the output when particles are taken away, patch by patch.

        Parameters
        ----------
        batch : GraphBatch
            Of one graph.

        Returns
        -------
        particles : ndarray of shape (n_particles,)
            Each patch shares evenly what the output loses without it.
        bonds : None
        output, baseline : float
            As above.
        """
        _, output = self._read(batch)
        particles = np.empty(len(batch.types))
        for patch in patches(batch):
            away = torch.zeros(len(batch.types), dtype=torch.bool, device=batch.types.device)
            away[patch] = True
            gates = ~(away[batch.sources] | away[batch.neighbors])
            # A patch of all particles leaves them where they are, without bonds.
            present = None if away.all() else ~away
            gated = GatedBatch.around(batch, gates.to(batch.distances.dtype), present)
            _, without = self._read(gated, present)
            particles[patch] = (output - without) / len(patch)
        _, baseline = self._read(GatedBatch.around(batch, torch.zeros_like(batch.distances)))
        return particles, None, output, baseline

    def _read(self, batch, present=None):
        """States of the particles, and the output they have together."""
        nodes = self.module.embed_nodes(batch)
        weights = self.module.pooling.weights(nodes, batch).double()
        if present is not None:
            weights = weights * present
            weights = weights / weights.sum()
        pooled = (weights[:, None] * nodes.double()).sum(0, keepdim=True)
        return nodes, float(self.target(self._head(pooled)))

    def _head(self, pooled):
        linear = self.module.head[-1]
        return pooled @ linear.weight.double().T + linear.bias.double()

    def _shares(self, nodes, batch):
        # The readout is linear in the weighted states: what is left is the same for all particles.
        weights = self.module.pooling.weights(nodes, batch).double()
        nothing = self.target(self._head(nodes.new_zeros(1, nodes.shape[1]).double()))
        values = self.target(self._head(nodes.double())) - nothing
        return (weights * values + nothing / len(nodes)).cpu().numpy()


def patches(batch):
    """Cut a graph into patches: a particle with those of its neighbours that are still free.

    Parameters
    ----------
    batch : GraphBatch
        Of one graph.

    Yields
    ------
    patch : ndarray of int
        Particles. Each particle is in one patch.
    """
    sources, neighbors = batch.sources.cpu().numpy(), batch.neighbors.cpu().numpy()
    bounds = np.searchsorted(sources, np.arange(len(batch.types) + 1))
    free = np.ones(len(batch.types), dtype=bool)
    for particle in range(len(free)):
        if free[particle]:
            around = neighbors[bounds[particle] : bounds[particle + 1]]
            patch = np.unique([particle, *around[free[around]]])
            free[patch] = False
            yield patch
