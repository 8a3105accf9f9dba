"""Axes to draw on: those of the user, or new ones."""

from glassclf._extras import import_extra


def take_axes(axes, n, purpose, size):
    """Take the axes that were given, or make a row of them.

    Parameters
    ----------
    axes : matplotlib Axes, sequence of n of them, or None
        None makes a new figure.
    n : int
        Number of axes needed.
    purpose : str
        What is drawn, for the error message without matplotlib.
    size : (float, float)
        Width and height of a new figure, in inches.

    Returns
    -------
    axes : list of matplotlib Axes
    figure : matplotlib Figure

    Raises
    ------
    ValueError
        If another number of axes is given.
    """
    pyplot = import_extra("matplotlib.pyplot", "plot", purpose)
    if axes is None:
        figure, made = pyplot.subplots(1, n, figsize=size, layout="constrained", squeeze=False)
        return list(made[0]), figure
    axes = [axes] if hasattr(axes, "plot") else list(axes)
    if len(axes) != n:
        raise ValueError(f"{purpose} needs {n} axes, got {len(axes)}")
    return axes, axes[0].figure


def tick_log_axis(ax):
    """Give a logarithmic y axis ticks that can be read, whatever it spans.

    Parameters
    ----------
    ax : matplotlib Axes
        With everything drawn.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

    low, high = ax.get_ylim()
    ax.yaxis.set_minor_formatter(NullFormatter())
    if high < 1000 * low:
        if high < 10 * low:
            # Hardly a power of ten: as on a linear axis.
            ax.yaxis.set_major_locator(MaxNLocator(5))
            ax.yaxis.set_minor_locator(NullLocator())
        else:
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
