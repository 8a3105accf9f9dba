"""A potential learned from energies and forces, as a scikit-learn estimator."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.metrics import r2_score
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from glassclf.configurations import as_configurations
from glassclf.estimators.base import NetworkEstimator
from glassclf.estimators.batching import batch_ends
from glassclf.estimators.documentation import document
from glassclf.estimators.fingerprint import data_fingerprint
from glassclf.estimators.fitting import FitData
from glassclf.estimators.labels import PotentialMixin, check_labels, closest_distances, count_types
from glassclf.estimators.pair_spline import PairSplineRegressor
from glassclf.estimators.potential_samples import PairSamples, batch_of_pairs
from glassclf.estimators.targets import normalized_weights
from glassclf.featurizers.base import Number
from glassclf.networks import PotentialNetwork

# Of the energies per particle, in units of the forces' spread times the closest distance. At one
# temperature energies hardly differ, and their errors would outweigh those of the forces.
LEAST_SPREAD = 0.02
# What says what the weights mean: a training that goes on cannot change it.
OF_NETWORK = ("r_max", "hidden_size", "n_layers", "n_radial", "angular_order", "pair_prior")
# Where the radial functions begin, by the closest distance of all: inside their first centre they
# only fall, and cannot follow a force that rises.
FIRST_CENTER = 0.9
# Of the spline that the core is read off: few, as only its slope at close distances counts.
N_SPLINES_OF_CORE = 10
# What a network whose gradient is trained cannot do, and why.
UNSUPPORTED = {
    "augment": (None, "the energy does not change under shifts, turns and mirrors anyway"),
    "compile": (False, "torch.compile has no second derivatives, which training on forces takes"),
    "data_device": (None, "pairs are joined to batches in memory"),
    "data_parallel": (False, "processes cannot share the gradients of forces"),
    "dropout": (0.0, "an energy that changes by chance has no forces"),
    "freeze_encoder": (False, "a potential has no head that could be trained alone"),
    "precision": ("32", "forces are differences of energies, and need single precision"),
}


class EnergyForceLoss(torch.nn.Module):
    """Squared errors of energy and forces, each in units of its spread.

    Parameters
    ----------
    force_weight : float
        Share of the forces.
    energy_spread : float
        Of the energies per particle.
    """

    def __init__(self, force_weight, energy_spread):
        super().__init__()
        self.force_weight, self.energy_spread = force_weight, energy_spread

    def forward(self, outputs, targets):
        """Losses of shape (n,) of outputs of shape (n, 2): energy, squared error of the forces."""
        energy = ((outputs[:, 0] - targets[:, 0]) / self.energy_spread) ** 2
        return (1 - self.force_weight) * energy + self.force_weight * outputs[:, 1]


@document(
    max_epochs="60",
    batch_size="4",
    network="PotentialNetwork",
    facts="``n_types``, ``n_dims``, ``r_min``",
    features="Number of particle types.",
)
@dataclass(kw_only=True, repr=False, eq=False)
class PotentialRegressor(PotentialMixin, NetworkEstimator):
    """Potential energy of particles, learned from energies and forces.

    A message-passing network of continuous filters whose output is the sum of an energy for each
    particle. The energy does not change when a configuration is shifted, turned, mirrored or
    renumbered, and is twice that of half the system; forces are minus its gradient, exactly. Both
    are smooth where particles come into range. :func:`as_ase_calculator` runs dynamics with it.

    Parameters
    ----------
    r_max : float, default=2.5
        Range of the interaction in one layer, in units of the positions.
    hidden_size : int, default=32
        Length of the state of a particle.
    n_layers : int, default=2
        Number of layers; a particle sees as many shells of neighbours.
    n_radial : int, default=24
        Number of radial functions.
    angular_order : {0, 1, 2}, default=0
        With 1 or 2 the first layer sees also which way neighbours lie, of which forces of many
        bodies depend; pair forces do not need it, and it takes time.
    force_weight : float, default=0.99
        Share of the forces in the loss, beside the energies per particle; each in units of its
        spread, that of the energies not below about a fiftieth of that of the forces times the
        closest distance.
    pair_prior : bool, default=False
        Whether to fit a :class:`PairSplineRegressor` first, and the network to what it leaves. It
        is fitted to all samples, those of the validation part too: the validation score is then a
        little too good.
    <parameters>

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in fit, sorted.
    n_dims_ : int
        Number of spatial dimensions.
    closest_ : ndarray of shape (n_types, n_types)
        Closest distance of each two types in the training; infinite where there was no pair.
    type_energies_ : ndarray of shape (n_types,)
        Energy of a particle of each type, by least squares, to which the network adds. Zero with
        ``pair_prior``: those of ``prior_`` count then.
    force_scale_ : float
        Spread of the forces, each configuration by its weight; 1 where none were given.
    prior_ : PairSplineRegressor or None
    core_ : ndarray of shape (3, n_types, n_types)
        Of each two types the distance at which a repulsive core begins, its force there and the
        length over which it grows by e, see the Notes. With a prior the force is 0, as that of the
        prior goes on.
    <attributes>

    See Also
    --------
    PairSplineRegressor : The best that pairs alone can do; compare with it.
    as_ase_calculator : Dynamics with a fitted potential.

    Notes
    -----
    The network is after Schuett et al., J. Chem. Phys. 148, 241722 (2018). ``valid_score`` is the
    share of the variance of the forces that is explained (of the energies, without forces).

    Closer than any pair of their types in the training, the network knows nothing, and a core keeps
    particles apart: the network is asked about the distance at which the depth inside has stopped
    (:func:`~glassclf.networks.stopped_depth`), and a repulsion is added that grows exponentially.
    Its force and growth are those of a :class:`PairSplineRegressor` of ten splines at the closest
    pairs, as its Notes say; with ``pair_prior`` the prior itself goes on like that. Outside there
    is none, and where it begins three derivatives are continuous. A fit that goes on moves it
    inwards where its configurations have closer pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.estimators import PotentialRegressor
    >>> distances = np.linspace(1.0, 2.0, 40)
    >>> X = [([[4.0, 5.0], [4.0 + r, 5.0]], [0, 0], [10.0, 10.0]) for r in distances]
    >>> energy = (2.0 - distances) ** 3
    >>> forces = [[[-3 * (2 - r) ** 2, 0.0], [3 * (2 - r) ** 2, 0.0]] for r in distances]
    >>> model = PotentialRegressor(r_max=2.0, max_epochs=100, random_state=0)
    >>> model = model.fit(X, energy, forces=forces)
    >>> model.score(X, energy) > 0.98
    True
    """

    r_max: float = 2.5
    hidden_size: int = 32
    n_layers: int = 2
    n_radial: int = 24
    angular_order: int = 0
    force_weight: float = 0.99
    pair_prior: bool = False
    max_epochs: int = 60
    batch_size: int = 4
    lr: float = 1e-2
    weight_decay: float = 0.0
    schedule: str = "cosine"
    average_weights: float = 0.99

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "r_max": [Number(Real, 0, None, closed="neither")],
        "hidden_size": [Number(Integral, 1, None, closed="left")],
        "n_layers": [Number(Integral, 1, None, closed="left")],
        "n_radial": [Number(Integral, 2, None, closed="left")],
        "angular_order": [Number(Integral, 0, 2, closed="both")],
        "force_weight": [Number(Real, 0, 1, closed="neither")],
        "pair_prior": ["boolean"],
    }
    _search_space = {
        "lr": ("float", 1e-3, 1e-2, "log"),
        "hidden_size": ("int", 16, 64, "log"),
        "n_layers": ("int", 1, 3),
        "force_weight": ("float", 0.8, 0.999),
    }
    __metadata_request__fit = {"groups": True, "forces": True}
    _default_module = PotentialNetwork
    _criterion = EnergyForceLoss
    _evaluation_dtype = torch.float32

    def fit(self, X, energy, *, forces=None, groups=None, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            Boxes may be open along any direction.
        energy : array-like of shape (n_samples,)
            Potential energy of each configuration as a whole.
        forces : sequence of array-like of shape (n_particles, n_dims), default=None
            For each configuration; or one array of all particles one below another. Without them
            far more configurations are needed.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as one simulation run, never stand on both sides of the
            validation split. None means ``X.info["run"]`` where X carries it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each configuration in the loss.

        Returns
        -------
        self : object
            Fitted. If anything fails or is interrupted, the estimator is as it was before; but if
            the loss becomes NaN, or the checkpoint cannot be written, it keeps the last good
            weights.
        """
        X = as_configurations(X)
        return self._fit(X, energy, groups, sample_weight, forces=forces)

    def transform(self, X):
        """Embed configurations: the mean over the particles of what the energy is read from.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)

        Returns
        -------
        embedding : ndarray of shape (n_samples, width), float32
        """
        return super().transform(as_configurations(X))

    def _check_data(self, X, energy, groups, sample_weight, continued, encoding):
        for name, (value, reason) in UNSUPPORTED.items():
            if getattr(self, name) != value:
                raise ValueError(f"{name} must be {value!r} in {type(self).__name__}: {reason}")
        energy, forces = check_labels(X, energy, encoding["forces"])
        weights = _check_sample_weight(sample_weight, energy, ensure_non_negative=True)
        groups = self._known_groups(X, groups, len(X))
        hashes = None
        if self.checkpoint is not None:
            targets = {"energy": energy, "forces": forces}
            hashes = data_fingerprint(X, targets, groups, sample_weight)
        if continued:
            self._check_continued(X)
            self._move_core(X, energy, forces, weights)
        else:
            self._settings = {name: getattr(self, name) for name in OF_NETWORK}
            self._learn_input(X, weights)
            self._learn_prior(X, energy, forces, weights)
            self.core_ = self._find_core(X, energy, forces, weights)
        left = energy - count_types(X, self.types_) @ self.type_energies_
        if self.prior_ is not None:
            known = self.prior_._compute(X)
            left = left - known[0]
            forces = None if forces is None else forces - known[1]
        if not continued:
            self._learn_scales(X, left / X.n_particles, forces, weights)
        if forces is not None:
            forces = forces / self.force_scale_
        samples = PairSamples(X, self.r_max, self.types_, forces)
        targets = (left / X.n_particles / self._energy_unit).astype(np.float32)[:, None]
        return FitData(samples, targets, groups, normalized_weights(weights), hashes), energy

    def _check_continued(self, X):
        """Refuse what would give the weights of a fitted network another meaning."""
        for name, value in self._settings.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} differs from {name}={value!r} of the first "
                    "fit: use warm_start=False, or the value of the first fit"
                )
        self._check_kind(X)

    def _learn_prior(self, X, energy, forces, weights):
        """Fit what is linear: energies of types, and splines of pairs if they are asked for."""
        self.prior_ = None
        if self.pair_prior:
            prior = PairSplineRegressor(r_max=self.r_max)
            self.prior_ = prior.fit(X, energy, forces=forces, sample_weight=weights)
            self.type_energies_ = np.zeros(len(self.types_))
            return
        # Of one composition alone only the sum is known; this is the smallest solution.
        counts = count_types(X, self.types_)
        per_particle = np.sqrt(weights) / X.n_particles
        self.type_energies_ = np.linalg.lstsq(
            counts * per_particle[:, None], energy * per_particle, rcond=1e-10
        )[0]

    def _find_core(self, X, energy, forces, weights):
        spline = PairSplineRegressor(r_max=self.r_max, n_splines=N_SPLINES_OF_CORE)
        core = spline.fit(X, energy, forces=forces, sample_weight=weights).core_
        if self.prior_ is not None:
            core[1] = 0.0  # it has its own
        return core

    def _move_core(self, X, energy, forces, weights):
        """Let the network learn from pairs that are closer than all before."""
        closest = closest_distances(X, self.types_, self.r_max, weights)
        closer = closest < self.closest_
        if closer.any():
            kinds = np.searchsorted(self.types_, np.unique(X.types))
            core = self.core_.copy()
            core[:, kinds[:, None], kinds] = self._find_core(X, energy, forces, weights)
            self.core_ = np.where(closer, core, self.core_)
            self.closest_ = np.where(closer, closest, self.closest_)

    def _learn_scales(self, X, left, forces, weights):
        seen = self.closest_[np.isfinite(self.closest_)]
        self._r_min = FIRST_CENTER * float(min(seen.min(), self.r_max))
        # From one that counts: without a spread the differences are then exactly zero.
        left = left - left[np.argmax(weights)]
        mean = np.average(left, weights=weights)
        spread = float(np.sqrt(np.average((left - mean) ** 2, weights=weights))) or 1.0
        size = 0.0
        if forces is not None:
            squares, counts = (forces**2).mean(axis=1), np.repeat(weights, X.n_particles)
            size = float(np.sqrt(np.average(squares, weights=counts)))
        self.force_scale_ = size or 1.0
        self._energy_unit = size * self._r_min or spread
        self._energy_spread = max(spread / self._energy_unit, LEAST_SPREAD)
        self._trains_on_forces = forces is not None

    def _check_samples(self, X):
        self._check_kind(X)
        closest_distances(X, self.types_, self.r_max)
        return PairSamples(X, self.r_max, self.types_)

    def _compute(self, X):
        found, start = [], 0
        for end in batch_ends(X.n_particles, self.batch_size).tolist():
            samples = PairSamples(X[start:end], self.r_max, self.types_)
            found.append(self._respond(samples.batch(np.arange(len(samples)))))
            start = end
        known = [count_types(X, self.types_) @ self.type_energies_, 0.0, 0.0]
        if self.prior_ is not None:
            known = [a + b for a, b in zip(known, self.prior_._compute(X))]
        return tuple(np.concatenate(part) + base for part, base in zip(zip(*found), known))

    def _of_pairs(self, types, pairs):
        kinds = np.searchsorted(self.types_, types)
        member = {
            "types": kinds,
            "sources": np.concatenate([pairs.sources, pairs.targets]),
            "neighbors": np.concatenate([pairs.targets, pairs.sources]),
            "vectors": np.concatenate([pairs.vectors, -pairs.vectors]).astype(np.float32),
            "forces": None,
        }
        energies, forces, virials = self._respond(batch_of_pairs([member]))
        found = energies[0] + self.type_energies_[kinds].sum(), forces, virials[0]
        if self.prior_ is None:
            return found
        return tuple(a + b for a, b in zip(found, self.prior_._of_pairs(types, pairs)))

    def _respond(self, batch):
        """What the network says of a batch, in the units of the training."""
        core = torch.from_numpy(self.core_ / np.reshape([1.0, self._energy_unit, 1.0], (3, 1, 1)))
        found = self.net_.module_.eval().respond(batch.to(self.net_.device), core)
        units = self._energy_unit, self._energy_unit / self._r_min, self._energy_unit
        return [part.cpu().numpy().astype(np.float64) * unit for part, unit in zip(found, units)]

    def _check_fitted(self):
        check_is_fitted(self, "net_")

    def _module_facts(self):
        return {
            "n_types": len(self.types_),
            "n_dims": self.n_dims_,
            "r_min": self._r_min,
        }

    def _class_labels(self, targets):
        return None

    def _count_outputs(self, targets):
        return 2

    def _criterion_arguments(self):
        weight = self.force_weight if self._trains_on_forces else 0.0
        return {"force_weight": weight, "energy_spread": self._energy_spread}

    @staticmethod
    def _score_outputs(outputs, targets):
        if outputs[:, 1].any():
            return 1.0 - outputs[:, 1].mean()
        return r2_score(targets[:, 0], outputs[:, 0]) if len(targets) > 1 else np.nan
