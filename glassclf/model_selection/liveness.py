"""Signs of life of the workers of a study, and who has none."""

import contextlib
import os
import threading
import time
import uuid
from pathlib import Path

WORKER = "worker"
BEAT = "beat"

# Names of the workers of this process that have ended; the process itself lives on.
_ended = set()


class Worker:
    """The present process, as the other workers of a study see it.

    Every trial that it runs carries its name, where it runs and a number that grows from time to
    time, all as attributes of the trial, so that any storage of Optuna will do.

    Parameters
    ----------
    grace_period : float
        Seconds without a sign of life after which others take a worker for dead.
    """

    def __init__(self, grace_period):
        self.grace_period = grace_period
        self.name = uuid.uuid4().hex[:8]
        self._seen = {}

    @property
    def record(self):
        """Name and process, as a trial carries them."""
        return {"name": self.name, "process": _process(os.getpid())}

    def sign(self, trial):
        """Put the name on a trial that is about to run.

        Parameters
        ----------
        trial : optuna.Trial
        """
        trial.set_user_attr(WORKER, self.record)

    @contextlib.contextmanager
    def at_work(self):
        """Count as alive within the context, and not beyond: a process may search many times."""
        try:
            yield
        finally:
            _ended.add(self.name)

    @contextlib.contextmanager
    def beating(self, trials):
        """Give signs of life for running trials within the context.

        Parameters
        ----------
        trials : list of optuna.Trial
        """
        over = threading.Event()

        def beat():
            number = 0
            while not over.wait(self.grace_period / 4):
                number += 1
                for trial in trials:
                    # A trial may have been taken away. If the storage is out of reach, in whatever
                    # words that storage says so, the search itself hears of it soon enough.
                    with contextlib.suppress(Exception):
                        trial.set_user_attr(BEAT, number)

        thread = threading.Thread(target=beat, name="glassclf-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def is_dead(self, trial):
        """Whether the worker of a running trial is dead.

        A process on this machine is looked for. Of all others the last sign of life counts, by the
        clock of this process alone: clocks of machines differ.

        Parameters
        ----------
        trial : optuna.trial.FrozenTrial
            Running.

        Returns
        -------
        dead : bool
        """
        worker = trial.user_attrs.get(WORKER, {})
        process = worker.get("process")
        if process is not None and process["place"] is not None:
            if process["place"] == _place():
                return worker["name"] in _ended or _process(process["pid"]) != process
        sign, now = (worker.get("name"), trial.user_attrs.get(BEAT)), time.monotonic()
        last, since = self._seen.get(trial.number, (None, None))
        if since is None or last != sign:
            self._seen[trial.number] = sign, now
            return False
        return now - since > self.grace_period


def _process(pid):
    """What tells a living process from all others; its number alone is used again.

    None for a dead one. Where the system does not tell, the place is None.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if _place() else {"place": None, "pid": pid, "start": None}
    # The name of the program, in brackets, may hold anything.
    fields = status.rpartition(")")[2].split()
    if fields[0] in "ZX":  # dead, and its parent has not looked
        return None
    return {"place": _place(), "pid": pid, "start": int(fields[19])}


def _place():
    """Where process numbers mean the same: one boot of one machine, one container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None
