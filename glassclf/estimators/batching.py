"""From samples in numpy to batches of tensors, a whole batch at a time."""

import numpy as np
import torch

from glassclf.networks import GraphBatch


class ArraySamples:
    """Samples that are rows of one array: images, fields, profiles.

    Parameters
    ----------
    X : ndarray of float32 of shape (n, n_channels, ...)
    """

    def __init__(self, X):
        self.X = X

    @property
    def content(self):
        """What the samples are made of, for a fingerprint."""
        return self.X

    def __len__(self):
        return len(self.X)

    def batch(self, indices):
        """Tensor of the chosen samples."""
        # Indexing copies, so that a read-only memory map can be given to torch.
        return torch.from_numpy(self.X[indices])


class GraphSamples:
    """Samples that are packed graphs.

    Parameters
    ----------
    graphs : Graphs
    types : ndarray of shape (n_types,)
        Types known to the network, sorted; a node's channel is its place among them.
    """

    def __init__(self, graphs, types):
        self.graphs = graphs
        self.types = types

    @property
    def content(self):
        """What the samples are made of, for a fingerprint."""
        return self.graphs

    def __len__(self):
        return len(self.graphs)

    @property
    def n_nodes(self):
        """Particles of each sample."""
        return self.graphs.n_nodes

    def batch(self, indices):
        """:class:`GraphBatch` of the chosen samples."""
        graphs = self.graphs
        nodes = _bounds(graphs.node_offsets, indices)
        edges = _bounds(graphs.edge_offsets, indices)
        n_nodes, n_edges = nodes[:, 1] - nodes[:, 0], edges[:, 1] - edges[:, 0]
        degrees = _joined(graphs.degrees, nodes)
        smallest = int(degrees.min())
        regular = smallest == degrees.max() and smallest > 0
        # Neighbours are numbered within their configuration; here within the batch.
        first_node = np.repeat(np.cumsum(n_nodes) - n_nodes, n_edges)
        return GraphBatch(
            types=torch.from_numpy(np.searchsorted(self.types, _joined(graphs.types, nodes))),
            graph=torch.from_numpy(np.repeat(np.arange(len(indices)), n_nodes)),
            n_nodes=torch.from_numpy(n_nodes),
            sources=torch.from_numpy(
                # One number for all is repeated much faster than one for each.
                np.repeat(np.arange(len(degrees)), smallest if regular else degrees)
            ),
            neighbors=torch.from_numpy(_joined(graphs.neighbors, edges) + first_node),
            vectors=torch.from_numpy(_joined(graphs.vectors, edges)),
            distances=torch.from_numpy(_joined(graphs.distances, edges)),
            n_neighbors=smallest if regular else None,
        )


def _bounds(offsets, indices):
    """First row and end of each chosen member of a packed array, shape (n_chosen, 2)."""
    return np.stack([offsets[indices], offsets[indices + 1]], axis=1).astype(np.int64)


def _joined(array, bounds):
    """Copy of the rows of the chosen members, piece by piece: faster than row by row."""
    return np.concatenate([array[start:end] for start, end in bounds.tolist()])


def batch_ends(sizes, batch_size):
    """Cut samples into batches in which, together, there are about equally many particles.

    A batch of a few large configurations would else take many times the memory of the others.

    Parameters
    ----------
    sizes : ndarray of int of shape (n,)
        Particles of each sample, in the order in which they are taken.
    batch_size : int
        Samples of a batch; where sizes differ a batch holds as many samples as have not more
        particles than so many of mean size, and at least one.

    Returns
    -------
    ends : ndarray of int of shape (n_batches,)
        Where each batch ends, and the next one starts.
    """
    n = len(sizes)
    if sizes.min() == sizes.max():
        return np.append(np.arange(batch_size, n, batch_size), n)
    # In whole numbers: a mean is rounded, and all samples may be just one batch.
    limit, filled = batch_size * int(sizes.sum()) // n, np.cumsum(sizes)
    start, ends = 0, []
    while start < n:
        done = filled[start] - sizes[start]
        start = max(start + 1, int(np.searchsorted(filled, done + limit, side="right")))
        ends.append(start)
    return np.array(ends)


def sample_sizes(samples):
    """Count the particles of each sample, as far as batches depend on them.

    Parameters
    ----------
    samples : ArraySamples, GraphSamples or similar
        Those of different sizes tell them as ``n_nodes``.

    Returns
    -------
    sizes : ndarray of int of shape (n,)
        Ones for samples of one size.
    """
    sizes = getattr(samples, "n_nodes", None)
    return np.broadcast_to(1, len(samples)) if sizes is None else sizes


def filled_batches(samples, batch_size):
    """Go through samples in their order, in batches of about equally many particles.

    Parameters
    ----------
    samples : ArraySamples, GraphSamples or similar
    batch_size : int
        As in :func:`batch_ends`.

    Yields
    ------
    rows : ndarray of int
    """
    start = 0
    for end in batch_ends(sample_sizes(samples), batch_size).tolist():
        yield np.arange(start, end)
        start = end


class TrainingData(torch.utils.data.Dataset):
    """Samples with their targets and weights.

    Parameters
    ----------
    samples : ArraySamples or GraphSamples
    targets : ndarray of shape (n,) or (n, n_outputs)
        As the network is to produce them: class numbers, or scaled values.
    weights : ndarray of shape (n,)
        Weight of each sample in the loss.
    chosen : ndarray of int
        Samples that belong to this part.
    """

    def __init__(self, samples, targets, weights, chosen):
        self.samples, self.chosen = samples, chosen
        self.targets = torch.from_numpy(targets)
        self.weights = torch.from_numpy(weights.astype(np.float32))

    def __len__(self):
        return len(self.chosen)

    def batch(self, order):
        """Batch of the form that skorch expects: input, then everything the loss needs."""
        rows = self.chosen[order]
        return self.samples.batch(rows), (self.targets[rows], self.weights[rows])

    def cut(self, order, batch_size, start=0):
        """Cut an order of the samples into batches of about equally many particles.

        Parameters
        ----------
        order : tensor of int of shape (n,)
        batch_size : int
            As in :func:`batch_ends`.
        start : int, default=0
            Samples of the order that are done.

        Yields
        ------
        rows : tensor of int
            Part of the order.
        scale : float
            By which the gradient of the mean loss of the batch is to be multiplied: samples in
            fuller batches would else weigh less. It is 1 on average, and where sizes do not differ.
        """
        sizes = sample_sizes(self.samples)[self.chosen[order.numpy()]]
        ends = batch_ends(sizes, batch_size)
        differ = sizes.min() < sizes.max()
        for end in ends[ends > start].tolist():
            rows = order[start:end]
            yield rows, len(rows) * len(ends) / len(order) if differ else 1.0
            start = end


class BatchLoader:
    """Iterate over whole batches, instead of collating sample by sample.

    Parameters
    ----------
    dataset : TrainingData
    batch_size : int
        As in :func:`batch_ends`.
    """

    def __init__(self, dataset, batch_size):
        self.dataset, self.batch_size = dataset, batch_size

    def __iter__(self):
        order = torch.arange(len(self.dataset))
        for rows, _ in self.dataset.cut(order, self.batch_size):
            yield self.dataset.batch(rows.numpy())
