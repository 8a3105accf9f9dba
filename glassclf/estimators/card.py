"""A card of the training data: what a model was trained on, and a warning for anything else."""

import warnings

import joblib
import numpy as np

from glassclf.configurations import Configurations
from glassclf.featurizers import Graphs

# Facts of the simulation that must be the same in training and prediction. Temperatures are not
# among them: a network trained at two temperatures is asked about those between.
KINDS = ("state", "cooling_steps")
# More values than this are summed up by their range, or by their number.
MANY_VALUES = 20
# More data than this are not hashed: it would take longer than a tenth of a second.
MANY_BYTES = 50e6
N_DIGITS = 12
# Graphs that are computed of a lazy sequence, to see how they are bonded.
N_LOOKED_AT = 3
# Of these two graphs have one.
BONDS = ("n_neighbors", "longest_bond")
# The composition is another one beyond this difference and so many standard errors.
COMPOSITION_DIFFERENCE = 0.05
STANDARD_ERRORS = 5
# The longest bonds differ beyond this factor: another r_max, not another sample.
BOND_RATIO = 1.25
# Share of the particles with one number of neighbours that makes it that of the graphs. A few more
# bonds may join their parts.
MOST = 0.9


class TrainingCard(dict):
    """Plain facts about training data, with a readable ``repr``.

    Examples
    --------
    >>> from glassclf.estimators.card import TrainingCard
    >>> print(TrainingCard(n_samples=4, classes={"glass": 2, "liquid": 2}))
    trained on 4 samples
      classes: glass (2), liquid (2)
    """

    def __repr__(self):
        lines = [f"trained on {self.get('n_samples', '?')} samples"]
        lines += [
            f"  {name.replace('_', ' ')}: {summary_text(value)}"
            for name, value in self.items()
            if name != "n_samples"
        ]
        return "\n".join(lines)

    def __reduce__(self):
        return type(self), (dict(self),)


def training_card(X, y, groups=None):
    """Sum up training data.

    Parameters
    ----------
    X : ndarray, Graphs or lazy sequence
        Samples. What ``X.info`` holds is summed up as well.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or targets: strings, bools and integers are counted, else the range is kept.
    groups : array-like of shape (n_samples,), default=None
        Groups of the samples, such as their runs.

    Returns
    -------
    card : TrainingCard
        Strings, numbers, lists and dicts with string keys only.
    """
    y = np.asarray(y)
    card = TrainingCard(n_samples=len(y))
    if y.ndim == 1 and y.dtype.kind != "f":
        card["classes"] = _summary(y)
    elif y.size:
        card["target_range"] = [_plain(y.min()), _plain(y.max())]
    if groups is not None:
        card["n_groups"] = len(_counted(groups)[0])
    card["input"] = type(X).__name__
    card |= _geometry(X)
    for name, summary in info_summary(X).items():
        card[f"info {name}" if name in card else name] = summary
    digits = _hash(X)
    if digits is not None:
        card["hash"] = digits
    return card


def info_summary(X):
    """Sum up what a set knows of its samples.

    Parameters
    ----------
    X : object
        With ``info``, a dict of arrays, or without.

    Returns
    -------
    summary : dict
        By name: counts of few values; else the range of numbers, the number of others. Values that
        are arrays themselves are left out.
    """
    summaries = {str(name): _summary(np.asarray(values)) for name, values in _info(X).items()}
    return {name: summary for name, summary in summaries.items() if summary is not None}


def warn_of_other_kind(card, X):
    """Warn where samples are of another kind than those that a model was trained on.

    Compared are the state (thermal or inherent), the cooling, the composition, the number of
    neighbours, and without such a number the longest bond, where both the card and X tell them.

    Parameters
    ----------
    card : TrainingCard or None
    X : ndarray, Graphs or lazy sequence
        Samples to predict.

    Warns
    -----
    UserWarning
        One, that names both sides of every difference.
    """
    if not card:
        return
    info = _info(X)
    differences = []
    for name in KINDS:
        known, values = card.get(name), info.get(name)
        if isinstance(known, dict) and values is not None:
            unknown = [value for value in map(str, _counted(values)[0]) if value not in known]
            if unknown:
                differences.append(f"{name} {', '.join(unknown)} instead of {', '.join(known)}")
    geometry = _geometry(X)
    if _other_composition(card, geometry, X):
        here, there = (summary_text(facts["composition"]) for facts in (geometry, card))
        differences.append(f"composition {here} instead of {there}")
    differences += _other_bonds(card, geometry)
    if differences:
        warnings.warn(
            f"X is of another kind than the training data: {'; '.join(differences)}. "
            "What the model says of it may mean little",
            stacklevel=4,
        )


