"""Room for pairs whose number is not known before."""

import numpy as np


def places(n, n_dims, whole=np.int64, real=np.float64):
    """Make arrays for pairs.

    Parameters
    ----------
    n : int
        Number of pairs.
    n_dims : int
    whole, real : dtype
        Of the targets, and of vectors and distances.

    Returns
    -------
    targets : ndarray of shape (n,)
    vectors : ndarray of shape (n, n_dims)
    distances : ndarray of shape (n,)
        With whatever values.
    """
    return np.empty(n, dtype=whole), np.empty((n, n_dims), dtype=real), np.empty(n, dtype=real)


class Room:
    """Places for pairs, of which there become more as they are filled.

    Parameters
    ----------
    places : tuple of ndarray
        As :func:`places` makes them.

    Attributes
    ----------
    places : tuple of ndarray
    n_filled : int
        The first ones are filled.
    moved : bool
        Whether there were too few, so that they are other arrays now.
    """

    def __init__(self, places):
        self.places, self.n_filled, self.moved = places, 0, False

    def free(self):
        """Places that are not filled, a tuple of ndarray."""
        return tuple(values[self.n_filled :] for values in self.places)

    def reserve(self, n):
        """Make more places where fewer than ``n`` are free."""
        n_needed, n_places = self.n_filled + n, len(self.places[0])
        if n_needed <= n_places:
            return
        n_places, self.moved = max(n_needed, int(1.5 * n_places)), True
        larger = [np.empty((n_places, *values.shape[1:]), values.dtype) for values in self.places]
        for new, values in zip(larger, self.places):
            new[: self.n_filled] = values[: self.n_filled]
        self.places = tuple(larger)

    def filled(self):
        """Places that are filled, a tuple of ndarray that hold little else."""
        # A view would keep all places.
        spare = self.n_filled < 0.8 * len(self.places[0])
        filled = (values[: self.n_filled] for values in self.places)
        return tuple(values.copy() if spare else values for values in filled)

    def divide(self, shares):
        """Divide the places.

        Parameters
        ----------
        shares : array-like of float
            Part of the places for each room; together 1.

        Returns
        -------
        rooms : list of Room
        """
        ends = (np.cumsum(shares) * len(self.places[0])).astype(int).tolist()
        return [
            Room(tuple(values[start:end] for values in self.places))
            for start, end in zip([0, *ends], ends)
        ]

    def gather(self, rooms):
        """Move together what rooms hold, into which the places were divided.

        Parameters
        ----------
        rooms : list of Room
        """
        contents = [[values[: room.n_filled] for values in room.places] for room in rooms]
        if any(room.moved for room in rooms):
            self.places = tuple(map(np.concatenate, zip(*contents)))
            self.n_filled = len(self.places[0])
            return
        for content in contents:
            end = self.n_filled + len(content[0])
            for values, some in zip(self.places, content):
                values[self.n_filled : end] = some
            self.n_filled = end
