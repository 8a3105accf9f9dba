"""Training with samples of very different sizes: full batches, equal weights, nothing lost."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from glassclf.estimators import MPNNClassifier, MPNNRegressor
from glassclf.estimators.batching import TrainingData
from glassclf.estimators.observers import Observer
from glassclf.featurizers import GraphFeaturizer
from glassclf.testing import noisy_lattice

# Numbers of particles: many small samples, some of ten times their size.
SIZES = [16, 16, 20, 16, 160, 24, 16, 200, 20, 16, 16, 24, 160, 16, 20, 16]


@pytest.fixture(scope="module")
def mixed():
    """Graphs of lattices, rather tidy and rather not."""
    noise = np.where(np.arange(len(SIZES)) % 2, 0.05, 0.3)
    X = [
        noisy_lattice(level, random_state=seed, n_cells=(4, size // 4))
        for seed, (level, size) in enumerate(zip(noise, SIZES))
    ]
    return GraphFeaturizer(n_neighbors=4).fit_transform(X), noise


class Sized:
    """Samples of some sizes, without anything in them."""

    def __init__(self, sizes):
        self.n_nodes = np.array(sizes)

    def __len__(self):
        return len(self.n_nodes)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.integers(1, 9), st.data())
def test_samples_weigh_the_same_and_go_on_anywhere(sizes, batch_size, data):
    n = len(sizes)
    order = torch.tensor(data.draw(st.permutations(range(n))))
    training = TrainingData(Sized(sizes), np.zeros(n), np.ones(n), np.arange(n))
    batches = list(training.cut(order, batch_size))
    assert torch.cat([rows for rows, _ in batches]).equal(order)
    assert np.mean([scale for _, scale in batches]) == pytest.approx(1)
    if len(set(sizes)) > 1:
        weights = [scale / len(rows) for rows, scale in batches]
        np.testing.assert_allclose(weights, len(batches) / n)
    else:
        assert {scale for _, scale in batches} == {1.0}
    done = data.draw(st.integers(0, len(batches) - 1))
    start = sum(len(rows) for rows, _ in batches[:done])
    for (rows, scale), (again, same) in zip(
        batches[done:], training.cut(order, batch_size, start), strict=True
    ):
        assert rows.equal(again)
        assert scale == same


class Watcher(Observer):
    """Remembers the sizes of the batches."""

    def __init__(self):
        self.seen = []

    def on_batch_begin(self, net, batch, training, **kwargs):
        self.seen.append((training, len(batch[0]), int(batch[0].n_nodes.sum())))


def test_no_batch_holds_more_than_its_share(mixed):
    X, y = mixed
    watcher = Watcher()
    model = MPNNRegressor(max_epochs=3, batch_size=2, validation_fraction=0.25, random_state=0)
    model.set_params(callbacks=[watcher]).fit(X, y)
    trained = [(n, particles) for training, n, particles in watcher.seen if training]
    assert sum(n for n, _ in trained) == 3 * 12
    assert max(n for n, _ in trained) > 2
    # No mean of twelve samples is above this one.
    limit = 2 * np.sort(SIZES)[-12:].mean()
    assert all(n == 1 or particles <= limit for n, particles in trained)
    assert sum(n for training, n, _ in watcher.seen if not training) == 3 * 4
    assert np.isfinite(model.history_["valid_loss"]).all()


class MeanDistance(torch.nn.Module):
    """A network without normalisation, so that samples do not see each other."""

    def __init__(self, n_outputs):
        super().__init__()
        self.head = torch.nn.Linear(1, n_outputs)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, batch):
        return self.head(batch.mean_nodes(batch.sum_edges(batch.distances[:, None])))


def test_an_epoch_of_small_steps_is_one_step_of_all_samples(mixed):
    """To first order in the rate, whatever is in a batch; large samples would else win."""
    X, y = mixed

    def trained(batch_size, lr):
        watcher = Watcher()
        model = MPNNRegressor(module=MeanDistance, optimizer="sgd", weight_decay=0.0, lr=lr)
        model.set_params(max_epochs=1, batch_size=batch_size, random_state=0, callbacks=[watcher])
        head = model.fit(X, y).net_.module_.head
        return [head.weight.item(), head.bias.item()], len(watcher.seen)

    small_steps, n_batches = trained(batch_size=2, lr=1e-6)
    one_step, n_single = trained(batch_size=len(X), lr=1e-6 * n_batches)
    assert (n_batches > 4, n_single) == (True, 1)
    np.testing.assert_allclose(small_steps, one_step, rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize("n_batches", [1, 4, 11])
def test_goes_on_to_the_same_weights(mixed, tmp_path, same_weights, interrupted, n_batches):
    X, y = mixed
    model = MPNNClassifier(max_epochs=2, batch_size=2, validation_fraction=0.25, random_state=0)
    whole = clone(model).fit(X, y > 0.1)
    model.set_params(checkpoint=tmp_path, checkpoint_batches=1)
    interrupted(model, X, y > 0.1, n_batches)
    same_weights(model.fit(X, y > 0.1), whole)


def test_samples_on_a_device_make_the_same_batches(mixed, same_weights):
    X, y = mixed
    model = MPNNRegressor(max_epochs=2, batch_size=2, random_state=0)
    there = clone(model).set_params(data_device="cpu").fit(X, y)
    same_weights(model.fit(X, y), there)


def test_learns_from_samples_of_all_sizes(mixed):
    X, y = mixed
    model = MPNNClassifier(max_epochs=30, batch_size=4, random_state=0).fit(X, y > 0.1)
    assert model.score(X, y > 0.1) == 1.0
