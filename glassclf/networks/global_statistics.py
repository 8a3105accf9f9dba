"""Statistics of a batch that is spread over the processes of torch.distributed."""

import torch


# The exchange between processes is no computation that could be compiled.
@torch.compiler.disable
def global_statistics(x):
    """Mean, variance and number of the values of each channel, in all processes together.

    Parameters
    ----------
    x : tensor of shape (n, n_channels, ...)
        The share of this process in the batch.

    Returns
    -------
    mean, variance : tensor of shape (n_channels,)
        Without Bessel's correction.
    count : tensor
    """
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
