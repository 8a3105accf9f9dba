"""Training from epoch to epoch: stopping, continuing, callbacks, warnings."""

import os
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from glassclf.estimators import CNNClassifier, CNNRegressor
from glassclf.estimators.history import warn_if_falling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def samples_for(estimator, images, graphs):
    return images if isinstance(estimator, (CNNClassifier, CNNRegressor)) else graphs


def numbers(y):
    return np.where(y == y[0], 3.0, -2.0)


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
    # Programs in the background of a shell ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    model = CNNClassifier(max_epochs=3, callbacks=[InterruptAtEnd()])
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(*images)
    finally:
        signal.signal(signal.SIGINT, before)
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
    assert stop.misses_ == 0  # a parameter is not touched
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


def test_predictions_rest_on_the_statistics_of_the_final_weights(images):
    # After one epoch of large steps running averages would still be those of other weights.
    X, y = images
    model = CNNClassifier(max_epochs=1, lr=0.1, batch_size=10, random_state=0).fit(X, y)
    module = model.net_.module_
    inputs = []
    module.blocks[1][1].register_forward_pre_hook(lambda norm, args: inputs.append(args[0]))
    model.predict(X)
    seen = torch.cat(inputs)
    norm = module.blocks[1][1]
    # Not exactly: they are taken in batches of 10, each normalised by itself in the layer before.
    deviation = (norm.running_mean - seen.mean((0, 2, 3))) / seen.std((0, 2, 3))
    assert deviation.abs().max() < 0.3  # those of the training: 1.6
    ratio = norm.running_var / seen.var((0, 2, 3))
    assert (ratio > 0.7).all()  # of the training: 0.14
    assert (ratio < 1.3).all()
    assert norm.momentum == 0.1


def test_predictions_do_not_suffer_from_sorted_samples():
    # The final statistics were taken in batches of equal targets: the slope was 4 instead of 1.
    rng = np.random.RandomState(0)
    y = np.repeat(np.arange(8.0), 32)
    X = (rng.normal(size=(256, 1, 8, 8)) * (1 + y)[:, None, None, None]).astype(np.float32)
    model = CNNRegressor(n_filters=(8, 16, 16), batch_size=32, max_epochs=30, random_state=0)
    slope, offset = np.polyfit(y, model.fit(X, y).predict(X), 1)
    assert slope == pytest.approx(1.0, abs=0.1)
    assert offset == pytest.approx(0.0, abs=0.3)


class _NormFirst(torch.nn.Module):
    """A module of a user, with a batch normalisation of PyTorch."""

    def __init__(self, in_channels, n_outputs, n_spatial):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(in_channels)
        self.head = torch.nn.Linear(in_channels, n_outputs)

    def forward(self, x):
        return self.head(self.norm(x).abs().mean((2, 3)))


@pytest.mark.parametrize("n_left", [0, 1, 2])
@pytest.mark.parametrize("module", ["default", _NormFirst])
def test_final_statistics_are_those_of_all_training_samples(images, module, n_left):
    X, y = images
    X = np.concatenate([X] * 2)[: 20 + n_left].copy()
    y = np.concatenate([y] * 2)[: 20 + n_left]
    X[-1] += 10  # alone in the last batch, or with one other sample
    kwargs = {} if module == "default" else {"module": module}
    model = CNNClassifier(max_epochs=2, batch_size=5, random_state=0, **kwargs).fit(X, y)
    trained = model.net_.module_
    norm = trained.input_norm if module == "default" else trained.norm
    seen = torch.from_numpy(X).float()
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, seen.var((0, 2, 3)))
    assert norm.momentum == (None if module == "default" else 0.1)
    assert not norm._forward_pre_hooks
