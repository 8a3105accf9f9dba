"""Predictions at every cell of a field, tile by tile."""

from itertools import product

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from glassclf.configurations import FieldPoints
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import NeighborhoodFeaturizer
from glassclf.featurizers.field_base import FieldFeaturizer
from glassclf.inspection.subject import unrolled
from glassclf.networks import PyramidNetwork


def predict_field(estimator, fields, *, periodic=True, info=None, tile=64, out=None, verbose=0):
    """Predict the value of every cell, in bounded memory.

    Parameters
    ----------
    estimator : Pipeline
        Fitted on :class:`~glassclf.configurations.FieldPoints`, with a
        :class:`~glassclf.featurizers.NeighborhoodFeaturizer` or
        :class:`~glassclf.featurizers.ShellAverageFeaturizer` in it.
    fields : array-like of shape (n_fields, n_0, n_1[, n_2]), or list of arrays of one shape
        As those of fit; may be mapped from files.
    periodic : bool, default=True
        Whether the fields go on beyond their borders.
    info : dict, default=None
        Scalars that the estimator was trained with, by name: one number for all cells, or a field
        of the same shape.
    tile : int, default=64
        Side of the tiles in cells. Larger ones are faster and take more memory.
    out : ndarray of float of the shape of a field, default=None
        Where to write, such as an array mapped from a file, but none of the fields. None: a new
        array of float32.
    verbose : int, default=0
        1 shows a progress bar over the tiles, 0 nothing.

    Returns
    -------
    predicted : ndarray of the shape of a field

    Raises
    ------
    TypeError
        If the estimator does not read fields.
    ValueError
        If ``tile``, ``out`` or ``info`` is not valid.

    Notes
    -----
    Each tile is cut out with as much around it as its cells depend on, so that its values are those
    of ``estimator.predict`` for each point: within 1e-5 for a network, while a tree may decide
    otherwise for a cell in ten thousand, where rounding puts a feature beyond its threshold. A
    :class:`~glassclf.estimators.CNNRegressor` of ``architecture="pyramid"`` behind a
    :class:`~glassclf.featurizers.NeighborhoodFeaturizer` slides its kernels over the tile, without
    a cube for each point.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from glassclf.configurations import FieldPoints, sample_points
    >>> from glassclf.featurizers import ShellAverageFeaturizer
    >>> from glassclf.inspection import predict_field
    >>> field = np.random.default_rng(0).random((12, 12, 12))
    >>> points, _ = sample_points(field, 50, random_state=0)
    >>> model = make_pipeline(ShellAverageFeaturizer(radii=(0, 1)), LinearRegression())
    >>> model = model.fit(FieldPoints([field], points), field[tuple(points.T)])
    >>> np.allclose(predict_field(model, [field], tile=8), field, atol=1e-6)
    True
    """
    steps = _steps(estimator)
    readers = [step for step in steps if isinstance(step, FieldFeaturizer)]
    if not readers:
        raise TypeError(
            "predict_field takes a fitted pipeline with a NeighborhoodFeaturizer or a "
            f"ShellAverageFeaturizer, got {type(estimator).__name__}"
        )
    if not isinstance(tile, (int, np.integer)) or isinstance(tile, bool) or tile < 1:
        raise ValueError(f"tile must be an integer of at least 1, got {tile!r}")
    whole = FieldPoints(fields, np.zeros((1, np.ndim(fields[0])), dtype=int), periodic)
    shape, reach = whole.field_shape, max(reader._reach for reader in readers)
    info = _checked_info(info, shape)
    out = np.empty(shape, dtype=np.float32) if out is None else _checked_out(out, whole)
    check_is_fitted(estimator)
    whole.info = {name: np.reshape(values, -1)[:1] for name, values in info.items()}
    for reader in readers:
        reader._check(whole)
    predict = _SlidingNetwork(*steps) if _slides(steps) else estimator.predict
    corners = list(product(*(range(0, n, tile) for n in shape)))
    for corner in tqdm(corners, desc="tiles", unit="tile", disable=not verbose):
        sides = [(start, min(start + tile, n)) for start, n in zip(corner, shape)]
        out[tuple(slice(*side) for side in sides)] = _predict_tile(
            predict, whole, sides, reach, info
        )
    return out


