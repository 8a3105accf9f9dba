"""Averages of a field over spheres and spherical shells around every cell."""

import math

import numpy as np
from scipy import fft


class SphericalAverages:
    """Averages of fields over the cells at some distance from each cell.

    Parameters
    ----------
    fields : iterable of ndarray of shape (n_0, n_1[, n_2])
        Of one shape and precision: float32 is transformed in single precision, everything else in
        double.
    r_max : float
        Largest radius that will be asked for, in cells.
    periodic : bool, default=True
        Whether fields go on beyond their borders. If not, an average is over those cells of the
        sphere that lie within the field.

    Notes
    -----
    A convolution by the fast Fourier transform; those of the fields are made once. The sphere of
    radius R holds the cells whose centres are at most R from that of the middle one.
    """

    def __init__(self, fields, r_max, periodic=True):
        fields = [np.asarray(field) for field in fields]
        self.field_shape, self.periodic = fields[0].shape, periodic
        self._dtype = np.float32 if fields[0].dtype == np.float32 else np.float64
        self._shape = self.field_shape
        if not periodic:
            margin = math.floor(r_max)
            self._shape = tuple(fft.next_fast_len(n + margin, real=True) for n in self._shape)
            self._inside = self._transform(np.ones(self.field_shape, dtype=self._dtype))
        self._spectra = [self._transform(field.astype(self._dtype, copy=False)) for field in fields]

    def over(self, outer, inner=-1.0):
        """Average over the cells between two distances.

        Parameters
        ----------
        outer : float
            In cells; cells at this distance count.
        inner : float, default=-1.0
            Cells at this distance do not. The default gives the whole sphere.

        Returns
        -------
        averages : list of ndarray of the shape of the fields
        """
        squares = np.zeros(self._shape, dtype=self._dtype)
        for axis, n in enumerate(self._shape):
            steps = np.arange(n)
            squares += np.expand_dims(
                np.minimum(steps, n - steps) ** 2, [a for a in range(len(self._shape)) if a != axis]
            ).astype(self._dtype)
        chosen = squares <= outer**2
        if inner >= 0:
            chosen &= squares > inner**2
        kernel = self._transform(chosen.astype(self._dtype))
        totals = [self._back(spectrum * kernel) for spectrum in self._spectra]
        if self.periodic:
            return [total / int(np.count_nonzero(chosen)) for total in totals]
        counts = np.rint(self._back(self._inside * kernel))
        # A thin shell around a cell in the corner of a flat field may hold none of its cells.
        return [
            np.divide(total, counts, out=np.zeros_like(total), where=counts > 0) for total in totals
        ]

    def _transform(self, values):
        return fft.rfftn(values, self._shape, workers=fft.get_workers())

    def _back(self, spectrum):
        values = fft.irfftn(spectrum, self._shape, workers=fft.get_workers())
        return values[tuple(slice(n) for n in self.field_shape)]
