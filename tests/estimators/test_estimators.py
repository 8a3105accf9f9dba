"""What a user of the four estimators relies on."""

import copy
import os
import pickle
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import check_estimator
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from glassclf.estimators import CNNClassifier, CNNRegressor, MPNNClassifier, MPNNRegressor
from glassclf.estimators.history import warn_if_falling

CLASSIFIERS = [CNNClassifier(max_epochs=8, lr=1e-2), MPNNClassifier(max_epochs=8)]
REGRESSORS = [CNNRegressor(max_epochs=8, lr=1e-2), MPNNRegressor(max_epochs=8)]

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)


def samples_for(estimator, images, graphs):
    return images if isinstance(estimator, (CNNClassifier, CNNRegressor)) else graphs


def numbers(y):
    return np.where(y == y[0], 3.0, -2.0)


@pytest.fixture(params=CLASSIFIERS, ids=lambda e: type(e).__name__)
def classifier(request):
    return clone(request.param).set_params(random_state=0)


@pytest.fixture(params=REGRESSORS, ids=lambda e: type(e).__name__)
def regressor(request):
    return clone(request.param).set_params(random_state=0)


@pytest.fixture(params=CLASSIFIERS + REGRESSORS, ids=lambda e: type(e).__name__)
def estimator(request):
    return clone(request.param).set_params(random_state=0)


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


def test_early_stopping_restores_the_best_epoch(images):
    X, y = images
    y = np.random.default_rng(1).permutation(y)  # nothing to learn: the loss soon rises
    model = CNNClassifier(
        max_epochs=60, lr=1e-2, early_stopping=True, patience=5, random_state=0
    ).fit(X, y)
    best = np.argmin(model.history_["valid_loss"])
    assert model.n_iter_ == best + 1 + 5
    assert model.n_iter_ < 60
    stopped_at_best = clone(model).set_params(
        max_epochs=int(best) + 1, early_stopping=False, validation_fraction=0.2
    )
    stopped_at_best.fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), stopped_at_best.predict_proba(X))


def test_partial_fit_is_an_epoch_and_needs_classes(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        classifier.partial_fit(X, y)
    half = y == y[0]
    classifier.partial_fit(X[half], y[half], classes=np.unique(y))
    classifier.partial_fit(X, y)
    assert classifier.n_iter_ == 2
    with pytest.raises(ValueError, match="'unknown', which is not among the classes"):
        classifier.partial_fit(X, np.where(half, "unknown", y))
    with pytest.raises(
        ValueError, match=r"classes=\['other'\] differ from those of the first call"
    ):
        classifier.partial_fit(X, y, classes=["other"])


def test_partial_fit_of_a_regressor(regressor, images, graphs):
    X, y = samples_for(regressor, images, graphs)
    y = numbers(y)
    assert regressor.partial_fit(X, y).partial_fit(X, y).n_iter_ == 2
    with pytest.raises(ValueError, match="y has 2 outputs, the first fit had 1"):
        regressor.partial_fit(X, np.stack([y, y], axis=1))


def test_warm_start_continues_with_another_rate(classifier, images, graphs):
    X, y = samples_for(classifier, images, graphs)
    classifier.set_params(warm_start=True).fit(X, y)
    first = classifier.history_["train_loss"][0]
    classifier.set_params(lr=1e-4).fit(X, y)
    assert classifier.n_iter_ == 16
    assert classifier.history_["lr"][-1] == 1e-4
    assert classifier.history_["train_loss"][8] < first


def test_warm_start_takes_the_parameters_of_now(images):
    X, y = images
    model = CNNClassifier(max_epochs=4, schedule="cosine", warm_start=True, random_state=0)
    model.fit(X, y)
    model.set_params(optimizer="sgd", weight_decay=0.5, clip_norm=0.1, label_smoothing=0.2).fit(
        X, y
    )
    assert type(model.net_.optimizer_) is torch.optim.SGD
    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == 0.5
    assert model.net_.criterion_.label_smoothing == 0.2
    rates = model.history_["lr"]
    np.testing.assert_array_equal(rates[:4], rates[4:])
    with pytest.raises(ValueError, match="cannot continue with a network of another shape"):
        model.set_params(n_filters=(5,)).fit(X, y)


def test_warm_start_validates_on_what_it_never_trained_on(images):
    X, y = images
    seen = []

    class Record(Callback):
        def on_train_begin(self, net, X, **kwargs):
            seen.append(set(X.chosen))

    model = CNNClassifier(max_epochs=1, validation_fraction=0.3, warm_start=True)
    model.set_params(callbacks=[Record()]).fit(X, y).fit(X, y)
    assert seen[0] == seen[1]
    assert len(seen[0]) < len(y)


class InterruptAtEnd(Callback):
    def on_epoch_end(self, net, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)


def test_interrupt_between_epochs_is_no_finished_training(images):
    model = CNNClassifier(max_epochs=3, callbacks=[InterruptAtEnd()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*images)
    assert not hasattr(model, "net_")


def test_callbacks_of_skorch(images):
    X, y = images
    epochs = []

    class Count(Callback):
        def on_epoch_end(self, net, **kwargs):
            epochs.append(len(net.history))

    stop = EarlyStopping(monitor="train_loss", threshold=10.0, patience=2, sink=lambda text: None)
    model = CNNClassifier(max_epochs=30, callbacks=[("learning_rate", stop), Count()]).fit(X, y)
    assert model.n_iter_ == 3  # the first epoch is the best, and two more do not beat it
    assert epochs == [1, 2, 3]
    assert not hasattr(stop, "misses_")  # a parameter is not touched
    steps = LRScheduler("StepLR", step_size=1, gamma=0.1)
    model = CNNClassifier(max_epochs=3, lr=0.1, callbacks=[steps]).fit(X, y)
    np.testing.assert_allclose(model.history_["lr"], [0.1, 0.01, 0.001])


def test_threads_do_not_mix_their_random_numbers(images):
    X, y = images
    models = [CNNClassifier(max_epochs=5, random_state=0) for _ in range(4)]
    expected = clone(models[0]).fit(X, y).predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        for model in pool.map(lambda model: model.fit(X, y), models):
            np.testing.assert_array_equal(model.predict_proba(X), expected)


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


def test_convergence_warning_names_what_to_raise():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    y = X @ [1.0, 2.0, -1.0, 0.5]
    with pytest.warns(ConvergenceWarning, match="CNNRegressor was still .* max_epochs=5") as caught:
        CNNRegressor(max_epochs=5, lr=3e-4, random_state=0).fit(X, y)
    assert caught[0].filename == __file__  # it points at the user's line
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        CNNRegressor(max_epochs=40, random_state=0).fit(X, y)


def test_noise_is_no_convergence_warning():
    losses = np.random.default_rng(0).uniform(0.2, 1.0, (50, 40))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for loss in losses:
            warn_if_falling(loss, "CNNClassifier", 40)


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
