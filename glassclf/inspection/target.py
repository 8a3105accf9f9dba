"""The one number of a network's output that particles and bonds are to account for."""

import numpy as np
from sklearn.base import is_classifier


class Target:
    """A linear function of the outputs of a network.

    Of a classifier of two classes the log odds of the target; with more classes its output minus
    the mean of those of the others. Of a regressor the prediction, in the units of ``y``; with
    bounds the log odds of its place between them.

    Parameters
    ----------
    network : NetworkEstimator
        Fitted.
    target : label, int or None
        Label of a class, or number of an output of a regressor. None: the second of two classes,
        or the only output.

    Attributes
    ----------
    weights : ndarray of shape (n_outputs,)
    offset : float
        The number is ``outputs @ weights + offset``.

    Raises
    ------
    ValueError
        If there is no such class or output, or None would leave a choice.
    """

    def __init__(self, network, target):
        self.offset = 0.0
        if is_classifier(network):
            classes = network.classes_.tolist()
            if target is None:
                if len(classes) > 2:
                    raise ValueError(f"give target, one of the classes {classes}")
                target = classes[1]
            if target not in classes:
                raise ValueError(f"target must be one of the classes {classes}, got {target!r}")
            n_others = len(classes) - 1
            chosen = classes.index(target)
            self.weights = np.full(len(classes), -1.0 / n_others)
            self.weights[chosen] = 1.0
            return
        n_outputs = len(network.target_scale_)
        if target is None and n_outputs > 1:
            raise ValueError(f"give target, the number of an output, 0 to {n_outputs - 1}")
        chosen = 0 if target is None else target
        if chosen not in range(n_outputs):
            raise ValueError(
                f"target must be the number of an output, 0 to {n_outputs - 1}, got {target!r}"
            )
        self.weights = np.zeros(n_outputs)
        if network._bounded:
            self.weights[chosen] = 1.0
            return
        self.weights[chosen] = network.target_scale_[chosen]
        self.offset = float(network.target_mean_[chosen])

    def __call__(self, outputs):
        """Value for each row of a tensor of outputs of shape (n, n_outputs)."""
        return outputs @ outputs.new_tensor(self.weights) + self.offset
