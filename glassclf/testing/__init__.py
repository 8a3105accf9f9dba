"""Public checks to run on an own featurizer or estimator, and small sets to try it on."""

from glassclf.testing.discovery import all_classes
from glassclf.testing.estimator_checks import check_configuration_estimator
from glassclf.testing.featurizer_checks import check_featurizer
from glassclf.testing.film_samples import toy_films
from glassclf.testing.labelled_samples import labelled_lattices
from glassclf.testing.memorization import check_memorizes
from glassclf.testing.samples import graded_disorder, noisy_lattice, two_phases

__all__ = [
    "all_classes",
    "check_configuration_estimator",
    "check_featurizer",
    "check_memorizes",
    "graded_disorder",
    "labelled_lattices",
    "noisy_lattice",
    "toy_films",
    "two_phases",
]
