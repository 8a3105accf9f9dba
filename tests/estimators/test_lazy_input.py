"""Networks train on features that are computed batch by batch as on those in memory."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from glassclf.configurations import Configurations
from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer
from glassclf.testing import graded_disorder, two_phases

SMALL_CNN = {"n_filters": (4, 8), "max_epochs": 3, "random_state": 0}
SMALL_MPNN = {"hidden_size": 8, "n_layers": 2, "max_epochs": 3, "random_state": 0}
PIPELINES = [
    make_pipeline(ImageFeaturizer(8), CNNClassifier(**SMALL_CNN, early_stopping=True)),
    make_pipeline(ImageFeaturizer(8), CNNRegressor(**SMALL_CNN, validation_fraction=0.3)),
    make_pipeline(GraphFeaturizer(4), MPNNClassifier(**SMALL_MPNN, early_stopping=True)),
    make_pipeline(GraphFeaturizer(r_max=1.4), MPNNRegressor(**SMALL_MPNN)),
]


def task(pipeline, folder, n_runs=8):
    """Configurations in a file, targets and groups that suit a pipeline."""
    of_numbers = isinstance(pipeline[-1], (CNNRegressor, MPNNRegressor))
    X, y, groups = (graded_disorder if of_numbers else two_phases)(n_runs)
    X.save(folder / "set.safetensors")
    return Configurations.open(folder / "set.safetensors"), y, groups


def lazily(pipeline, **parameters):
    pipeline = clone(pipeline)
    pipeline[0].set_params(lazy=True, **parameters)
    return pipeline


def weights(model):
    return {name: tensor.numpy() for name, tensor in model[-1].net_.module_.state_dict().items()}


def assert_same_model(one, other, X):
    assert weights(one).keys() == weights(other).keys()
    for name, values in weights(one).items():
        np.testing.assert_array_equal(values, weights(other)[name], err_msg=name)
    for name in ("train_loss", "valid_score"):
        values = [model[-1].history_.get(name) for model in (one, other)]
        np.testing.assert_array_equal(*values, err_msg=name)
    method = "predict_proba" if hasattr(one, "predict_proba") else "predict"
    np.testing.assert_array_equal(getattr(one, method)(X), getattr(other, method)(X))


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_lazy_fit_has_the_weights_of_an_eager_one(pipeline, tmp_path):
    X, y, groups = task(pipeline, tmp_path)
    # Arrays carry no info, so that the runs of a validation split must be given.
    eager = clone(pipeline).fit(X, y, **{f"{pipeline.steps[-1][0]}__groups": groups})
    lazy = lazily(pipeline).fit(X, y)
    assert_same_model(lazy, eager, X)
    np.testing.assert_array_equal(lazy.transform(X), eager.transform(X))
    cached = lazily(pipeline, cache=tmp_path / "cache")
    assert_same_model(cached.fit(X, y), eager, X)
    assert_same_model(clone(cached).fit(Configurations(X), y), eager, X)


def test_more_graphs_than_the_distances_are_learned_from():
    X, y, _ = two_phases(n_runs=60)
    pipeline = make_pipeline(GraphFeaturizer(4), MPNNClassifier(**{**SMALL_MPNN, "max_epochs": 1}))
    assert len(X) > 100
    assert_same_model(lazily(pipeline).fit(X, y), clone(pipeline).fit(X, y), X[:3])


@pytest.mark.parametrize("pipeline", PIPELINES[::2])
def test_a_store_goes_through_searches_and_processes(pipeline, tmp_path):
    X, y, groups = task(pipeline, tmp_path)
    settings = {"groups": groups, "cv": GroupKFold(2), "error_score": "raise"}
    pipeline, scores = clone(pipeline), []
    pipeline[-1].set_params(early_stopping=False)
    lazy = lazily(pipeline, cache=tmp_path / "cache")
    features = lazily(pipeline)[0].fit_transform(X)
    for estimator, samples in ((pipeline, X), (lazy, X), (pipeline[-1], features)):
        scores.append(cross_validate(estimator, samples, y, n_jobs=2, **settings)["test_score"])
    np.testing.assert_array_equal(scores, [scores[0]] * 3)
    search = GridSearchCV(pipeline[-1], {"lr": [1e-3, 1e-2]}, cv=GroupKFold(2), n_jobs=2)
    search.fit(features, y, groups=groups)
    assert search.predict(features[::4]).shape == (4,)


@pytest.mark.parametrize("pipeline", PIPELINES[::2])
def test_a_lazy_fit_goes_on_from_its_checkpoint(pipeline, tmp_path):
    X, y, _ = task(pipeline, tmp_path)
    whole = lazily(pipeline).fit(X, y)
    folder = tmp_path / "checkpoint"
    pipeline = lazily(pipeline)
    pipeline[-1].set_params(checkpoint=folder, max_epochs=1, early_stopping=False)
    pipeline[-1].set_params(validation_fraction=0.2)
    whole[-1].set_params(early_stopping=False, validation_fraction=0.2)
    whole.fit(X, y)
    pipeline.fit(X, y)
    pipeline[-1].set_params(max_epochs=3)
    assert_same_model(pipeline.fit(X, y), whole, X)
    with pytest.raises(ValueError, match="X"):
        pipeline.fit(X[::-1], y)


def test_lazy_sequences_are_checked_as_arrays_and_graphs_are(tmp_path):
    X, y, _ = two_phases()
    images = ImageFeaturizer(8, lazy=True).fit_transform(X)
    graphs = GraphFeaturizer(4, lazy=True).fit_transform(X)
    cnn = CNNClassifier(**SMALL_CNN).fit(images, y)
    assert cnn.n_features_in_ == 2
    mpnn = MPNNClassifier(**SMALL_MPNN).fit(graphs, y)
    assert mpnn.types_.tolist() == [0, 1]
    with pytest.raises(TypeError, match="CNNClassifier takes arrays, got LazyGraphs"):
        cnn.fit(graphs, y)
    with pytest.raises(TypeError, match="MPNNClassifier takes Graphs, got LazyImages"):
        mpnn.fit(images, y)
    with pytest.raises(ValueError, match="X is empty: expected at least one image"):
        cnn.predict(images[:0])
    with pytest.raises(ValueError, match="X is empty: expected at least one graph"):
        mpnn.predict(graphs[:0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cnn.fit(images, y[1:])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mpnn.fit(graphs, y[1:])
    solid = two_phases(n_dims=3)[0]
    with pytest.raises(ValueError, match="X has 3 spatial axes, CNNClassifier was fitted on 2"):
        cnn.predict(ImageFeaturizer(8, lazy=True).fit_transform(solid))
    with pytest.raises(ValueError, match="X holds 3D graphs, MPNNClassifier was fitted on 2D"):
        mpnn.predict(GraphFeaturizer(4, lazy=True).fit_transform(solid))
    other = Configurations(X)
    other.types = other.types + 1
    with pytest.raises(ValueError, match="X has particles of type 2, which fit never saw"):
        mpnn.predict(GraphFeaturizer(4, lazy=True).fit_transform(other))
    one_type = Configurations(X)
    one_type.types = other.types * 0
    with pytest.raises(ValueError, match="X has 1 channels|X has 1 features, but"):
        cnn.predict(ImageFeaturizer(8, lazy=True).fit_transform(one_type))
    with pytest.raises(ValueError, match="needs at least .* pixels"):
        CNNClassifier(kernel_size=7).fit(ImageFeaturizer(4, lazy=True).fit_transform(X), y)
