"""A fit on a store that is larger than the private memory of the process."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from glassclf.configurations import Configurations

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
MEGABYTE = 2**20
# Private memory beyond what Python and torch take when they are loaded. Whatever the size of the
# store, the fits need 8 to 13 MB: batches, and the distances of at most 100 graphs.
HEADROOM = (24 if QUICK else 48) * MEGABYTE
BYTES_OF_PARTICLE = 24


SCRIPT = """
    import json, os, resource, sys
    import numpy as np
    import torch
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from glassclf.configurations import Configurations
    from glassclf.estimators import CNNClassifier, MPNNClassifier
    from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer

    path, network, lazy, headroom = sys.argv[1], sys.argv[2], sys.argv[3] == "1", int(sys.argv[4])
    torch.set_num_threads(1)

    def fit(X):
        # Scattered rows, as those of every split.
        X, held_out = train_test_split(X, test_size=0.2, random_state=0)
        X = X[np.arange(len(X)) % 10 > 0]
        parameters = {"random_state": 0, "max_epochs": 1, "validation_fraction": 0.25}
        if network == "cnn":
            model = CNNClassifier(n_filters=(4,), **parameters)
            pipeline = make_pipeline(ImageFeaturizer(16, lazy=lazy), model)
        else:
            model = MPNNClassifier(hidden_size=4, n_layers=1, n_radial=4, **parameters)
            pipeline = make_pipeline(GraphFeaturizer(3, lazy=lazy), model)
        y = X.info["label"]
        step = pipeline.steps[-1][0]
        pipeline.fit(X, y, **{f"{step}__groups": X.info["run"]})
        weights = [tensor.tolist() for tensor in model.net_.module_.state_dict().values()]
        return weights, pipeline.predict_proba(held_out[::2][:3]).tolist()

    X = Configurations.open(path)
    if headroom:
        fit(X[:20])  # so that all libraries are loaded
        with open("/proc/self/status") as status:
            used = next(int(line.split()[1]) for line in status if line.startswith("VmData"))
        limit = used * 1024 + headroom
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            np.ones(os.path.getsize(path) // 8)
        except MemoryError:
            pass
        else:
            sys.exit("the limit has no effect")
    print(json.dumps(fit(X)))
"""


def write_random_store(path, n, n_particles):
    def parts():
        rng = np.random.default_rng(0)
        side = np.sqrt(n_particles)
        for first in range(0, n, 4):
            yield Configurations.from_arrays(
                positions=rng.random((4 * n_particles, 2)) * side,
                types=rng.integers(0, 2, 4 * n_particles),
                offsets=np.arange(5) * n_particles,
                cells=np.tile(np.diag([side, side]), (4, 1, 1)),
                periodic=np.ones((4, 2), dtype=bool),
                info={"label": np.arange(4) % 2, "run": np.full(4, first // 4)},
            )

    Configurations.save_concatenated(path, parts())


def run(*arguments):
    script = textwrap.dedent(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts private memory on Linux")
@pytest.mark.parametrize(("network", "n_particles"), [("cnn", 40_000), ("mpnn", 5_000)])
def test_a_fit_needs_less_memory_than_its_store(network, n_particles, tmp_path):
    path = tmp_path / "store.safetensors"
    n = 4 * int(3 * HEADROOM / BYTES_OF_PARTICLE / n_particles / 4)
    write_random_store(path, n, n_particles)
    assert path.stat().st_size > 2 * HEADROOM
    assert run(path, network, 1, HEADROOM) == run(path, network, 0, 0)
