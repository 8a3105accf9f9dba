"""Functions compiled to machine code when they are first called."""

from functools import cache


@cache
def compiled(function):
    """Compile a function of arrays and numbers, or take it from the cache on disk.

    Parameters
    ----------
    function : callable
        In the part of Python that numba compiles; it calls no other function of the package.

    Returns
    -------
    fast : callable
        Does the same. The first call in a process takes a second or so more where the cache is
        empty, and some milliseconds where it is not.
    """
    # A third of a second, for those who search for no neighbours.
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # No folder can be written to, neither beside the package nor for the user.
        return numba.njit(nogil=True)(function)
