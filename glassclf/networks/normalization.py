"""Batch normalisation that survives a batch of one."""

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

    def __init__(self, n_channels):
        super().__init__(n_channels)

    def forward(self, x):
        """Normalise ``x`` of shape (n, channels, ...)."""
        single = x.numel() == x.shape[1]
        return nn.functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training and not single,
            momentum=self.momentum,
            eps=self.eps,
        )
