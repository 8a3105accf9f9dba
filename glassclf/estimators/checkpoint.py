"""The directory in which a training is kept, so that nothing of it is lost."""

import contextlib
import fcntl
import hashlib
import io
import os
import pickle
import warnings
from pathlib import Path

import torch

from glassclf.configurations.atomic import complete_file
from glassclf.estimators.fingerprint import digits

MAGIC = b"glassclf checkpoint 1\n"
LATEST, PREVIOUS, BEST, LOCK = "latest.ckpt", "previous.ckpt", "best.safetensors", "lock"


class CheckpointError(OSError):
    """A training could not be saved."""


class Checkpoint:
    """The directory of one training: its latest state, the one before, the best weights.

    Parameters
    ----------
    path : str or path-like
        ``{data}`` and ``{params}`` in it are replaced by eight digits of either fingerprint. Made
        where it is missing. ``~`` is the home folder.
    data, parameters : dict of str
        Fingerprints of the fit.

    Raises
    ------
    CheckpointError
        If the directory cannot be written, or if another training is running in it.
    """

    def __init__(self, path, data, parameters):
        path = os.path.expanduser(os.fspath(path))
        path = path.replace("{data}", digits(data)).replace("{params}", digits(parameters))
        self.folder = Path(path)
        self.fingerprints = {"data": data, "parameters": parameters}

    def __enter__(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.folder / LOCK, "ab")  # noqa: SIM115
        except OSError as error:
            raise CheckpointError(
                f"checkpoint={str(self.folder)!r} cannot be written: {error}; nothing was trained"
            ) from error
        try:
            # Released by the system when the process ends, however it ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise CheckpointError(
                f"another training is running in checkpoint={str(self.folder)!r}: give each its "
                'own directory, such as checkpoint="runs/{data}-{params}"'
            ) from error
        except OSError:
            # A file system without locks.
            pass
        for left in self.folder.glob(f".*-{LATEST}"):
            left.unlink()
        return self

    def __exit__(self, *error):
        self._lock.close()

    def read(self):
        """Latest state of the training.

        Returns
        -------
        state : dict or None
            What :meth:`write` was given last; None in an empty directory.

        Raises
        ------
        ValueError
            If the state is damaged and none before it is left, if the file is something else, or
            if the training has other data or other parameters.
        """
        state = self._read_newest()
        if state is not None:
            self._refuse_other_training(state["fingerprints"])
        return state

    def write(self, state):
        """Save a state; the one before it stays until the new one is complete.

        Parameters
        ----------
        state : dict
            Tensors and plain data only.

        Raises
        ------
        CheckpointError
            If there is no space, or the directory is gone.
        """
        content = io.BytesIO()
        torch.save({**state, "fingerprints": self.fingerprints}, content)
        content = content.getbuffer()
        latest = self.folder / LATEST
        with self._saving(), complete_file(latest) as temporary:
            with open(temporary, "wb") as file:
                file.write(MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n")
                file.write(content)
                file.flush()
                # Before the rename below: what takes the place of the latest must be on disk.
                os.fsync(file.fileno())
            if latest.exists():
                os.replace(latest, self.folder / PREVIOUS)

    def write_best(self, weights, epoch):
        """Save the best weights so far, for people: a resumed training does not need them.

        Parameters
        ----------
        weights : dict of tensor
        epoch : int
            Epoch after which the network had them.

        Raises
        ------
        CheckpointError
            If there is no space, or the directory is gone.
        """
        from safetensors.torch import save_file

        weights = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
        with self._saving(), complete_file(self.folder / BEST) as temporary:
            save_file(weights, temporary, {"epoch": str(epoch)})

    @contextlib.contextmanager
    def _saving(self):
        try:
            yield
        except Exception as error:
            raise CheckpointError(
                f"the training could not be saved in checkpoint={str(self.folder)!r}: {error}; "
                "what was saved before is still there, and the estimator keeps its weights of now"
            ) from error

    def _read_newest(self):
        latest, previous = self.folder / LATEST, self.folder / PREVIOUS
        if not latest.exists() and not previous.exists():
            return None
        try:
            return read_state(latest)
        except FileNotFoundError:
            # Killed between the two renames of a write.
            return read_state(previous)
        except DamagedError as error:
            if not previous.exists():
                raise
            state = read_state(previous)
            warnings.warn(f"{error}; going on from the state before it, {previous}", stacklevel=8)
            return state

    def _refuse_other_training(self, found):
        here, there = self.fingerprints["parameters"], found["parameters"]
        differences = [
            name
            for name, value in found["data"].items()
            if self.fingerprints["data"][name] != value
        ]
        # Estimators of two classes have other parameters altogether.
        names = ["class"] if here["class"] != there["class"] else sorted(here.keys() | there.keys())
        differences += [
            f"{name} (there {there.get(name)}, here {here.get(name)})"
            for name in names
            if here.get(name) != there.get(name)
        ]
        if differences:
            raise ValueError(
                f"checkpoint={str(self.folder)!r} holds another training, which differs in "
                f"{', '.join(differences)}: take another directory, or let each training have its "
                'own by checkpoint="runs/{data}-{params}"'
            )


class DamagedError(ValueError):
    """A state is not what was written."""


def read_state(path):
    """Read one state of a training.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    state : dict

    Raises
    ------
    ValueError
        If the file is damaged, or something else, or from another version of the format.
    """
    with open(path, "rb") as file:
        magic = file.readline(len(MAGIC))
        digest = file.readline(65).strip()
        content = file.read()
    if magic != MAGIC and not MAGIC.startswith(magic):
        kind = MAGIC[: MAGIC.rindex(b" ")]
        if magic.startswith(kind):
            raise ValueError(f"{path} was written by another version of glassclf: {magic!r}")
        raise ValueError(f"{path} is not a checkpoint of glassclf; remove it to train anew")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise DamagedError(
            f"{path} is truncated or damaged (remove it to train anew, or put a copy in its place)"
        )
    try:
        # Plain data and tensors only: nothing in the file is run.
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is not a checkpoint of glassclf: {error}") from error
