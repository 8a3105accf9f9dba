"""Count the neighbours of each particle: a featurizer of one's own."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from glassclf.configurations import pairs_within
from glassclf.featurizers import ConfigurationFeaturizer


class CoordinationFeaturizer(ConfigurationFeaturizer):
    """Share of the particles that have 0, 1, 2, ... neighbours within a distance.

    Parameters
    ----------
    r_max : float, default=1.5
        Distance up to which another particle is a neighbour, in units of the input positions.
    n_most : int, default=8
        Particles with as many neighbours or more share the last feature.
    n_jobs : int, default=None
        Number of processes.
    """

    # What fit checks before anything else; n_jobs is in the parent's.
    _parameter_constraints = {
        **ConfigurationFeaturizer._parameter_constraints,
        "r_max": [Interval(Real, 0, None, closed="neither")],
        "n_most": [Interval(Integral, 1, None, closed="left")],
    }
    # Where a search of parameters looks: a range, or the values to choose from.
    _search_space = {"r_max": ("float", 1.1, 2.5), "n_most": ("choice", (6, 8, 12))}
    # Motions that leave the features as they are. The checks of glassclf.testing try them.
    _invariances = ("translation", "rotation90", "rotation", "permutation")

    def __init__(self, r_max=1.5, n_most=8, *, n_jobs=None):
        self.r_max = r_max
        self.n_most = n_most
        self.n_jobs = n_jobs

    def _featurize(self, configuration):
        pairs = pairs_within(configuration, self.r_max)
        n_neighbors = np.bincount(pairs.sources, minlength=configuration.n_particles)
        n_neighbors = np.minimum(n_neighbors, self.n_most)
        return np.bincount(n_neighbors, minlength=self.n_most + 1) / configuration.n_particles

    def get_feature_names_out(self, input_features=None):
        check_is_fitted(self)
        return np.array([f"coordination_{n}" for n in range(self.n_most + 1)], dtype=object)
