"""A search for hyperparameters, drawn: its course, and what each parameter did."""

import re
import textwrap

import numpy as np
from sklearn.utils.validation import check_is_fitted

from glassclf._extras import import_extra
from glassclf.plotting.axes import take_axes

COMPLETE, BEST = "#0072b2", "#d55e00"
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
POINT = {"linestyle": "none", "marker": "o", "markersize": 4.5}
STYLES = {
    "complete": POINT | {"color": COMPLETE},
    "pruned": POINT | {"color": "0.55", "markerfacecolor": "none"},
    "failed": POINT | {"color": "0.35", "marker": "x"},
}
STAR = POINT | {"color": BEST, "marker": "*", "markersize": 13, "zorder": 3}
STAR |= {"markeredgecolor": "white", "markeredgewidth": 0.6}
# Late trials, which matter most, are the darkest.
COLORMAP = "viridis_r"
N_SLICES = 3
PURPOSE = "drawing a study"


class StudyDisplay:
    """Scores of the trials of a search, importances of the parameters, and slices along them.

    The first axes show the value of every trial and the best so far, the second the importance of
    each parameter, and the others the values along the most important parameters, up to three.
    Trials without a value are marked at the bottom.

    Parameters
    ----------
    number : ndarray of int of shape (n_trials,)
        Of each trial.
    value : ndarray of shape (n_trials,)
        Score of a complete trial, last one of a pruned trial; NaN where there is none.
    state : ndarray of str of shape (n_trials,)
        "complete", "pruned" or "failed".
    parameters : dict of ndarray of shape (n_trials,)
        Values of each parameter, NaN in trials without it; of one with categories their indices.
    importances : dict of float, or str
        Of each parameter, the most important first; a text says why there are none.
    categories : dict of list of str, default=None
        Labels of the parameters that are no numbers.
    log : sequence of str, default=()
        Parameters to draw on a logarithmic scale.
    maximize : bool, default=True
        Whether high values are the good ones.
    target_name : str, default="score"
        What the values are.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        History, importances and slices, after :meth:`plot`.
    figure_ : matplotlib Figure
        After :meth:`plot`.

    Examples
    --------
    >>> import matplotlib, optuna
    >>> matplotlib.use("Agg")
    >>> from glassclf.plotting import StudyDisplay
    >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    >>> for _ in range(20):
    ...     trial = study.ask()
    ...     rate, width = trial.suggest_float("rate", 0, 1), trial.suggest_int("width", 1, 8)
    ...     _ = study.tell(trial, rate**2 + 0.01 * width)
    >>> display = StudyDisplay.from_study(study, target_name="loss")
    >>> [ax.get_xlabel() for ax in display.ax_]
    ['trial', 'importance', 'rate', 'width']
    """

    def __init__(
        self,
        number,
        value,
        state,
        parameters,
        importances,
        *,
        categories=None,
        log=(),
        maximize=True,
        target_name="score",
    ):
        self.number, self.value, self.state = number, value, state
        self.parameters, self.importances = parameters, importances
        self.categories, self.log = categories, log
        self.maximize, self.target_name = maximize, target_name

    @classmethod
    def from_study(cls, study, *, target_name="score", ax=None):
        """Draw the finished trials of a study.

        A trial whose value is infinite counts as failed. Constraints are not regarded.

        Parameters
        ----------
        study : optuna.Study
            Of one objective, to be minimised or maximised.
        target_name : str, default="score"
            What its values are.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, as in :meth:`plot`; None makes a new figure.

        Returns
        -------
        display : StudyDisplay

        Raises
        ------
        TypeError
            If this is no study.
        ValueError
            If it has several objectives or no finished trial.
        """
        from optuna import Study

        if not isinstance(study, Study):
            raise TypeError(
                f"study must be an optuna.Study, got {type(study).__name__}: "
                "StudyDisplay.from_estimator draws a fitted search"
            )
        if len(study.directions) > 1:
            raise ValueError(
                f"the study has {len(study.directions)} objectives, StudyDisplay draws one: "
                "use optuna.visualization.plot_pareto_front"
            )
        trials = study.get_trials(deepcopy=False)
        trials = [trial for trial in trials if trial.state.name in STATES]
        if not trials:
            raise ValueError("the study has no finished trial to draw: run study.optimize first")
        value = np.array([trial.value for trial in trials], dtype=float)
        state = np.array([STATES[trial.state.name] for trial in trials])
        state[(state == "complete") & ~np.isfinite(value)] = "failed"
        value[state == "failed"] = np.nan
        parameters, categories, log = _read_parameters(trials)
        importances = _read_importances(study, parameters, value, state == "complete")
        number = np.array([trial.number for trial in trials])
        options = {"categories": categories, "log": log, "target_name": target_name}
        options["maximize"] = study.direction.name == "MAXIMIZE"
        return cls(number, value, state, parameters, importances, **options).plot(ax=ax)

    @classmethod
    def from_estimator(cls, search, *, ax=None):
        """Draw the study of a fitted search.

        Parameters
        ----------
        search : estimator
            Fitted, with a ``study_``.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, as in :meth:`plot`; None makes a new figure.

        Returns
        -------
        display : StudyDisplay

        Raises
        ------
        TypeError
            If this is no search.
        """
        if not hasattr(search, "study_") and not hasattr(search, "n_trials"):
            raise TypeError(
                f"search must be a search with a study, such as OptunaSearch, got "
                f"{type(search).__name__}; a study itself is drawn by StudyDisplay.from_study"
            )
        check_is_fitted(search, "study_")
        return cls.from_study(search.study_, ax=ax)

    def plot(self, ax=None):
        """Draw the history, the importances and the slices.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw: two, and one more for each parameter, up to five together. None makes a
            new figure.

        Returns
        -------
        display : StudyDisplay
            With ``ax_`` and ``figure_``.
        """
        ranked = list(self.importances) if isinstance(self.importances, dict) else []
        sliced = list(dict.fromkeys([*ranked, *self.parameters]))[:N_SLICES]
        if ax is None:
            ax = _make_axes(len(sliced))
        axes, figure = take_axes(ax, 2 + len(sliced), PURPOSE, None)
        history, importances, *slices = axes
        names = _short_names(self.parameters)
        self._draw_history(history)
        self._draw_importances(importances, names)
        for each, name in zip(slices, sliced):
            points = self._draw_slice(each, name)
            each.set(xlabel=names[name])
        if slices:
            slices[0].set(ylabel=self.target_name)
            if (self.state == "complete").sum() > 1:
                bar = figure.colorbar(points, ax=slices, label="trial", aspect=30)
                _few_ticks(bar.ax.yaxis, 6)
        self.ax_, self.figure_ = np.array(axes), figure
        return self

    def _best(self):
        """Which of the trials is the best, as an array of one index, or of none."""
        complete = np.flatnonzero(self.state == "complete")
        sign = 1 if self.maximize else -1
        return complete[[np.argmax(sign * self.value[complete])]] if len(complete) else complete

    def _draw_history(self, ax):
        complete = self.state == "complete"
        self._draw_trials(ax, self.number.astype(float), COMPLETE)
        for best in self._best():
            running = np.maximum if self.maximize else np.minimum
            so_far = running.accumulate(self.value[complete])
            # To the last trial, as the best holds for all that did no better.
            x, y = np.append(self.number[complete], self.number[-1]), np.append(so_far, so_far[-1])
            style = {"color": "black", "linewidth": 1.2, "drawstyle": "steps-post"}
            ax.plot(x, y, label="best so far", zorder=1.5, **style)
            label = f"best: {self.value[best]:.4g} (trial {self.number[best]})"
            ax.plot([], [], label=label, **STAR)
        for state, style in STYLES.items():
            if state in self.state:
                ax.plot([], [], label=state, **style)
        ax.set(xlabel="trial", ylabel=self.target_name)
        _tick_whole(ax, self.number)
        # Above, where it hides no point.
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2}
        style = {"frameon": False, "fontsize": "small", "columnspacing": 1.0, "handlelength": 1.2}
        ax.legend(ncols=3, **place, **style)

    def _draw_importances(self, ax, names):
        ax.set(xlabel="importance")
        if isinstance(self.importances, str):
            text = textwrap.fill(self.importances, 30)
            ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
            ax.set(xticks=[], yticks=[])
            return
        labels = [names[name] for name in self.importances]
        bars = ax.barh(range(len(labels)), list(self.importances.values()), color="0.6")
        ax.bar_label(bars, fmt="{:.2f}", padding=2, fontsize="small")
        ax.set_yticks(range(len(labels)), labels, fontsize="small")
        ax.margins(x=0.15)
        ax.invert_yaxis()

    def _draw_slice(self, ax, name):
        x = self.parameters[name]
        labels = (self.categories or {}).get(name)
        if labels is None:
            known = x[np.isfinite(x)]
            if name in self.log:
                _tick_log(ax, known)
            elif np.all(known % 1 == 0):
                _tick_whole(ax, known)
            else:
                _few_ticks(ax.xaxis, 5)
            return self._draw_trials(ax, x, self.number)
        # Beside each other, but the same in every drawing: multiples of the golden ratio.
        x = x + 0.3 * ((0.618034 * self.number) % 1 - 0.5)
        labels = [textwrap.fill(label, 16) for label in labels]
        crowded = sum(map(len, labels)) > 18
        style = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        ax.set_xticks(range(len(labels)), labels, fontsize="small", **style)
        ax.set(xlim=(-0.5, len(labels) - 0.5))
        return self._draw_trials(ax, x, self.number)

    def _draw_trials(self, ax, x, color):
        """Draw each trial with an x by its state, and the best; return the complete ones."""
        there = np.isfinite(x)
        complete, known = there & (self.state == "complete"), np.isfinite(self.value)
        style = {"s": 24, "linewidth": 0.3} if len(x) < 200 else {"s": 8, "linewidth": 0}
        if isinstance(color, str):
            style["color"] = color
        else:
            # Colours of all trials, so that those of one trial are the same in all slices.
            style |= {"vmin": color.min(), "vmax": color.max(), "cmap": COLORMAP}
            style |= {"c": color[complete], "edgecolor": "0.3"}
        points = ax.scatter(x[complete], self.value[complete], zorder=2.5, **style)
        for state in ("pruned", "failed"):
            shown = there & (self.state == state)
            ax.plot(x[shown & known], self.value[shown & known], **STYLES[state])
            lacking, bottom = x[shown & ~known], ax.get_xaxis_transform()
            ax.plot(lacking, np.full(len(lacking), 0.03), transform=bottom, **STYLES[state])
        best = self._best()
        ax.plot(x[best], self.value[best], **STAR)
        # Room for the marks at the bottom.
        ax.margins(y=0.1)
        if not known.any():
            ax.set(yticks=[])
        return points


