"""Numbers in columns of text: parsed fast, and with the line named where they are not."""

import gzip
import warnings
import zlib

import numpy as np


def read_bytes(path, size=-1):
    """Content of a file, decompressed if it is gzipped.

    Parameters
    ----------
    path : str or path-like
    size : int, default=-1
        Only so many bytes from the start; -1 reads all.

    Returns
    -------
    content : bytes

    Raises
    ------
    ValueError
        If the compressed data are damaged or end too early.
    """
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not compressed:
            return file.read(size)
        try:
            return gzip.GzipFile(fileobj=file).read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: the compressed data are truncated or damaged") from error


def read_lines(path, warn_if_cut=False):
    """All lines of a text file, gzipped or not.

    Parameters
    ----------
    path : str or path-like
    warn_if_cut : bool, default=False
        Warn if the last line has no end. Programs end every line, people do not.

    Returns
    -------
    lines : list of str

    Raises
    ------
    ValueError
        If the file is not text, or its compressed data are damaged.
    """
    try:
        # Not splitlines, which also breaks at characters that a comment line may hold.
        lines = read_bytes(path).decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file") from error
    if not lines[-1]:
        return lines[:-1]
    if warn_if_cut:
        warnings.warn(
            f"{path} does not end with a newline: its last value may be cut", stacklevel=2
        )
    return lines


def open_text(path):
    """Open a text file for writing; one named ``.gz`` is compressed.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    file : text file
    """
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="\n")
    return open(path, "w", encoding="utf-8", newline="\n")


def format_rows(template, table):
    """Write a table as text, all rows at once.

    Parameters
    ----------
    template : str
        One row, in the form of Python's ``%`` operator. ``%r`` keeps every digit of a float.
    table : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    text : str

    Examples
    --------
    >>> import numpy as np
    >>> from glassclf.configurations.text_columns import format_rows
    >>> format_rows("%d:%r;", np.array([[1, 0.5], [2, 0.1]]))
    '1:0.5;2:0.1;'
    """
    return (template * len(table)) % tuple(table.ravel().tolist())


class Rows:
    """Rows of equally many columns in a text file.

    Parameters
    ----------
    lines : list of str
        All lines of the file.
    start, stop : int
        The rows stand in ``lines[start:stop]``.
    n_columns : int
        Columns that each row must have.
    path : path-like
        Named in errors.

    Raises
    ------
    ValueError
        With file name and line number, if the file ends too early or a row has more or fewer
        columns.
    """

    def __init__(self, lines, start, stop, n_columns, path):
        self.lines, self.start, self.n_columns, self.path = lines, start, n_columns, path
        if stop > len(lines):
            raise ValueError(
                f"{path}, line {len(lines)}: the file is truncated, rows up to line {stop} were "
                "announced"
            )
        self.rows = lines[start:stop]
        self.tokens = " ".join(self.rows).split()
        if len(self.tokens) != n_columns * (stop - start):
            lengths = [len(row.split()) for row in self.rows]
            bad = next(index for index, length in enumerate(lengths) if length != n_columns)
            raise ValueError(
                f"{self.place(bad)}: expected {n_columns} columns, got {lengths[bad]}: "
                f"{self.rows[bad][:60]!r}"
            )

    def place(self, row):
        """File and line of a row, for errors."""
        return f"{self.path}, line {self.start + row + 1}"

    def words(self, column):
        """One column as it is written, list of str."""
        return self.tokens[column :: self.n_columns]

    def floats(self, columns):
        """Some columns as finite numbers, float64 of shape (n_rows, len(columns))."""
        return np.column_stack([self._numbers(column, float) for column in columns])

    def integers(self, column):
        """One column as integers, int64 of shape (n_rows,)."""
        return self._numbers(column, int)

    def _numbers(self, column, kind):
        words = self.words(column)
        try:
            numbers = np.array(list(map(kind, words)), dtype=np.dtype(kind))
            if np.isfinite(numbers).all():
                return numbers
        except (ValueError, OverflowError):
            pass
        bad = next(row for row, word in enumerate(words) if not _is_finite(word, kind))
        name = "an integer" if kind is int else "a finite number"
        raise ValueError(f"{self.place(bad)}: expected {name}, got {words[bad]!r}")


def _is_finite(word, kind):
    try:
        return bool(np.isfinite(np.array(kind(word), dtype=np.dtype(kind))))
    except (ValueError, OverflowError):
        return False
