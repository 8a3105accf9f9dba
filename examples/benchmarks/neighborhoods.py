"""Train on neighbourhoods in a field: cubes made batch by batch, held in memory, and on disk.

    python examples/benchmarks/neighborhoods.py --folder /scratch

makes fields of 128^3 cells and trains the same network on the same points three times, each in a
process of its own with one thread:

- *lazy*: ``NeighborhoodFeaturizer`` gathers the cubes of each batch from the fields.
- *in memory*: all cubes in one array, made before.
- *on disk*: all cubes in a file, which is mapped.

Printed are the seconds until the training can begin, points a second of the training, the largest
memory of the process beyond that of the libraries and fields, bytes on disk, and the ratio of the
speed to that of cubes in memory. All three must end with the same weights.

``--quick`` takes seconds and proves nothing but that it runs.
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

WAYS = ("lazy", "in memory", "on disk")
STRIDES = (1, 3, 5)


def train(way, folder, n_points, n_epochs):
    """Train in this process and print what came out as JSON."""
    import numpy as np
    import torch

    from glassclf.configurations import FieldPoints, sample_points
    from glassclf.estimators import CNNRegressor
    from glassclf.featurizers import NeighborhoodFeaturizer

    torch.set_num_threads(1)
    fields = np.load(Path(folder) / "fields.npy")
    ionized = np.load(Path(folder) / "ionized.npy")
    points, _ = sample_points(ionized, n_points, random_state=0)
    X, y = FieldPoints(fields, points), ionized[tuple(points.T)]
    network = CNNRegressor(
        architecture="pyramid",
        n_levels=len(STRIDES),
        n_filters=(8, 16, 16, 32),
        bounds=(0, 1),
        batch_size=64,
        max_epochs=n_epochs,
        random_state=0,
    )
    before, n_bytes = peak(), 0
    begin = time.perf_counter()
    cubes = NeighborhoodFeaturizer(9, STRIDES).fit_transform(X)
    # The averaged fields are made once, in all three ways.
    cubes.compute([0])
    if way == "in memory":
        cubes = np.asarray(cubes)
    elif way == "on disk":
        path = Path(folder) / "cubes.npy"
        written = np.lib.format.open_memmap(path, "w+", np.float32, cubes.shape)
        for first in range(0, len(cubes), 1000):
            rows = np.arange(first, min(first + 1000, len(cubes)))
            written[rows] = cubes.compute(rows)
        written.flush()
        n_bytes = path.stat().st_size
        cubes = np.load(path, mmap_mode="r")
    seconds = time.perf_counter() - begin
    network.fit(cubes, y)
    weights = hashlib.sha256()
    for tensor in network.net_.module_.state_dict().values():
        weights.update(tensor.numpy().tobytes())
    result = {
        "prepare": seconds,
        "speed": n_points * n_epochs / network.history_["dur"].sum(),
        "memory": peak() - before,
        "disk": n_bytes,
        "weights": weights.hexdigest(),
    }
    print(json.dumps(result))


def peak():
    """Largest memory of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def train_in_process(way, folder, n_points, n_epochs):
    """Call :func:`train` in a process of its own."""
    options = [f"--way={way}", f"--folder={folder}"]
    options += [f"--n-points={n_points}", f"--n-epochs={n_epochs}"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "train", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(f"the training with cubes {way} failed: see above")
    return json.loads(done.stdout)


def main(folder, cells, n_points, n_epochs, quick):
    import numpy as np

    from glassclf.datasets import make_ionized_field

    if quick:
        cells, n_points, n_epochs = 48, 200, 1
    print(f"{platform.platform()}, Python {platform.python_version()}", flush=True)
    print(f"{n_points} points of {cells}^3 cells, {n_epochs} epochs, strides {STRIDES}")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        data = make_ionized_field(cells, random_state=0)
        np.save(Path(own) / "fields.npy", np.stack([data.density, data.sources]))
        np.save(Path(own) / "ionized.npy", data.ionized)
        print(f"{'cubes':12}{'before':>10}{'training':>14}{'memory':>12}{'disk':>12}{'ratio':>8}")
        results = {way: train_in_process(way, own, n_points, n_epochs) for way in WAYS}
    for way, result in results.items():
        ratio = result["speed"] / results["in memory"]["speed"]
        print(
            f"{way:12}{result['prepare']:8.1f} s{result['speed']:12.0f}/s"
            f"{result['memory'] / 1e6:9.0f} MB{result['disk'] / 1e6:9.0f} MB{ratio:8.2f}"
        )
    if len({result["weights"] for result in results.values()}) > 1:
        raise SystemExit("the weights differ")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if sys.argv[1:2] == ["train"]:
        parser.add_argument("train")
        parser.add_argument("--way", choices=WAYS)
        parser.add_argument("--folder")
        parser.add_argument("--n-points", type=int)
        parser.add_argument("--n-epochs", type=int)
        options = vars(parser.parse_args())
        del options["train"]
        train(**options)
    else:
        parser.add_argument("--folder", help="on a disk with room for the cubes")
        parser.add_argument("--cells", type=int, default=128, help="along each axis")
        parser.add_argument("--n-points", type=int, default=30_000)
        parser.add_argument("--n-epochs", type=int, default=2)
        parser.add_argument("--quick", action="store_true")
        main(**vars(parser.parse_args()))
