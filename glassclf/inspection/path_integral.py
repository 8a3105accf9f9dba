"""Integrated gradients: the mean gradient of a number along a straight path."""

import numpy as np
import torch


def mean_gradient(function, start, end, n_points):
    """Mean gradient of a function on the way from one tensor to another.

    Its product with ``end - start`` sums to the difference of the function, but for the error of
    the integral.

    Parameters
    ----------
    function : callable
        From a tensor to a tensor of one number.
    start, end : tensor of one shape
    n_points : int
        Points of the Gauss-Legendre rule.

    Returns
    -------
    gradient : tensor of float64
        Of the shape of ``start``.

    Notes
    -----
    M. Sundararajan, A. Taly and Q. Yan, Proc. ICML 70, 3319 (2017), equation 1.

    Examples
    --------
    >>> import torch
    >>> from glassclf.inspection.path_integral import mean_gradient
    >>> mean_gradient(lambda x: x.square().sum(), torch.zeros(2), torch.tensor([1.0, 2.0]), 2)
    tensor([1., 2.], dtype=torch.float64)
    """
    gradient = torch.zeros_like(start, dtype=torch.float64)
    points, weights = np.polynomial.legendre.leggauss(n_points)
    for point, weight in zip((points + 1) / 2, weights / 2):
        x = (start + point * (end - start)).detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(function(x).sum(), x)
        gradient += weight * slope
    return gradient
