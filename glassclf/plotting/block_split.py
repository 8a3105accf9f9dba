"""Parts of a split in space, drawn in a slice."""

import numpy as np

from glassclf.plotting.axes import take_axes

PARTS = (("left out", "0.8"), ("train", "#0072b2"), ("test", "#d55e00"))


class BlockSplitDisplay:
    """Training and test points of a split, and those that are in neither part.

    Parameters
    ----------
    points : ndarray of shape (n, n_dims)
    train, test : ndarray of int
        Points of either part.
    axis : int, default=0
        In three dimensions, the axis across the slice.
    slab : (float, float), default=None
        In three dimensions, which cells along it are drawn. None: a tenth, in the middle.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.model_selection.BlockSplit : Makes the parts.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from glassclf.configurations import FieldPoints
    >>> from glassclf.model_selection import BlockSplit
    >>> from glassclf.plotting import BlockSplitDisplay
    >>> X = FieldPoints([np.zeros((16, 16))], np.argwhere(np.ones((16, 16))))
    >>> cv = BlockSplit(4, block=4, gap=2, random_state=0)
    >>> display = BlockSplitDisplay.from_splitter(cv, X)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['left out (68)', 'train (124)', 'test (64)']
    """

    def __init__(self, points, train, test, *, axis=0, slab=None):
        self.points, self.train, self.test = points, train, test
        self.axis, self.slab = axis, slab

    @classmethod
    def from_splitter(cls, cv, X, *, groups=None, split=0, axis=0, slab=None, ax=None):
        """Split, and draw one of the splits.

        Parameters
        ----------
        cv : BlockSplit
        X : FieldPoints or LazyNeighborhoods
        groups : array-like of shape (n, n_dims), default=None
            Points, where X does not know them.
        split : int, default=0
            Which of the splits.
        axis : int, default=0
            In three dimensions, the axis across the slice.
        slab : (float, float), default=None
            In three dimensions, which cells along it are drawn. None: a tenth, in the middle.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : BlockSplitDisplay
        """
        splits = list(cv.split(X, groups=groups))
        if not 0 <= split < len(splits):
            raise ValueError(f"split must be one of 0 to {len(splits) - 1}, got {split!r}")
        train, test = splits[split]
        points = X.points if groups is None else np.asarray(groups)
        return cls(points, train, test, axis=axis, slab=slab).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the points of a slice, in the colour of their part.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : BlockSplitDisplay
            With ``ax_`` and ``figure_``.
        """
        (ax,), figure = take_axes(ax, 1, "drawing a split", (5.4, 5.0))
        points = self.points
        part = np.zeros(len(points), dtype=int)
        part[self.train], part[self.test] = 1, 2
        shown, axes = np.ones(len(points), dtype=bool), [0, 1]
        if points.shape[1] == 3:
            if self.axis not in (0, 1, 2):
                raise ValueError(f"axis must be 0, 1 or 2, got {self.axis!r}")
            axes = [axis for axis in range(3) if axis != self.axis]
            across = points[:, self.axis]
            low, high = self.slab or np.quantile(across, (0.45, 0.55))
            shown = (across >= low) & (across <= high)
            if not shown.any():
                raise ValueError(
                    f"slab: no point lies from {low:g} to {high:g} along axis {self.axis}"
                )
            ax.set_title(f"axis {self.axis}: {low:g} to {high:g}")
        for number, (name, color) in enumerate(PARTS):
            chosen = points[shown & (part == number)]
            label = f"{name} ({np.count_nonzero(part == number)})"
            ax.plot(*chosen[:, axes].T, "s", markersize=2.5, color=color, label=label)
        ax.set(xlabel=f"axis {axes[0]}", ylabel=f"axis {axes[1]}", aspect="equal")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False)
        self.ax_, self.figure_ = ax, figure
        return self
