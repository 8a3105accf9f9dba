"""Batch normalisation that survives a batch of one, and a batch spread over processes."""

import torch
from torch import nn


class SafeBatchNorm(nn.BatchNorm1d):
    """Batch normalisation over all axes but the channels, for any number of axes.

    PyTorch refuses to normalise a batch that holds a single value per channel, such as the last
    batch of an epoch when it happens to be one sample without spatial extent. Here such a batch
    is normalised by the running statistics, as in prediction.

    Parameters
    ----------
    n_channels : int
        Size of axis 1.
    momentum : float or None, default=0.1
        Share of each batch in the running statistics; None is the plain average over all batches,
        for inputs, whose distribution does not change in training.
    affine : bool, default=True
        Whether each channel gets a scale and a shift that are learned. Before a linear layer and
        another normalisation neither is of use.

    Notes
    -----
    Ioffe and Szegedy, Proc. ICML 37, 448 (2015), Algorithm 1.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import SafeBatchNorm
    >>> SafeBatchNorm(3)(torch.ones(1, 3)).shape
    torch.Size([1, 3])
    """

    # Whether the batch is spread over the processes of torch.distributed: then all of them
    # normalise by the statistics of the whole batch. Set for the time of a training alone.
    across_processes = False

    def __init__(self, n_channels, momentum=0.1, affine=True):
        super().__init__(n_channels, momentum=momentum, affine=affine)

    def forward(self, x):
        """Normalise ``x`` of shape (n, channels, ...)."""
        if self.training and self.across_processes:
            return self._normalize(x, *_global_statistics(x))
        if self.training and x.numel() > x.shape[1]:
            return self._normalize_alone(x)
        mean, variance = self.running_mean, self.running_var
        return nn.functional.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)

    def _normalize_alone(self, x):
        momentum, mean, variance = self.momentum, self.running_mean, self.running_var
        if momentum is None:
            momentum, mean, variance = 1.0, torch.zeros_like(mean), torch.ones_like(variance)
        out = nn.functional.batch_norm(
            x, mean, variance, self.weight, self.bias, True, momentum, self.eps
        )
        if self.momentum is None:
            self._track(mean, variance)
        return out

    def _normalize(self, x, mean, variance, count):
        self._track(mean.detach(), variance.detach() * (count / (count - 1)))
        axes = (-1,) + (1,) * (x.dim() - 2)
        scale = torch.rsqrt(variance + self.eps)
        if not self.affine:
            return ((x - mean.view(axes)) * scale.view(axes)).to(x.dtype)
        scale = self.weight * scale
        out = (x - mean.view(axes)) * scale.view(axes) + self.bias.view(axes)
        return out.to(x.dtype)

    def _track(self, mean, variance):
        """Take the statistics of a batch into the running ones."""
        if self.momentum is None:
            # Stays a tensor: a number would have to be fetched from the GPU in every step.
            self.num_batches_tracked += 1
            share = self.num_batches_tracked.to(mean.dtype).reciprocal()
        else:
            share = self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def share_statistics(module, shared):
    """Let the batch normalisation of a module span all processes of torch.distributed, or stop it.

    Parameters
    ----------
    module : torch.nn.Module
    shared : bool
    """
    for part in module.modules():
        if isinstance(part, SafeBatchNorm):
            part.across_processes = shared


# The exchange between processes is no computation that could be compiled.
@torch.compiler.disable
def _global_statistics(x):
    """Mean, variance and number of the values of each channel, in all processes together."""
    values = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    axes = [axis for axis in range(x.dim()) if axis != 1]
    count = values.new_tensor([x.numel() // x.shape[1]])
    mean = values.mean(axes)
    spread = values.var(axes, correction=0)
    # At least two values: each process has one.
    counts, means, spreads = _Gather.apply(torch.cat([count, mean, spread])).split(
        [1, len(mean), len(mean)], dim=1
    )
    counts = counts.detach()
    total = counts.sum()
    mean = (counts * means).sum(0) / total
    # Within the processes, and between them.
    variance = (counts * (spreads + (means - mean) ** 2)).sum(0) / total
    return mean, variance, total


class _Gather(torch.autograd.Function):
    """The vectors of all processes as rows; gradients flow back to the process they belong to."""

    @staticmethod
    def forward(ctx, vector):
        """Rows in the order of the processes."""
        rows = vector.new_zeros(torch.distributed.get_world_size(), len(vector))
        rows[torch.distributed.get_rank()] = vector
        torch.distributed.all_reduce(rows)
        return rows

    @staticmethod
    def backward(ctx, gradient):
        """Sum over the losses of all processes."""
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(gradient)
        return gradient[torch.distributed.get_rank()]
