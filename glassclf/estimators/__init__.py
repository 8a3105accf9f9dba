"""Estimators: convolutional and message-passing networks that follow scikit-learn's rules."""

from glassclf.estimators.cnn import CNNClassifier, CNNRegressor
from glassclf.estimators.mpnn import MPNNClassifier, MPNNRegressor

__all__ = ["CNNClassifier", "CNNRegressor", "MPNNClassifier", "MPNNRegressor"]
