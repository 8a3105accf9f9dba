"""Optional dependencies: one clear message when one is missing."""

from importlib import import_module


def import_extra(module, extra, purpose):
    """Import an optional dependency, or say which extra brings it.

    Parameters
    ----------
    module : str
        Name of the module to import.
    extra : str
        The extra of glassclf that installs it.
    purpose : str
        What the user was about to do, such as ``"reading GSD files"``.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        If the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f'{purpose} needs {package}: pip install "glassclf[{extra}]"', name=package
        ) from error
