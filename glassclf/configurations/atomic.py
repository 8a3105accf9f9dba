"""Files that appear complete or not at all."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path


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
    """
    path = Path(os.path.expanduser(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    temporary = path.with_name(f".{secrets.token_hex(8)}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
