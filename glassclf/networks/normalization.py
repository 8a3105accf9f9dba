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
    momentum : float or None, default=0.1
        Share of each batch in the running statistics; None is the plain average over all batches,
        for inputs, whose distribution does not change in training.

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

    def __init__(self, n_channels, momentum=0.1):
        super().__init__(n_channels, momentum=momentum)

    def forward(self, x):
        """Normalise ``x`` of shape (n, channels, ...)."""
        training = self.training and x.numel() > x.shape[1]
        momentum = self.momentum
        if training and momentum is None:
            self.num_batches_tracked += 1
            momentum = 1.0 / float(self.num_batches_tracked)
        return nn.functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=training,
            momentum=0.0 if momentum is None else momentum,
            eps=self.eps,
        )
