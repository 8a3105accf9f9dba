"""Fit on a store that is larger than the memory, and compare with a fit in memory.

    python examples/benchmarks/larger_than_memory.py --folder /scratch

writes a store of 5 GB of random configurations to a folder of its own in ``/scratch``, part by
part, and removes it in the end. Each fit runs in a process of its own, with one thread:

- *lazy*: features are computed batch by batch out of the opened store, in random order. Private
  memory is limited to 1 GB by RLIMIT_DATA, which is set before anything is loaded; that an array
  of 1 GB is refused is checked first. The file is put out of the system's cache before.
- *in memory*: particles and features of all samples in memory, without a limit.

The convolutional network sees the whole store once, its configurations shuffled. The
message-passing network, a hundred times slower, sees random configurations of it. Printed are
configurations a second of the epoch and of the whole fit (which in memory begins with computing all
features), and the ratios. Both fits must end with the same weights.

``--quick`` takes seconds and proves nothing but that it runs: its store is smaller than the limit.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GIGABYTE = 10**9
N_PARTICLES = 4096
BYTES_OF_PARTICLE = 24  # two coordinates and a type
N_RUNS = 64


def write_store(path, n):
    """Write ``n`` configurations of two compositions, of which few are in memory at once."""
    import numpy as np
    from tqdm import tqdm

    from glassclf.configurations import Configurations

    def parts():
        rng = np.random.default_rng(0)
        side = np.sqrt(N_PARTICLES / 1.2)
        for first in tqdm(range(0, n, 64), desc="writing the store"):
            m = min(64, n - first)
            label = rng.integers(0, 2, m)
            share = np.where(label, 0.4, 0.35).repeat(N_PARTICLES)
            yield Configurations.from_arrays(
                positions=rng.random((m * N_PARTICLES, 2)) * side,
                types=(rng.random(m * N_PARTICLES) < share).astype(np.int64),
                offsets=np.arange(m + 1) * N_PARTICLES,
                cells=np.tile(np.diag([side, side]), (m, 1, 1)),
                periodic=np.ones((m, 2), dtype=bool),
                info={"label": label, "run": rng.integers(0, N_RUNS, m)},
            )

    Configurations.save_concatenated(path, parts())


def fit(path, network, lazy, limit, n_samples, n_epochs):
    """Fit in this process and print what came out as JSON."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    import numpy as np
    import torch

    from glassclf.configurations import Configurations
    from glassclf.estimators import CNNClassifier, MPNNClassifier
    from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer

    torch.set_num_threads(1)
    if limit:
        try:
            np.ones(limit // 8)
        except MemoryError:
            pass
        else:
            raise SystemExit("RLIMIT_DATA has no effect here: this needs Linux 4.7 or later")
    X = Configurations.open(path)
    # Scattered rows, as those of a split.
    X = X[np.random.default_rng(0).choice(len(X), n_samples, replace=False)]
    y = X.info["label"]
    if network == "cnn":
        featurizer, estimator = ImageFeaturizer(64, lazy=lazy), CNNClassifier()
    else:
        featurizer, estimator = GraphFeaturizer(lazy=lazy), MPNNClassifier()
    estimator.set_params(max_epochs=n_epochs, random_state=0)
    if not lazy:
        X = Configurations(X)
    begin = time.perf_counter()
    features = featurizer.fit_transform(X)
    estimator.fit(features, y)
    seconds = time.perf_counter() - begin
    weights = hashlib.sha256()
    for tensor in estimator.net_.module_.state_dict().values():
        weights.update(tensor.numpy().tobytes())
    n_seen = len(X) * n_epochs
    result = {
        "n": len(X),
        "epoch": n_seen / estimator.history_["dur"].sum(),
        "fit": n_seen / seconds,
        "weights": weights.hexdigest(),
    }
    print(json.dumps(result))


def fit_in_process(path, network, lazy, limit, n_samples, n_epochs):
    """Call :func:`fit` in a process of its own."""
    options = [f"--path={path}", f"--network={network}", f"--limit={limit}"]
    options += [f"--n-samples={n_samples}", f"--n-epochs={n_epochs}"] + ["--lazy"] * lazy
    done = subprocess.run(
        [sys.executable, __file__, "fit", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(f"the {'lazy' if lazy else 'other'} fit failed: see above")
    return json.loads(done.stdout)


def put_out_of_cache(path):
    """Make the system read the file from the disk again."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main(folder, gigabytes, limit, n_graphs, n_epochs, networks, quick):
    if quick:
        gigabytes, n_graphs = 0.03, 10
    n = round(gigabytes * GIGABYTE / (N_PARTICLES * BYTES_OF_PARTICLE))
    print(f"{platform.platform()}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own) / "store.safetensors"
        begin = time.perf_counter()
        write_store(path, n)
        seconds = time.perf_counter() - begin
        size = path.stat().st_size / GIGABYTE
        print(f"store: {n} configurations of {N_PARTICLES} particles, {size:.2f} GB, "
              f"written in {seconds:.0f} s; limit {limit:g} GB")  # fmt: skip
        print(
            f"{'network':8}{'samples':>8}{'speed of':>10}{'lazy':>12}{'in memory':>12}{'ratio':>8}"
        )
        for network in networks:
            settings = {"n_samples": n_graphs if network == "mpnn" else n, "n_epochs": n_epochs}
            put_out_of_cache(path)
            lazy = fit_in_process(path, network, True, round(limit * GIGABYTE), **settings)
            eager = fit_in_process(path, network, False, 0, **settings)
            if lazy["weights"] != eager["weights"]:
                raise SystemExit(f"the weights of the {network} differ")
            for what in ("epoch", "fit"):
                print(f"{network:8}{lazy['n']:8}{what:>10}{lazy[what]:10.1f}/s{eager[what]:10.1f}/s"
                      f"{lazy[what] / eager[what]:8.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if sys.argv[1:2] == ["fit"]:
        parser.add_argument("fit")
        parser.add_argument("--path")
        parser.add_argument("--network")
        parser.add_argument("--lazy", action="store_true")
        parser.add_argument("--limit", type=int)
        parser.add_argument("--n-samples", type=int)
        parser.add_argument("--n-epochs", type=int)
        options = vars(parser.parse_args())
        del options["fit"]
        fit(**options)
    else:
        parser.add_argument("--folder", help="on a disk with room for the store")
        parser.add_argument("--gigabytes", type=float, default=5, help="size of the store")
        parser.add_argument("--limit", type=float, default=1, help="private memory, in GB")
        parser.add_argument("--n-graphs", type=int, default=300, help="samples of the MPNN")
        parser.add_argument("--n-epochs", type=int, default=1)
        parser.add_argument("--networks", nargs="+", default=["cnn", "mpnn"])
        parser.add_argument("--quick", action="store_true")
        main(**vars(parser.parse_args()))
