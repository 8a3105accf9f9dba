"""What each pixel, and each particle behind it, adds to the output of a convolutional network."""

import numpy as np
import torch

from glassclf.inspection.path_integral import mean_gradient

# Points of the path integral. A convolutional network has kinks (ReLU): it takes many.
N_POINTS = 32
# Patches along each direction that are covered one by one.
N_PATCHES = 8


class ImageAttribution:
    """Attribution for one convolutional network.

    The baseline of an image is the same amount spread evenly over each channel.

    Parameters
    ----------
    module : ConvolutionalNetwork
        Trained, in evaluation mode.
    target : Target
    """

    def __init__(self, module, target):
        self.module, self.target = module, target

    def by_gradient(self, image):
        """Parts of the output by pixel.

        Parameters
        ----------
        image : tensor of shape (1, n_channels, ...)

        Returns
        -------
        map : ndarray of shape (n_channels, ...)
            They sum to ``output - baseline``, but for the error of the integral.
        slope : ndarray of shape (n_channels, ...)
            Mean gradient along the path: what one particle more would add.
        output, baseline : float
        """
        even = _spread_evenly(image)
        slope = mean_gradient(lambda x: self.target(self.module(x)), even, image, N_POINTS)
        parts = slope * (image - even)
        values = self.target(self.module(torch.cat([image, even])))
        return parts[0].cpu().numpy(), slope[0].cpu().numpy(), *map(float, values)

    def by_occlusion(self, image):
        """Change of the output when patches are spread evenly, one by one.

        Parameters
        ----------
        image : tensor of shape (1, n_channels, ...)

        Returns
        -------
        map : ndarray of shape (1, ...)
            Each patch shares evenly what the output loses without it.
        patches : ndarray of int of shape (...)
            Number of the patch of each pixel.
        output, baseline : float
        """
        even = _spread_evenly(image)
        shape = image.shape[2:]
        numbers = np.zeros(shape, dtype=int)
        for axis, length in enumerate(shape):
            along = np.arange(length) * N_PATCHES // length
            along = along.reshape([-1 if each == axis else 1 for each in range(len(shape))])
            numbers = numbers * N_PATCHES + along
        output, baseline = map(float, self.target(self.module(torch.cat([image, even]))))
        losses = np.zeros(shape)
        for number in np.unique(numbers):
            covered = torch.as_tensor(numbers == number, device=image.device)
            without = float(self.target(self.module(torch.where(covered, even, image))))
            losses[numbers == number] = (output - without) / (numbers == number).sum()
        return losses[None], numbers, output, baseline


def _spread_evenly(image):
    axes = tuple(range(2, image.dim()))
    return image.mean(axes, keepdim=True).expand_as(image)
