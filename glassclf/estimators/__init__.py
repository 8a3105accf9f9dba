"""Estimators: convolutional and message-passing networks that follow scikit-learn's rules."""

from glassclf.estimators.cnn import CNNClassifier, CNNRegressor
from glassclf.estimators.dynamics import as_ase_atoms, as_ase_calculator
from glassclf.estimators.mpnn import MPNNClassifier, MPNNRegressor
from glassclf.estimators.pair_spline import PairSplineRegressor
from glassclf.estimators.potential import PotentialRegressor
from glassclf.estimators.shifts_and_crops import Crops, Shifts
from glassclf.estimators.turns_and_mirrors import Mirrors, QuarterTurns
from glassclf.estimators.windowed import WindowedClassifier, WindowedRegressor

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "Crops",
    "MPNNClassifier",
    "MPNNRegressor",
    "Mirrors",
    "PairSplineRegressor",
    "PotentialRegressor",
    "QuarterTurns",
    "Shifts",
    "WindowedClassifier",
    "WindowedRegressor",
    "as_ase_atoms",
    "as_ase_calculator",
]
