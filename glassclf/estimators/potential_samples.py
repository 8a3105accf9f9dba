"""Configurations as samples of a potential: all pairs in range, and the forces."""

import numpy as np
import torch

from glassclf.configurations import pairs_within
from glassclf.networks import GraphBatch


class PairSamples:
    """Samples that are pairs of particles.

    Parameters
    ----------
    X : Configurations
    r_max : float
        Range of the pairs.
    types : ndarray of shape (n_types,)
        Types known to the network, sorted; a particle's channel is its place among them.
    forces : ndarray of shape (n_particles_total, n_dims), default=None
        As the network is to produce them.
    """

    def __init__(self, X, r_max, types, forces=None):
        self.n_nodes = X.n_particles
        self.members = []
        for index, configuration in enumerate(X):
            own = slice(X.offsets[index], X.offsets[index + 1])
            pairs = pairs_within(configuration, r_max)
            self.members.append(
                {
                    "types": np.searchsorted(types, configuration.types),
                    "sources": pairs.sources.astype(np.int32),
                    "neighbors": pairs.targets.astype(np.int32),
                    "vectors": pairs.vectors.astype(np.float32),
                    "forces": None if forces is None else forces[own].astype(np.float32),
                }
            )

    def __len__(self):
        return len(self.members)

    def batch(self, indices):
        """:class:`GraphBatch` of the chosen samples."""
        return batch_of_pairs([self.members[index] for index in indices])


def batch_of_pairs(members):
    """Join the pairs of several configurations to one batch.

    Parameters
    ----------
    members : list of dict
        Of each configuration: "types" (channels of the network), "sources", "neighbors", "vectors"
        and "forces" (None in all, or in none).

    Returns
    -------
    batch : GraphBatch
        In the precision of the vectors.
    """
    n_nodes = np.array([len(member["types"]) for member in members])
    n_edges = [len(member["sources"]) for member in members]
    first = np.repeat(np.cumsum(n_nodes) - n_nodes, n_edges)
    joined = {
        name: np.concatenate([member[name] for member in members])
        for name in ("types", "sources", "neighbors", "vectors")
    }
    has_forces = members[0]["forces"] is not None
    vectors = torch.from_numpy(joined["vectors"])
    return GraphBatch(
        types=torch.from_numpy(joined["types"]),
        graph=torch.from_numpy(np.repeat(np.arange(len(members)), n_nodes)),
        n_nodes=torch.from_numpy(n_nodes),
        sources=torch.from_numpy(joined["sources"] + first),
        neighbors=torch.from_numpy(joined["neighbors"] + first),
        vectors=vectors,
        distances=vectors.norm(dim=1),
        forces=torch.from_numpy(np.concatenate([member["forces"] for member in members]))
        if has_forces
        else None,
    )
