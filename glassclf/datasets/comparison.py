"""What two classes have in common, and how far their energies alone tell them apart."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.utils import check_consistent_length

NEEDED = ("temperature", "cooling_steps", "state", "run", "inherent_energy")
COLUMNS = (
    "class",
    "samples",
    "runs",
    "temperature",
    "cooling steps",
    "state",
    "particles",
    "inherent energy",
)


def compare_classes(X, y, groups=None, *, tolerance=0.002):
    """Say which of temperature, cooling rate and energy two classes share.

    Whatever differs may be what a method has learned, whether or not it was the question. Above all
    the inherent-structure energy: it is one number, and often does better than a network.

    Parameters
    ----------
    X : Configurations, or others with ``info``
        With "temperature", "cooling_steps", "state", "run" and "inherent_energy".
    y : array-like of str of shape (n,)
        Two classes.
    groups : array-like of shape (n,), default=None
        Groups of the cross-validation. None: the runs.
    tolerance : float, default=0.002
        The energy counts as equal if each sample of the one class can be paired with another one of
        the other, none left over, with energies that differ by no more.

    Returns
    -------
    comparison : ClassComparison
        ``print`` shows the table. Attributes, one value for each class: ``labels``, ``n_samples``,
        ``n_runs``, ``temperatures``, ``cooling_steps``, ``states``, ``n_particles`` (tuples of the
        values that occur), ``energy_mean``, ``energy_spread`` (standard deviation over samples).
        Of both: ``n_groups``; ``equal`` and ``different``, names of what is and is not the same;
        ``energy_auc``, the AUC of the energy alone, without any training and in the direction that
        gives at least 0.5; ``energy_auc_error``, by which it scatters around 0.5 where the energy
        tells nothing.

    Raises
    ------
    TypeError
        If ``X`` has no ``info``.
    ValueError
        If ``info`` lacks something, an energy is missing, there are not two classes, or lengths
        differ.

    References
    ----------
    .. [1] H. B. Mann and D. R. Whitney, Ann. Math. Statist. 18, 50 (1947), eq. 7: the error of the
       area under the curve.

    Examples
    --------
    >>> from glassclf.datasets import compare_classes, load_kob_andersen, select_pair
    >>> X, y, groups = select_pair(load_kob_andersen(), glass=0.05, liquid=0.635)
    >>> comparison = compare_classes(X, y, groups)
    >>> comparison.equal, comparison.different
    (('cooling steps', 'state', 'particles'), ('temperature', 'energy'))
    >>> bool(comparison.energy_auc > 0.98)
    True
    """
    info = _check_info(X)
    y = np.asarray(y)
    groups = np.asarray(info["run"] if groups is None else groups)
    check_consistent_length(X, y, groups)
    labels = np.unique(y)
    if len(labels) != 2:
        raise ValueError(f"y must hold two classes, got {labels.tolist()}")
    energy = np.asarray(info["inherent_energy"], dtype=np.float64)
    if not np.isfinite(energy).all():
        index = np.flatnonzero(~np.isfinite(energy))[0]
        raise ValueError(
            f"info['inherent_energy'] must be known of every sample, it is {energy[index]} for "
            f"sample {index}"
        )
    n_particles = getattr(X, "n_particles", getattr(X, "n_nodes", np.zeros(len(y), dtype=int)))
    facts = {
        "temperature": np.asarray(info["temperature"]),
        "cooling steps": np.asarray(info["cooling_steps"]),
        "state": np.asarray(info["state"]),
        "particles": np.asarray(n_particles),
    }
    masks = [y == label for label in labels]
    values = {
        name: tuple(tuple(np.unique(fact[mask]).tolist()) for mask in masks)
        for name, fact in facts.items()
    }
    same = {name: of_classes[0] == of_classes[1] for name, of_classes in values.items()}
    energies = [np.sort(energy[mask]) for mask in masks]
    same["energy"] = _can_be_paired(*energies, tolerance)
    n_first, n_second = map(len, energies)
    auc = roc_auc_score(y == labels[1], energy)
    return ClassComparison(
        labels=tuple(labels.tolist()),
        n_samples=(n_first, n_second),
        n_runs=tuple(len(np.unique(np.asarray(info["run"])[mask])) for mask in masks),
        n_groups=len(np.unique(groups)),
        temperatures=values["temperature"],
        cooling_steps=values["cooling steps"],
        states=values["state"],
        n_particles=values["particles"],
        energy_mean=tuple(float(of_class.mean()) for of_class in energies),
        energy_spread=tuple(float(of_class.std()) for of_class in energies),
        energy_auc=float(max(auc, 1 - auc)),
        energy_auc_error=float(np.sqrt((n_first + n_second + 1) / (12 * n_first * n_second))),
        equal=tuple(name for name, is_same in same.items() if is_same),
        different=tuple(name for name, is_same in same.items() if not is_same),
        tolerance=tolerance,
    )


@dataclass(frozen=True)
class ClassComparison:
    """What :func:`compare_classes` found; ``print`` shows it as a table."""

    labels: tuple
    n_samples: tuple
    n_runs: tuple
    n_groups: int
    temperatures: tuple
    cooling_steps: tuple
    states: tuple
    n_particles: tuple
    energy_mean: tuple
    energy_spread: tuple
    energy_auc: float
    energy_auc_error: float
    equal: tuple
    different: tuple
    tolerance: float

    def __str__(self):
        rows = [COLUMNS]
        for i, label in enumerate(self.labels):
            facts = [self.temperatures, self.cooling_steps, self.states, self.n_particles]
            rows.append(
                (
                    str(label),
                    str(self.n_samples[i]),
                    str(self.n_runs[i]),
                    *(_shorten(values[i]) for values in facts),
                    f"{self.energy_mean[i]:.4f} +- {self.energy_spread[i]:.4f}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip()
            for row in rows
        ]
        within = f" (energy: one to one within {self.tolerance:g})" * ("energy" in self.equal)
        lines += [
            f"equal: {', '.join(self.equal) or 'nothing'}{within}",
            f"different: {', '.join(self.different) or 'nothing'}",
            f"energy alone: AUC {self.energy_auc:.3f}, where 0.5 +- {self.energy_auc_error:.3f} is "
            "chance",
            f"groups: {self.n_groups}",
        ]
        return "\n".join(lines)


def _check_info(X):
    info = getattr(X, "info", None)
    if info is None:
        raise TypeError(
            "X must carry info, as Configurations and Graphs do, "
            f"got {type(X).__name__}: compare before featurizing"
        )
    lacking = [name for name in NEEDED if name not in info]
    if lacking:
        raise ValueError(f"X.info must have {list(NEEDED)}, it lacks {lacking}")
    return info


def _can_be_paired(first, second, tolerance):
    """Whether sorted numbers pair one to one: if any pairing is within the tolerance, this is."""
    return len(first) == len(second) and bool((np.abs(first - second) <= tolerance).all())


def _shorten(values):
    if len(values) <= 2:
        return ", ".join(map(str, values))
    return f"{values[0]} to {values[-1]} ({len(values)})"
