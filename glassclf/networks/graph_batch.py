"""Several graphs joined into one, as tensors."""

from dataclasses import dataclass, fields, replace

import torch

from glassclf.networks.filtered_sum import FilteredSum, SumByType, pays_in_pieces


@dataclass(eq=False)
class GraphBatch:
    """A batch of graphs: nodes and edges of all of them in one list each.

    Edges are sorted by the node they start from. ``len(batch)`` is the number of graphs.

    Attributes
    ----------
    types : tensor of int64 of shape (n_nodes,)
        Index of each node's type among the types seen in fit.
    graph : tensor of int64 of shape (n_nodes,)
        Graph that each node belongs to.
    n_nodes : tensor of int64 of shape (n_graphs,)
        Nodes of each graph.
    sources, neighbors : tensor of int64 of shape (n_edges,)
        Nodes that each edge joins, numbered within the batch.
    vectors : tensor of shape (n_edges, n_dims)
        From source to neighbour.
    distances : tensor of shape (n_edges,)
        Length of the vectors.
    n_neighbors : int or None
        Edges of every node, where that is one number.
    forces : tensor of shape (n_nodes, n_dims) or None
        What a potential is trained on.

    Examples
    --------
    A pair of particles at distance 1, and one particle alone:

    >>> import torch
    >>> from glassclf.networks import GraphBatch
    >>> batch = GraphBatch(
    ...     types=torch.tensor([0, 1, 0]),
    ...     graph=torch.tensor([0, 0, 1]),
    ...     n_nodes=torch.tensor([2, 1]),
    ...     sources=torch.tensor([0, 1]),
    ...     neighbors=torch.tensor([1, 0]),
    ...     vectors=torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
    ...     distances=torch.tensor([1.0, 1.0]),
    ... )
    >>> len(batch), batch.sum_edges(batch.distances).tolist()
    (2, [1.0, 1.0, 0.0])
    """

    types: torch.Tensor
    graph: torch.Tensor
    n_nodes: torch.Tensor
    sources: torch.Tensor
    neighbors: torch.Tensor
    vectors: torch.Tensor
    distances: torch.Tensor
    n_neighbors: int | None = None
    forces: torch.Tensor | None = None

    def __len__(self):
        return len(self.n_nodes)

    def to(self, device):
        """Copy of the batch on another device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {
            name: value.to(device)
            for name, value in values.items()
            if isinstance(value, torch.Tensor)
        }
        return replace(self, **tensors)

    def sum_edges(self, values):
        """Sum values of edges, shape (n_edges, ...), over the edges that leave each node."""
        if self.n_neighbors is not None:
            # A fixed number of neighbours turns the scatter into a plain sum, several times faster.
            return values.reshape(len(self.types), self.n_neighbors, *values.shape[1:]).sum(1)
        out = values.new_zeros(len(self.types), *values.shape[1:])
        return out.index_add(0, self.sources, values)

    def sum_edges_by_type(self, values, n_types):
        """Sum values of edges, shape (n_edges, width), by the type of the neighbour.

        The result has shape (n_nodes, n_types * width).
        """
        fits = values.dim() == 2 and len(values) == len(self.sources)
        if fits and not values.requires_grad and pays_in_pieces(values, values):
            return SumByType.apply(values, self.neighbors, self.sources, self.types, n_types)
        places = self.sources * n_types + self.types.index_select(0, self.neighbors)
        out = values.new_zeros(len(self.types) * n_types, values.shape[1])
        return out.index_add(0, places, values).reshape(len(self.types), -1)

    def sum_messages(self, values, filters, edges):
        """Sum what neighbours send, shape (n_nodes, width), each filtered by its edge.

        ``filters`` is a linear layer from states of edges, shape (n_edges, n_states), to width.
        """
        # Where widths or numbers of rows differ PyTorch says what is wrong.
        fits = values.dim() == edges.dim() == 2 and len(edges) == len(self.sources)
        fits = fits and values.shape[1] == len(filters.weight)
        if fits and pays_in_pieces(values, edges):
            indices = self.neighbors, self.sources, self.n_neighbors
            return FilteredSum.apply(values, filters.weight, filters.bias, edges, *indices)
        # index_select, not indexing: its gradient is a plain index_add, much faster on the CPU.
        return self.sum_edges(values.index_select(0, self.neighbors) * filters(edges))

    def mean_nodes(self, values):
        """Average values of nodes, shape (n_nodes, width), over each graph."""
        values = at_least_single(values)
        out = values.new_zeros(len(self), values.shape[1])
        return out.index_add(0, self.graph, values) / self.n_nodes[:, None]


def at_least_single(values):
    """Values in single precision at least: half precision cannot add thousands of them.

    Parameters
    ----------
    values : tensor

    Returns
    -------
    values : tensor
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))
