"""Room for results whose number is not known before."""

import numpy as np


class Room:
    """Places for pairs, of which there become more as they are filled.

    Parameters
    ----------
    n_dims : int
    whole, real : dtype
        Of the targets, and of vectors and distances.

    Attributes
    ----------
    n_filled : int
    places : tuple of ndarray
        For targets, vectors and distances.
    """

    def __init__(self, n_dims, whole=np.int64, real=np.float64):
        self.n_filled = 0
        self.places = (
            np.empty(0, dtype=whole),
            np.empty((0, n_dims), dtype=real),
            np.empty(0, dtype=real),
        )

    def free(self):
        """Places that are not filled."""
        return tuple(values[self.n_filled :] for values in self.places)

    def reserve(self, n):
        """Make more places where fewer than ``n`` are free."""
        n_needed, n_places = self.n_filled + n, len(self.places[0])
        if n_needed > n_places:
            n_places = max(n_needed, int(1.5 * n_places))
            larger = [
                np.empty((n_places, *values.shape[1:]), values.dtype) for values in self.places
            ]
            for new, values in zip(larger, self.places):
                new[: self.n_filled] = values[: self.n_filled]
            self.places = tuple(larger)

    def filled(self):
        """Places that are filled, as arrays that hold little else."""
        # A view would keep all places.
        spare = self.n_filled < 0.8 * len(self.places[0])
        filled = (values[: self.n_filled] for values in self.places)
        return tuple(values.copy() if spare else values for values in filled)
