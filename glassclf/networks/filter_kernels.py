"""Loops over the bonds of a graph, to be compiled.

``messages`` are those of the bonds of some nodes, ``nodes`` what belongs to these nodes, of which
``first`` is the number of the first one; ``values`` are those of all nodes.
"""


def add_messages(messages, bias, values, neighbors, sources, first, nodes):
    """Multiply messages by the values of the neighbours, and add them up at the nodes.

    Parameters
    ----------
    messages : ndarray of float of shape (n_edges, width)
    bias : ndarray of float of shape (width,)
        Added to all messages.
    values : ndarray of float of shape (n_nodes, width)
    neighbors, sources : ndarray of int64 of shape (n_edges,)
    first : int
    nodes : ndarray of float of shape (n_some, width)
        Increased in place.

    Returns
    -------
    known : bool
        False as soon as an edge joins nodes that are not there.
    """
    for edge in range(len(messages)):
        node, neighbor = sources[edge] - first, neighbors[edge]
        if not (0 <= node < len(nodes) and 0 <= neighbor < len(values)):
            return False
        for channel in range(values.shape[1]):
            message = messages[edge, channel] + bias[channel]
            nodes[node, channel] += message * values[neighbor, channel]
    return True


def send_back(messages, bias, values, neighbors, sources, first, nodes, of_values):
    """Send the gradients of sums at nodes to what was multiplied to make them.

    Parameters
    ----------
    messages : ndarray of float of shape (n_edges, width)
        Before they were multiplied; replaced by their gradients.
    bias : ndarray of float of shape (width,)
        Added to all messages.
    values : ndarray of float of shape (n_nodes, width)
    neighbors, sources : ndarray of int64 of shape (n_edges,)
    first : int
    nodes : ndarray of float of shape (n_some, width)
        Gradients of the sums.
    of_values : ndarray of float of shape (n_nodes, width)
        Gradients of the values, increased in place.
    """
    for edge in range(len(messages)):
        node, neighbor = sources[edge] - first, neighbors[edge]
        # One loop for each of what is written to: only so both become vector instructions.
        for channel in range(values.shape[1]):
            message = messages[edge, channel] + bias[channel]
            of_values[neighbor, channel] += message * nodes[node, channel]
        for channel in range(values.shape[1]):
            messages[edge, channel] = values[neighbor, channel] * nodes[node, channel]


def add_by_type(states, neighbors, sources, types, n_types, sums):
    """Add up states of bonds at the nodes they start from, by the type of the neighbour.

    Parameters
    ----------
    states : ndarray of float of shape (n_edges, width)
    neighbors, sources : ndarray of int64 of shape (n_edges,)
    types : ndarray of int64 of shape (n_nodes,)
    n_types : int
    sums : ndarray of float of shape (n_nodes, n_types * width)
        Increased in place.

    Returns
    -------
    known : bool
        False as soon as an edge joins nodes that are not there, or a type is none of them.
    """
    width = states.shape[1]
    for edge in range(len(states)):
        node, neighbor = sources[edge], neighbors[edge]
        if not (0 <= node < len(sums) and 0 <= neighbor < len(types)):
            return False
        kind = types[neighbor]
        if not 0 <= kind < n_types:
            return False
        for channel in range(width):
            sums[node, kind * width + channel] += states[edge, channel]
    return True
