"""The parts of the docstrings that all network estimators share, written once."""

import dataclasses
import inspect
import re

from glassclf.estimators.parameters import TrainingParameters

COMMON_PARAMETERS = """
lr : float, default=3e-3
    Learning rate.
max_epochs : int, default={max_epochs}
    Passes over the training part. A ConvergenceWarning says when they were too few.
batch_size : int, default={batch_size}
    Samples of one training step, and of one step of prediction. Where they differ in their numbers
    of particles, a batch holds about as many particles as so many samples of mean size, and each
    sample has the same weight.
weight_decay : float, default=1e-2
    Weight decay of the optimizer.
dropout : float, default=0.0
    Share of the embedding that is dropped in training.
optimizer : {{"adamw", "adam", "sgd"}} or class, default="adamw"
    Name, or a class of ``torch.optim``.
schedule : {{"constant", "exponential", "cosine", "noam", "linear", "plateau", "threshold"}}, \
default="constant"
    How the learning rate changes from epoch to epoch: "exponential" falls to a hundredth, "cosine"
    to zero, "noam" rises for a tenth of the epochs and falls with the inverse square root,
    "linear" stays and then falls to a tenth. "plateau" goes down when the validation loss no longer
    falls; "threshold" goes down while the validation score is high, and up again when it is not.
decay_start : float, default=0.5
    Share of the epochs after which "linear" begins to fall.
plateau_patience : int, default=5
    Epochs without a lower validation loss after which "plateau" divides the rate by ten.
threshold : float or sequence of float, default=0.9
    Validation scores (accuracy or R2) from which on "threshold" takes the lower rates.
threshold_lr : float or sequence of float, default=None
    Rate for each threshold. None: a tenth of ``lr``, a hundredth, and so on.
validation_fraction : float, default=None
    Share of the groups (of the samples, where there are no groups) that is held out of training
    and scored after each epoch. None: nothing is held out, or 0.2 with early stopping.
early_stopping : bool, default=False
    Stop when the validation loss has not fallen for ``patience`` epochs, and keep the weights of
    the best epoch.
patience : int, default=10
    Epochs to wait before stopping early.
augment : str, object, callable, or list of them, default=None
    What is done to each training batch, anew for each sample: "quarter_turns", "mirrors", "shifts",
    "crops", objects with more options such as :class:`Shifts`, or own functions of a batch. Never
    applied at validation and in ``predict``.
clip_norm : float, default=None
    Largest norm of the gradient. None: no limit.
average_weights : float, default=None
    Share of a moving average of the weights that is kept in each step, such as 0.99; the average
    is what is validated and predicts. None: the last weights.
<own>module : class, default=None
    Own subclass of ``torch.nn.Module`` in place of ``glassclf.networks.{network}``. Its
    constructor is given what it asks for by name, out of {facts} and the parameters of the
    estimator. For :meth:`transform` it needs a method ``embed``.
callbacks : list, default=None
    Further callbacks of skorch. Copies of them are trained with: read what they have kept from
    ``net_.callbacks_``. What has no copy, such as a writer of TensorBoard, is shared. Those that
    call ``predict`` on the net, such as ``EpochScoring``, do not work: ``valid_score`` is recorded
    already. Not to be confused with the method ``set_callbacks``, which takes those of
    scikit-learn.
checkpoint : path, default=None
    Directory in which this one training is kept: fit continues there what was interrupted, to the
    same weights, and returns at once what is finished. ``{{data}}`` and ``{{params}}`` in it are
    replaced by eight digits of either, so that "runs/{{data}}-{{params}}" serves cross-validation
    and searches. With it, SIGTERM and SIGUSR1 stop the training after the running batch.
checkpoint_batches : int, default=None
    Batches after which it is saved within an epoch, too. None: after each epoch.
max_time : float, default=None
    Seconds after which a fit stops, with a warning.
warm_start : bool, default=False
    Whether ``fit`` continues from the weights of the last fit.
freeze_encoder : bool, default=False
    With ``warm_start``: keep all weights but those of the head, which is trained anew, for other
    classes or targets if ``y`` has them.
precision : {{"32", "bf16", "16"}}, default="32"
    Arithmetic of the forward and backward pass of training. "bf16" is as fast as "16" and never
    overflows; "16" is for GPUs that lack it. Validation and prediction are in float32.
device : str, default="auto"
    Device of torch; "auto" is the GPU where there is one.
data_device : str, default=None
    Where the samples of a fit live: "cuda" keeps all of them in the memory of the GPU that trains,
    "cpu" as tensors in memory. None: where they are, and batch by batch on the device.
compile : bool, default=False
    Whether the network is compiled for training, by ``torch.compile``. It costs a minute at the
    start.
deterministic : bool, default=False
    Whether torch uses deterministic algorithms alone in training: equal weights on a GPU, too. It
    needs the environment variable ``CUBLAS_WORKSPACE_CONFIG=:4096:8`` there.
data_parallel : bool, default=False
    Whether all processes that a launcher such as ``torchrun`` has started train this network
    together, each on its share of every batch. It needs the extra ``glassclf[cluster]``.
random_state : int, RandomState or None, default=None
    Seed of the weights, of the order of the samples, of dropout and of the validation split. Equal
    seeds give equal weights, bit for bit, on the CPU with the same number of torch threads.
verbose : int, default=0
    1 shows a progress bar, 2 prints a line an epoch as well."""

