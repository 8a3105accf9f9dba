"""The growth of a film as an animation."""

from pathlib import Path

import numpy as np

from glassclf._extras import import_extra
from glassclf.configurations import as_configurations
from glassclf.plotting.axes import take_axes
from glassclf.plotting.discs import draw_discs
from glassclf.thermodynamics import film_profile

SPACE_ABOVE = 6.0


def animate_growth(films, path=None, *, frames_per_second=12, ax=None):
    """Show how a film grows, snapshot by snapshot.

    Parameters
    ----------
    films : Configurations
        Snapshots of one growing film, such as ``make_vapor_deposited(..., keep_batches=True)``
        gives; in the order of ``info["n_deposited"]``, whatever the order in the set. If some are
        in the state "growing", the others are left out.
    path : str or path-like, default=None
        GIF file to write. None writes none.
    frames_per_second : float, default=12
        Speed of the animation.
    ax : matplotlib Axes, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    animation : matplotlib FuncAnimation
        Keep it as long as it is shown: what nobody holds stops.

    Raises
    ------
    ValueError
        If ``info`` has no "n_deposited", the films are of several runs, the speed is not positive,
        or ``path`` does not end in ".gif".

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import animate_growth
    >>> from glassclf.testing import toy_films
    >>> films = toy_films(1)[:2]
    >>> films.info["n_deposited"] = [380, 392]
    >>> animation = animate_growth(films, "growth.gif")  # doctest: +SKIP
    """
    films = _in_order(as_configurations(films))
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second must be positive, got {frames_per_second!r}")
    if path is not None and Path(path).suffix.lower() != ".gif":
        raise ValueError(f"path must end in .gif, the only format written, got {str(path)!r}")
    (ax,), figure = take_axes(ax, 1, "drawing the growth of a film", (5.0, 5.5))
    animation = import_extra("matplotlib.animation", "plot", "an animation")
    last = films[-1]
    top = film_profile(last).surface + SPACE_ABOVE
    ax.set(xlim=(0, last.box[0]), ylim=(0, top), aspect="equal", xlabel="x", ylabel="y")
    title = ax.set_title("")
    drawn = []

    def draw(frame):
        film = films[frame]
        while drawn:
            drawn.pop().remove()
        drawn.append(draw_discs(ax, film))
        title.set_text(f"{film.info['n_deposited']} particles")
        return [*drawn, title]

    growth = animation.FuncAnimation(
        figure, draw, frames=len(films), interval=1000 / frames_per_second
    )
    if path is not None:
        growth.save(path, writer=animation.PillowWriter(fps=frames_per_second))
    return growth


def _in_order(films):
    if "n_deposited" not in films.info:
        raise ValueError(
            'films.info must have "n_deposited", the number of particles in each: '
            "make_vapor_deposited(..., keep_batches=True) gives such films"
        )
    if "state" in films.info and (films.info["state"] == "growing").any():
        films = films[films.info["state"] == "growing"]
    runs = np.unique(films.info["run"]) if "run" in films.info else [""]
    if len(runs) > 1:
        raise ValueError(
            f"the films must be of one run, got {len(runs)}: choose one, such as "
            f'films[films.info["run"] == {str(runs[0])!r}]'
        )
    return films[np.argsort(films.info["n_deposited"], kind="stable")]
