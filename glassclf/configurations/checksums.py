"""A checksum of arrays and texts, which tells whether a file holds what was written."""

import hashlib

import numpy as np


def checksum_of(arrays, texts=None):
    """Checksum of the content of a file.

    It finds accidents: whoever changes a file on purpose can change the checksum, too.

    Parameters
    ----------
    arrays : dict of ndarray
        C-contiguous.
    texts : dict of str, default=None
        What the file holds beside the arrays.

    Returns
    -------
    checksum : str
        64 hexadecimal digits, which depend neither on the order of the arrays nor of the texts.
    """
    checksum = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        checksum.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        checksum.update(array.reshape(-1).view(np.uint8).data)
    for name, text in sorted((texts or {}).items()):
        content = text.encode(errors="surrogatepass")
        checksum.update(f"{name} {len(content)} ".encode())
        checksum.update(content)
    return checksum.hexdigest()