def _read_parameters(trials):
    """Return the values of each parameter, labels of those with categories, and which are log."""
    parameters, categories, log = {}, {}, []
    for trial in trials:
        for name, distribution in trial.distributions.items():
            parameters.setdefault(name, np.full(len(trials), np.nan))
            if hasattr(distribution, "choices"):
                # Trials that were added by hand may have been given other choices.
                known = categories.setdefault(name, [])
                known += [str(c) for c in distribution.choices if str(c) not in known]
            elif distribution.log and name not in log:
                log.append(name)
    for row, trial in enumerate(trials):
        for name, value in trial.params.items():
            labels = categories.get(name)
            parameters[name][row] = value if labels is None else labels.index(str(value))
    return parameters, categories, log


def _read_importances(study, parameters, value, complete):
    """Return the importances by Optuna, or say in words why there are none."""
    from optuna.importance import get_param_importances

    if len(parameters) < 2:
        return f"no importances: the trials have {'one' if parameters else 'no'} parameter"
    rows = np.column_stack(list(parameters.values()))[complete]
    if len(np.unique(np.nan_to_num(rows, nan=np.inf), axis=0)) < 2:
        return "no importances: fewer than two different trials are complete"
    if np.ptp(value[complete]) == 0:
        return "no importances: all complete trials have the same value"
    try:
        found = get_param_importances(study)
    except (RuntimeError, ValueError):
        found = {}
    # What Optuna cannot tell apart it gives equal shares.
    if len(set(found.values())) < 2:
        return "no importances: the complete trials do not tell the parameters apart"
    # Of equal ones Optuna gives no certain order.
    return {name: found[name] for name in sorted(found, key=lambda name: (-found[name], name))}


