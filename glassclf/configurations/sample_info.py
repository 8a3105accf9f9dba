"""Facts about the samples of a set, one value for each, checked when they are set."""

import numpy as np


class SampleInfo(dict):
    """Dict of arrays with one value for each sample of a set.

    A value of another length would otherwise be sliced in silence, and pair samples with the facts
    of others.

    Parameters
    ----------
    n_samples : int
        How many samples the set has.
    values : mapping of str to array-like of shape (n_samples, ...), default=None
        Arrays are kept without a copy, everything else becomes an array.

    Raises
    ------
    ValueError
        If a value is single, has another length or mixes strings with others, here and wherever
        one is set later.
    TypeError
        If ``values`` is no mapping.

    Examples
    --------
    >>> from glassclf.configurations.sample_info import SampleInfo
    >>> info = SampleInfo(2, {"run": ["a", "b"]})
    >>> info["temperature"] = [0.5, 1.0]
    >>> info["temperature"].mean().item()
    0.75
    >>> info["run"] = ["a", "b", "c"]
    Traceback (most recent call last):
    ValueError: info['run'] must have one value for each of the 2 configurations, got 3
    """

    def __init__(self, n_samples, values=None):
        if values is not None and not hasattr(values, "keys"):
            raise TypeError(f"info must be a dict or None, got {type(values).__name__}")
        super().__init__()
        self.n_samples = n_samples
        self.update(values if values is not None else {})

    def __setitem__(self, name, values):
        super().__setitem__(name, self._checked(name, values))

    def update(self, *args, **kwargs):
        """Set several values, or none if one of them is refused."""
        new = dict(*args, **kwargs)
        super().update({name: self._checked(name, values) for name, values in new.items()})

    def __ior__(self, other):
        self.update(other)
        return self

    def setdefault(self, name, default=None):
        """Return the values of that name, set to ``default`` where there are none."""
        if name not in self:
            self[name] = default
        return self[name]

    def __reduce__(self):
        # Through the constructor: unpickling would set items before the number of samples is known.
        return type(self), (self.n_samples, dict(self))

    def _checked(self, name, values):
        array = values if isinstance(values, np.ndarray) else stack_values(name, values)
        if array.ndim and len(array) == self.n_samples:
            return array
        got = f"{len(array)}" if array.ndim else f"the single value {values!r}"
        if np.isscalar(values):
            got += f"; np.full({self.n_samples}, {values!r}) repeats it"
        raise ValueError(
            f"info[{name!r}] must have one value for each of the {self.n_samples} configurations, "
            f"got {got}"
        )


def stack_values(name, values):
    """Make an array of the values of each sample, which must go together.

    Parameters
    ----------
    name : str
        Name of the values, for the message.
    values : sequence of array-like
        One value for each sample.

    Returns
    -------
    stacked : ndarray of shape (n_samples, ...)

    Raises
    ------
    ValueError
        If the values have several shapes, or some are strings and others are not.
    """
    try:
        stacked = np.array(values)
    except ValueError as error:
        raise ValueError(f"info[{name!r}] must have one shape in all configurations") from error
    if stacked.ndim and stacked.dtype.kind in "US":
        # NumPy turns what stands beside a string into one: 1 into "1".
        for index, value in enumerate(values):
            if _is_text(value) != _is_text(values[0]):
                raise ValueError(
                    f"info[{name!r}] mixes strings with others, got "
                    f"{np.asarray(value).tolist()!r} for configuration {index}: make all strings "
                    "or all numbers"
                )
    return stacked


def _is_text(value):
    return np.asarray(value).dtype.kind in "US"
