"""Normalisation, ReLU and pooling of images in one pass over memory, in one thread."""

import torch
from torch import nn
from torch.nn import functional

from glassclf._compilation import compiled
from glassclf.networks.block_kernels import (
    add_gradients,
    add_statistics,
    average_active,
    pass_gradients,
)
from glassclf.networks.normalization import SafeBatchNorm


def pays_at_once(x, block, pool):
    """Whether the end of a block is one pass: with one thread, as PyTorch is called plainly.

    Searches and cross-validation with ``n_jobs`` have one thread in each process.

    Parameters
    ----------
    x : tensor
        Input of the block.
    block : torch.nn.Sequential
        Ends with a normalisation and an activation.
    pool : torch.nn.Module

    Returns
    -------
    pays : bool
    """
    norm, activation = block[-2:]
    # Whoever has put in something else, or watches a layer, gets each for itself.
    if [type(part) for part in (norm, activation, pool)] != [SafeBatchNorm, nn.ReLU, nn.AvgPool2d]:
        return False
    if norm.global_statistics is not None or not (norm.affine and norm.track_running_stats):
        return False
    if any(_is_watched(part) for part in (block, *block, pool)):
        return False
    plain = not torch.compiler.is_compiling() and not torch.is_autocast_enabled("cpu")
    plain = plain and not torch.jit.is_tracing() and torch.get_num_threads() == 1
    images = type(x) is torch.Tensor and x.device.type == "cpu" and x.dim() == 4
    # A normalisation that does not learn from its batch is differentiated by PyTorch.
    learns = norm.training and x.numel() > x.shape[1]
    known = learns or (not norm.training and not torch.is_grad_enabled())
    return plain and images and x.dtype is torch.float32 and known


def _is_watched(part):
    hooks = part._forward_hooks, part._forward_pre_hooks
    return any([*hooks, part._backward_hooks, part._backward_pre_hooks])


def norm_relu_pool(x, norm, step):
    """Normalise images, cut off below zero and average over squares.

    Parameters
    ----------
    x : tensor of shape (n, n_channels, height, width)
    norm : SafeBatchNorm
    step : {1, 2}
        Side of the squares.

    Returns
    -------
    pooled : tensor of shape (n, n_channels, ceil(height / step), ceil(width / step))
    """
    x = x.contiguous(memory_format=torch.channels_last)
    if not norm.training:
        return _NormReLUPool.apply(
            x, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.eps, step
        )
    count = x.numel() // x.shape[1]
    sums = _summed(add_statistics, _pixels(x))
    mean = sums[0] / count
    variance = (sums[1] / count - mean * mean).clamp(min=0)
    unbiased = variance * (count / (count - 1))
    norm.track(mean.float(), unbiased.float(), count)
    return _NormReLUPool.apply(x, norm.weight, norm.bias, mean, variance, norm.eps, step)


class _NormReLUPool(torch.autograd.Function):
    """Gradients are those of batch normalisation by the statistics of ``x`` itself."""

    @staticmethod
    def forward(ctx, x, weight, bias, mean, variance, eps, step):
        n, n_channels, height, width = x.shape
        invert = torch.rsqrt(variance.double() + eps)
        scale = weight.double() * invert
        pooled = torch.empty(
            (n, n_channels, -(-height // step), -(-width // step)),
            memory_format=torch.channels_last,
        )
        single = [values.detach().float().numpy() for values in (mean, scale, bias)]
        compiled(average_active)(_pixels(x), *single, step, _pixels(pooled))
        ctx.save_for_backward(x, weight, bias, mean, invert)
        ctx.eps, ctx.step = eps, step
        return pooled

    @staticmethod
    def backward(ctx, gradient):
        x, weight, bias, mean, invert = ctx.saved_tensors
        if torch.is_grad_enabled():
            # Somebody wants gradients of the gradients: those of the three layers.
            layers = functional.batch_norm(x, None, None, weight, bias, True, eps=ctx.eps).relu()
            if ctx.step > 1:
                layers = functional.avg_pool2d(layers, ctx.step, ceil_mode=True)
            needed = ctx.needs_input_grad[:3]
            given = [one for one, is_needed in zip((x, weight, bias), needed) if is_needed]
            found = iter(torch.autograd.grad(layers, given, gradient, create_graph=True))
            return *(next(found) if is_needed else None for is_needed in needed), *[None] * 4
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        scale = weight.double() * invert
        single = [values.float().numpy() for values in (mean, scale, bias)]
        behind = _pixels(x), *single, ctx.step, _pixels(gradient)
        sums = _summed(add_gradients, *behind)
        of_bias = sums[0]
        # The mean as the loop had it, in single precision.
        of_weight = invert * (sums[1] - (mean - mean.float()) * sums[0])
        count = x.numel() // x.shape[1]
        slope = -scale * invert * of_weight / count
        constant = -scale * of_bias / count
        moved = [values.float().numpy() for values in (slope, constant)]
        of_x = torch.empty_like(x)
        compiled(pass_gradients)(*behind, *moved, _pixels(of_x))
        return of_x, of_weight.float(), of_bias.float(), None, None, None, None


def _pixels(images):
    """Array of shape (n, height, width, n_channels), as images lie in memory."""
    return images.detach().permute(0, 2, 3, 1).numpy()


def _summed(kernel, *arguments):
    """Sums over all images, tensor of float64 of shape (2, n_channels)."""
    sums = torch.zeros(2, arguments[0].shape[3], dtype=torch.float64)
    compiled(kernel)(*arguments, sums.numpy())
    return sums
