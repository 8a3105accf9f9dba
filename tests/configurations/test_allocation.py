"""Memory that has been freed is not given back to the system at once."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from glassclf.configurations import Configuration, nearest_neighbors

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        np.ones((4, 250_000))
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
nearest_neighbors(Configuration([[0.5, 0.5], [1.0, 0.5]], [0, 0], [4.0, 4.0]), 1)
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a matter of glibc")
def test_arrays_after_a_search_take_no_new_pages():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    before, after = map(int, run.stdout.split())
    assert after < before / 10
