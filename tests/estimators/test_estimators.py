"""What a user of the four estimators relies on."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)


def samples_for(estimator, images, graphs):
    return images if isinstance(estimator, (CNNClassifier, CNNRegressor)) else graphs


def numbers(y):
    return np.where(y == y[0], 3.0, -2.0)


def targets_for(estimator, y):
    return y if is_classifier(estimator) else numbers(y)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "at_least"), [(CNNClassifier(), 58), (CNNRegressor(), 55)], ids=repr
)
def test_check_estimator(estimator, at_least):
    reason = "mini-batch SGD: a sample of weight 2 is not the sample twice"
    results = check_estimator(
        estimator,
        on_fail=None,
        on_skip=None,
        expected_failed_checks={"check_sample_weight_equivalence_on_dense_data": reason},
    )
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= at_least


def test_tags():
    assert is_classifier(CNNClassifier())
    assert is_classifier(MPNNClassifier())
    assert is_regressor(CNNRegressor())
    assert is_regressor(MPNNRegressor())


def test_classifier_learns(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    classifier.set_params(max_epochs=30).fit(X, y)
    assert classifier.score(X, y) == 1.0
    proba = classifier.predict_proba(X)
    assert proba.dtype == np.float64
    assert proba.shape == (len(y), 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-12)
    assert classifier.classes_.tolist() == sorted(set(y))
    assert (classifier.classes_[proba.argmax(axis=1)] == classifier.predict(X)).all()


def test_regressor_learns_in_any_unit(regressor, images, graphs):
    X, y = samples_for(regressor, images, graphs)
    y = 1e6 + 1e3 * numbers(y)
    regressor.set_params(max_epochs=30).fit(X, y)
    assert regressor.predict(X).shape == y.shape
    assert regressor.score(X, y) > 0.9


def test_several_targets(regressor, images, graphs):
    X, y = samples_for(regressor, images, graphs)
    y = np.stack([numbers(y), 2 * numbers(y) + 1, np.arange(len(y))], axis=1)
    assert regressor.fit(X, y).predict(X).shape == y.shape


def test_three_classes(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    y = np.where(np.arange(len(y)) < 4, 7, np.where(y == y[0], 3, -1))
    classifier.fit(X, y)
    assert classifier.classes_.tolist() == [-1, 3, 7]
    assert classifier.predict_proba(X).shape == (len(y), 3)


def test_equal_seeds_give_equal_weights(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    estimator.set_params(dropout=0.3)
    y = targets_for(estimator, y)
    torch.manual_seed(5)
    one = clone(estimator).fit(X, y)
    torch.manual_seed(6)
    two = clone(estimator).fit(X, y)
    other = clone(estimator).set_params(random_state=1).fit(X, y)
    weights = [list(e.net_.module_.state_dict().values()) for e in (one, two, other)]
    assert all(torch.equal(a, b) for a, b in zip(weights[0], weights[1]))
    assert not all(torch.equal(a, b) for a, b in zip(weights[0], weights[2]))
    assert one.n_threads_ == torch.get_num_threads()


def test_random_state_of_torch_is_left_alone(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    estimator.fit(X, targets_for(estimator, y))
    assert torch.equal(torch.rand(3), expected)


def test_input_is_untouched(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    before = pickle.dumps((X, y))
    estimator.fit(X, targets_for(estimator, y)).predict(X)
    assert pickle.dumps((X, y)) == before


def test_pickle_and_joblib(estimator, images, graphs, tmp_path):
    X, y = samples_for(estimator, images, graphs)
    estimator.set_params(validation_fraction=0.3).fit(X, targets_for(estimator, y))
    expected = estimator.predict(X)
    for back in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        np.testing.assert_array_equal(back.predict(X), expected)
    joblib.dump(estimator, tmp_path / "model.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(X), expected)


def test_saved_model_does_not_carry_the_data(images):
    X, y = images
    X = np.repeat(X, 50, axis=0)
    y = np.repeat(y, 50)
    model = CNNClassifier(max_epochs=1, validation_fraction=0.5, random_state=0).fit(X, y)
    assert len(pickle.dumps(model)) < X.astype(np.float32).nbytes / 2 + 1_000_000
    assert model.net_.train_split is None


def test_predictions_do_not_depend_on_the_batch(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    estimator.fit(X, targets_for(estimator, y))
    method = estimator.predict_proba if is_classifier(estimator) else estimator.predict
    whole = method(X)
    np.testing.assert_allclose(np.concatenate([method(X[[i]]) for i in range(len(y))]), whole, 1e-4)
    np.testing.assert_allclose(method(X[::-1])[::-1], whole, 1e-4)


def test_transform_is_what_the_head_sees(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    estimator.fit(X, targets_for(estimator, y))
    embedding = estimator.transform(X)
    assert embedding.dtype == np.float32
    assert embedding.shape == (len(y), len(estimator.get_feature_names_out()))
    head = estimator.net_.module_.head.eval()
    with torch.inference_mode():
        outputs = head(torch.from_numpy(embedding)).double().numpy()
    if is_classifier(estimator):
        expected = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(estimator.predict_proba(X), expected, atol=1e-5)
    else:
        expected = outputs[:, 0] * estimator.target_scale_ + estimator.target_mean_
        np.testing.assert_allclose(estimator.predict(X), expected, rtol=1e-4, atol=1e-4)


def test_history(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    estimator.fit(X, targets_for(estimator, y))
    assert sorted(estimator.history_) == ["dur", "lr", "train_loss", "valid_loss", "valid_score"]
    assert all(values.shape == (8,) for values in estimator.history_.values())
    assert np.isnan(estimator.history_["valid_loss"]).all()
    assert estimator.n_iter_ == 8
    estimator.set_params(validation_fraction=0.3).fit(X, targets_for(estimator, y))
    assert np.isfinite(estimator.history_["valid_score"]).all()
    assert np.isfinite(estimator.history_["valid_loss"]).all()


def test_sample_weight_counts(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    labels = np.arange(len(y)) % 2  # without relation to X
    labels = np.random.default_rng(0).permutation(labels)
    weight = np.where(labels == 1, 50.0, 1.0)
    classifier.set_params(max_epochs=10)
    assert classifier.fit(X, labels, sample_weight=weight).predict_proba(X)[:, 1].mean() > 0.6
    classifier.set_params(class_weight={0: 50.0, 1: 1.0})
    assert classifier.fit(X, labels).predict_proba(X)[:, 1].mean() < 0.4


def test_impossible_weights_are_refused(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        classifier.fit(X, y, sample_weight=-np.ones(len(y)))
    classifier.set_params(class_weight=dict.fromkeys(np.unique(y), 0.0))
    with pytest.raises(ValueError, match="class_weight must leave weights >= 0"):
        classifier.fit(X, y)


def test_refit_starts_anew_with_other_input(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    expected = clone(classifier).fit(X, y).predict_proba(X)
    classifier.fit(X[:6], y[:6])
    classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_unfitted(estimator, images, graphs):
    X, _ = samples_for(estimator, images, graphs)
    for method in ("predict", "transform"):
        with pytest.raises(NotFittedError):
            getattr(estimator, method)(X)


class Broken(Exception):
    pass


class ModuleThatFails(torch.nn.Module):
    def __init__(self, n_outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(n_outputs))

    def forward(self, batch):
        raise Broken


class ModuleThatInterrupts(ModuleThatFails):
    def forward(self, batch):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "error"), [(ModuleThatFails, Broken), (ModuleThatInterrupts, KeyboardInterrupt)]
)
def test_failed_fit_leaves_nothing(estimator, images, graphs, module, error):
    X, y = samples_for(estimator, images, graphs)
    y = targets_for(estimator, y)
    estimator.set_params(module=module)
    before = dict(vars(estimator))
    with pytest.raises(error):
        estimator.fit(X, y)
    assert vars(estimator) == before
    estimator.set_params(module=None).fit(X, y)
    expected = estimator.predict(X)
    with pytest.raises(error):
        estimator.set_params(module=module).fit(X[:8], y[:8])
    np.testing.assert_array_equal(estimator.predict(X), expected)


def test_batch_of_one(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    estimator.set_params(batch_size=1, max_epochs=2)
    y = targets_for(estimator, y)
    assert np.isfinite(estimator.fit(X[:3], y[:3]).history_["train_loss"]).all()


def test_table_in_batches_that_leave_one_over():
    X = np.random.default_rng(0).random((9, 3))
    model = CNNClassifier(batch_size=4, max_epochs=2, random_state=0).fit(X, np.arange(9) % 2)
    assert np.isfinite(model.predict_proba(X)).all()


def test_one_class_only(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    name = type(classifier).__name__
    with pytest.raises(ValueError, match=f"{name} needs samples of at least 2 classes in y, got 1"):
        classifier.fit(X, np.zeros(len(y)))


def test_groups_of_another_length(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    with pytest.raises(ValueError, match=r"groups must have one value for each sample"):
        estimator.fit(X, targets_for(estimator, y), groups=["a", "b"])


def test_groups_with_a_gap_in_a_list(estimator, images, graphs):
    X, y = samples_for(estimator, images, graphs)
    groups = ["a"] * (len(y) - 1) + [float("nan")]
    with pytest.raises(ValueError, match="groups must not be missing: sample 19 has nan"):
        estimator.set_params(validation_fraction=0.3).fit(
            X, targets_for(estimator, y), groups=groups
        )
