"""A spline of the distance for each pair of types, by linear least squares."""

from numbers import Integral, Real

import numpy as np
from scipy.interpolate import BSpline
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils.validation import _check_sample_weight

from glassclf.configurations import as_configurations, pairs_one_way
from glassclf.estimators.labels import PotentialMixin, check_labels, count_types
from glassclf.featurizers.base import Number
from glassclf.networks import stopped_depth

DEGREE = 3
# The last coefficients of a spline that ends at r_max with value, slope and curvature zero.
N_ENDING = 3
# Solutions of the normal equations below this share of the largest eigenvalue are left out: of one
# composition alone, the energies of the types cannot be told apart.
RANK_TOLERANCE = 1e-13
# From how far outside, as a share of the distance, the growth of a core is read off: across several
# pairs, as the closest one alone does not tell the curvature.
GROWTH_STEP = 0.1
# Lengths over which a core may grow by e, as shares of the distance; the last where none is known.
SHORTEST, LONGEST, USUAL = 1 / 20, 1 / 5, 1 / 12


class PairSplineRegressor(PotentialMixin, BaseEstimator):
    r"""The best potential that a sum over pairs can be: a baseline for every network.

    .. math:: E = \sum_i e_{t_i} + \sum_{i<j} \phi_{t_i t_j}(r_{ij})

    with a cubic spline for each pair of types, which is zero, with two derivatives, from ``r_max``
    on. Its coefficients are found by linear least squares on energies and forces, in seconds.

    Parameters
    ----------
    r_max : float, default=2.5
        Range of the interaction, in units of the positions.
    n_splines : int, default=60
        Coefficients for each pair of types. The knots stand at equal steps of 1/r, closest where
        particles repel each other, from the closest distance of the training on.
    force_weight : float, default=1.0
        Weight of a component of a force beside the energy of a configuration divided by the
        square root of its number of particles.
    smoothing : float, default=1e-5
        Weight of the third differences of the coefficients, relative to the data. It settles those
        that hardly any pair tells of.

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in fit, sorted.
    n_dims_ : int
        Number of spatial dimensions.
    n_features_in_ : int
        Number of particle types.
    closest_ : ndarray of shape (n_types, n_types)
        Closest distance of each two types in the training; infinite where there was no pair.
    type_energies_ : ndarray of shape (n_types,)
        Energy of a particle alone. Where all samples have one composition, only their sum counts.
    knots_, coefficients_ : ndarray of shape (n_pairs, n_splines + 7), (n_pairs, n_splines + 3)
        Splines of the pairs of types, in the order (0, 0), (0, 1), ..., (1, 1), ...
    core_ : ndarray of shape (3, n_types, n_types)
        Of each two types the distance at which a repulsive core begins, its force there and the
        length over which it grows by e, see the Notes.

    See Also
    --------
    PotentialRegressor : Learns forces of many bodies as well.

    Notes
    -----
    Closer than in the training, particles repel each other with a force that grows exponentially,

    .. math:: \phi(r) = \phi(c - h) + F \lambda\, (e^{d / \lambda} - e^{h / \lambda}),
        \qquad d = c - r,

    where c is the closest distance, and the spline goes on as a parabola down to a depth h that
    stops at a quarter of the length :math:`\lambda` (:func:`~glassclf.networks.stopped_depth`). The
    curvature is that of the spline, so that two derivatives are continuous, but kept between 0 and
    :math:`2 F / \lambda`, as the closest pairs hardly tell it. F is the force of the spline at c,
    and :math:`\lambda` is read off its growth from 1.1 c to c, kept between c/20 and c/5. Where F
    is below the spread of all forces, as where the closest pairs attract each other, F is that
    spread (without forces, that of the energies per particle by the closest distance) and
    :math:`\lambda` is c/12. So it is for types that never met; c is then the closest distance of
    all.

    Force matching after Ercolessi and Adams, Europhys. Lett. 26, 583 (1994); linear in the splines
    after Izvekov et al., J. Chem. Phys. 120, 10896 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.estimators import PairSplineRegressor
    >>> distances = np.linspace(1.0, 2.0, 40)
    >>> X = [([[4.0, 5.0], [4.0 + r, 5.0]], [0, 0], [10.0, 10.0]) for r in distances]
    >>> energy = (2.0 - distances) ** 3
    >>> model = PairSplineRegressor(r_max=2.0, n_splines=10).fit(X, energy)
    >>> np.abs(model.predict(X) - energy).max() < 1e-4
    np.True_
    """

    _parameter_constraints = {
        "r_max": [Number(Real, 0, None, closed="neither")],
        "n_splines": [Number(Integral, 4, None, closed="left")],
        "force_weight": [Number(Real, 0, None, closed="neither")],
        "smoothing": [Number(Real, 0, None, closed="left")],
    }
    _search_space = {
        "n_splines": ("int", 10, 200, "log"),
        "smoothing": ("float", 1e-12, 1e-3, "log"),
    }

    __metadata_request__fit = {"forces": True}

    def __init__(self, *, r_max=2.5, n_splines=60, force_weight=1.0, smoothing=1e-5):
        self.r_max = r_max
        self.n_splines = n_splines
        self.force_weight = force_weight
        self.smoothing = smoothing

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, energy, *, forces=None, sample_weight=None):
        """Solve for the coefficients.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        energy : array-like of shape (n_samples,)
            Potential energy of each configuration as a whole.
        forces : sequence of array-like of shape (n_particles, n_dims), default=None
            For each configuration; or one array of all particles one below another.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each configuration.

        Returns
        -------
        self : object
        """
        X = as_configurations(X)
        energy, forces = check_labels(X, energy, forces)
        weights = _check_sample_weight(sample_weight, energy, ensure_non_negative=True)
        self._learn_input(X, weights)
        self.knots_ = np.array([self._knots(a, b) for a, b in self._type_pairs()])
        self.coefficients_, self.type_energies_ = self._solve(X, energy, forces, weights)
        self.core_ = self._core(X, energy, forces, weights)
        return self

    def pair_energy(self, r, pair=0):
        """Energy of a pair at some distances.

        Parameters
        ----------
        r : array-like of shape (n,)
            Distances.
        pair : int, default=0
            Which pair of types, in the order of ``coefficients_``.

        Returns
        -------
        energy : ndarray of shape (n,)
        """
        return self._energy_and_slope(np.asarray(r, dtype=np.float64), pair)[0]

    def _type_pairs(self):
        n = len(self.types_)
        return [(a, b) for a in range(n) for b in range(a, n)]

    def _knots(self, a, b):
        closest = self.closest_[a, b]
        if not np.isfinite(closest):
            closest = self.closest_.min()
        # Between pairs that hardly come into range there is nothing to resolve.
        closest = min(closest, 0.9 * self.r_max)
        inner = 1 / np.linspace(1 / closest, 1 / self.r_max, self.n_splines + N_ENDING - DEGREE + 1)
        inner[[0, -1]] = closest, self.r_max
        return np.concatenate([[closest] * DEGREE, inner, [self.r_max] * DEGREE])

    def _solve(self, X, energy, forces, weights):
        counts = count_types(X, self.types_)
        n_columns = len(self.knots_) * self.n_splines + len(self.types_)
        normal, right = np.zeros((n_columns, n_columns)), np.zeros(n_columns)
        for index, configuration in enumerate(X):
            row, rows = self._design(configuration, forces is not None)
            row = np.concatenate([row, counts[index]])[None]
            scale = weights[index] / configuration.n_particles
            normal += scale * row.T @ row
            right += scale * row[0] * energy[index]
            if forces is not None:
                targets = forces[X.offsets[index] : X.offsets[index + 1]].T.ravel()
                n = rows.shape[1]
                normal[:n, :n] += weights[index] * self.force_weight * rows.T @ rows
                right[:n] += weights[index] * self.force_weight * rows.T @ targets
        normal += self._penalty(normal)
        scale = np.sqrt(np.where(np.diag(normal) > 0, np.diag(normal), 1.0))
        found = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, RANK_TOLERANCE)[0]
        found /= scale
        splines = found[: -len(self.types_)].reshape(len(self.knots_), self.n_splines)
        return np.pad(splines, ((0, 0), (0, N_ENDING))), found[-len(self.types_) :]

    def _core(self, X, energy, forces, weights):
        """Where each core begins, its force there and over which length it grows by e."""
        if forces is None:
            spread = (energy / X.n_particles)[weights > 0].std() / self.knots_[:, 0].min()
        else:
            counted = np.repeat(weights > 0, X.n_particles)
            spread = np.sqrt(np.mean(forces[counted] ** 2))
        spread = spread or 1.0
        core = np.zeros((3, len(self.types_), len(self.types_)))
        for number, (a, b) in enumerate(self._type_pairs()):
            begin = self.knots_[number, 0]
            slope = BSpline(self.knots_[number], self.coefficients_[number], DEGREE).derivative()
            force, outside = -slope([begin, (1 + GROWTH_STEP) * begin])
            length = USUAL * begin
            if force > spread:
                limits = np.exp(-GROWTH_STEP / np.array([SHORTEST, LONGEST]))
                length = -GROWTH_STEP * begin / np.log(np.clip(outside / force, *limits))
            core[:, a, b] = core[:, b, a] = begin, max(force, spread), length
        return core

    def _design(self, configuration, with_forces):
        """Derivatives of the energy, and of the forces, by each coefficient of the splines."""
        pairs, numbers = self._pairs(configuration)
        row, blocks = [], []
        for pair, knots in enumerate(self.knots_):
            chosen = numbers == pair
            r = pairs.distances[chosen]
            splines = BSpline(knots, np.eye(self.n_splines + N_ENDING), DEGREE)
            row.append(splines(r).sum(axis=0)[: self.n_splines])
            if with_forces:
                slopes = splines.derivative()(r)[:, : self.n_splines]
                along = pairs.vectors[chosen] / r[:, None]
                signs = _signs(pairs, chosen, configuration.n_particles)
                blocks.append(np.concatenate([signs @ (slopes * u[:, None]) for u in along.T]))
        return np.concatenate(row), np.hstack(blocks) if with_forces else None

    def _penalty(self, normal):
        differences = np.diff(np.eye(self.n_splines), n=3, axis=0)
        penalty = np.zeros_like(normal)
        for pair in range(len(self.knots_)):
            own = slice(pair * self.n_splines, (pair + 1) * self.n_splines)
            size = np.diag(normal)[own].mean()
            # Without a pair any curve would do: a straight one at zero.
            penalty[own, own] = (self.smoothing * size) * (differences.T @ differences)
        return penalty

    def _pairs(self, configuration):
        """Pairs in range, each once, and the number of the pair of types of each."""
        pairs = pairs_one_way(configuration, self.r_max)
        return pairs, self._numbers(configuration.types, pairs)

    def _numbers(self, types, pairs):
        kinds = np.searchsorted(self.types_, types)
        a, b = np.sort([kinds[pairs.sources], kinds[pairs.targets]], axis=0)
        return a * len(self.types_) - a * (a - 1) // 2 + b - a

    def _energy_and_slope(self, r, pair):
        spline = BSpline(self.knots_[pair], self.coefficients_[pair], DEGREE, extrapolate=False)
        begin, force, length = self.core_[:, *self._type_pairs()[pair]]
        depth = np.clip(begin - r, 0, None)
        energy, slope = (np.nan_to_num(spline(np.maximum(r, begin), nu)) for nu in (0, 1))
        stopped, u = stopped_depth(depth, length), np.minimum(2 * depth / length, 1)
        speed = 1 - u**3 * (10 - 15 * u + 6 * u**2)
        curvature = np.clip(spline(begin, 2), 0.0, 2 * force / length)
        energy += stopped * (curvature * stopped / 2 - slope)
        slope = (slope - curvature * stopped) * speed
        here, there = np.exp(depth / length), np.exp(stopped / length)
        return energy + force * length * (here - there), slope - force * (here - there * speed)

    def _compute(self, X):
        found = [self._of_pairs(one.types, pairs_one_way(one, self.r_max)) for one in X]
        energies, forces, virials = zip(*found)
        return np.array(energies), np.concatenate(forces), np.array(virials)

    def _of_pairs(self, types, pairs):
        numbers, n_dims = self._numbers(types, pairs), pairs.vectors.shape[1]
        total = self.type_energies_[np.searchsorted(self.types_, types)].sum()
        forces, virial = np.zeros((len(types), n_dims)), np.zeros((n_dims, n_dims))
        for pair in range(len(self.knots_)):
            chosen = numbers == pair
            r, vectors = pairs.distances[chosen], pairs.vectors[chosen]
            energy, slope = self._energy_and_slope(r, pair)
            gradients = vectors * (slope / r)[:, None]
            total += energy.sum()
            forces += _signs(pairs, chosen, len(types)) @ gradients
            virial += gradients.T @ vectors
        return total, forces, virial


def _signs(pairs, chosen, n_particles):
    """Matrix that adds what pulls a pair together: to its source, with a minus to its target."""
    sources, targets = pairs.sources[chosen], pairs.targets[chosen]
    columns = np.arange(len(sources))
    values = np.repeat([1.0, -1.0], len(sources))
    places = np.concatenate([sources, targets]), np.concatenate([columns, columns])
    return csr_array((values, places), shape=(n_particles, len(sources)))
