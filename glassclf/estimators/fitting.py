"""One call of fit: from checked data to a trained net and what it leaves on the estimator."""

import contextlib
from dataclasses import dataclass

import numpy as np
import torch

from glassclf.estimators.augmentation import augmentation_of
from glassclf.estimators.batching import TrainingData
from glassclf.estimators.checkpoint import Checkpoint
from glassclf.estimators.compilation import compile_module
from glassclf.estimators.determinism import deterministic_algorithms
from glassclf.estimators.device_data import place_samples
from glassclf.estimators.evaluation import probe_module
from glassclf.estimators.fingerprint import describe_callbacks, parameter_fingerprint
from glassclf.estimators.fit_tasks import with_callbacks
from glassclf.estimators.history import (
    history_arrays,
    warn_if_falling,
    warn_of_signal,
    warn_of_stop,
)
from glassclf.estimators.memory import explained_out_of_memory
from glassclf.estimators.net import take_over
from glassclf.estimators.parallel import Alone, join_processes
from glassclf.estimators.precision import MixedPrecision
from glassclf.estimators.progress import progress_bar, watched_by
from glassclf.estimators.seeds import draw_seed, seeded
from glassclf.estimators.settings import choose_data_device, choose_device
from glassclf.estimators.threads import torch_threads
from glassclf.estimators.training import COMPLETE, Training
from glassclf.estimators.weight_average import WeightAverage


@dataclass
class FitData:
    """What a fit was given, checked.

    Parameters
    ----------
    samples : ArraySamples, GraphSamples or a lazy kind of them
    targets : ndarray of shape (n,) or (n, n_outputs)
        As the network is to produce them.
    groups : ndarray of shape (n,) or None
    weights : ndarray of shape (n,)
    hashes : dict of str or None
        Fingerprint of the data, where a checkpoint is kept.
    """

    samples: object
    targets: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    hashes: dict


@with_callbacks
def fit_network(estimator, data, stop, tasks, continued, n_epochs=None):
    """Train a net, and give the estimator what it has learned.

    Parameters
    ----------
    estimator : NetworkEstimator
    data : FitData
    stop : StopRequest
    tasks : FitTasks
    continued : bool
        Whether to go on from the net that the estimator has.
    n_epochs : int, default=None
        Epochs of a call of ``partial_fit``; None: ``max_epochs``.

    Returns
    -------
    failure : Exception or None
        What ended the training, where its weights are still of use.
    """
    tasks.begin()
    device, processes = choose_device(estimator.device), Alone()
    if estimator.data_parallel:
        processes, device = join_processes(device)
        processes.check_same_data(data.targets, data.weights)
    done = estimator.n_iter_ if continued and not estimator.freeze_encoder else 0
    # A schedule spans a fit, or all calls of partial_fit.
    first_epoch = done if n_epochs is None else 0
    n_epochs = estimator.max_epochs if n_epochs is None else n_epochs
    with contextlib.ExitStack() as context:
        context.enter_context(processes.speaking())
        checkpoint, saved = _open_checkpoint(estimator, data, continued, processes, context)
        seeds = _draw_seeds(estimator, continued)
        seeds = processes.of_main({name: saved.get(name, seeds[name]) for name in seeds})
        estimator._split_seed = seeds["split_seed"]
        train, valid = _split(estimator, data, device)
        net, best = estimator._build_net(data.targets, device, first_epoch)
        context.enter_context(seeded(seeds["seed"] + done, device))
        context.enter_context(torch_threads(saved.get("n_threads")))
        if estimator.deterministic:
            context.enter_context(deterministic_algorithms(device))
        context.enter_context(explained_out_of_memory(estimator.batch_size))
        net.initialize()
        if continued:
            take_over(net, estimator.net_, new_head=estimator.freeze_encoder)
        width = probe_module(net, train.samples, estimator._count_outputs(data.targets))
        _prepare_training(estimator, net, checkpoint, processes)
        training = Training(
            net,
            train,
            valid,
            done + n_epochs,
            stop,
            best=best if estimator.early_stopping else None,
            checkpoint_batches=estimator.checkpoint_batches,
            origin={**seeds, "own_callbacks": describe_callbacks(estimator.callbacks)},
        )
        tasks.follow(done, lambda: _learned(training.net_of_now(), width))
        with watched_by(net, [tasks, *progress_bar(estimator, training, done)]):
            training.run(saved or None)
        vars(estimator).update(_learned(net, width), stopped_by_=training.stopped_by)
    if processes.is_main:
        _warn_of_end(estimator, done, n_epochs, stop)
    tasks.end()
    return training.failure


def _draw_seeds(estimator, continued):
    if not continued:
        # Kept, so that a training that goes on validates on what it has never trained on.
        estimator._split_seed = draw_seed(estimator.random_state)
    return {"split_seed": estimator._split_seed, "seed": draw_seed(estimator.random_state)}


def _open_checkpoint(estimator, data, continued, processes, context):
    """Checkpoint of the fit and the state in it; without one, None and an empty state."""
    if data.hashes is None:
        return None, {}
    start = estimator.net_ if continued else None
    parameters = parameter_fingerprint(estimator, start) | processes.facts()
    defaults = parameter_fingerprint(type(estimator)())
    checkpoint = Checkpoint(estimator.checkpoint, data.hashes, parameters, defaults)
    checkpoint = processes.through_main(checkpoint)
    return checkpoint, context.enter_context(checkpoint).read() or {}


def _split(estimator, data, device):
    """Training and validation part; None where nothing is held out."""
    train, valid = estimator._split(data.targets, data.groups)
    if not data.weights[train].any():
        raise ValueError("sample_weight is 0 for every sample outside the validation part")
    samples = data.samples
    if estimator.data_device is not None:
        samples = place_samples(samples, choose_data_device(estimator.data_device, device))
    return [
        None if rows is None else TrainingData(samples, data.targets, data.weights, rows)
        for rows in (train, valid)
    ]


def _prepare_training(estimator, net, checkpoint, processes):
    """Give the net what it needs in training only."""
    device = torch.device(net.device)
    net.checkpoint, net.processes = checkpoint, processes
    if not processes.is_main:
        net.verbose = 0
    net.arithmetic = MixedPrecision(estimator.precision, device)
    processes.start_alike(net.module_)
    if estimator.compile:
        net.compiled = compile_module(net.module_, device)
    net.augmentation = augmentation_of(estimator)
    if estimator.average_weights is not None:
        net.average = WeightAverage(net.module_, estimator.average_weights)
    if estimator.freeze_encoder:
        net.freeze_all_but_head()


def _learned(net, width):
    """Attributes that a training leaves."""
    return {
        "net_": net,
        "n_iter_": len(net.history),
        "n_threads_": torch.get_num_threads(),
        "history_": history_arrays(net.history),
        "stopped_by_": None,
        "_n_features_out": width,
    }


def _warn_of_end(estimator, done, n_epochs, stop):
    name, n_done = type(estimator).__name__, estimator.n_iter_ - done
    if estimator.stopped_by_ not in COMPLETE:
        warn_of_stop(name, estimator.stopped_by_, n_done, n_epochs, estimator.checkpoint)
    elif stop.signal is not None:
        warn_of_signal(name, stop.signal.name)
    elif n_done == n_epochs > 1:
        warn_if_falling(estimator.history_["train_loss"][done:], name, n_epochs)
