"""Predictions of whole fields are those of each point."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline, make_union

from glassclf.configurations import FieldPoints
from glassclf.datasets import make_ionized_field
from glassclf.estimators import CNNRegressor
from glassclf.featurizers import NeighborhoodFeaturizer, ShellAverageFeaturizer
from glassclf.inspection import predict_field

SHAPE = (20, 18, 17)
DATA = make_ionized_field(SHAPE, r_max=4, fraction=0.2, random_state=0, verbose=0)
FIELDS = [DATA.density, DATA.sources]
POINTS = np.random.default_rng(0).integers(0, SHAPE, (300, 3))
TARGET = DATA.ionized[tuple(POINTS.T)]
EVERYWHERE = np.argwhere(np.ones(SHAPE))
NETWORK = CNNRegressor(
    architecture="pyramid",
    n_filters=(4, 6),
    bounds=(0, 1),
    max_epochs=2,
    random_state=0,
)


def points(where, periodic=True, **info):
    return FieldPoints(FIELDS, where, periodic, info)


def network_on(featurizer, n_levels, n_scalars=0):
    network = NETWORK.__sklearn_clone__().set_params(n_levels=n_levels, n_scalars=n_scalars)
    return make_pipeline(featurizer, network)


MODELS = {
    "one level": lambda: network_on(NeighborhoodFeaturizer(5), 1),
    "levels": lambda: network_on(NeighborhoodFeaturizer(5, (1, 3)), 2),
    "shells as scalars": lambda: network_on(NeighborhoodFeaturizer(5, (3,), radii=(0, 2, 4)), 1, 6),
    "boosting": lambda: make_pipeline(
        ShellAverageFeaturizer((0, 1, 2, 4)), HistGradientBoostingRegressor(random_state=0)
    ),
    "union": lambda: make_pipeline(
        make_union(ShellAverageFeaturizer((0, 1)), ShellAverageFeaturizer((2, 4))),
        LinearRegression(),
    ),
    "blocks": lambda: make_pipeline(
        NeighborhoodFeaturizer(5), CNNRegressor(n_filters=(4,), max_epochs=1, random_state=0)
    ),
}


@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_a_whole_field_is_what_its_points_are(name, periodic):
    model = MODELS[name]().fit(points(POINTS, periodic), TARGET)
    expected = model.predict(points(EVERYWHERE, periodic)).reshape(SHAPE)
    assert np.ptp(expected) > 0.01
    for tile in (7, 32):
        found = predict_field(model, FIELDS, periodic=periodic, tile=tile)
        same = np.abs(found - expected) <= 1e-5
        # A tree decides otherwise where rounding puts a feature beyond its threshold.
        assert same.mean() > 0.999 if name == "boosting" else same.all()


def test_flat_fields_are_predicted_too():
    field = np.random.default_rng(2).random((1, 19, 23))
    where = np.argwhere(field[0] > 0.7)
    X = FieldPoints(field, where)
    model = network_on(NeighborhoodFeaturizer(5, (1, 3)), 2).fit(X, field[0][tuple(where.T)])
    everywhere = FieldPoints(field, np.argwhere(np.ones((19, 23))))
    expected = model.predict(everywhere).reshape(19, 23)
    np.testing.assert_allclose(predict_field(model, field, tile=8), expected, atol=1e-5)


def test_scalars_are_numbers_or_fields():
    z = np.random.default_rng(1).random(SHAPE)
    featurizer = NeighborhoodFeaturizer(5, scalars=("z", "time"))
    X = points(POINTS, z=z[tuple(POINTS.T)], time=np.linspace(0, 1, 300))
    model = network_on(featurizer, 1, 2).fit(X, TARGET)
    everywhere = points(EVERYWHERE, z=z.ravel(), time=np.full(z.size, 0.3))
    expected = model.predict(everywhere).reshape(SHAPE)
    found = predict_field(model, FIELDS, info={"z": z, "time": 0.3}, tile=9)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"info\['z'\] must be one number or a field of shape"):
        predict_field(model, FIELDS, info={"z": z[0], "time": 0.3})
    with pytest.raises(ValueError, match="X.info has no 'time'"):
        predict_field(model, FIELDS, info={"z": z})


def test_mapped_fields_are_read_and_written_tile_by_tile(tmp_path, capsys):
    for name, field in zip("ab", FIELDS):
        np.save(tmp_path / f"{name}.npy", field)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ab"]
    model = MODELS["levels"]().fit(points(POINTS), TARGET)
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.float32, SHAPE)
    assert predict_field(model, mapped, tile=9, out=out, verbose=1) is out
    assert "tiles" in capsys.readouterr().err
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), predict_field(model, FIELDS), atol=1e-5
    )


def test_what_cannot_be_predicted_is_refused():
    model = MODELS["boosting"]().fit(points(POINTS), TARGET)
    with pytest.raises(TypeError, match="takes a fitted pipeline with a NeighborhoodFeaturizer"):
        predict_field(LinearRegression(), FIELDS)
    for tile in (0, 2.5, True):
        with pytest.raises(ValueError, match=f"tile must be an integer of at least 1, got {tile}"):
            predict_field(model, FIELDS, tile=tile)
    with pytest.raises(ValueError, match="out must be an array of floats of shape"):
        predict_field(model, FIELDS, out=np.zeros((2, 2, 2)))


def test_where_the_result_cannot_go_is_refused():
    model = MODELS["levels"]().fit(points(POINTS), TARGET)
    fixed = np.empty(SHAPE, np.float32)
    fixed.flags.writeable = False
    fields = np.array(FIELDS, dtype=np.float64)
    for out, words in (
        (np.empty(SHAPE, int), "out must be an array of floats of shape"),
        ([1], r"out must be an array of floats of shape .* got \[1\]"),
        (fixed, "out must be writeable, got a read-only array"),
        (fields[0], "out must be none of the fields"),
    ):
        with pytest.raises(ValueError, match=words):
            predict_field(model, fields, out=out)


def test_an_estimator_must_be_fitted_and_predict_one_number():
    with pytest.raises(NotFittedError):
        predict_field(MODELS["levels"](), FIELDS)
    model = make_pipeline(ShellAverageFeaturizer((0, 1)), LinearRegression())
    model.fit(points(POINTS), np.stack([TARGET, TARGET], 1))
    with pytest.raises(ValueError, match="predicts one number for each cell, got float64 of sha"):
        predict_field(model, FIELDS)
    small = [field[:4, :4, :4] for field in FIELDS]
    with pytest.raises(ValueError, match="more than fields of shape|have room for"):
        predict_field(MODELS["levels"]().fit(points(POINTS), TARGET), small)
