"""Time the persistent exclusion process against a plain loop in C, and two processes against one.

    python examples/benchmarks/lattice_simulation.py

moves the particles of a 128 x 128 lattice at density 0.15, by ``PersistentExclusion`` and by a loop
that a C compiler (``cc``) makes of the rules as they are told: an order that is shuffled before
each sweep, neighbours from a table, ``rand()`` for every choice. The two take turns, each on one
thread; the ratio is the speed of the package in units of that of the loop. The last line is the
gain in runs per hour of two processes.

``--quick`` takes short runs and proves nothing but that it runs.
"""

import argparse
import ctypes
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glassclf.datasets import make_persistent_exclusion
from glassclf.simulation import PersistentExclusion, random_lattice

SIDE, DENSITY = 128, 0.15
RATES = (2.0**-6, 2.0**-3, 2.0**-1)
LOOP = """
#include <stdlib.h>
void move(int n, const int *table, int *orientation, int *occupied, int *site, int *order,
          double rate, int sweeps) {
    for (int sweep = 0; sweep < sweeps; sweep++) {
        for (int i = n - 1; i > 0; i--) {
            int j = rand() % (i + 1), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        for (int i = 0; i < n; i++) {
            int p = order[i], ahead = table[4 * site[p] + orientation[p]];
            if (!occupied[ahead]) {
                occupied[site[p]] = 0;
                occupied[ahead] = 1;
                site[p] = ahead;
            }
            if ((double)rand() / RAND_MAX < rate) orientation[p] = rand() % 4;
        }
    }
}
"""


class Loop:
    """The loop in C, on a lattice of its own."""

    def __init__(self, folder, sites, rate):
        source, library = Path(folder) / "loop.c", Path(folder) / "loop.so"
        source.write_text(LOOP)
        subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", library, source], check=True)
        self.move = ctypes.CDLL(str(library)).move
        number = np.arange(sites.size).reshape(sites.shape)
        steps = ((1, 0), (0, 1), (-1, 0), (0, -1))
        ahead = [np.roll(number, (-a, -b), (0, 1)).ravel() for a, b in steps]
        self.rate = ctypes.c_double(rate)
        site = np.flatnonzero(sites)
        arrays = (
            np.stack(ahead, axis=1).ravel(),
            sites.ravel()[site] - 1,
            sites.ravel() > 0,
            site,
            np.arange(len(site)),
        )
        self.arrays = [np.ascontiguousarray(array, dtype=np.int32) for array in arrays]

    def run(self, n_sweeps):
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in self.arrays]
        self.move(len(self.arrays[-1]), *pointers, self.rate, n_sweeps)


def time_sweeps(simulation, n_sweeps):
    begin = time.perf_counter()
    simulation.run(n_sweeps)
    return time.perf_counter() - begin


def compare_loops(n_sweeps, repeats):
    sites = random_lattice(DENSITY, (SIDE, SIDE), random_state=0)
    n_moves = np.count_nonzero(sites) * n_sweeps
    with tempfile.TemporaryDirectory() as folder:
        for rate in RATES:
            simulations = {"glassclf": PersistentExclusion(sites, rate, random_state=0)}
            if shutil.which("cc"):
                simulations["C"] = Loop(folder, sites, rate)
            times = {name: [] for name in simulations}
            for simulation in simulations.values():
                simulation.run(1)
            for _ in tqdm(range(repeats), desc=f"rate {rate:.3g}"):
                for name, simulation in simulations.items():
                    times[name].append(time_sweeps(simulation, n_sweeps))
            speeds = {name: n_moves / np.median(values) for name, values in times.items()}
            told = ", ".join(f"{name} {speed:.2e}" for name, speed in speeds.items())
            ratio = f", ratio {speeds['glassclf'] / speeds['C']:.2f}" if "C" in speeds else ""
            print(f"tumbling rate {rate:.3g}: moves a second on one core: {told}{ratio}")


def compare_processes(n_runs, n_snapshots):
    settings = {"n_snapshots": n_snapshots, "random_state": 0, "verbose": 0}
    make_persistent_exclusion(0.1, DENSITY, 2, n_jobs=2, **settings)  # processes are started
    seconds = []
    for n_jobs in (1, 2):
        begin = time.perf_counter()
        make_persistent_exclusion(RATES[0], DENSITY, n_runs, n_jobs=n_jobs, **settings)
        seconds.append(time.perf_counter() - begin)
    print(f"two processes against one: ratio {seconds[0] / seconds[1]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short runs")
    quick = parser.parse_args().quick
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    compare_loops(n_sweeps=50 if quick else 20_000, repeats=2 if quick else 5)
    compare_processes(n_runs=2 if quick else 8, n_snapshots=2 if quick else 100)


if __name__ == "__main__":
    main()
