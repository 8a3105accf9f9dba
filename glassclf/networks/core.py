"""The core of a potential: what keeps particles apart where no training told how."""

from dataclasses import replace

import torch


def stopped_depth(depth, length):
    r"""Depth at which a potential is read that is not trusted far inside.

    .. math:: h = \frac\lambda 2\, (u - 5 u^4 / 2 + 3 u^5 - u^6), \qquad u = \min(2 d / \lambda, 1)

    follows the depth d at first, with three derivatives, and stops at a quarter of the length.

    Parameters
    ----------
    depth : ndarray or tensor
        How much closer particles are than where the core begins; 0 or negative outside.
    length : ndarray or tensor
        Over which the core grows by e, of a shape that goes with the depth. The depth stops over
        half of it.

    Returns
    -------
    stopped : ndarray or tensor
        0 outside.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.networks import stopped_depth
    >>> stopped_depth(np.array([-1.0, 0.0, 0.01, 0.1, 0.5]), np.array(0.1)).round(5).tolist()
    [0.0, 0.0, 0.00984, 0.025, 0.025]
    """
    u = (2 * depth / length).clip(min=0, max=1)
    return length / 2 * u * (1 - u**3 * (2.5 - 3 * u + u**2))


def with_core(batch, core):
    r"""Stop the pairs of a batch that are too close, and find what keeps them apart.

    Parameters
    ----------
    batch : GraphBatch
        With the true vectors and distances.
    core : tensor of shape (3, n_types, n_types)
        Of each two types the distance at which the core begins, its force there and the length
        over which it grows by e. With the stopped depth h, its energy at a depth d is

        .. math:: F \lambda\, (e^{d / \lambda} - e^{h / \lambda}).

    Returns
    -------
    stopped : GraphBatch
        With vectors and distances that come no closer than a quarter of a length inside.
    energies : tensor of shape (n_edges,)
        Half the energy of the core of each pair, as pairs are edges in both directions.
    """
    kinds = (batch.types.index_select(0, nodes) for nodes in (batch.sources, batch.neighbors))
    begin, force, length = core.to(batch.vectors)[(slice(None), *kinds)]
    depth = (begin - batch.distances).clip(min=0)
    stopped = stopped_depth(depth, length)
    distances = batch.distances + depth - stopped
    vectors = batch.vectors * (distances / batch.distances)[:, None]
    energies = force * length * (torch.exp(depth / length) - torch.exp(stopped / length)) / 2
    return replace(batch, vectors=vectors, distances=distances), energies
