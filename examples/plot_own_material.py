"""
Another material: crystal or liquid in three dimensions
=======================================================

Nothing here is bound to one mixture or to two dimensions. From dump files of two phases it takes
ten lines to a score. The phases are those of the Lennard-Jones fluid at one density and temperature
(0.95 and 0.8 in its units), once as a crystal and once as an undercooled liquid, simulated by
LAMMPS as anybody would, into dumps; put your own in their place, such as water of two densities.

That this is easy shows at once: histograms of distances (RDF) with logistic regression tell the
phases apart without an error, and no network is needed. Bond order says why.

Run it from a checkout::

    python examples/plot_own_material.py    # half a minute

It needs ``glassclf[simulation,plot]``. It writes dumps and ``own_material.png`` into
``own_material_output``.
"""

# %%
# Dumps, as LAMMPS writes them. If you have your own, this part is not for you.
import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from glassclf.configurations import Configurations, read_configurations
from glassclf.featurizers import BondOrderFeaturizer, RDFFeaturizer
from glassclf.inspection import particle_measures
from glassclf.plotting import RDFDisplay
from glassclf.simulation.lammps_engine import start_lammps

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
N_RUNS = 4 if QUICK else 12

COMMANDS = """
units lj
lattice fcc 0.95
region box block 0 5 0 5 0 5
create_box 1 box
create_atoms 1 box
mass 1 1.0
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0
velocity all create {start} {seed}
fix heat all nvt temp {start} {start} 0.2
run 1000
unfix heat
fix hold all nvt temp 0.8 0.8 0.2
run 2000
dump frames all custom 500 {path} id type x y z
run 1000
"""


def simulate(folder):
    for run in tqdm(range(N_RUNS), desc="LAMMPS"):
        # What starts hot has melted when it is cooled.
        for phase, start in (("crystal", 0.8), ("liquid", 4.0)):
            path = folder / f"{phase}-{run}.dump"
            lammps = start_lammps()
            lammps.commands_string(COMMANDS.format(start=start, seed=run + 1, path=path))
            lammps.close()


# %%
# From files to a score. Each file is a run: its snapshots are never divided between training and
# test, and both have runs of both phases.
def score(folder):
    phases = [read_configurations(folder / f"{phase}-*.dump") for phase in ("crystal", "liquid")]
    X = Configurations.concatenate(phases)
    y = np.repeat(["crystal", "liquid"], [len(phase) for phase in phases])
    run, folds = X.info["file"], StratifiedGroupKFold(4)
    for featurizer in (RDFFeaturizer(), BondOrderFeaturizer(orders=(4, 6))):
        model = make_pipeline(featurizer, StandardScaler(), LogisticRegression(max_iter=1000))
        auc = cross_val_score(model, X, y, groups=run, cv=folds, scoring="roc_auc")
        print(f"{type(featurizer).__name__:20} AUC {auc.mean():.3f} (spread {auc.std():.3f})")
    return X, y


# %%
# What differs: the liquid has lost the shells of distant neighbours and the order of the near ones.
# For the histogram the last snapshot of each run will do.
def draw(path, X, y):
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    RDFDisplay.from_configurations(X, y, r_max=3.5, ax=axes[:1])
    last = X.info["timestep"] == X.info["timestep"].max()
    order = particle_measures(X[last])["Q6"]
    for phase, color in (("crystal", "#0072b2"), ("liquid", "#d55e00")):
        values = np.concatenate([row for row, label in zip(order, y[last]) if label == phase])
        axes[1].hist(
            values, bins=np.linspace(0.1, 0.7, 61), density=True, histtype="step", color=color,
            label=phase,
        )  # fmt: skip
    axes[1].set(xlabel="bond order Q6 of a particle", ylabel="density")
    axes[1].legend(frameon=False)
    figure.savefig(path, dpi=130)


def main(output="own_material_output"):
    output = Path(output).resolve()
    output.mkdir(parents=True, exist_ok=True)
    if QUICK:
        print("GLASSCLF_QUICK=1: 4 runs; numbers mean nothing")
    simulate(output)
    X, y = score(output)
    draw(output / "own_material.png", X, y)
    print(f"dumps and figure are in {output}/")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Crystal or liquid, from dumps in 3D.")
    parser.add_argument("--output", default="own_material_output", help="folder for all files")
    main(**vars(parser.parse_args()))
