"""The parts of the docstrings that all network estimators share, written once."""

import inspect
import re

COMMON_PARAMETERS = """
lr : float, default=3e-3
    Learning rate.
max_epochs : int, default={max_epochs}
    Passes over the training part. A ConvergenceWarning says when they were too few.
batch_size : int, default={batch_size}
    Samples of one training step, and of one step of prediction.
weight_decay : float, default=1e-2
    Weight decay of the optimizer.
dropout : float, default=0.0
    Share of the embedding that is dropped in training.
optimizer : {{"adamw", "adam", "sgd"}} or class, default="adamw"
    Name, or a class of ``torch.optim``.
schedule : {{"constant", "exponential", "cosine", "noam"}}, default="constant"
    How the learning rate changes from epoch to epoch. "plateau" and "threshold" are not there yet.
validation_fraction : float, default=None
    Share of the groups (of the samples, where there are no groups) that is held out of training
    and scored after each epoch. None: nothing is held out, or 0.2 with early stopping.
early_stopping : bool, default=False
    Stop when the validation loss has not fallen for ``patience`` epochs, and keep the weights of
    the best epoch.
patience : int, default=10
    Epochs to wait before stopping early.
augment : default=None
    Not there yet.
clip_norm : float, default=None
    Largest norm of the gradient. None: no limit.
<classifier>module : class, default=None
    Own subclass of ``torch.nn.Module`` in place of ``glassclf.networks.{network}``. Its
    constructor is given what it asks for by name, out of {facts} and the parameters of the
    estimator. For :meth:`transform` it needs a method ``embed``.
callbacks : list, default=None
    Further callbacks of skorch. Copies of them are trained with: read what they have kept from
    ``net_.callbacks_``. Those that call ``predict`` on the net, such as ``EpochScoring``, do not
    work: ``valid_score`` is recorded already.
checkpoint : path, default=None
    Not there yet.
max_time : float, default=None
    Not there yet.
warm_start : bool, default=False
    Whether ``fit`` continues from the weights of the last fit.
precision : {{"32"}}, default="32"
    Arithmetic of the training; "bf16" and "16" are not there yet.
device : str, default="auto"
    Device of torch; "auto" is the GPU where there is one.
data_device : str, default=None
    Not there yet.
compile : bool, default=False
    Not there yet.
random_state : int, RandomState or None, default=None
    Seed of the weights, of the order of the samples, of dropout and of the validation split. Equal
    seeds give equal weights, bit for bit, on the CPU with the same number of torch threads.
verbose : int, default=0
    1 prints a line an epoch."""

CLASSIFIER_PARAMETERS = """\
label_smoothing : float, default=0.0
    Probability that is taken from the true class and spread over all.
class_weight : dict or "balanced", default=None
    Weight of each class in the loss, as in scikit-learn.
"""

COMMON_ATTRIBUTES = """
n_features_in_ : int
    {features}
n_iter_ : int
    Epochs done.
n_threads_ : int
    Torch threads of the training.
history_ : dict of ndarray of shape (n_epochs,)
    "train_loss", "valid_loss", "valid_score" (accuracy or R2), "lr" and "dur" (seconds) of each
    epoch. Without a validation part its two columns are NaN.
net_ : skorch.NeuralNet
    The trained net: ``net_.module_``, ``net_.history``, ``net_.save_params`` and so on."""

CLASSIFIER_ATTRIBUTES = """
classes_ : ndarray of shape (n_classes,)
    Sorted labels."""

REGRESSOR_ATTRIBUTES = """
target_mean_, target_scale_ : ndarray of shape (n_outputs,)
    Mean and standard deviation of the targets; the network works in these units."""


def document(**facts):
    """Fill the shared parts into the docstring of an estimator.

    Parameters
    ----------
    **facts : str
        Words that differ between the estimators.

    Returns
    -------
    decorate : callable
        Class decorator; replaces the lines ``<parameters>`` and ``<attributes>``.
    """

    def decorate(cls):
        classifies = hasattr(cls, "predict_proba")
        parameters = COMMON_PARAMETERS.replace(
            "<classifier>", CLASSIFIER_PARAMETERS if classifies else ""
        )
        attributes = CLASSIFIER_ATTRIBUTES if classifies else REGRESSOR_ATTRIBUTES
        attributes += COMMON_ATTRIBUTES
        text = inspect.cleandoc(cls.__doc__)
        text = text.replace("\n<parameters>", parameters.format(**facts))
        cls.__doc__ = text.replace("\n<attributes>", attributes.format(**facts))
        _sort_signature(cls)
        return cls

    return decorate


def _sort_signature(cls):
    """Put the parameters in the order of the documentation; a dataclass lists its base's first."""
    signature = inspect.signature(cls.__init__)
    documented = re.findall(r"^(\w+) : ", cls.__doc__, flags=re.MULTILINE)
    parameters = sorted(
        signature.parameters.values(),
        key=lambda parameter: documented.index(parameter.name) if parameter.name != "self" else -1,
    )
    cls.__init__.__signature__ = signature.replace(parameters=parameters)
