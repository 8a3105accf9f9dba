"""Messages along bonds, filtered and summed up without holding all of them."""

import torch

from glassclf._compilation import compiled
from glassclf.networks.filter_kernels import add_by_type, add_messages, send_back

# Bonds that are worked on at once: their messages stay in the processor's cache.
CHUNK = 8192
UNKNOWN = (
    "neighbors and sources must be numbers of nodes, the sources in ascending order, and values "
    "have a row for each node"
)


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
        of_bonds, of_nodes = _arrays(neighbors, sources), _arrays(_or_zero(bias, values), values)
        (written,) = _arrays(sums)
        for nodes, bonds in _chunks(sources, len(values), n_neighbors):
            (messages,) = _arrays(edges[bonds] @ weight.T)
            own = (array[bonds] for array in of_bonds)
            if not compiled(add_messages)(messages, *of_nodes, *own, nodes.start, written[nodes]):
                raise IndexError(UNKNOWN)
        return sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        """Gradients of everything but the indices."""
        values, weight, bias, edges, neighbors, sources = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_values, of_weight = torch.zeros_like(values), torch.zeros_like(weight)
        of_bias = None if bias is None else torch.zeros_like(bias)
        of_edges = torch.empty_like(edges) if ctx.needs_input_grad[3] else None
        of_bonds, of_nodes = _arrays(neighbors, sources), _arrays(_or_zero(bias, values), values)
        given, written = _arrays(gradient, of_values)
        for nodes, bonds in _chunks(sources, len(values), ctx.n_neighbors):
            messages = edges[bonds] @ weight.T
            own = (array[bonds] for array in of_bonds)
            more = nodes.start, given[nodes], written
            compiled(send_back)(*_arrays(messages), *of_nodes, *own, *more)
            of_weight.addmm_(messages.T, edges[bonds])
            if bias is not None:
                of_bias += messages.sum(0)
            if of_edges is not None:
                torch.mm(messages, weight, out=of_edges[bonds])
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
    on_cpu = on_cpu and type(edges) is torch.Tensor and not torch.jit.is_tracing()
    return plain and on_cpu and values.dtype == edges.dtype in (torch.float32, torch.float64)


class SumByType(torch.autograd.Function):
    """Sum states of bonds over those that leave each node, by the type of the neighbour.

    A function of PyTorch without derivatives: to ask for one is an error, not a zero.

    Parameters
    ----------
    states : tensor of shape (n_edges, width)
        On the CPU.
    neighbors, sources : tensor of int64 of shape (n_edges,)
    types : tensor of int64 of shape (n_nodes,)
    n_types : int
    """

    @staticmethod
    def forward(ctx, states, neighbors, sources, types, n_types):
        """Sums of shape (n_nodes, n_types * width)."""
        sums = states.new_zeros(len(types), n_types * states.shape[1])
        *arrays, written = _arrays(states, neighbors, sources, types, sums)
        if not compiled(add_by_type)(*arrays, n_types, written):
            raise IndexError(
                "neighbors and sources must be numbers of nodes, and types must be below "
                f"n_types={n_types}"
            )
        return sums


def _arrays(*tensors):
    """Arrays in the memory of tensors."""
    return [tensor.detach().numpy() for tensor in tensors]


def _or_zero(bias, values):
    return values.new_zeros(values.shape[1]) if bias is None else bias


def _chunks(sources, n_nodes, n_neighbors):
    """Slices of nodes, and of their edges."""
    n_at_once = max(1, CHUNK * n_nodes // len(sources))
    firsts = torch.arange(0, n_nodes + n_at_once, n_at_once).clamp(max=n_nodes)
    if n_neighbors is None:
        ends = torch.searchsorted(sources, firsts).tolist()
    else:
        ends = (firsts * n_neighbors).tolist()
    firsts = firsts.tolist()
    if ends[-1] != len(sources):
        raise IndexError(UNKNOWN)
    for place in range(len(firsts) - 1):
        yield slice(*firsts[place : place + 2]), slice(*ends[place : place + 2])