def _info(X):
    info = getattr(X, "info", None)
    # The info of a pandas table is a method.
    return info if isinstance(info, dict) else {}


def _hash(X):
    """Digits that tell X from other data; None where it would take long to find them."""
    if hasattr(X, "fingerprint"):
        return X.fingerprint()[:N_DIGITS]
    held = vars(X).values() if isinstance(X, Graphs) else [X]
    if sum(getattr(values, "nbytes", 0) for values in held) > MANY_BYTES:
        return None
    return joblib.hash(X)[:N_DIGITS]


def _geometry(X):
    """Facts about the samples themselves, for particles and for arrays."""
    if not isinstance(X, (Graphs, Configurations)):
        shape = getattr(X, "shape", ())
        if len(shape) > 1:
            return {"shape": [int(length) for length in shape[1:]]}
        # Graphs that are yet to be computed: of their bonds a few can tell.
        if not hasattr(X, "n_dims"):
            return {}
        few = np.unique(np.linspace(0, len(X) - 1, N_LOOKED_AT).astype(int)) if len(X) else []
        return {"n_dims": int(X.n_dims), **_bonds(X.compute(few))}
    types, counts = np.unique(X.types, return_counts=True)
    shares = counts / counts.sum()
    is_graphs = isinstance(X, Graphs)
    facts = {
        "n_dims": int(X.n_dims),
        "n_particles": _summary(X.n_nodes if is_graphs else X.n_particles),
        "composition": {str(kind): round(float(share), 4) for kind, share in zip(types, shares)},
    }
    return {**facts, **_bonds(X)} if is_graphs else facts


def _bonds(graphs):
    """How the particles of graphs are bonded: to so many, or up to some distance."""
    others = np.repeat(graphs.n_nodes - 1, graphs.n_nodes)
    if len(graphs.distances) == 0 or (graphs.degrees == others).all():
        # All to all, as in small windows: there were no more particles to be bonded to.
        return {}
    counts = np.bincount(graphs.degrees)
    if counts.max() >= MOST * counts.sum():
        return {"n_neighbors": int(counts.argmax())}
    return {"longest_bond": float(f"{graphs.distances.max():.4g}")}


def _other_bonds(card, geometry):
    known, here = ({name: facts.get(name) for name in BONDS} for facts in (card, geometry))
    if known["n_neighbors"] != here["n_neighbors"] and _tell_bonds(known) and _tell_bonds(here):
        number = here["n_neighbors"] or "varying"
        return [f"n_neighbors {number} instead of {known['n_neighbors'] or 'varying'}"]
    longest = here["longest_bond"], known["longest_bond"]
    if None not in longest and max(longest) > BOND_RATIO * min(longest):
        return ["longest bond {:g} instead of {:g}".format(*longest)]
    return []


def _tell_bonds(facts):
    return any(value is not None for value in facts.values())


def _other_composition(card, geometry, X):
    known, given = card.get("composition"), geometry.get("composition")
    if not known or not given:
        return False
    n_particles = len(X.types)
    for kind in {*known, *given}:
        before, now = known.get(kind, 0.0), given.get(kind, 0.0)
        error = np.sqrt(before * (1 - before) / n_particles)
        if abs(now - before) > COMPOSITION_DIFFERENCE + STANDARD_ERRORS * error:
            return True
    return False


def _summary(values):
    """Counts of few values, else their range (numbers) or their number (strings)."""
    if values.ndim != 1 or len(values) == 0 or values.dtype.kind not in "biufUSO":
        return None
    distinct, counts = _counted(values)
    if len(distinct) <= MANY_VALUES:
        return dict(zip(map(str, distinct), counts))
    if values.dtype.kind in "iuf":
        low, high = np.nanmin(values), np.nanmax(values)
        return {"lowest": _plain(low), "highest": _plain(high), "different": len(distinct)}
    return {"different": len(distinct)}


def _counted(values):
    """Distinct values, sorted, and how often each occurs."""
    values = np.asarray(values)
    if values.dtype.kind == "O":
        values = values.astype(str)
    distinct, counts = np.unique(values, return_counts=True)
    return distinct.tolist(), counts.tolist()


def _plain(number):
    return number.item() if hasattr(number, "item") else number


def summary_text(value):
    """Write an entry of a card for people.

    Parameters
    ----------
    value : dict, list, str or number

    Returns
    -------
    text : str
    """
    if isinstance(value, dict):
        if "lowest" in value:
            return f"{value['lowest']:g} to {value['highest']:g}, {value['different']} different"
        if value.keys() == {"different"}:
            return f"{value['different']} different"
        return ", ".join(f"{name} ({share})" for name, share in value.items())
    if isinstance(value, list):
        return " x ".join(map(str, value))
    return str(value)
