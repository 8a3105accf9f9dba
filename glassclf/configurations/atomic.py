"""Files that appear complete or not at all."""

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

# Errors of a write that name no file.
OF_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def complete_file(path):
    """Give a temporary path that takes the name ``path`` once everything is on disk.

    A killed or failed writer leaves an existing file as it was. The temporary file stands in the
    same folder, so that renaming it is one step.

    Parameters
    ----------
    path : str or path-like
        Where the file is to appear. ``~`` is the home folder.

    Yields
    ------
    temporary : pathlib.Path
        Where to write it. It keeps the suffix of ``path``, which some libraries look at.

    Raises
    ------
    OSError
        If it cannot be written, naming ``path``: its folder does not exist or may not be written,
        it is a folder itself, the disk is full.
    """
    path = Path(os.path.expanduser(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the path of the file to write")
    temporary = path.with_name(f".{secrets.token_hex(8)}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        unnamed = error.filename is None and error.errno in OF_WRITES
        if unnamed or error.filename in (str(temporary), temporary):
            # The name that the user knows, not the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()