CLASSIFIER_PARAMETERS = """\
label_smoothing : float, default=0.0
    Probability that is taken from the true class and spread over all.
class_weight : dict or "balanced", default=None
    Weight of each class in the loss, as in scikit-learn.
"""

REGRESSOR_PARAMETERS = """\
bounds : (float, float), default=None
    Lowest and highest target: predictions are held between them by a sigmoid, which is trained by
    cross entropy. None: predictions may be any numbers.
"""

COMMON_ATTRIBUTES = """
n_features_in_ : int
    {features}
n_iter_ : int
    Epochs done.
stopped_by_ : str or None
    What ended the training before its last epoch: "early_stopping", "callback", "max_time",
    "SIGTERM" or "SIGUSR1".
card_ : TrainingCard
    What the network was trained on.
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
    Mean and standard deviation of the targets, with bounds the lower one and their distance; the
    network works in these units."""


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
        if hasattr(cls, "predict_proba"):
            own, attributes = CLASSIFIER_PARAMETERS, CLASSIFIER_ATTRIBUTES
        elif hasattr(cls, "predict_forces"):
            own = attributes = ""  # its targets have units of their own, and no bounds
        else:
            own, attributes = REGRESSOR_PARAMETERS, REGRESSOR_ATTRIBUTES
        parameters = COMMON_PARAMETERS.replace("<own>", own)
        attributes += COMMON_ATTRIBUTES
        text = inspect.cleandoc(cls.__doc__)
        parameters = _with_own_defaults(parameters.format(**facts), cls)
        text = text.replace("\n<parameters>", parameters)
        cls.__doc__ = text.replace("\n<attributes>", attributes.format(**facts))
        _sort_signature(cls)
        return cls

    return decorate


def _with_own_defaults(parameters, cls):
    """Write the defaults that a class has changed in place of the common ones."""
    for field in dataclasses.fields(TrainingParameters):
        value = getattr(cls, field.name)
        if value != field.default:
            value = f'"{value}"' if isinstance(value, str) else value
            found = rf"(?m)(^{field.name} : (?:.*\\\n)?.*default=).*$"
            parameters = re.sub(found, rf"\g<1>{value}", parameters)
    return parameters


def _sort_signature(cls):
    """Put the parameters in the order of the documentation; a dataclass lists its base's first."""
    signature = inspect.signature(cls.__init__)
    documented = re.findall(r"^(\w+) : ", cls.__doc__, flags=re.MULTILINE)
    parameters = sorted(
        signature.parameters.values(),
        key=lambda parameter: documented.index(parameter.name) if parameter.name != "self" else -1,
    )
    cls.__init__.__signature__ = signature.replace(parameters=parameters)
