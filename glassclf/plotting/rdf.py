"""Radial distribution functions by pair of types, drawn."""

import numpy as np
from sklearn.base import clone

from glassclf.configurations import as_configurations
from glassclf.featurizers import RDFFeaturizer
from glassclf.plotting.axes import take_axes

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")


class RDFDisplay:
    """Mean radial distribution function of each pair of types, one curve for each class.

    Parameters
    ----------
    r : ndarray of shape (n_bins,)
        Centres of the bins.
    curves : dict of name to (mean, std), each ndarray of shape (n_pairs, n_bins)
        Mean and standard deviation over configurations. At most six.
    pairs : list of str
        Names of the pairs.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        One for each pair, after :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    See Also
    --------
    glassclf.featurizers.RDFFeaturizer : Computes the functions.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import RDFDisplay
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases()
    >>> display = RDFDisplay.from_configurations(X, y, r_max=2.5)
    >>> [ax.get_title() for ax in display.ax_]
    ['0-0', '0-1', '1-1']
    """

    def __init__(self, r, curves, pairs):
        self.r, self.curves, self.pairs = r, curves, pairs

    @classmethod
    def from_configurations(cls, X, y=None, *, r_max=5.0, n_bins=200, ax=None):
        """Compute and draw the functions of configurations.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        y : array-like of shape (n,), default=None
            Labels, each of which gets a curve.
        r_max : float, default=5.0
            In units of the positions.
        n_bins : int, default=200
        ax : sequence of matplotlib Axes, default=None
            One for each pair; None makes a new figure.

        Returns
        -------
        display : RDFDisplay
        """
        return cls.from_estimator(RDFFeaturizer(r_max, n_bins), X, y, ax=ax)

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, ax=None):
        """Draw the functions as a featurizer computes them.

        Parameters
        ----------
        estimator : RDFFeaturizer
            A clone is fitted on X.
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        y : array-like of shape (n,), default=None
            Labels, each of which gets a curve.
        ax : sequence of matplotlib Axes, default=None
            One for each pair; None makes a new figure.

        Returns
        -------
        display : RDFDisplay
        """
        X, featurizer = as_configurations(X), clone(estimator)
        table = featurizer.fit_transform(X)
        table = table.reshape(len(X), -1, len(featurizer.r_))
        labels = np.full(len(X), "all") if y is None else np.asarray(y)
        if labels.shape != (len(X),):
            raise ValueError(
                f"y must have one label for each of the {len(X)} configurations, got shape "
                f"{labels.shape}"
            )
        curves = {
            str(label): (table[labels == label].mean(axis=0), table[labels == label].std(axis=0))
            for label in np.unique(labels)
        }
        names = featurizer.get_feature_names_out()[:: len(featurizer.r_)]
        pairs = ["-".join(name.split("_")[1:-1]) or "all" for name in names]
        return cls(featurizer.r_, curves, pairs).plot(ax=ax)

    def plot(self, ax=None):
        """Draw one panel for each pair.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            One for each pair; None makes a new figure.

        Returns
        -------
        display : RDFDisplay
            With ``ax_`` and ``figure_``.
        """
        if len(self.curves) > len(COLORS):
            raise ValueError(f"at most {len(COLORS)} classes are drawn, got {len(self.curves)}")
        n = len(self.pairs)
        axes, figure = take_axes(ax, n, "drawing radial distribution functions", (3.4 * n, 3.2))
        for number, (axis, pair) in enumerate(zip(axes, self.pairs)):
            for color, (name, (mean, std)) in zip(COLORS, self.curves.items()):
                middle, spread = mean[number], std[number]
                axis.plot(self.r, middle, color=color, linewidth=1.2, label=name)
                axis.fill_between(
                    self.r, middle - spread, middle + spread, color=color, alpha=0.2, linewidth=0
                )
            axis.axhline(1, color="0.7", linewidth=0.8, linestyle=":")
            axis.set(title=pair, xlabel="distance", ylabel="g(r)" if number == 0 else "")
            axis.set(xlim=(0, None), ylim=(0, None))
        if len(self.curves) > 1:
            axes[0].legend(frameon=False)
        self.ax_, self.figure_ = np.array(axes), figure
        return self
