"""What all featurizers share: the checks of X, the types, the loop over configurations."""

import reprlib
import sys
import warnings
from numbers import Integral
from os import PathLike

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations import as_configurations
from glassclf.configurations.allocation import keep_freed_memory
from glassclf.configurations.digests import chunk_slices, present_types

# Lines of these are not what a warning is about.
LIBRARIES = {"ase", "glassclf", "joblib", "sklearn"}


class Number(Interval):
    """An interval of numbers that refuses bools, which Python counts among the integers."""

    def is_satisfied_by(self, val):
        return not isinstance(val, (bool, np.bool_)) and super().is_satisfied_by(val)


class ConfigurationFeaturizer(TransformerMixin, BaseEstimator):
    """Base of the featurizers: one array of features from each configuration.

    A subclass writes ``_featurize(configuration)``, which returns the features of one configuration
    as an array (or list) of numbers, of one shape for all of them; a single number is one feature.
    It may rely on ``types_`` and ``n_dims_``, and may write ``_learn(X)``, which ``fit`` calls with
    the checked set before it sets those two. With ``get_feature_names_out``, scikit-learn makes
    data frames of tables.

    Parameters
    ----------
    n_jobs : int, default=None
        Number of processes over which the configurations are spread; None is 1, unless a
        :func:`joblib.parallel_config` says otherwise. The result does not depend on it.

    Attributes
    ----------
    types_ : ndarray of shape (n_types,)
        Particle types seen in ``fit``, sorted.
    n_dims_ : int
        Number of spatial dimensions, 2 or 3.

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.featurizers import ConfigurationFeaturizer
    >>> class Composition(ConfigurationFeaturizer):
    ...     "Fraction of the particles that are of each type."
    ...
    ...     def _featurize(self, configuration):
    ...         return (configuration.types[:, None] == self.types_).mean(axis=0)
    >>> X = [([[0.5, 0.5], [1.5, 0.5]], [0, 1], [2.0, 2.0])]
    >>> Composition().fit_transform(X)
    array([[0.5, 0.5]])
    """

    _parameter_constraints = {"n_jobs": [Integral, None]}
    # Motions of the particles under which the features stay the same, out of "translation"
    # (through the periodic box), "rotation90", "rotation" and "permutation".
    _invariances = ()
    # "threads" where nearly all of the time is spent in code that lets other threads of Python run:
    # nothing has to be copied then. None is what joblib takes, which is processes.
    _prefers = None

    def __init__(self, *, n_jobs=None):
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the particle types and the number of dimensions.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
        y : ignored

        Returns
        -------
        self : object
        """
        X = _check_set(X)
        self._learn(X)
        self.types_ = present_types(X)
        self.n_dims_ = X.n_dims
        return self

    def transform(self, X):
        """Compute the features of each configuration.

        Parameters
        ----------
        X : Configurations, or sequence of Configuration, ase.Atoms or (positions, types, box)
            With the types and the number of dimensions that ``fit`` saw.

        Returns
        -------
        features : ndarray of shape (n, ...) or Graphs
        """
        check_is_fitted(self)
        X = _check_set(X)
        if X.n_dims != self.n_dims_:
            raise ValueError(
                f"X is {X.n_dims}-dimensional, but {type(self).__name__} was fitted on "
                f"{self.n_dims_}-dimensional configurations"
            )
        keep_freed_memory()
        self._check_types(X)
        self._warn(X)
        if getattr(self, "lazy", False):
            return self._sequence(X, self)
        return self._stack(self._each(X), X)

    def _learn(self, X):
        """Check parameters against X and learn what the subclass needs."""

    def _warn(self, X):
        """Warn of what is amiss with X before features are computed."""

    def _featurize(self, configuration):
        raise NotImplementedError(f"{type(self).__name__} must define _featurize(configuration)")

    def _stack(self, pieces, X):
        """Join the features of all configurations."""
        source = f"{type(self).__name__}._featurize"
        for index, piece in enumerate(pieces):
            piece = _numbers(piece, index, source)
            if index == 0:
                stacked = np.empty((len(X), *piece.shape), dtype=piece.dtype)
            if piece.shape != stacked.shape[1:]:
                raise ValueError(
                    f"{source} must return one shape for all configurations, got "
                    f"{stacked.shape[1:]} for configuration 0 and {piece.shape} for configuration "
                    f"{index}"
                )
            if not np.can_cast(piece.dtype, stacked.dtype):
                stacked = stacked.astype(np.promote_types(piece.dtype, stacked.dtype))
            stacked[index] = piece
        return stacked

    def _each(self, X):
        """Features of each configuration, in order."""
        n_jobs = getattr(self, "n_jobs", None)
        if effective_n_jobs(n_jobs) == 1 or len(X) == 1:
            return featurize_all(self, X, 0)
        chunks = Parallel(n_jobs=n_jobs, prefer=self._prefers)(
            delayed(_featurize_chunk)(self, X[start:stop], start)
            for start, stop in chunks_for(n_jobs, len(X))
        )
        return (piece for chunk in chunks for piece in chunk)

    def _check_types(self, X):
        n_without = np.zeros(len(self.types_), dtype=np.int64)
        for rows in chunk_slices(X.offsets):
            n_without += self._count_without(X[rows], rows.start)
        for kind, missing in zip(self.types_, n_without):
            if missing > len(X) / 2:
                warn_user(
                    f"type {kind}, seen in fit, is missing from {missing} of {len(X)} "
                    "configurations: are the types of X numbered as those of fit?"
                )

    def _count_without(self, X, first):
        """Configurations without each type, shape (n_types,); ``first`` is the number of X[0]."""
        types, n_without = X.types, []
        seen = np.zeros(len(types), dtype=bool)
        # One type after the other: they are few, and to look all of them up takes far longer.
        for kind in self.types_:
            same = types == kind
            seen |= same
            n_without.append((~np.logical_or.reduceat(same, X.offsets[:-1])).sum())
        if not seen.all():
            particle = int(np.argmin(seen))
            sample = first + int(np.searchsorted(X.offsets, particle, side="right")) - 1
            raise ValueError(
                f"configuration {sample} holds particles of type {types[particle]}, which fit "
                f"never saw (types_ = {self.types_.tolist()}): fit on configurations of all types"
            )
        return n_without

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


class LazyMixin:
    """For featurizers with the parameters ``lazy`` and ``cache``.

    A subclass names the class of its sequences, ``_sequence``, and the fitted attributes on which
    no feature depends, ``_of_no_effect``. Its ``_n_bytes(X)`` tells about how many bytes the
    features of each configuration take, an array of shape (n,).
    """

    _lazy_constraints = {"lazy": ["boolean"], "cache": [str, PathLike, None]}

    def _learn(self, X):
        super()._learn(X)
        if self.cache is not None and not self.lazy:
            raise ValueError(
                f"cache={str(self.cache)!r} is used with lazy=True only: without it features are "
                "computed once, and held in memory"
            )


class NoTableMixin:
    """For featurizers whose output is no table, and so never becomes a data frame."""

    def set_output(self, *, transform=None):
        """Do nothing: the output is no table, and keeps its form in pipelines set to pandas.

        Parameters
        ----------
        transform : ignored

        Returns
        -------
        self : object
        """
        return self


def warn_user(message):
    """Warn at the line that called glassclf, itself or through scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame is not None and frame.f_globals["__name__"].partition(".")[0] in LIBRARIES:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def warn_of_other_units(r_max):
    """Warn that a radius reaches from no particle to another."""
    warn_user(
        f"no two particles of X are within r_max={r_max:g}: are the positions in other units?"
    )


