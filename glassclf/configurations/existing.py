"""Errors for paths that are no file."""


def require_file(path):
    """Raise unless there is a file to read.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    IsADirectoryError
        If it is a folder.
    """
    if path.is_dir():
        what = "a folder, not a file"
        if any(path.glob("*.ckpt")):
            what = (
                "a checkpoint directory: a fit with the same data, parameters and checkpoint= goes "
                "on from it"
            )
        raise IsADirectoryError(f"{path} is {what}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
