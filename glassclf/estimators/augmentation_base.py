"""What all augmentations share."""

from numbers import Integral

from sklearn.base import BaseEstimator

from glassclf.networks import GraphBatch


class Augmentation(BaseEstimator):
    """Base of the augmentations: a callable that takes a batch and returns a changed one.

    A subclass writes ``_augment_images(images)``, ``_augment_graphs(graphs)`` or both, which draw
    anew for each sample and leave what they are given as it is; one that changes the extent of
    images writes ``extent_after(extent)`` too. Random numbers are drawn on the CPU by torch's own
    generator, so that a seed gives the same augmentation on every device.
    """

    # What holds for a subclass that has no such parameter, or states no constraints.
    axes = None
    _parameter_constraints = {}

    def __call__(self, batch):
        """Augment a batch.

        Parameters
        ----------
        batch : tensor of shape (n, n_channels, ...) or GraphBatch

        Returns
        -------
        batch : tensor or GraphBatch
            Of as many samples.
        """
        if isinstance(batch, GraphBatch):
            return self._augment_graphs(batch)
        return self._augment_images(batch)

    def check(self, n_spatial):
        """Check the parameters, before anything is trained.

        Parameters
        ----------
        n_spatial : int or None
            Spatial axes of the images; None for graphs.

        Raises
        ------
        ValueError
            If a parameter is bad, or does not suit samples of this kind.
        """
        self._validate_params()
        if n_spatial == 0:
            raise ValueError(
                f"{type(self).__name__} needs samples with spatial axes, such as images of shape "
                "(n, channels, height, width); X is a table"
            )
        if n_spatial is None:
            self._check_for_graphs()
        else:
            self._check_for_images(n_spatial)

    def warn_of_pixels(self, sizes):
        """Warn if pixels of these widths along the spatial axes would be deformed."""

    def extent_after(self, extent):
        """Spatial extent of images that had this extent before."""
        return extent

    def _check_for_images(self, n_spatial):
        self._chosen_axes(n_spatial)

    def _check_for_graphs(self):
        pass

    def _chosen_axes(self, n_spatial):
        """Parameter ``axes`` as a tuple, None meaning all."""
        if self.axes is None:
            return tuple(range(n_spatial))
        axes = (self.axes,) if isinstance(self.axes, Integral) else tuple(self.axes)
        good = all(isinstance(a, Integral) and 0 <= a < n_spatial for a in axes)
        if not good or not axes or len(set(axes)) < len(axes):
            raise ValueError(
                f"axes of {type(self).__name__} must be distinct numbers from 0 to "
                f"{n_spatial - 1}, as X has {n_spatial} spatial axes; got {self.axes!r}"
            )
        return tuple(int(axis) for axis in axes)
