"""Digests of functions and classes of a user, which change when their code does."""

import functools
import hashlib
import inspect

# Code of these changes with their versions, which a training may outlive.
LIBRARIES = {"builtins", "glassclf", "numpy", "scipy", "sklearn", "skorch", "torch"}


def code_digest(thing, describe):
    """Eight hexadecimal digits of the code of a function or class.

    Parameters
    ----------
    thing : function or class
    describe : callable
        Turns a value that the code holds, such as a default, into a text.

    Returns
    -------
    digest : str
        Empty for what belongs to a library, or has no code that could be seen.
    """
    if (getattr(thing, "__module__", None) or "builtins").partition(".")[0] in LIBRARIES:
        return ""
    text = _text_of_class(thing, describe) if inspect.isclass(thing) else _text(thing, describe)
    return hashlib.sha256(text.encode()).hexdigest()[:8] if text else ""


def _text_of_class(cls, describe):
    parts = []
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in LIBRARIES:
            continue
        for name, value in sorted(vars(base).items()):
            function = value.fget if isinstance(value, property) else value
            text = _text(inspect.unwrap(getattr(function, "__func__", function)), describe)
            if text:
                parts.append(f"{name}: {text}")
            elif isinstance(value, (bool, int, float, str)) and not name.startswith("__"):
                parts.append(f"{name}: {value!r}")
    return "\n".join(parts)


def _text(function, describe):
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function):
        return ""
    held = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    values = [function.__defaults__, function.__kwdefaults__, held]
    # A function that holds itself would be described for ever.
    texts = [_shallow(value, function, describe) for value in values]
    return "; ".join([_text_of_code(function.__code__), *texts])


def _is_filled(cell):
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _shallow(value, function, describe):
    if isinstance(value, list):
        value = [each for each in value if each is not function and not inspect.isclass(each)]
    return describe(value)


def _text_of_code(code):
    constants = [
        _text_of_code(constant)
        if inspect.iscode(constant)
        else repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)
        for constant in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def unfold_partial(thing):
    """Function and arguments of a :class:`functools.partial`, anything else as it is.

    Parameters
    ----------
    thing : object

    Returns
    -------
    thing : object
    """
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    return thing
