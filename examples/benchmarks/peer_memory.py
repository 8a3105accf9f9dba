"""Memory of a training and of predictions, each in a process of its own.

    python examples/benchmarks/peer_memory.py train 4320 20

prints the largest resident memory, in MB above that of a process that has imported torch: of the
training of a message-passing network on one batch of 20 whole configurations of 4320 particles, 6
neighbours each. ``predict 1080 10000`` is for predictions for so many configurations, whose graphs
are made batch by batch. ``featurize 4320`` makes the features of one configuration.
"""

import re
import subprocess
import sys
from pathlib import Path

import torch


def peak():
    """Largest resident memory so far, in MB; the kind that does not inherit that of the parent."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


WITHOUT = peak()

import numpy as np  # noqa: E402
from peer_searches import K, liquid, make_featurizers  # noqa: E402

from glassclf.configurations import Configurations  # noqa: E402
from glassclf.estimators import MPNNClassifier  # noqa: E402
from glassclf.featurizers import GraphFeaturizer  # noqa: E402


def train(n_particles, n_graphs):
    graphs = GraphFeaturizer(n_neighbors=K).fit_transform(
        [liquid(n_particles, seed) for seed in range(n_graphs)]
    )
    model = MPNNClassifier(batch_size=n_graphs, max_epochs=2, validation_fraction=None)
    model.fit(graphs, np.arange(n_graphs) % 2, groups=np.arange(n_graphs))


def predict(n_particles, n_graphs):
    few = Configurations([liquid(n_particles, seed) for seed in range(4)])
    featurizer = GraphFeaturizer(n_neighbors=K, lazy=True).fit(few)
    model = MPNNClassifier(max_epochs=1, validation_fraction=None)
    model.fit(featurizer.transform(few), [0, 1, 0, 1], groups=range(4))
    many = few[np.arange(n_graphs) % 4]
    model.predict_proba(featurizer.transform(many))


def featurize(n_particles):
    for featurizer in make_featurizers():
        featurizer.fit_transform([liquid(n_particles)])


def memory_of(*arguments):
    """MB that this script prints in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    torch.set_num_threads(1)
    work = {"train": train, "predict": predict, "featurize": featurize}[sys.argv[1]]
    work(*map(int, sys.argv[2:]))
    print(peak() - WITHOUT)
