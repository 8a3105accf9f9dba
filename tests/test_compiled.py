"""Functions compiled by numba."""

import numpy as np

from glassclf._compilation import compiled


def total(values):
    """Sum of an array, by a loop."""
    result = 0.0
    for value in values:
        result += value
    return result


def test_compiled_once_and_the_same_result():
    values = np.arange(5.0)
    assert compiled(total) is compiled(total)
    assert compiled(total)(values) == total(values) == 10.0


def test_without_a_place_for_the_cache_it_is_compiled_all_the_same():
    # The code of a function that stands in no file has no place in any cache.
    names = {}
    exec("def double(x):\n    return 2 * x", names)
    assert compiled(names["double"])(21) == 42
