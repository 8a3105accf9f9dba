"""Energies and forces as targets: what every potential checks, and predicts, in the same way."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations import (
    as_configurations,
    nearest_neighbors,
    pairs_one_way,
    volume,
)
from glassclf.featurizers.base import warn_user

# Particles that are closer than this share of the range are at one place: a force has no direction.
SAME_PLACE = 1e-9


class PotentialMixin(RegressorMixin):
    """Base of the potentials: energies, forces and stress of configurations.

    A subclass writes ``_compute(X)``, which returns energies (n,), forces of all particles one
    below another, and virials (n, n_dims, n_dims); and ``_of_pairs(types, pairs)``, the same of one
    configuration whose pairs in range are known, each in one direction.
    """

    def predict(self, X):
        """Predict the energy of each configuration.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            With types that ``fit`` saw.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            Of whole configurations, in the unit of the training.

        Warns
        -----
        UserWarning
            If particles are closer than any of their types were in the training.
        """
        return self._compute(self._check_input(X))[0]

    def score(self, X, y, sample_weight=None):
        """Share of the variance of the energies that is explained; forces do not count.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            With types that ``fit`` saw.
        y : array-like of shape (n_samples,)
            Energy of each configuration as a whole.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each configuration.

        Returns
        -------
        score : float
            R2, as of every regressor of scikit-learn. A search or cross-validation without
            ``scoring`` judges by it.
        """
        return super().score(X, y, sample_weight)

    def predict_forces(self, X):
        """Predict the force on each particle: minus the gradient of the energy.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            With types that ``fit`` saw.

        Returns
        -------
        forces : list of ndarray of shape (n_particles, n_dims)
            In the units of energy and length of the training.
        """
        X = self._check_input(X)
        return np.split(self._compute(X)[1], X.offsets[1:-1])

    def predict_stress(self, X):
        """Predict the stress: the derivative of the energy by the strain, for each volume.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            Periodic in all directions.

        Returns
        -------
        stress : ndarray of shape (n_samples, n_dims, n_dims)
            Without the part of the motion; positive under tension, as in ``ase``. Minus a third of
            its trace (half of it in two dimensions) is the pressure of the forces.

        Raises
        ------
        ValueError
            If a configuration is open along a direction.
        """
        X = self._check_input(X)
        is_open = ~X.periodic.all(axis=1)
        if is_open.any():
            raise ValueError(
                f"sample {int(np.argmax(is_open))} is open along a direction: it has no stress"
            )
        return self._compute(X)[2] / np.array([volume(cell) for cell in X.cells])[:, None, None]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _learn_input(self, X, weights):
        self.types_ = np.unique(X.types)
        self.n_dims_ = X.n_dims
        self.n_features_in_ = len(self.types_)
        self.closest_ = closest_distances(X, self.types_, self.r_max, weights)
        if np.isinf(self.closest_).all():
            raise ValueError(
                f"no two particles are within r_max={self.r_max:g} of each other in any "
                f"configuration{_nearest_pair(X)}: are both in one unit of length?"
            )

    def _check_fitted(self):
        check_is_fitted(self)

    def _check_input(self, X):
        self._check_fitted()
        X = as_configurations(X)
        self._check_kind(X)
        self._warn_of_close_pairs(X)
        return X

    def _check_kind(self, X):
        _refuse_empty(X)
        if X.n_dims != self.n_dims_:
            raise ValueError(
                f"X is {X.n_dims}-dimensional, {type(self).__name__} was fitted on "
                f"{self.n_dims_}-dimensional configurations"
            )
        unknown = np.setdiff1d(X.types, self.types_)
        if len(unknown):
            first = np.flatnonzero(X.types == unknown[0])[0]
            sample = np.searchsorted(X.offsets, first, side="right") - 1
            raise ValueError(
                f"sample {sample} has particles of type {unknown[0]}, which fit never saw; known "
                f"types: {self.types_.tolist()}"
            )

    def _warn_of_close_pairs(self, X):
        closest = closest_distances(X, self.types_, self.r_max)
        closer = np.argwhere(np.triu(closest < self.closest_))
        if len(closer):
            a, b = closer[np.argmin([closest[a, b] / self.closest_[a, b] for a, b in closer])]
            known = self.closest_[a, b]
            beside = f"the closest in the training were {known:.4g} apart"
            if not np.isfinite(known):
                beside = "there was no such pair in the training"
            warn_user(
                f"particles of types {self.types_[a]} and {self.types_[b]} are {closest[a, b]:.4g} "
                f"apart; {beside}: the energy there is a guess"
            )


def _nearest_pair(X):
    """The words that say how far apart the closest particles are."""
    pairs = [nearest_neighbors(one, 1).distances.min() for one in X if one.n_particles > 1]
    return f" (the closest are {min(pairs):.4g} apart)" if pairs else ", each has a single particle"


def closest_distances(X, types, r_max, weights=None):
    """Find the closest pair of each two types.

    Parameters
    ----------
    X : Configurations
    types : ndarray of shape (n_types,)
        Sorted; all that X has.
    r_max : float
        Range of the search.
    weights : ndarray of shape (n_samples,), default=None
        Configurations of weight 0 do not count.

    Returns
    -------
    closest : ndarray of shape (n_types, n_types)
        Symmetric; infinite where no pair is in range.

    Raises
    ------
    ValueError
        If two particles are at the same place, whatever the weight.
    """
    closest = np.full((len(types), len(types)), np.inf)
    for index, configuration in enumerate(X):
        pairs = pairs_one_way(configuration, r_max)
        refuse_coincident(pairs, r_max, f"configuration {index}")
        if weights is not None and weights[index] == 0:
            continue
        kinds = np.searchsorted(types, configuration.types)
        a, b = np.sort([kinds[pairs.sources], kinds[pairs.targets]], axis=0)
        np.minimum.at(closest, (a, b), pairs.distances)
    return np.minimum(closest, closest.T)


def refuse_coincident(pairs, r_max, owner):
    """Refuse particles at the same place, between which no force has a direction.

    Parameters
    ----------
    pairs : Pairs
        Those in range.
    r_max : float
        The range.
    owner : str
        Whose particles they are, for the message.

    Raises
    ------
    ValueError
        If there are any.
    """
    coincident = pairs.distances <= SAME_PLACE * r_max
    if coincident.any():
        first = np.argmax(coincident)
        a, b = sorted((int(pairs.sources[first]), int(pairs.targets[first])))
        raise ValueError(
            f"particles {a} and {b} of {owner} are at the same place: remove one, or the "
            "configuration"
        )


def check_labels(X, energy, forces):
    """Check the targets of a potential.

    Parameters
    ----------
    X : Configurations
    energy : array-like of shape (n_samples,)
        Of whole configurations.
    forces : sequence of array-like of shape (n_particles, n_dims), or None
        One for each configuration, or one array of all particles one below another.

    Returns
    -------
    energy : ndarray of shape (n_samples,)
    forces : ndarray of shape (n_particles_total, n_dims) or None

    Raises
    ------
    ValueError
        If there is no configuration, energies are missing or not finite, or a shape is another one
        than it should be.
    """
    _refuse_empty(X)
    if energy is None:
        raise ValueError("energy is missing: a potential is trained on the energy of each sample")
    energy = _floats(energy, "energy")
    if energy.shape != (len(X),):
        raise ValueError(
            f"energy must have one value for each of the {len(X)} configurations, got shape "
            f"{energy.shape}"
        )
    missing = ~np.isfinite(energy)
    if missing.any():
        raise ValueError(f"energy of sample {np.argmax(missing)} is missing: it is NaN or infinite")
    return energy, None if forces is None else _check_forces(X, forces)


def _check_forces(X, forces):
    if isinstance(forces, np.ndarray) and forces.ndim == 2:
        if forces.shape != X.positions.shape:
            raise ValueError(
                "forces of all particles must have the shape of their positions, "
                f"{X.positions.shape}, got {forces.shape}; a cross-validation or search splits a "
                "list with one array for each configuration"
            )
        joined = _floats(forces, "forces")
    else:
        if len(forces) != len(X):
            raise ValueError(
                f"forces must have one array for each of the {len(X)} configurations, got "
                f"{len(forces)}"
            )
        parts = [_floats(part, f"forces[{index}]") for index, part in enumerate(forces)]
        for index, (part, count) in enumerate(zip(parts, X.n_particles)):
            if part.shape != (count, X.n_dims):
                raise ValueError(
                    f"forces[{index}] must have the shape of the positions, ({count}, {X.n_dims}), "
                    f"got {part.shape}"
                )
        joined = np.concatenate(parts)
    missing = ~np.isfinite(joined).all(axis=1)
    if missing.any():
        first = np.argmax(missing)
        sample = np.searchsorted(X.offsets, first, side="right") - 1
        raise ValueError(
            f"the force on particle {first - X.offsets[sample]} of sample {sample} is missing: it "
            "is NaN or infinite"
        )
    return joined


def _floats(values, name):
    try:
        if np.iscomplexobj(values):
            raise ValueError("complex numbers would lose their imaginary part")
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from None


def _refuse_empty(X):
    if len(X) == 0:
        raise ValueError("X is empty: expected at least one configuration")


def count_types(X, types):
    """Count the particles of each type.

    Parameters
    ----------
    X : Configurations
    types : ndarray of shape (n_types,)

    Returns
    -------
    counts : ndarray of shape (n_samples, n_types)
    """
    samples = np.repeat(np.arange(len(X)), X.n_particles)
    counts = np.zeros((len(X), len(types)))
    np.add.at(counts, (samples, np.searchsorted(types, X.types)), 1)
    return counts
