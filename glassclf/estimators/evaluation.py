"""Applying a network: predictions, a trial before the training, statistics after it."""

import copy

import numpy as np
import torch

from glassclf.configurations.allocation import keep_freed_memory
from glassclf.estimators.batching import filled_batches
from glassclf.networks.normalization import SafeBatchNorm, merge_statistics


def evaluate(net, samples, batch_size, method, dtype=torch.float32):
    """Apply a method of the trained module to samples, batch by batch.

    Parameters
    ----------
    net : Net
        Trained.
    samples : ArraySamples or GraphSamples
    batch_size : int
    method : {"forward", "embed"}
    dtype : torch.dtype, default=torch.float32
        Precision of the evaluation.

    Returns
    -------
    outputs : ndarray of shape (n, width)
    """
    keep_freed_memory()
    module = net.module_ if dtype is torch.float32 else copy.deepcopy(net.module_).to(dtype)
    if not hasattr(module, method):
        raise AttributeError(f"module {type(module).__name__} has no method {method}")
    module.eval()
    outputs = None
    with torch.inference_mode():
        for rows in filled_batches(samples, batch_size):
            batch = samples.batch(rows).to(net.device)
            batch = batch if dtype is torch.float32 else batch.to(dtype)
            found = getattr(module, method)(batch).cpu().numpy()
            if outputs is None:
                # At once: small arrays that are kept, between large ones that are not, would
                # scatter over the memory, which then grows with every batch.
                outputs = np.empty((len(samples), *found.shape[1:]), dtype=found.dtype)
            outputs[rows] = found
    return outputs


def probe_module(net, samples, n_outputs):
    """Try the module on one sample, before hours of training.

    Parameters
    ----------
    net : Net
        Initialized.
    samples : ArraySamples or GraphSamples
    n_outputs : int
        Outputs that the targets ask for.

    Returns
    -------
    width : int or None
        Length of the embedding, None for a module that has none.

    Raises
    ------
    ValueError
        If ``forward`` returns another shape than ``(n, n_outputs)``.
    """
    module = net.module_.eval()
    batch = samples.batch(np.arange(1)).to(net.device)
    # Not inference_mode: what a lazy module makes here is trained afterwards.
    with torch.no_grad():
        shape = tuple(module(batch).shape)
        if shape != (1, n_outputs):
            raise ValueError(
                f"forward of module {type(module).__name__} must return shape (n, {n_outputs}), "
                f"got {shape} for n=1"
            )
        return module.embed(batch).shape[1] if hasattr(module, "embed") else None


def settle_statistics(net, dataset):
    """Take the statistics of batch normalisation once more, over the whole training part.

    In training they trail behind the weights. Where the last steps were large, a network that
    separates its classes perfectly could else predict one class only. Every value has the same
    weight, in however short a batch it is.

    Parameters
    ----------
    net : Net
        Trained.
    dataset : TrainingData
        The training part.

    Notes
    -----
    "Precise" batch normalisation: Wu and Johnson, arXiv:2105.07576, section 3. Batches are drawn at
    random, as those of the training are: each layer is normalised by its own batch here, so that
    batches of one class or of equal targets, as of sorted samples, would hide the differences
    between them from all layers behind the first.
    """
    module = net.module_.eval()
    norms = [
        norm
        for norm in module.modules()
        if isinstance(norm, torch.nn.modules.batchnorm._BatchNorm) and norm.track_running_stats
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    hooks = []
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        if isinstance(norm, SafeBatchNorm):
            norm.momentum = None
        else:
            # PyTorch's own would give each batch the same weight: it leaves them to us.
            norm.momentum = 0.0
            hooks.append(norm.register_forward_pre_hook(_Merging(norm)))
    with torch.no_grad():
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
        for rows, _ in dataset.cut(order, net.batch_size):
            batch, _ = net.batch_share(dataset, rows)
            net.infer(batch)
    net.processes.average_buffers(module)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    for hook in hooks:
        hook.remove()
    module.eval()


class _Merging:
    """Hook that takes the input of a batch normalisation of PyTorch into its statistics."""

    def __init__(self, norm):
        self.n_values = torch.zeros_like(norm.num_batches_tracked)

    def __call__(self, norm, inputs):
        x = inputs[0]
        axes = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x, axes)
        merge_statistics(norm, self.n_values, mean, variance, x.numel() // x.shape[1])
