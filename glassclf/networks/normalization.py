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
        Share of each batch in the running statistics; with None they are those of all values so
        far taken together, for inputs, whose distribution does not change in training.
    affine : bool, default=True
        Whether each channel gets a scale and a shift that are learned. Before a linear layer and
        another normalisation neither is of use.

    Notes
    -----
    Ioffe and Szegedy, Proc. ICML 37, 448 (2015), Algorithm 1. With ``momentum=None`` the buffer
    ``num_batches_tracked`` counts values of a channel, not batches, so that a short last batch
    has no more weight than its share.

    Examples
    --------
    >>> import torch
    >>> from glassclf.networks import SafeBatchNorm
    >>> SafeBatchNorm(3)(torch.ones(1, 3)).shape
    torch.Size([1, 3])
    """

    # What takes the statistics of a batch that is spread over the processes of torch.distributed:
    # all of them then normalise by those of the whole batch. Set for the time of a training alone.
    global_statistics = None

    def __init__(self, n_channels, momentum=0.1, affine=True):
        super().__init__(n_channels, momentum=momentum, affine=affine)

    def forward(self, x):
        """Normalise ``x`` of shape (n, channels, ...)."""
        if self.training and self.global_statistics is not None:
            return self._normalize(x, *self.global_statistics(x))
        if self.training and x.numel() > x.shape[1]:
            return self._normalize_alone(x)
        if self.training and self.momentum is None:
            value = x.detach().flatten().to(self.running_mean.dtype)
            self.track(value, torch.zeros_like(value), 1)
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
            self.track(mean, variance, x.numel() // x.shape[1])
        return out

    def _normalize(self, x, mean, variance, count):
        self.track(mean.detach(), variance.detach() * (count / (count - 1)), count.long())
        axes = (-1,) + (1,) * (x.dim() - 2)
        scale = torch.rsqrt(variance + self.eps)
        if not self.affine:
            return ((x - mean.view(axes)) * scale.view(axes)).to(x.dtype)
        scale = self.weight * scale
        out = (x - mean.view(axes)) * scale.view(axes) + self.bias.view(axes)
        return out.to(x.dtype)

    def track(self, mean, variance, count):
        """Take the statistics of a batch into the running ones.

        Parameters
        ----------
        mean, variance : tensor of shape (n_channels,)
            The variance is the unbiased one.
        count : int or tensor of int64
            Number of values of each channel.
        """
        if self.momentum is None:
            merge_statistics(self, self.num_batches_tracked, mean, variance, count)
        else:
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)


def merge_statistics(norm, n_before, mean, variance, n_values):
    """Make the running statistics those of all values so far and of a batch, taken together.

    Parameters
    ----------
    norm : torch.nn.BatchNorm1d or similar
    n_before : tensor of int64
        Number of values of each channel so far; increased in place. It stays a tensor: a number
        would have to be fetched from the GPU in every step.
    mean, variance : tensor of shape (channels,)
        Of the batch; the variance is the unbiased one.
    n_values : int or tensor of int64
        Number of values of each channel in the batch.

    Notes
    -----
    Chan, Golub and LeVeque, Am. Stat. 37, 242 (1983), Eqs. 2.1.
    """
    before = n_before.to(mean.dtype)
    n_before += n_values
    total = n_before.to(mean.dtype)
    share = n_values / total
    # Within what came before, within the batch, and between the two.
    squares = (before - 1).clamp(min=0) * norm.running_var + (n_values - 1) * variance
    squares += before * share * (mean - norm.running_mean) ** 2
    # A single value has no variance.
    new = torch.where(total > 1, squares / (total - 1), norm.running_var)
    norm.running_var.copy_(new)
    norm.running_mean.lerp_(mean, share)


def share_statistics(module, shared):
    """Let the batch normalisation of a module span all processes of torch.distributed, or stop it.

    Parameters
    ----------
    module : torch.nn.Module
    shared : bool
    """
    statistics = None
    if shared:
        # To mark a function for torch.compile loads the compiler, which takes a second.
        from glassclf.networks.global_statistics import global_statistics as statistics
    for part in module.modules():
        if isinstance(part, SafeBatchNorm):
            part.global_statistics = statistics
