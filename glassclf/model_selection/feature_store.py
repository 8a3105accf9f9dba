"""Features that the trials of a search share, computed once and kept on disk."""

import os
import shutil
import tempfile
import uuid

import joblib
from joblib import Memory
from joblib.disk import memstr_to_bytes
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from glassclf.estimators.fingerprint import describe
from glassclf.featurizers import ConfigurationFeaturizer
from glassclf.featurizers.cache import cache_folder


class FeatureStore:
    """The featurizers at the beginning of a pipeline, run once for each setting of theirs.

    A featurizer is fitted on the training part of a fold, as ever, but its features of all samples
    are then computed at once, and found again by every other fold and trial in which it has learned
    the same: features of one configuration do not depend on the others.

    Several processes may use one folder at a time: joblib writes a file under another name first,
    and features that another process has thrown out are computed again.

    Parameters
    ----------
    folder : str or path-like, default=None
        Where features are kept. None: a temporary folder, which :meth:`close` removes.
    max_bytes : int or str
        Size at which the features that were not used for longest are thrown out, as in
        :meth:`joblib.Memory.reduce_size`.
    data : str
        Digits that stand for the samples.
    """

    def __init__(self, folder, max_bytes, data):
        self.folder, self.max_bytes, self.data = folder, max_bytes, data
        if isinstance(max_bytes, str):
            _check_size(max_bytes)
        self._own = folder is None
        if not self._own:
            self.folder = str(cache_folder(folder))
        if self._own:
            # Made when there are features to keep.
            name = f"glassclf-features-{uuid.uuid4().hex}"
            self.folder = os.path.join(tempfile.gettempdir(), name)

    def split(self, pipeline):
        """Separate what computes features from what learns on them.

        Parameters
        ----------
        pipeline : estimator

        Returns
        -------
        head : list of transformer
            Steps up to the last one that a featurizer is in, the last step of all left out; those
            of nested pipelines one by one.
        tail : estimator
            A pipeline of the other steps; an estimator that is no pipeline is all tail.
        """
        if not isinstance(pipeline, Pipeline):
            return [], pipeline
        name, end = pipeline.steps[-1]
        inner, rest = self.split(end)
        if inner:
            # Names stay, as parameters of fit go by them.
            return [*_unrolled(pipeline.steps[:-1]), *inner], Pipeline([(name, rest)])
        last = max(
            (place for place, (_, step) in enumerate(pipeline.steps[:-1]) if _featurizes(step)),
            default=-1,
        )
        return _unrolled(pipeline.steps[: last + 1]), pipeline[last + 1 :]

    def compute(self, head, X, y, train):
        """Compute the features of all samples, or find them.

        Parameters
        ----------
        head : list of transformer
            They are not changed.
        X, y : object
            All samples, and their targets.
        train : ndarray of int
            Rows that the steps are fitted on.

        Returns
        -------
        features : object
            Behind the last step of the head, one row for each sample; not to be changed.
        """
        key = self.data
        y_train = None if y is None else _safe_indexing(y, train)
        for step in head:
            step = clone(step).fit(_safe_indexing(X, train), y_train)
            key = joblib.hash([key, step, _code_of(step)])
            if getattr(step, "lazy", False):
                # Nothing is computed yet, and its own parameter ``cache`` keeps what will be.
                X = step.transform(X)
            else:
                X = self._memory.cache(_transform, ignore=["step", "X"])(step, X, key)
        return X

    @property
    def _memory(self):
        # Read-only maps: processes share them, and a file that is thrown out stays as long as it is
        # mapped.
        return Memory(self.folder, mmap_mode="r", verbose=0)

    def shrink(self):
        """Throw out what is over the limit."""
        if os.path.isdir(self.folder):
            self._memory.reduce_size(bytes_limit=self.max_bytes)

    def close(self):
        """Remove a temporary folder."""
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)


def _check_size(text):
    try:
        n_bytes = memstr_to_bytes(text)
    except (IndexError, ValueError):
        n_bytes = 0
    if n_bytes < 1:
        raise ValueError(
            f'cache_size must be a number of bytes, or a text such as "500M" or "4G", got {text!r}'
        )


def _unrolled(steps):
    """Steps one by one, those of nested pipelines too: each is computed by itself."""
    single = []
    for _, step in steps:
        if isinstance(step, Pipeline):
            single += _unrolled(step.steps)
        elif step not in (None, "passthrough"):
            single.append(step)
    return single


def _code_of(step):
    """Names of the classes in a step, those of a user with the digits of their code."""
    parts = [step, *step.get_params(deep=True).values()]
    return sorted({describe(type(part)) for part in parts if hasattr(part, "get_params")})


def _featurizes(step):
    """Whether a step is a featurizer, or holds one, such as a union of several."""
    parts = step.get_params(deep=True).values() if hasattr(step, "get_params") else ()
    return any(isinstance(part, ConfigurationFeaturizer) for part in (step, *parts))


def _transform(step, X, key):
    return step.transform(X)