def _short_names(names):
    """Return a label for each name: as many of its last steps as tell it from all others."""
    steps = {name: name.split("__") for name in names}
    labels = {}
    for name, own in steps.items():
        for n in range(1, len(own) + 1):
            if sum(other[-n:] == own[-n:] for other in steps.values()) == 1:
                break
        # Lines of at most 25 characters where underscores allow it.
        labels[name] = re.sub(r"((?=.{26}).{8,24}_)", r"\1\n", "__".join(own[-n:]))
    return labels


def _make_axes(n_slices):
    """Make a figure: slices below history and importances, or beside them when that is enough."""
    pyplot = import_extra("matplotlib.pyplot", "plot", PURPOSE)
    beside = n_slices < 2
    size = (8.5 + 3.5 * n_slices, 3.6) if beside else (10.0, 6.8)
    figure = pyplot.figure(figsize=size, layout="constrained")
    rows = figure.add_gridspec(1 if beside else 2, 1)
    widths = (5, 3, 3)[: 2 + n_slices * beside]
    above = rows[0].subgridspec(1, len(widths), width_ratios=widths).subplots()
    return [*above] if beside else [*above, *rows[1].subgridspec(1, n_slices).subplots(sharey=True)]


def _few_ticks(axis, n, whole=False):
    from matplotlib.ticker import MaxNLocator

    least = 1 if whole else 2
    axis.set_major_locator(MaxNLocator(n, integer=whole, steps=(1, 2, 5, 10), min_n_ticks=least))


def _tick_whole(ax, x):
    """Give an x axis ticks at integers, of which there are some in any range."""
    margin = max(0.5, 0.04 * np.ptp(x))
    ax.set(xlim=(x.min() - margin, x.max() + margin))
    _few_ticks(ax.xaxis, 6, whole=True)


def _tick_log(ax, x):
    """Make an x axis logarithmic, with a few ticks that can be read whatever it spans."""
    from matplotlib.ticker import LogLocator, NullLocator

    ax.set(xscale="log")
    if x.max() > 100 * x.min():
        ax.xaxis.set_major_locator(LogLocator(numticks=5))
        return
    if x.max() > 10 * x.min():
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    else:
        # Hardly a power of ten: as on a linear axis.
        _few_ticks(ax.xaxis, 3)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
