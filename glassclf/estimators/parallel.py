"""Several processes that train one network together, each on its share of every batch."""

import contextlib
import os
import warnings
import zlib

import numpy as np
import torch
from joblib.parallel import get_active_backend

from glassclf._extras import import_extra


def join_processes(device):
    """Join the processes that a launcher has started, through Hugging Face accelerate.

    Parameters
    ----------
    device : torch.device
        That the estimator asks for.

    Returns
    -------
    processes : Processes
    device : torch.device
        That of this process.

    Raises
    ------
    ImportError
        If accelerate is not installed.
    ValueError
        In a worker of joblib, if the device is one certain GPU or there are too few, or if
        accelerate was set up for one process before.
    """
    accelerate = import_extra("accelerate", "cluster", "data_parallel=True")
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if launched == 1:
        warnings.warn(
            "data_parallel=True, but this is the only process: start the program with "
            '"torchrun --nproc_per_node=2 program.py"',
            stacklevel=6,
        )
        return Alone(), device
    if get_active_backend()[0].nesting_level != 0:
        raise ValueError(
            "data_parallel=True cannot train in a worker of joblib: use n_jobs=1, or "
            "data_parallel=False"
        )
    if device.index is not None:
        raise ValueError(
            f"device={str(device)!r} would put all {launched} processes on one GPU: use "
            'device="auto", "cuda" or "cpu" with data_parallel=True'
        )
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if device.type == "cuda" and here > torch.cuda.device_count():
        raise ValueError(
            f"the launcher started {here} processes on this machine, but data_parallel=True needs "
            f"a GPU for each and finds {torch.cuda.device_count()} GPUs"
        )
    state = accelerate.PartialState(cpu=device.type == "cpu")
    if state.num_processes != launched or state.device.type != device.type:
        raise ValueError(
            f"data_parallel=True on {device.type!r} needs accelerate to span the {launched} "
            f"launched processes, and it was set up for {state.num_processes} on "
            f"{state.device.type!r}: set up no Accelerator before, or one for the same device"
        )
    return Processes(state), state.device


class Alone:
    """A training in one process."""

    count, index, is_main = 1, 0, True

    def share(self, rows):
        """Part of the samples of a batch that this process trains on, and its weight."""
        return rows, 1.0

    def average_gradients(self, optimizer, loss):
        """Leave gradients and loss as they are."""
        return loss

    def average(self, tensor):
        """Leave a tensor as it is."""
        return tensor

    def largest(self, number):
        """Leave a number as it is."""
        return number

    def on_main(self, function):
        """Return what the function returns."""
        return function()

    def through_main(self, thing):
        """Leave a thing as it is."""
        return thing

    def average_buffers(self, module):
        """Leave a module as it is."""

    def start_alike(self, module):
        """Leave a module as it is."""

    def of_main(self, value):
        """Return the value."""
        return value

    def facts(self):
        """Nothing beside the parameters."""
        return {}

    def speaking(self):
        """Context in which everybody warns."""
        return contextlib.nullcontext()

    def check_same_data(self, targets, weights):
        """Nobody has other data."""

    def own_random_numbers(self, device, *place):
        """Context of random numbers that no other process draws: there is no other."""
        return contextlib.nullcontext()