def _steps(estimator):
    """All steps of an estimator, those of unions of features among them."""
    steps = []
    for step in unrolled(estimator):
        parts = [part for _, part in getattr(step, "transformer_list", ())]
        steps += [inner for part in parts for inner in _steps(part)] or [step]
    return steps


def _slides(steps):
    if len(steps) != 2 or not isinstance(steps[0], NeighborhoodFeaturizer):
        return False
    network = steps[1]
    return isinstance(network, CNNRegressor) and isinstance(network.net_.module_, PyramidNetwork)


def _checked_out(out, whole):
    shape = whole.field_shape
    if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype.kind != "f":
        kind = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else repr(out)
        raise ValueError(f"out must be an array of floats of shape {shape}, got {kind}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
    if any(np.shares_memory(out, field) for field in whole.fields):
        raise ValueError("out must be none of the fields: they are read until the last tile")
    return out


def _checked_info(info, shape):
    checked = {}
    for name, values in (info or {}).items():
        values = np.asanyarray(values)
        if values.ndim and values.shape != shape:
            raise ValueError(
                f"info[{name!r}] must be one number or a field of shape {shape}, got shape "
                f"{values.shape}"
            )
        checked[name] = values
    return checked


def _predict_tile(predict, whole, sides, reach, info):
    """Predict the cells of a tile, cut out with its surroundings."""
    places = [_places(*side, reach, n, whole.periodic) for side, n in zip(sides, whole.field_shape)]
    window = np.ix_(*(cells for cells, _ in places))
    firsts = [first for _, first in places]
    inner = tuple(slice(*side) for side in sides)
    extent = [end - start for start, end in sides]
    points = np.indices(extent).reshape(len(extent), -1).T + firsts
    values = {
        name: np.full(len(points), each) if each.ndim == 0 else each[inner].reshape(-1)
        for name, each in info.items()
    }
    # The window ends where the field does, or so far out that it does not matter what follows.
    X = FieldPoints([field[window] for field in whole.fields], points, whole.periodic, values)
    found = np.asarray(predict(X))
    if found.shape != (len(X),) or found.dtype.kind not in "biuf":
        raise ValueError(
            "predict_field needs an estimator that predicts one number for each cell, got "
            f"{found.dtype} of shape {found.shape} for {len(X)} cells"
        )
    return found.reshape(extent)


def _places(start, end, reach, n, periodic):
    """Cells of a window around a side of a tile, and where the tile begins in it."""
    if periodic:
        return np.arange(start - reach, end + reach) % n, reach
    # As wide as any: cubes must fit into it at the borders, too.
    width = min(n, end - start + 2 * reach)
    first = min(max(0, start - reach), n - width)
    return np.arange(first, first + width), start - first


class _SlidingNetwork:
    """A network whose kernels slide over a tile, in place of ``predict``."""

    def __init__(self, featurizer, network):
        self.featurizer, self.network = featurizer, network
        self.module = network.net_.module_.eval()
        self.device = network.net_.device

    def __call__(self, X):
        featurizer = self.featurizer
        table = featurizer._table(featurizer._checked(X))
        low, high = X.points[0], X.points[-1] + 1
        levels = []
        for stride in featurizer.strides:
            half = featurizer.size // 2 * stride
            fields = X.coarse(stride, half)
            if stride == 1:
                fields = [np.pad(field.astype(np.float32), half) for field in fields]
            part = tuple(slice(first, last + 2 * half) for first, last in zip(low, high))
            cut = [field[part] for field in fields]
            levels.append(torch.from_numpy(np.stack(cut)).to(self.device))
        with torch.inference_mode():
            scalars = torch.from_numpy(table).to(self.device)
            outputs = self.module.evaluate_fields(levels, featurizer.strides, scalars)
        return self.network._decode_outputs(outputs.cpu().numpy())
