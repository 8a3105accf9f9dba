"""Memory that has been freed, and is used again."""

from functools import cache

import numpy as np

# The largest block, with its header, whose release raises the threshold of glibc.
N_BYTES = 32 * 2**20 - 2**13


@cache
def keep_freed_memory():
    """Let the process keep up to 64 MB of memory that it has freed, for its next arrays.

    By default glibc gives blocks of more than 128 kB back to the system at once. The next array of
    that size then takes new pages, which must be cleared and mapped one by one: up to a third of
    the time of a training or a search for neighbours. The release of one large block, of which no
    page was touched, is what raises that threshold (``M_MMAP_THRESHOLD`` in mallopt(3), which tells
    of the automatic adjustment). Elsewhere than on Linux with glibc nothing changes.
    """
    np.empty(N_BYTES, dtype=np.uint8)
