"""The directory in which a training is kept, so that nothing of it is lost."""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import warnings
from pathlib import Path

from glassclf.configurations.atomic import complete_file
from glassclf.estimators.fingerprint import digits
from glassclf.estimators.plain_data import from_plain, pack, to_plain, unpack

MAGIC = b"glassclf checkpoint 1\n"
LATEST, PREVIOUS, DAMAGED = "latest.ckpt", "previous.ckpt", "damaged.ckpt"
ADVICE = "put copies in their place, or empty the directory to train anew"
BEST, LOCK = "best.safetensors", "lock"


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
    defaults : dict of str
        Fingerprint of the parameters that nobody has set. Those that differ from it make the
        digits, so that a parameter of a later version does not change them.

    Raises
    ------
    ValueError
        If other placeholders stand in the path, or it is empty.
    CheckpointError
        If another training is running in the directory.
    """

    def __init__(self, path, data, parameters, defaults):
        special = {
            name: text
            for name, text in parameters.items()
            if text != defaults.get(name) or name == "class"
        }
        short = {"data": digits(data), "params": digits(special)}
        given = path = os.path.expanduser(os.fspath(path))
        for name, text in short.items():
            path = path.replace(f"{{{name}}}", text)
        if not path or "{" in path or "}" in path:
            raise ValueError(
                "checkpoint must be the path of a directory, in which {data} and {params} may "
                f"stand and no other braces, got {given!r}"
            )
        self.folder = Path(path)
        self.fingerprints = {"data": data, "parameters": parameters, "digits": short}
        self.defaults = {n: text for n, text in defaults.items() if n in parameters}

    def __enter__(self):
        self._lock = self._not_writable = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.folder / LOCK, "ab")  # noqa: SIM115
            tempfile.TemporaryFile(dir=self.folder).close()  # noqa: SIM115
        except OSError as error:
            # It may hold a training that is finished.
            self._not_writable = error
            return self
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
        for name in (LATEST, BEST):
            for left in self.folder.glob(f".*-{name}"):
                with contextlib.suppress(OSError):
                    left.unlink()
        return self

    def __exit__(self, *error):
        if self._lock is not None:
            # Not by closing alone: a child process may have the file open as well.
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_UN)
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
        CheckpointError
            If the directory cannot be written and holds no finished training.
        """
        state = self._read_newest()
        if state is not None:
            self._refuse_other_training(state["fingerprints"])
        if self._not_writable is not None and (state is None or "final_weights" not in state):
            raise CheckpointError(
                f"checkpoint={str(self.folder)!r} cannot be written: {self._not_writable}; nothing "
                "was trained"
            ) from self._not_writable
        return state

    def write(self, state):
        """Save a state; the one before it stays until the new one is complete.

        Parameters
        ----------
        state : dict
            What :func:`~glassclf.estimators.plain_data.to_plain` takes.

        Raises
        ------
        CheckpointError
            If there is no space, or the directory is gone.
        """
        content = pack(to_plain({**state, "fingerprints": self.fingerprints}))
        latest = self.folder / LATEST
        with self._saving(), complete_file(latest) as temporary:
            with open(temporary, "wb") as file:
                file.write(MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n")
                file.write(content)
                file.flush()
                # Before the rename below: what takes the place of the latest must be on disk.
                os.fsync(file.fileno())
            self._keep_previous()

    def _keep_previous(self):
        latest, previous = self.folder / LATEST, self.folder / PREVIOUS
        link = self.folder / f".link-{LATEST}"
        try:
            # By another name first, so that there is a latest one at every moment.
            os.link(latest, link)
            os.replace(link, previous)
        except FileNotFoundError:
            pass  # the first state of all
        except OSError:
            os.replace(latest, previous)  # a file system without links

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
        if not latest.exists():
            return read_state(previous) if previous.exists() else None
        try:
            return read_state(latest)
        except DamagedError as error:
            if not previous.exists():
                raise DamagedError(f"{error}; {ADVICE}") from error
            try:
                state = read_state(previous)
            except DamagedError as second:
                raise DamagedError(f"{error}; and {second}; {ADVICE}") from second
            # Out of the way, or the next state would push it onto the good one.
            if self._not_writable is None:
                os.replace(latest, self.folder / DAMAGED)
            warnings.warn(f"{error}; going on from the state before it, {previous}", stacklevel=8)
            return state

    def _refuse_other_training(self, found):
        here, there = self.fingerprints["parameters"], dict(found["parameters"])
        if here["class"] == there["class"]:
            # Parameters that came after the version that wrote it had their defaults.
            there = {**self.defaults, **there}
        differences = [
            name
            for name, value in found["data"].items()
            if self.fingerprints["data"].get(name) != value
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
    kind = MAGIC[: MAGIC.rindex(b" ")]
    if magic.startswith(kind) and magic != MAGIC and len(magic) == len(MAGIC):
        raise ValueError(f"{path} was written by another version of glassclf: {magic!r}")
    if magic != MAGIC and not MAGIC.startswith(magic):
        raise DamagedError(f"{path} is not a checkpoint of glassclf, or its head is damaged")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise DamagedError(f"{path} is truncated or damaged")
    try:
        return from_plain(unpack(content))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{path} is not a checkpoint of glassclf: {error}") from error
