"""Time the training loop of the estimators against a plain one in PyTorch.

    python examples/benchmarks/training_loop.py

trains the convolutional and the message-passing network twice, by ``fit`` and by a loop as one
writes it by hand over tensors in memory: same module, same first weights, same optimizer, same
batches, one thread. The two take turns. Before the clock starts it checks that both arrive at the
same weights. The time of ``fit`` runs from its first epoch to its last; what it does once, before
and after them, is left out.

A second table is the price of ``checkpoint=`` in an epoch of the message-passing network on 72
configurations of 1080 particles, with default parameters.

``--quick`` takes small data and proves nothing but that it runs.
"""

import argparse
import copy
import platform
import tempfile
import time

import joblib
import numpy as np
import sklearn
import skorch
import torch
from skorch.callbacks import Callback
from tqdm import tqdm

from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.featurizers import Graphs
from glassclf.networks import GraphBatch

N_NEIGHBORS = 6


class Stopwatch(Callback):
    """Keep when a training begins and ends, and what a plain loop has to start from."""

    def on_train_begin(self, net, **kwargs):
        self.module_ = copy.deepcopy(net.module_)
        self.random_ = torch.get_rng_state()
        self.epochs_ = []
        self.begin_ = time.perf_counter()

    def on_epoch_begin(self, net, **kwargs):
        self.epochs_.append(time.perf_counter())

    def on_train_end(self, net, **kwargs):
        self.seconds_ = time.perf_counter() - self.begin_
        self.weights_ = {n: w.detach().clone() for n, w in net.module_.named_parameters()}


class PlainImages:
    """Images in memory, as one tensor."""

    def __init__(self, X):
        self.X = torch.from_numpy(X)

    def batch(self, rows):
        return self.X[rows]


class PlainGraphs:
    """Graphs of one size in memory, as one tensor a quantity: a batch is a gather in each."""

    def __init__(self, graphs, n_nodes):
        n = len(graphs)
        self.n_nodes = n_nodes
        self.types = torch.from_numpy(graphs.types).view(n, -1)
        self.neighbors = torch.from_numpy(graphs.neighbors).long().view(n, -1)
        self.vectors = torch.from_numpy(graphs.vectors).view(n, -1, graphs.n_dims)
        self.distances = torch.from_numpy(graphs.distances).view(n, -1)

    def batch(self, rows):
        n = len(rows)
        first = self.n_nodes * torch.arange(n)
        return GraphBatch(
            types=self.types[rows].flatten(),
            graph=torch.arange(n).repeat_interleave(self.n_nodes),
            n_nodes=torch.full((n,), self.n_nodes),
            sources=torch.arange(n * self.n_nodes).repeat_interleave(N_NEIGHBORS),
            neighbors=(self.neighbors[rows] + first[:, None]).flatten(),
            vectors=self.vectors[rows].flatten(0, 1),
            distances=self.distances[rows].flatten(),
            n_neighbors=N_NEIGHBORS,
        )


def make_images(n_samples, n_pixels):
    X = np.random.default_rng(0).random((n_samples, 2, n_pixels, n_pixels), dtype=np.float32)
    return X, PlainImages(X)


def make_graphs(n_samples, n_nodes):
    """Random graphs: the time does not depend on where the particles are."""
    rng = np.random.default_rng(0)
    n = n_samples * n_nodes
    graphs = Graphs(
        np.full(n_samples, n_nodes),
        types=rng.integers(0, 2, n),
        degrees=np.full(n, N_NEIGHBORS),
        neighbors=rng.integers(0, n_nodes, n * N_NEIGHBORS),
        vectors=rng.standard_normal((n * N_NEIGHBORS, 2)),
        info={"run": np.arange(n_samples)},
    )
    return graphs, PlainGraphs(graphs, n_nodes)


def train_with_fit(estimator, X, y):
    """Stopwatch of a fit."""
    return dict(estimator.fit(X, y).net_.callbacks_)["Stopwatch"]


def train_plainly(estimator, data, y, start):
    """Weights and seconds of a loop written by hand."""
    module = copy.deepcopy(start.module_).train()
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=estimator.lr, weight_decay=estimator.weight_decay
    )
    criterion = torch.nn.CrossEntropyLoss()
    with torch.random.fork_rng():
        torch.set_rng_state(start.random_)
        losses = []
        begin = time.perf_counter()
        for _ in range(estimator.max_epochs):
            total = 0.0
            for rows in torch.randperm(len(y)).split(estimator.batch_size):
                optimizer.zero_grad()
                loss = criterion(module(data.batch(rows)), y[rows])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
            losses.append(total / len(y))
        seconds = time.perf_counter() - begin
    return {name: weight.detach() for name, weight in module.named_parameters()}, seconds


