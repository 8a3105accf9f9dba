"""Compare what estimators return: arrays, data frames, or containers such as Graphs."""

import numpy as np

from glassclf.configurations.packing import PackedSet

# Networks compute in single precision, and sums over a batch change their order.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def assert_equal(actual, expected, what):
    """Fail unless two outputs are equal bit for bit, with NaN equal to NaN.

    Parameters
    ----------
    actual, expected : ndarray, list or object with attributes
    what : str
        Begins the message, such as ``"transform of a list"``.
    """
    _compare(actual, expected, what, _equal_arrays)


def assert_close(actual, expected, what):
    """Fail unless two outputs are equal within single precision.

    Parameters
    ----------
    actual, expected : ndarray, list or object with attributes
    what : str
        Begins the message.
    """
    _compare(actual, expected, what, _close_arrays)


def _compare(actual, expected, what, compare_arrays):
    if isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected), f"{what}: {len(actual)} items, not {len(expected)}"
        for index, (one, other) in enumerate(zip(actual, expected)):
            _compare(one, other, f"{what}, item {index}", compare_arrays)
    elif isinstance(expected, dict):
        assert set(actual) == set(expected), f"{what}: keys {sorted(actual)}, {sorted(expected)}"
        for name in expected:
            _compare(actual[name], expected[name], f"{what}, {name}", compare_arrays)
    elif _is_container(expected):
        assert type(actual) is type(expected), (
            f"{what}: {type(actual).__name__}, not {type(expected).__name__}"
        )
        _compare(vars(actual), vars(expected), what, compare_arrays)
    else:
        compare_arrays(np.asarray(actual), np.asarray(expected), what)


def _is_container(output):
    if isinstance(output, PackedSet):
        return True
    return hasattr(output, "__dict__") and not hasattr(output, "__array__")


def _equal_arrays(actual, expected, what):
    _same_shape(actual, expected, what)
    numbers = actual.dtype.kind in "fc" and expected.dtype.kind in "fc"
    equal = np.array_equal(actual, expected, equal_nan=numbers)
    assert equal, f"{what}: values differ{_largest_difference(actual, expected)}"


def _close_arrays(actual, expected, what):
    _same_shape(actual, expected, what)
    if actual.dtype.kind in "fc" and expected.dtype.kind in "fc":
        close = np.allclose(actual, expected, equal_nan=True, **CLOSE)
        assert close, f"{what}: values differ{_largest_difference(actual, expected)}"
    else:
        _equal_arrays(actual, expected, what)


def _same_shape(actual, expected, what):
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}"


def _largest_difference(actual, expected):
    if actual.dtype.kind not in "fiu" or expected.dtype.kind not in "fiu" or actual.size == 0:
        return ""
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    return f" by up to {np.nanmax(difference):.3g}"


def all_bytes(*values):
    """Give the bytes of every array in the values, to tell later whether one was written to.

    Parameters
    ----------
    *values : ndarray, Configurations or None

    Returns
    -------
    contents : list of bytes
    """
    contents = []
    for value in values:
        if isinstance(value, dict):
            contents.extend(all_bytes(*value.values()))
        elif _is_container(value):
            contents.extend(all_bytes(vars(value)))
        else:
            contents.append(np.ascontiguousarray(value).tobytes())
    return contents
