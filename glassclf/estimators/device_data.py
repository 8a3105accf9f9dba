"""Samples that live where the network trains, so that no batch has to travel."""

import numpy as np
import torch

from glassclf.estimators.batching import ArraySamples, GraphSamples
from glassclf.networks import GraphBatch

# Arrays are moved in pieces, so that a memory-mapped one never stands in memory whole.
PIECE_BYTES = 2**26


def place_samples(samples, device):
    """Copy samples into the memory of a device.

    Parameters
    ----------
    samples : ArraySamples or GraphSamples
    device : torch.device

    Returns
    -------
    placed : PlacedArrays or PlacedGraphs
        With batches of equal values, on the device.

    Raises
    ------
    TypeError
        If the samples are computed batch by batch.
    torch.OutOfMemoryError
        If they do not fit, with the number of bytes.
    """
    kinds = {ArraySamples: PlacedArrays, GraphSamples: PlacedGraphs}
    if type(samples) not in kinds:
        raise TypeError(
            "data_device needs samples in memory, and X computes them batch by batch: use "
            "data_device=None, or a featurizer with lazy=False"
        )
    return kinds[type(samples)](samples, device)


class PlacedArrays:
    """Samples that are rows of one tensor on a device.

    Parameters
    ----------
    samples : ArraySamples
    device : torch.device
    """

    def __init__(self, samples, device):
        (self.X,) = place_arrays([samples.X], device)

    def __len__(self):
        return len(self.X)

    def batch(self, indices):
        """Tensor of the chosen samples."""
        return self.X.index_select(0, torch.from_numpy(indices).to(self.X.device))


class PlacedGraphs:
    """Samples that are packed graphs on a device.

    Parameters
    ----------
    samples : GraphSamples
    device : torch.device
    """

    def __init__(self, samples, device):
        graphs = samples.graphs
        # The sizes of batches are worked out here, so that nobody waits for the device.
        self.nodes = np.stack([graphs.node_offsets[:-1], graphs.n_nodes])
        self.edges = np.stack([graphs.edge_offsets[:-1], graphs.n_edges])
        firsts = graphs.node_offsets[:-1]
        self.smallest_degree = np.minimum.reduceat(graphs.degrees, firsts)
        self.largest_degree = np.maximum.reduceat(graphs.degrees, firsts)
        arrays = [
            np.searchsorted(samples.types, graphs.types).astype(np.int32),
            graphs.degrees,
            graphs.neighbors,
            graphs.vectors,
            graphs.distances,
        ]
        placed = place_arrays(arrays, device)
        self.types, self.degrees, self.neighbors, self.vectors, self.distances = placed

    def __len__(self):
        return self.nodes.shape[1]

    @property
    def n_nodes(self):
        """Particles of each sample."""
        return self.nodes[1]

    def batch(self, indices):
        """:class:`GraphBatch` of the chosen samples."""
        device = self.types.device
        n_nodes, n_edges = int(self.nodes[1, indices].sum()), int(self.edges[1, indices].sum())
        sizes = np.concatenate([self.nodes[:, indices], self.edges[:, indices]])
        node_starts, node_counts, edge_starts, edge_counts = torch.from_numpy(sizes).to(device)
        graph = _repeated(node_counts, n_nodes)
        first_nodes = node_counts.cumsum(0) - node_counts
        nodes = torch.arange(n_nodes, device=device) + (node_starts - first_nodes)[graph]
        edge_graph = _repeated(edge_counts, n_edges)
        first_edges = edge_counts.cumsum(0) - edge_counts
        edges = torch.arange(n_edges, device=device) + (edge_starts - first_edges)[edge_graph]
        smallest = int(self.smallest_degree[indices].min())
        regular = smallest == self.largest_degree[indices].max() and smallest > 0
        return GraphBatch(
            types=self.types[nodes].long(),
            graph=graph,
            n_nodes=node_counts,
            sources=_repeated(self.degrees[nodes].long(), n_edges),
            # Neighbours are numbered within their configuration; here within the batch.
            neighbors=self.neighbors[edges].long() + first_nodes[edge_graph],
            vectors=self.vectors[edges],
            distances=self.distances[edges],
            n_neighbors=smallest if regular else None,
        )


def _repeated(counts, total):
    """Place of each item among the counts: 0, 0, 1, 1, 1 for counts of 2 and 3."""
    places = torch.arange(len(counts), device=counts.device)
    return torch.repeat_interleave(places, counts, output_size=total)


def place_arrays(arrays, device):
    """Copy arrays to a device, piece by piece.

    Parameters
    ----------
    arrays : list of ndarray
    device : torch.device

    Returns
    -------
    tensors : list of tensor

    Raises
    ------
    torch.OutOfMemoryError
        If they do not fit, with the number of bytes.
    """
    n_bytes = sum(array.nbytes for array in arrays)
    try:
        dtypes = [torch.from_numpy(array[:0].copy()).dtype for array in arrays]
        tensors = [
            torch.empty(array.shape, dtype=dtype, device=device)
            for array, dtype in zip(arrays, dtypes)
        ]
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU raises the plain kind
        free = ""
        if device.type == "cuda":
            free = f", of which {torch.cuda.mem_get_info(device)[0]:,} are free"
        raise torch.OutOfMemoryError(
            f"data_device={str(device)!r}: the samples take {n_bytes:,} bytes{free}; use "
            f"data_device=None, which moves one batch at a time ({error})"
        ) from error
    for array, tensor in zip(arrays, tensors):
        step = max(1, PIECE_BYTES // max(1, array[:1].nbytes))
        for start in range(0, len(array), step):
            # A copy: torch does not take a read-only memory map.
            tensor[start : start + step] = torch.from_numpy(np.array(array[start : start + step]))
    return tensors