def compare(estimator, X, data, n_repeats, label):
    """Row of the first table."""
    y = np.arange(len(X)) % 2
    targets = torch.from_numpy(y)
    check = sklearn.clone(estimator).set_params(max_epochs=1)
    ours = train_with_fit(check, X, y)
    plain, _ = train_plainly(check, data, targets, ours)
    gap = max(float((weight - plain[name]).abs().max()) for name, weight in ours.weights_.items())
    if gap > 1e-5:
        raise SystemExit(f"{label}: the weights of the two loops differ by {gap:.1g}")
    times = []
    for repeat in tqdm(range(n_repeats), desc=label, leave=False):
        # In turns, and each in front every other time: the machine changes its speed.
        for which in ("fit", "plain") if repeat % 2 else ("plain", "fit"):
            if which == "fit":
                fitted = train_with_fit(estimator, X, y).seconds_
            else:
                _, by_hand = train_plainly(estimator, data, targets, ours)
        times.append((fitted, by_hand))
    return f"{label:32} {columns(times, estimator.max_epochs)}   {gap:.0e}"


def price_of_checkpoint(n_samples, n_nodes, max_epochs, n_repeats):
    """Row of the second table."""
    X, _ = make_graphs(n_samples, n_nodes)
    y = np.arange(n_samples) % 2
    estimator = MPNNClassifier(max_epochs=max_epochs, callbacks=[Stopwatch()], random_state=0)
    times = []
    for _ in tqdm(range(n_repeats), desc="checkpoint", leave=False):
        without = train_with_fit(estimator, X, y)
        with tempfile.TemporaryDirectory() as folder:
            kept = sklearn.clone(estimator).set_params(checkpoint=folder)
            both = train_with_fit(kept, X, y), without
        # From the begin of an epoch to that of the next one: the checkpoint is written between.
        times.append([watch.epochs_[-1] - watch.epochs_[0] for watch in both])
    label = f"MPNN, {n_samples} x {n_nodes} particles"
    return f"{label:32} {columns(times, max_epochs - 1)}"


def columns(times, n_epochs):
    """Medians of both times, their ratio, and the middle half of the ratios of the pairs."""
    ours, base = np.array(times).T / n_epochs
    low, high = np.quantile(ours / base, [0.25, 0.75])
    ours, base = 1e3 * np.median(ours), 1e3 * np.median(base)
    return f"{base:9.1f} {ours:9.1f}   {ours / base:.3f} ({low:.3f} to {high:.3f})"


def main(n_repeats, quick):
    torch.set_num_threads(1)
    n, n_epochs = (128, 1) if quick else (512, 3)
    rows = []
    common = {"max_epochs": n_epochs, "callbacks": [Stopwatch()], "random_state": 0}
    for batch_size in (16, 128):
        estimator = CNNClassifier(batch_size=batch_size, **common)
        label = f"CNN, 2 x 32 x 32, batches of {batch_size}"
        rows.append(compare(estimator, *make_images(n, 32), n_repeats, label))
    for batch_size in (16, 128):
        estimator = MPNNClassifier(batch_size=batch_size, **common)
        label = f"MPNN, 100 nodes, batches of {batch_size}"
        rows.append(compare(estimator, *make_graphs(n, 100), n_repeats, label))
    print("\nmilliseconds of an epoch          by hand       fit   ratio (half of them)     gap")
    print("\n".join(rows))
    size = (12, 200, 2) if quick else (72, 1080, 5)
    print("\nmilliseconds of an epoch          without      with   ratio (half of them)")
    print(price_of_checkpoint(*size, n_repeats))
    print(
        f"\n{platform.processor() or platform.machine()}, {joblib.cpu_count()} cores, one thread, "
        f"{n_repeats} repeats of {n_epochs} epochs; Python {platform.python_version()}, numpy "
        f"{np.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}, skorch "
        f"{skorch.__version__}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="small data, 2 repeats")
    arguments = parser.parse_args()
    main(2 if arguments.quick else arguments.repeats, arguments.quick)