class Processes:
    """The processes of a training; all of them call the same methods in the same order.

    Parameters
    ----------
    state : accelerate.PartialState

    Attributes
    ----------
    count : int
    index : int
        Number of this process, from 0.
    is_main : bool
        Whether it is the one that writes and speaks.
    """

    def __init__(self, state):
        from accelerate import utils

        self._utils = utils
        self._device = state.device
        self.count, self.index = state.num_processes, state.process_index
        self.is_main = state.is_main_process

    def share(self, rows):
        """Part of the samples of a batch that this process trains on, and its weight.

        Parameters
        ----------
        rows : tensor of int of shape (n,)

        Returns
        -------
        rows : tensor of int
        weight : float
            By which the mean loss of the part is multiplied, so that the mean over the processes
            is the mean loss of the batch.
        """
        if len(rows) < self.count:
            # Too few to go round: everyone trains on all of them.
            return rows, 1.0
        part = rows[self.index :: self.count]
        return part, len(part) * self.count / len(rows)

    def average_gradients(self, optimizer, loss):
        """Replace gradients by their mean over the processes.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer
            Of all that is trained.
        loss : tensor

        Returns
        -------
        loss : tensor
            Mean over the processes, too.
        """
        groups = optimizer.param_groups
        parameters = [p for group in groups for p in group["params"] if p.requires_grad]
        # All in one message. A parameter that no process used keeps no gradient at all.
        used = loss.new_tensor([float(p.grad is not None) for p in parameters])
        filled = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        message = torch.cat([loss.detach().view(1), used, *(each.flatten() for each in filled)])
        loss, used, *means = self._utils.reduce(message, "mean").split(
            [1, len(parameters), *(p.numel() for p in parameters)]
        )
        for parameter, is_used, mean in zip(parameters, used.tolist(), means):
            if is_used:
                parameter.grad = mean.view_as(parameter).to(parameter.dtype)
        return loss[0]

    def average(self, tensor):
        """Mean of a tensor over the processes."""
        return self._utils.reduce(tensor.detach().to(self._device), "mean")

    def largest(self, number):
        """Largest of the integers of the processes."""
        number = torch.tensor(number, device=self._device)
        torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MAX)
        return int(number)

    def on_main(self, function):
        """Call a function in the main process; all return what it returns or raise what it raises.

        Parameters
        ----------
        function : callable
            Without arguments.

        Returns
        -------
        value : object
        """
        outcome = None, None
        if self.is_main:
            try:
                outcome = function(), None
            except Exception as error:
                outcome = None, error
        value, error = self._utils.broadcast_object_list([outcome])[0]
        if error is not None:
            raise error
        return value

    def through_main(self, thing):
        """Something whose methods are called in the main process alone, by all at once."""
        return OnMain(thing, self)

    def start_alike(self, module):
        """Give all processes the weights of the main one."""
        for tensor in module.state_dict().values():
            tensor.copy_(self._utils.broadcast(tensor))

    def average_buffers(self, module):
        """Let all processes go on with equal statistics, of layers that saw their share only."""
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self._utils.reduce(buffer, "mean"))

    def of_main(self, value):
        """Value that the main process has."""
        return self.on_main(lambda: value)

    def facts(self):
        """What the weights depend on, beside the parameters."""
        return {"number of processes": str(self.count)}

    @contextlib.contextmanager
    def speaking(self):
        """Context in which the main process alone warns."""
        with warnings.catch_warnings():
            if not self.is_main:
                warnings.simplefilter("ignore")
            yield

    def check_same_data(self, targets, weights):
        """Refuse processes that were given different samples.

        Parameters
        ----------
        targets, weights : ndarray

        Raises
        ------
        ValueError
            In all processes.
        """
        facts = len(targets), zlib.crc32(targets.tobytes()), zlib.crc32(weights.tobytes())
        if len(set(self._utils.gather_object([facts]))) > 1:
            raise ValueError(
                "the processes of data_parallel=True were given different data: give each the "
                "whole X and y; each takes its share of every batch"
            )

    @contextlib.contextmanager
    def own_random_numbers(self, device, *place):
        """Within the context draw other random numbers than the other processes.

        The generators are those of before afterwards, so that they stay equal in all processes
        and one checkpoint holds for all.

        Parameters
        ----------
        device : torch.device
        *place : int
            Where in the training this is; equal places draw equal numbers.
        """
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            seed = [torch.initial_seed(), self.index, *place]
            seed = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
            torch.default_generator.manual_seed(seed)
            if devices:
                torch.cuda.default_generators[device.index].manual_seed(seed)
            yield


class OnMain:
    """Something that stands in the main process alone, and that all processes use.

    Parameters
    ----------
    thing : object
        Its methods are called in the main process, by all processes at once.
    processes : Processes
    """

    def __init__(self, thing, processes):
        self._thing, self._processes = thing, processes

    def __getattr__(self, name):
        def call(*arguments):
            return self._processes.on_main(lambda: getattr(self._thing, name)(*arguments))

        return call

    def __enter__(self):
        self._processes.on_main(lambda: self._thing.__enter__() and None)
        return self

    def __exit__(self, *error):
        if self._processes.is_main:
            self._thing.__exit__(*error)
