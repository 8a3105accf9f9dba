"""One of several processes that work on the same search."""

import contextlib
import runpy
import signal
import sys
import threading
from pathlib import Path

from glassclf.model_selection.optuna_search import OptunaSearch
from glassclf.model_selection.sharing import counts, is_complete

NEEDED = ("search", "X", "y")


def read_search(script):
    """Run a script that defines a search and its data.

    Parameters
    ----------
    script : path-like
        It defines ``search``, ``X`` and ``y``, and may define ``groups``.

    Returns
    -------
    parts : dict
        ``search``, ``X``, ``y`` and ``groups``.

    Raises
    ------
    ValueError
        If something is missing, or the search keeps its study in memory.
    """
    # As Python itself does: modules beside the script can be imported.
    sys.path.insert(0, str(Path(script).resolve().parent))
    # Not "__main__": the script may end in a guarded call of fit, for those who run it themselves.
    names = runpy.run_path(str(script), run_name="study")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise ValueError(
            f"{script} must define search, X and y (and may define groups), but has no "
            f"{', '.join(missing)}"
        )
    search = names["search"]
    if not isinstance(search, OptunaSearch):
        raise ValueError(f"search in {script} must be an OptunaSearch, got {type(search).__name__}")
    if search.storage is None:
        raise ValueError(
            f"the search in {script} keeps its study in memory, where no other worker sees it: "
            'set storage=, such as "journal.log" or the URL of a database'
        )
    return {name: names.get(name) for name in (*NEEDED, "groups")}


def work(search, X, y, groups=None):
    """Run trials of a study together with others, until it is complete.

    Parameters
    ----------
    search : OptunaSearch
        With a storage.
    X, y, groups : object
        See :meth:`OptunaSearch.fit`.

    Returns
    -------
    fitted : bool
        Whether this worker was the last one, and ``search`` is fitted. Of all that work together
        only the last one fits the best parameters; so does one that finds the study complete.

    Raises
    ------
    InterruptedError, TimeoutError
        If SIGTERM, or the end of ``timeout``, came before the study was complete.
    """
    search._validate_params()
    with _ended_by_signal():
        run = search._search(X, y, groups, {})
        if not is_complete(run.study, search.n_trials):
            over = [t for t in run.study.trials if counts(t) and t.state.is_finished()]
            raise TimeoutError(
                f"timeout={search.timeout} is over: {len(over)} of {search.n_trials} trials are "
                "done, start the worker again to go on"
            )
        run.require_results()
        if not run.is_last:
            return False
        search._learn(run, refit=search.refit is not False)
    return True


@contextlib.contextmanager
def _ended_by_signal():
    """End by an exception where SIGTERM would end the process: running trials are given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number, frame):
        raise InterruptedError(
            f"stopped by {signal.Signals(number).name}: the running trials are given back to the "
            "study, start the worker again to go on"
        )

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
