"""Opening a journal file of Optuna, also one whose last writer was killed."""

import os
from pathlib import Path


def open_journal(name):
    """Open the journal file of a study, or make one.

    Parameters
    ----------
    name : str
        Path of the file.

    Returns
    -------
    storage : optuna.storages.JournalStorage

    Raises
    ------
    ValueError
        If the path is empty, or the file is something else or damaged.
    OSError
        If it cannot be read or written.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

    if not name:
        raise ValueError("storage='' names no file: storage=None keeps the study in memory")
    # Absolute: the lock of a journal is a link to it.
    path = Path(name).expanduser().absolute()
    other = (
        f"storage={name!r} is no journal file of Optuna, or is damaged: take another file; an "
        f'SQLite file is given as "sqlite:///{name}"'
    )
    if _begins_otherwise(path):
        raise ValueError(other)
    lock = JournalFileSymlinkLock(str(path))
    if _ends_in_half_a_line(path):
        lock.acquire()
        try:
            _drop_half_a_line(path)
        finally:
            lock.release()
    try:
        return JournalStorage(JournalFileBackend(str(path), lock))
    except ValueError as error:  # of json, or of the text itself
        raise ValueError(other) from error


def _begins_otherwise(path):
    """Whether a file is none in which each line is an entry in braces."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(1) not in (b"", b"{")


def _ends_in_half_a_line(path):
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _drop_half_a_line(path):
    """Cut off what a writer has begun that was killed, or had no room left on the disk.

    Nobody has read it; but the next line would be appended to it, and the file be lost.
    """
    # Whoever held the lock may have been at work, and finished.
    if not _ends_in_half_a_line(path):
        return
    complete, end, _ = path.read_bytes().rpartition(b"\n")
    with open(path, "r+b") as file:
        file.truncate(len(complete + end))
