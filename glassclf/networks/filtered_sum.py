"""Messages along bonds, filtered and summed up without holding all of them."""

import torch

# Nodes whose bonds are worked on at once: their messages stay in the processor's cache.
CHUNK = 1024


class FilteredSum(torch.autograd.Function):
    r"""Sum what the neighbours of each node send, each filtered by the state of the bond.

    .. math:: m_i = \sum_{j \in N(i)} v_j \circ (W e_{ij} + b)

    Nodes are taken a few at a time, and messages are computed once more for the gradients: on the
    CPU that saves the memory of all messages, and the time to write and read them.

    Parameters
    ----------
    values : tensor of shape (n_nodes, width)
        v of each node.
    weight : tensor of shape (width, n_edge_states)
    bias : tensor of shape (width,) or None
    edges : tensor of shape (n_edges, n_edge_states)
    neighbors : tensor of int64 of shape (n_edges,)
    sources : tensor of int64 of shape (n_edges,)
        In ascending order.
    n_neighbors : int or None
        Edges of every node, where that is one number.
    """

    @staticmethod
    def forward(ctx, values, weight, bias, edges, neighbors, sources, n_neighbors):
        """Sums of shape (n_nodes, width)."""
        ctx.save_for_backward(values, weight, bias, edges, neighbors, sources)
        ctx.n_neighbors = n_neighbors
        sums = torch.zeros_like(values)
        for nodes, bonds in _chunks(sources, len(values), n_neighbors):
            messages = _filters(edges[bonds], weight, bias)
            messages.mul_(values.index_select(0, neighbors[bonds]))
            if n_neighbors is None:
                sums[nodes].index_add_(0, sources[bonds] - nodes.start, messages)
            else:
                torch.sum(_by_node(messages, n_neighbors), 1, out=sums[nodes])
        return sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        """Gradients of everything but the indices."""
        values, weight, bias, edges, neighbors, sources = ctx.saved_tensors
        of_values, of_weight = torch.zeros_like(values), torch.zeros_like(weight)
        of_bias = None if bias is None else torch.zeros_like(bias)
        of_edges = torch.empty_like(edges) if ctx.needs_input_grad[3] else None
        for nodes, bonds in _chunks(sources, len(values), ctx.n_neighbors):
            at_nodes = gradient[nodes], sources[bonds] - nodes.start, ctx.n_neighbors
            of_filters = _scaled(values.index_select(0, neighbors[bonds]), *at_nodes)
            of_weight.addmm_(of_filters.T, edges[bonds])
            if bias is not None:
                of_bias += of_filters.sum(0)
            if of_edges is not None:
                torch.mm(of_filters, weight, out=of_edges[bonds])
            filters = _filters(edges[bonds], weight, bias)
            of_values.index_add_(0, neighbors[bonds], _scaled(filters, *at_nodes))
        return of_values, of_weight, of_bias, of_edges, None, None, None


def pays_in_pieces(values, edges):
    """Whether to sum in pieces: on a CPU, in one precision, as PyTorch is called plainly.

    Parameters
    ----------
    values, edges : tensor

    Returns
    -------
    pays : bool
    """
    plain = not torch.compiler.is_compiling() and not torch.is_autocast_enabled("cpu")
    on_cpu = values.device.type == "cpu" and len(edges) > 0
    return plain and on_cpu and values.dtype == edges.dtype


def _filters(edges, weight, bias):
    return edges @ weight.T if bias is None else torch.addmm(bias, edges, weight.T)


def _scaled(bonds, nodes, sources, n_neighbors):
    """Bonds times what their nodes have, in place."""
    if n_neighbors is None:
        return bonds.mul_(nodes.index_select(0, sources))
    _by_node(bonds, n_neighbors).mul_(nodes[:, None])
    return bonds


def _by_node(bonds, n_neighbors):
    return bonds.view(len(bonds) // n_neighbors, n_neighbors, bonds.shape[1])


def _chunks(sources, n_nodes, n_neighbors):
    """Slices of nodes, and of their edges."""
    firsts = torch.arange(0, n_nodes + CHUNK, CHUNK).clamp(max=n_nodes)
    if n_neighbors is None:
        ends = torch.searchsorted(sources, firsts).tolist()
    else:
        ends = (firsts * n_neighbors).tolist()
    firsts = firsts.tolist()
    for place in range(len(firsts) - 1):
        yield slice(*firsts[place : place + 2]), slice(*ends[place : place + 2])
