"""Asking a training to stop: by a signal of the batch system, or because its time is over."""

import contextlib
import signal
import threading
import time

# What SLURM sends before the time limit of a job: SIGTERM, or what --signal=USR1@120 asks for.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
REASONS = (None, "max_time", *(number.name for number in SIGNALS))


class StopTraining(Exception):
    """Raised to end a training before its last epoch.

    Parameters
    ----------
    reason : str
        Who asked: "early_stopping", "callback", "max_time" or the name of a signal.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class StopRequest:
    """Whether a training has been asked to stop.

    Parameters
    ----------
    max_time : float or None
        Seconds after ``start``.
    start : float
        When the fit began, as :func:`time.monotonic` tells it.
    """

    def __init__(self, max_time, start):
        self.deadline = float("inf") if max_time is None else start + max_time
        self.signal = self._to_pass_on = None

    @property
    def reason(self):
        """None, or "max_time", or the name of the signal."""
        if self.signal is not None:
            return self.signal.name
        return "max_time" if time.monotonic() >= self.deadline else None

    @contextlib.contextmanager
    def listening(self):
        """Take the signals within the context, instead of being ended by them.

        Python delivers signals to its main thread only: elsewhere nothing changes.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                # None: it was not set from Python, and cannot be set again.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
            if self.signal is not None and callable(before[self.signal]):
                self._to_pass_on = self.signal

    def pass_on(self):
        """Send the signal again, to a handler that was there before, when everything is saved."""
        if self._to_pass_on is not None:
            signal.raise_signal(self._to_pass_on)

    def _note(self, number, frame):
        self.signal = signal.Signals(number)
