"""
Clusters of active matter, and when they have formed
====================================================

Self-propelled particles block each other, and the slower they tumble, the larger are the clusters
that they jam into. How large are these, how long does it take from a random start, and when does a
cluster reach around the whole lattice?

The size of the cluster that a particle is in, averaged over the particles, is followed from the
start on, and the steady state begins where the number of uncorrelated snapshots after it is
largest. From then on clusters are counted by their size. The slower particles tumble, the larger
are the clusters, and the longer does one snapshot resemble the next: at a rate of 1/32 some 500
snapshots are worth 45. Slower still, the largest clusters change so slowly that a run of this
length does not tell when it is steady; the number of clusters does.

At a tumbling rate of 1 places are independent, and a cluster reaches around a large lattice from a
density of 0.593 on (M. E. J. Newman and R. M. Ziff, Phys. Rev. Lett. 85, 4104 (2000)). Persistent
particles do so at lower densities.

Run it from a checkout::

    python examples/plot_active_clusters.py     # half a minute on 2 cores

It needs ``glassclf[simulation,plot]``. It prints two tables and writes ``active_clusters.png`` into
``active_clusters_output``.
"""

# %%
# Simulations from a random start, without a warm-up.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from glassclf.datasets import make_persistent_exclusion
from glassclf.thermodynamics import cluster_measures, size_distribution, steady_state

# Few short runs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
RATES = 2.0 ** np.array([-5, -3, 0])
COLORS = ("#0072b2", "#e69f00", "#009e73")
DENSITIES = np.linspace(0.45, 0.65, 3 if QUICK else 11)
N_RUNS, N_TIMES, N_SNAPSHOTS = (2, 300, 2) if QUICK else (6, 500, 20)
INTERVAL = 4
SHAPE, SMALL = ((32, 32), (32, 32)) if QUICK else ((128, 128), (64, 64))


def simulate_start():
    """Snapshots of every fourth iteration, which is of ten sweeps."""
    return make_persistent_exclusion(
        RATES,
        0.15,
        N_RUNS,
        n_snapshots=N_TIMES,
        interval=INTERVAL,
        warm_up=0,
        shape=SHAPE,
        random_state=0,
    )


def simulate_densities():
    return make_persistent_exclusion(
        RATES, DENSITIES, N_RUNS, n_snapshots=N_SNAPSHOTS, shape=SMALL, random_state=1
    )


# %%
# The size of clusters over time, its steady state, and the sizes that there are from then on.
def of_rate(X, rate):
    return np.flatnonzero(X.info["tumbling_rate"] == rate)


def follow(X):
    sizes, run = cluster_measures(X).weighted_mean, X.info["run"]
    steady = steady_state(sizes, run)
    print("\nsize of the cluster of a particle at density 0.15, steady from iteration\n")
    print(
        f"{'rate':>8}{'size':>8}{'spread':>8}{'first run':>12}{'last run':>10}{'uncorrelated':>14}"
    )
    for rate in RATES:
        rows = of_rate(X, rate)
        kept = rows[steady.mask[rows]]
        means = [sizes[kept][run[kept] == name].mean() for name in np.unique(run[rows])]
        of_runs = np.isin(steady.runs, run[rows])
        first, last = INTERVAL * np.sort(steady.start[of_runs])[[0, -1]]
        print(
            f"{rate:8.3f}{np.mean(means):8.2f}{np.std(means):8.2f}{first:12d}{last:10d}"
            f"{steady.n_effective[of_runs].mean():14.0f}"
        )
    return sizes, steady


def draw_sizes(axes, X, sizes, steady):
    for rate, color in zip(RATES, COLORS):
        rows = of_rate(X, rate)
        curves = sizes[rows].reshape(N_RUNS, -1)
        time = X.info["iteration"][rows][: curves.shape[1]]
        axes[0].plot(time, curves.T, color=color, linewidth=0.5, alpha=0.4)
        axes[0].plot(time, curves.mean(0), color=color, label=f"tumbling rate {rate:.3g}")
        for start in steady.start[np.isin(steady.runs, X.info["run"][rows])]:
            axes[0].axvline(INTERVAL * start, ymax=0.04, color=color)
        found = size_distribution(X[rows[steady.mask[rows]]])
        axes[1].loglog(found.size, found.number, ".", color=color, markersize=3)
    axes[0].set(xlabel="iterations of ten sweeps", ylabel="size of the cluster of a particle")
    axes[0].set(
        xscale="symlog", yscale="log", title="from a random start; marks: steady from here on"
    )
    axes[0].set_xlim(left=0)
    axes[0].legend(frameon=False)
    axes[1].set(xlabel="size of a cluster", ylabel="clusters per site", title="steady state")


# %%
# The share of snapshots in which a cluster reaches around the lattice, with the spread over runs.
def measure_percolation(X):
    percolates = cluster_measures(X).percolates
    shares = np.empty((len(RATES), len(DENSITIES), N_RUNS))
    for i, rate in enumerate(RATES):
        for j, density in enumerate(DENSITIES):
            rows = of_rate(X, rate)[np.isclose(X.info["density"][of_rate(X, rate)], density)]
            shares[i, j] = percolates[rows].reshape(N_RUNS, -1).mean(1)
    return shares


def draw_percolation(ax, shares):
    for share, color in zip(shares, COLORS):
        ax.errorbar(DENSITIES, share.mean(1), share.std(1), color=color, capsize=2)
    ax.axvline(0.5927, color="0.6", linestyle="--", zorder=0)
    ax.set(xlabel="density", ylabel="share with a cluster around the lattice")
    ax.set(xticks=DENSITIES[::2], title="dashed: random percolation")


def main(output="active_clusters_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 2 short runs on 32 x 32 sites; numbers mean nothing")
    figure, axes = plt.subplots(1, 3, figsize=(16, 5), layout="constrained")
    start = simulate_start()
    draw_sizes(axes, start, *follow(start))
    shares = measure_percolation(simulate_densities())
    print("\ndensity at which half the snapshots have a cluster around the lattice\n")
    for rate, share in zip(RATES, shares.mean(2)):
        print(f"{rate:8.3f}{np.interp(0.5, share, DENSITIES):8.3f}")
    draw_percolation(axes[2], shares)
    figure.savefig(output / "active_clusters.png", dpi=110)
    print(f"\nthe figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Clusters of active matter.")
    parser.add_argument("--output", default="active_clusters_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
