"""
A potential learned from energies and forces
============================================

What a spline for each pair of types and a message-passing network make of the energies and forces
of the two-dimensional Kob-Andersen mixture, and whether dynamics with the network gives the liquid
that LAMMPS gives.

The mixture is one of pairs, and so the spline wins: its forces are off by 0.07 percent of their
spread, after six seconds. The network has to find out by itself that energies are sums over
pairs; 0.09 percent, after two minutes, say that its training works. Where the material is not one
of pairs the order is the other way round, see ``plot_many_body.py``.

Run it from a checkout::

    python examples/plot_potential.py     # 4 minutes on 2 cores

It needs ``glassclf[simulation,io,plot]``. It prints two tables and writes ``potential.png`` into
``potential_output``.
"""

# %%
# Liquids at five temperatures, labelled by LAMMPS. Four runs of each are kept for the test.
import argparse
import os
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from ase import units
from ase.md.langevin import Langevin
from tqdm import tqdm

from glassclf.configurations import Configuration, Configurations
from glassclf.datasets import make_equilibrium
from glassclf.estimators import (
    PairSplineRegressor,
    PotentialRegressor,
    as_ase_atoms,
    as_ase_calculator,
)
from glassclf.featurizers import RDFFeaturizer

# Few runs and epochs, to test that the script works: its numbers then mean nothing.
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
TEMPERATURES = [0.5, 2.0] if QUICK else [0.5, 0.75, 1.0, 1.5, 2.0]
N_RUNS, N_TEST = (3, 1) if QUICK else (24, 4)
EPOCHS, N_FRAMES = (1, 3) if QUICK else (24, 30)
SIZES = {"n_particles": 100, "warm_up": 500, "interval": 100} if QUICK else {}
COLOURS = {"spline": "#0072b2", "network": "#d55e00"}


def make_data():
    X = make_equilibrium(TEMPERATURES, N_RUNS, n_jobs=2, random_state=0, **SIZES)
    for_test = np.array([int(run[-3:]) >= N_RUNS - N_TEST for run in X.info["run"]])
    return X[~for_test], X[for_test]


# %%
# Both learn from the same configurations. Particles of the test may be closer than any of the
# training: each model says so, and it is no surprise here.
def fit_both(X):
    network = PotentialRegressor(
        r_max=2.5, n_layers=1, max_epochs=EPOCHS, random_state=0, verbose=1
    )
    fitted = {}
    for name, model in (("spline", PairSplineRegressor(r_max=2.5)), ("network", network)):
        start = time.monotonic()
        fitted[name] = model.fit(X, X.info["energy"], forces=X.info["forces"])
        print(f"{name}: {time.monotonic() - start:.0f} s")
    return fitted


def errors(model, X):
    """Error of the forces by their spread, and mean error of the energy per particle."""
    forces, known = np.array(model.predict_forces(X)), X.info["forces"]
    energy = np.abs(model.predict(X) - X.info["energy"]).mean() / known.shape[1]
    return np.sqrt(np.mean((forces - known) ** 2)) / known.std(), energy


def print_errors(fitted, X):
    print(f"\nerrors on {len(X)} snapshots of other runs, forces in percent of their spread\n")
    print(f"{'T':>6}" + "".join(f"{name + ' forces':>18}{'energy':>12}" for name in fitted))
    found = {}
    for temperature in [*TEMPERATURES, "all"]:
        chosen = X if temperature == "all" else X[X.info["temperature"] == temperature]
        row = [errors(model, chosen) for model in fitted.values()]
        found[temperature] = [force for force, _ in row]
        numbers = "".join(f"{100 * force:18.3f}{energy:12.1e}" for force, energy in row)
        print(f"{temperature:>6}{numbers}")
    return found


# %%
# Dynamics with the network in ASE: at constant temperature, from snapshots of the test.
def simulate(model, X, temperature):
    frames = []
    for index, start in enumerate(tqdm(X[:: len(X) // N_TEST], desc="dynamics")):
        atoms = as_ase_atoms(start)
        atoms.calc = as_ase_calculator(model)
        rng = np.random.RandomState(index)
        atoms.set_velocities(np.sqrt(temperature) * rng.standard_normal((len(atoms), 3)))
        settings = {"temperature_K": temperature / units.kB, "friction": 1.0, "fixcm": False}
        run = Langevin(atoms, timestep=0.005, **settings, rng=rng)
        run.run(20 if QUICK else 500)
        for _ in range(N_FRAMES):
            run.run(5 if QUICK else 50)
            frames.append(Configuration(atoms.positions[:, :2].copy(), start.types, start.box))
    return Configurations(frames)


def draw(path, found, distances, curves):
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for place, (name, colour) in enumerate(COLOURS.items()):
        values = [100 * found[temperature][place] for temperature in TEMPERATURES]
        axes[0].plot(TEMPERATURES, values, "o-", color=colour, label=name)
    axes[0].set(xlabel="temperature", ylabel="error of the forces, % of their spread")
    axes[0].set_ylim(bottom=0)
    axes[0].legend(frameon=False)
    axes[1].plot(distances, curves["LAMMPS"], color="0.2", label="LAMMPS")
    axes[1].plot(distances, curves["network"], "--", color=COLOURS["network"], label="network")
    axes[1].set(xlabel="distance", ylabel="g(r) of all particles", title="liquid at T = 0.5")
    axes[1].legend(frameon=False)
    figure.savefig(path, dpi=120)


def main(output="potential_output"):
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", message="particles of types|two particles are")
    if QUICK:
        warnings.filterwarnings("ignore", message="the training loss")
        print("GLASSCLF_QUICK=1: 6 runs of 100 particles, 1 epoch; numbers mean nothing")
    X, X_test = make_data()
    fitted = fit_both(X)
    found = print_errors(fitted, X_test)
    cold = X_test[X_test.info["temperature"] == TEMPERATURES[0]]
    frames = simulate(fitted["network"], cold, TEMPERATURES[0])
    rdf = RDFFeaturizer(r_max=2.5, n_bins=60, partial=False).fit(X)
    of_lammps = Configurations([*X[X.info["temperature"] == TEMPERATURES[0]], *cold])
    curves = {
        name: rdf.transform(snapshots).mean(axis=0)
        for name, snapshots in (("LAMMPS", of_lammps), ("network", frames))
    }
    difference = np.abs(curves["network"] - curves["LAMMPS"]).max() / curves["LAMMPS"].max()
    print(f"\nlargest difference of g(r), by the first peak: {100 * difference:.1f} %")
    draw(output / "potential.png", found, rdf.r_, curves)
    print(f"the figure is in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A potential from energies and forces.")
    parser.add_argument("--output", default="potential_output", help="folder for the figure")
    main(**vars(parser.parse_args()))
