"""Save a model to one file, and load it again."""

import json
import os
import platform
import re
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from sklearn.base import BaseEstimator

import glassclf
from glassclf.configurations.atomic import complete_file
from glassclf.configurations.checksums import checksum_of
from glassclf.configurations.existing import require_file
from glassclf.configurations.store import FORMAT as STORE_FORMAT
from glassclf.persistence.classes import find_classes, known_class
from glassclf.persistence.decoding import classes_in, decode_model
from glassclf.persistence.encoding import encode_model

FORMAT = "glassclf-model"
VERSION = 1
LIBRARIES = ("numpy", "scikit-learn", "torch", "skorch")


def save(estimator, path):
    """Save a model without pickle: a file that holds no code, only names, numbers and arrays.

    Covered are all featurizers and estimators of glassclf, scikit-learn's ``Pipeline``,
    ``FeatureUnion``, ``StandardScaler``, ``PCA``, ``LogisticRegression``, ``Ridge`` and ``SVC``,
    and own classes that derive from :class:`sklearn.base.BaseEstimator` or
    :class:`torch.nn.Module` and keep plain attributes.

    Parameters
    ----------
    estimator : estimator
        Fitted or not. A pipeline keeps all its steps, networks their weights, optimizer and
        history. Left out are folders of this machine (the parameters ``memory``, ``cache`` and
        ``checkpoint``) and, with a warning, ``callbacks``.
    path : str or path-like
        By convention ending in ``.safetensors``. The file appears complete or not at all.

    Raises
    ------
    TypeError
        If a step is of another class, or holds what is no plain data, such as a function. The
        message names the step.
    ValueError
        If an own class stands where no file could refer to it, such as inside a function.
    OSError
        If the file cannot be written: ``path`` is a folder, or the disk full or read-only.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import glassclf
    >>> from glassclf.featurizers import RDFFeaturizer
    >>> from glassclf.testing import two_phases
    >>> X, y, groups = two_phases(n_runs=2)
    >>> model = RDFFeaturizer(n_bins=4).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     glassclf.save(model, Path(folder) / "model.safetensors")
    ...     again = glassclf.load(Path(folder) / "model.safetensors")
    >>> again
    RDFFeaturizer(n_bins=4)
    """
    from safetensors.numpy import save as to_bytes

    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"save takes an estimator (an instance), got {estimator!r:.100}")
    tree, arrays, steps = encode_model(estimator)
    versions = {"glassclf": glassclf.__version__, "python": platform.python_version()}
    versions |= {library: version(library) for library in LIBRARIES}
    metadata = {"format": FORMAT, "format_version": str(VERSION)}
    for name, content in (("versions", versions), ("steps", steps), ("model", tree)):
        metadata[name] = json.dumps(content)
    metadata = sign(metadata, arrays)
    with complete_file(path) as temporary:
        temporary.write_bytes(to_bytes(arrays, metadata))


def load(path, trusted=()):
    """Load a model that :func:`save` has written. Loading never runs code from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str, default=()
        Own classes that the file may use, such as ``("my_package.MyFeaturizer",)``: these are
        imported. An error names those that are needed.

    Returns
    -------
    estimator : estimator
        As it was saved. Networks are on the GPU where their ``device`` says so and there is one,
        else on the CPU.

    Raises
    ------
    TypeError
        If ``trusted`` holds anything but names.
    FileNotFoundError, IsADirectoryError
        If there is no such file, or a folder.
    ValueError
        If the file is truncated, damaged or something else, was written in a later version of the
        format, or needs classes that are not trusted, or of which one has changed since.

    Warns
    -----
    InconsistentVersionWarning
        By scikit-learn, if another version of it wrote one of its estimators.

    See Also
    --------
    save : Writes the file.

    Examples
    --------
    >>> import glassclf
    >>> glassclf.load("there-is-no-such-file.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: there-is-no-such-file.safetensors: no such file
    """
    trusted = _names(trusted)
    path = Path(os.path.expanduser(path))
    header, arrays = read_model(path)
    versions = header["versions"]
    try:
        classes = find_classes(classes_in(header["model"]), trusted)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    wrote = versions.get("glassclf")
    if _release(wrote) > _release(glassclf.__version__):
        warnings.warn(
            f"{path} was saved by glassclf {wrote}, later than this {glassclf.__version__}: update "
            "glassclf if something is missing",
            stacklevel=2,
        )
    try:
        return decode_model(header["model"], arrays, classes)
    except Exception as error:
        reason = _reason(wrote, [key for key in classes if known_class(*key) is None])
        raise ValueError(
            f"{path} cannot be loaded: {reason} ({type(error).__name__}: {error})"
        ) from error


def _names(trusted):
    """``trusted`` as a tuple of names."""
    if isinstance(trusted, str):
        return (trusted,)
    named = tuple(trusted) if isinstance(trusted, Iterable) else (trusted,)
    for one in named:
        if not isinstance(one, str):
            name = f"{one.__module__}.{one.__qualname__}" if isinstance(one, type) else "a.Name"
            raise TypeError(
                f"trusted takes the names of classes, as strings such as trusted=({name!r},), "
                f"got {one!r:.100}"
            )
    return named


def _reason(wrote, own_classes):
    """Why a file that is as it was written cannot be loaded."""
    reasons = []
    if own_classes:
        names = ", ".join(sorted({name for name, _ in own_classes}))
        reasons.append(f"the code of {names} has changed since the model was saved")
    if wrote != glassclf.__version__:
        reasons.append(
            f"glassclf {wrote}, which saved it, differs too much from this one, "
            f"{glassclf.__version__}"
        )
    return ", or ".join(reasons) or "it is not what glassclf saves"


def sign(metadata, arrays):
    """Add the checksum of a model to the metadata of its file.

    Parameters
    ----------
    metadata : dict of str
    arrays : dict of ndarray

    Returns
    -------
    metadata : dict of str
        With the entry "checksum", which counts for nothing in itself.
    """
    content = {name: text for name, text in metadata.items() if name != "checksum"}
    return {**content, "checksum": checksum_of(arrays, content)}


def read_model(path):
    """Read the file of a model, without building anything.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    header : dict
        "versions", "steps" and "model", out of JSON.
    arrays : dict of ndarray

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or a folder.
    ValueError
        If it is truncated, damaged or something else, or of a later version of the format.
    """
    from safetensors import SafetensorError, safe_open

    require_file(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no model that glassclf saved, or it is truncated or damaged ({error}); "
            "joblib.load reads what joblib.dump wrote"
        ) from error
    if metadata.get("format") == STORE_FORMAT:
        raise ValueError(
            f"{path} holds configurations, not a model: open it with Configurations.open"
        )
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is a safetensors file, but no model that glassclf saved")
    if metadata.get("format_version") != str(VERSION):
        raise ValueError(
            f"{path} has version {metadata.get('format_version')!r} of the format, this glassclf "
            f"({glassclf.__version__}) reads version {VERSION}: update glassclf"
        )
    if metadata.get("checksum") != sign(metadata, arrays)["checksum"]:
        raise ValueError(
            f"{path} is damaged: its checksum is not that of its content. Take another copy of it"
        )
    try:
        header = {name: json.loads(metadata[name]) for name in ("versions", "steps", "model")}
        if not isinstance(header["versions"], dict):
            raise ValueError("its versions are no table")
    except (KeyError, RecursionError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its header lacks {error}") from error
    return header, arrays


def _release(text):
    """Numbers of a version, to compare."""
    return [int(number) for number in re.findall(r"\d+", str(text))[:3]]
