"""What test_parallel.py starts in several processes: trainings together, their weights in files."""

import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback

from glassclf.estimators import CNNClassifier, MPNNClassifier
from glassclf.estimators.parallel import join_processes
from glassclf.featurizers import Graphs

SGD = {"optimizer": "sgd", "max_epochs": 3}

# One after the other, so that the messages of one are not taken for those of another.
TOGETHER = {
    "images": CNNClassifier(n_filters=(4, 8), batch_size=5, validation_fraction=0.25, **SGD),
    # Shares of a single sample, and a last batch that is too small to be shared.
    "table": CNNClassifier(n_filters=(4,), batch_size=2, **SGD),
    "graphs": MPNNClassifier(hidden_size=8, n_layers=2, batch_size=4, clip_norm=0.5, **SGD),
    "attention": MPNNClassifier(hidden_size=8, n_layers=2, pooling="attention", max_epochs=3),
    "everything": CNNClassifier(
        n_filters=(4,),
        max_epochs=6,
        batch_size=4,
        early_stopping=True,
        patience=2,
        schedule="threshold",
        threshold=0.6,
        clip_norm=0.1,
        average_weights=0.5,
        data_device="cpu",
    ),
}


def make_samples():
    rng = np.random.default_rng(0)
    y = np.arange(21) % 2
    images = 5 + rng.random((21, 1, 8, 8)) + 0.5 * y[:, None, None, None]
    n_nodes = rng.integers(3, 9, 21)
    neighbors = np.concatenate([rng.integers(0, n, 2 * n) for n in n_nodes])
    vectors = rng.standard_normal((len(neighbors), 2))
    types = rng.integers(0, 2, n_nodes.sum())
    graphs = Graphs(n_nodes, types, np.full(n_nodes.sum(), 2), neighbors, vectors)
    weights = rng.random(21) + 0.5
    samples = {"images": images, "table": images[:, 0, 0], "everything": images}
    return {**samples, "graphs": graphs, "attention": graphs}, y, weights


class KilledOnce(Callback):
    """SIGTERM to one process alone, in the middle of an epoch, the first time it gets there."""

    def __init__(self, path, index):
        self.path, self.index = path, index

    def on_batch_end(self, net, training, **kwargs):
        if training and net.processes.index == self.index and len(net.history) == 2:
            if not Path(self.path).exists():
                Path(self.path).touch()
                os.kill(os.getpid(), signal.SIGTERM)


class WithPlainNormalization(torch.nn.Module):
    """Its normalisation knows nothing of other processes."""

    def __init__(self, in_channels, n_outputs):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(in_channels)
        self.unused = torch.nn.Linear(3, 3)
        self.head = torch.nn.Linear(in_channels, n_outputs)

    def forward(self, x):
        return self.head(self.norm(x).mean((2, 3)))


def weights_of(model):
    return {name: tensor.cpu().numpy() for name, tensor in model.net_.module_.state_dict().items()}


def main(folder, device):
    samples, y, weights = make_samples()
    processes, _ = join_processes(torch.device(device))
    rank = processes.index
    results, facts = {}, {}

    def keep(name, model):
        results.update({f"{name}/{key}": value for key, value in weights_of(model).items()})
        return model

    for name, model in TOGETHER.items():
        model.set_params(data_parallel=True, device=device, random_state=0)
        keep(name, model.fit(samples[name], y, sample_weight=weights))
        facts[f"{name}_proba"] = model.predict_proba(samples[name])
        facts[f"{name}_loss"] = model.history_["train_loss"]

    # Drawn anew by each process, but for what they must agree on.
    X = samples["images"]
    together = {"max_epochs": 3, "batch_size": 4, "data_parallel": True, "device": device}
    with_dropout = CNNClassifier(n_filters=(4,), dropout=0.5, precision="16", **together)
    keep("random", with_dropout.fit(X, y))
    with processes.own_random_numbers(torch.device("cpu"), 1, 2):
        facts["own"] = torch.rand(3).numpy()
    facts["common"] = torch.rand(3, generator=torch.Generator().manual_seed(0)).numpy()

    plain = CNNClassifier(module=WithPlainNormalization, **together)
    keep("plain", plain.fit(X, y))

    with_dropout.set_params(random_state=0)
    keep("uninterrupted", with_dropout.fit(X, y))
    killed = KilledOnce(folder / "killed", index=1)
    with_dropout.set_params(checkpoint=folder / "checkpoint", callbacks=[killed])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with_dropout.fit(X, y)
    facts["stopped_by"] = with_dropout.stopped_by_
    facts["warnings"] = [str(each.message) for each in caught if "SIGTERM" in str(each.message)]
    keep("resumed", with_dropout.fit(X, y))
    keep("finished", with_dropout.fit(X, y))

    with_dropout.set_params(checkpoint=None, callbacks=None)
    try:
        with_dropout.fit(X, y if rank == 0 else 1 - y)
    except ValueError as error:
        facts["other_data"] = str(error)
    (folder / "file").touch()
    try:
        with_dropout.set_params(checkpoint=folder / "file").fit(X, y)
    except OSError as error:
        facts["unwritable"] = str(error)
    np.savez(folder / f"{rank}.npz", **results, **{f"facts/{k}": v for k, v in facts.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
