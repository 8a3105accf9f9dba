"""Time glassclf against its peers: graphs, distributions, message passing, convolutions.

    python examples/benchmarks/peers.py

needs ``glassclf[benchmarks]``. Every piece of work is done by glassclf and by its peers in turn, in
this one process, with one thread; before the clock starts their results are compared. The table has
medians and the middle half of the ratios of neighbouring runs (ours / peer), the goal, and the
floor: what the machine would need for the bytes that have to move, or for the operations, at the
rates of a large copy and of a product of matrices, which are measured first. A figure shows how
the time grows with the number of particles.

A peer that is not installed is left out, with a line that says so. Where there is a GPU, rows for
it are added. ``--quick`` takes small systems and two repeats, and proves nothing but that it runs.
"""

import argparse
import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib  # noqa: E402

matplotlib.use("Agg")
import joblib  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from peer_memory import memory_of  # noqa: E402
from peer_networks import network_rows  # noqa: E402
from peer_searches import scaling, search_rows, two_jobs  # noqa: E402
from tqdm import tqdm  # noqa: E402

VERSIONS = ("numpy", "scipy", "numba", "torch", "torch-geometric", "vesin", "freud-analysis")


class Row(NamedTuple):
    """A piece of work, and who does it.

    ``ours`` and the ``peers`` (a function by name) take nothing and return something that ``check``
    compares. ``goal`` is the largest ratio of ours to the peer, by the peer's name. ``n_bytes`` and
    ``n_operations`` are the least that has to be moved and computed.
    """

    name: str
    ours: object
    peers: dict
    goal: dict
    check: object = None
    n_bytes: float = 0.0
    n_operations: float = 0.0


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def machine_rates():
    """Bytes a second of a copy, and operations a second of a product, of one thread."""
    block = np.zeros(2**26, dtype=np.uint8)
    target = np.empty_like(block)
    copy = min(seconds_of(lambda: np.copyto(target, block)) for _ in range(7))
    square = torch.rand(1024, 1024)
    product = min(seconds_of(lambda: square @ square) for _ in range(7))
    return 2 * block.nbytes / copy, 2 * 1024**3 / product


def measure(row, n_repeats):
    """Seconds of each repeat by contestant, taking turns at the first place."""
    contestants = {"ours": row.ours, **row.peers}
    results = {name: work() for name, work in contestants.items()}
    if row.check is not None:
        for name in row.peers:
            row.check(results["ours"], results[name], f"{row.name}: glassclf against {name}")
    names, times = list(contestants), {name: [] for name in contestants}
    for repeat in range(n_repeats):
        for name in np.roll(names, repeat).tolist():
            times[name].append(seconds_of(contestants[name]))
    return {name: np.array(values) for name, values in times.items()}


def lines_of(row, times, rates):
    """Lines of the table, one a peer."""
    ours = times.pop("ours")
    floor = max(row.n_bytes / rates[0], row.n_operations / rates[1])
    for name, theirs in times.items():
        low, high = np.quantile(ours / theirs, [0.25, 0.75])
        ratio = np.median(ours) / np.median(theirs)
        goal = row.goal.get(name)
        verdict = ""
        if goal is not None:
            met = ratio <= goal
            # Less than the scatter decides nothing.
            verdict = "met" if met else "open" if ratio - goal <= high - low else "not met"
        yield (
            f"{row.name:40}{name:16}{1e3 * np.median(ours):9.2f}{1e3 * np.median(theirs):9.2f}"
            f"{ratio:8.3f} ({low:.3f} to {high:.3f}){goal if goal else '':>8} {verdict:8}"
            + (f"{1e3 * floor:8.3f}{np.median(ours) / floor:7.0f} x" if floor else "")
        )


def draw_scaling(sizes, times, path):
    figure, axis = plt.subplots(figsize=(7, 5), layout="constrained")
    for name, values in times.items():
        axis.loglog(sizes, 1e3 * np.array(values), "o-", label=name)
    axis.loglog(sizes, np.array(sizes) * 1e3 * values[-1] / sizes[-1], "--", color="0.6")
    axis.set(xlabel="particles", ylabel="milliseconds for a configuration")
    axis.set_title("one thread; the dashed line is proportional to the number of particles")
    axis.legend(frameon=False)
    figure.savefig(path, dpi=120)


def versions():
    """What is installed, and the names of what is not."""
    found, missing = [], []
    for name in VERSIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return ", ".join(found), missing


def main(output, n_repeats, quick, glassml):
    torch.set_num_threads(1)
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    found, missing = versions()
    print(
        f"{platform.processor() or platform.machine()}, {joblib.cpu_count()} cores, one thread, "
        f"{n_repeats} repeats; Python {platform.python_version()}, {found}"
    )
    if missing:
        print(f"left out, as not installed: {', '.join(missing)}")
    if glassml is None:
        print("left out, as --glassml names no folder: glassML")
    rates = machine_rates()
    print(f"copies {rates[0] / 1e9:.1f} GB/s, products {rates[1] / 1e9:.0f} GFLOP/s\n")
    rows = [Row(**row) for row in [*search_rows(quick), *network_rows(quick, glassml)]]
    print(
        f"{'milliseconds':40}{'peer':16}{'ours':>9}{'peer':>9}   ratio (half of them)"
        f"{'goal':>12} {'':8}{'floor':>8}"
    )
    for row in tqdm(rows, desc="rows", leave=False):
        for line in lines_of(row, measure(row, n_repeats), rates):
            tqdm.write(line)
    sizes = [100, 1000] if quick else [100, 300, 1000, 3000, 10_000, 30_000, 100_000]
    draw_scaling(sizes, scaling(tqdm(sizes, desc="sizes", leave=False)), output / "scaling.png")
    size = (20, 200) if quick else (1000, 4320)
    low, middle, high = np.quantile(two_jobs(*size, 2 if quick else 7), [0.25, 0.5, 0.75])
    print(
        f"\nall featurizers, {size[0]} configurations of {size[1]}: n_jobs=2 is {middle:.2f} "
        f"({low:.2f} to {high:.2f}) times as fast as one, goal 1.8"
    )
    train, predict = ((200, 4), (200, 100)) if quick else ((4320, 20), (1080, 10_000))
    print(
        f"memory above that of torch: training on {train[1]} x {train[0]} particles in a batch "
        f"{memory_of('train', *train):.0f} MB, goal 1000; predicting {predict[1]} x {predict[0]} "
        f"{memory_of('predict', *predict):.0f} MB"
    )
    memories = ", ".join(f"{size}: {memory_of('featurize', size):.0f} MB" for size in sizes[::2])
    print(f"the same: all features of one configuration, by its number of particles: {memories}")
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="small systems, 2 repeats")
    parser.add_argument("--output", default="peers_output", help="folder for the figure")
    parser.add_argument("--glassml", help="folder with a copy of github.com/ks8/glassML")
    arguments = parser.parse_args()
    n_repeats = 2 if arguments.quick else arguments.repeats
    main(arguments.output, n_repeats, arguments.quick, arguments.glassml)