def _check_set(X):
    X = as_configurations(X)
    if len(X) == 0:
        raise ValueError("X must hold at least one configuration, got an empty set")
    return X


def _numbers(piece, index, source):
    try:
        array = np.atleast_1d(piece)
    except ValueError:  # lists of unequal length
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise TypeError(
            f"{source} must return an array of numbers, got {reprlib.repr(piece)} "
            f"({type(piece).__name__}) for configuration {index}"
        )
    return array


def chunks_for(n_jobs, n_samples):
    """Cut samples into chunks for parallel work.

    Parameters
    ----------
    n_jobs : int or None
    n_samples : int

    Returns
    -------
    chunks : list of (int, int)
        First sample and end of each: several for each worker, so that the last are not left to one.
    """
    n_chunks = min(n_samples, 4 * effective_n_jobs(n_jobs))
    bounds = np.linspace(0, n_samples, n_chunks + 1).astype(int).tolist()
    return list(zip(bounds[:-1], bounds[1:]))


def featurize_all(featurizer, X, first):
    """Features of each configuration, in order; ``first`` is the number of X[0] in errors."""
    for index, configuration in enumerate(X, start=first):
        try:
            features = featurizer._featurize(configuration)
        except ValueError as error:
            raise ValueError(f"configuration {index}: {error}") from error
        except Exception as error:
            error.add_note(f"in configuration {index}")
            raise
        yield features


def _featurize_chunk(featurizer, X, first):
    return list(featurize_all(featurizer, X, first))
