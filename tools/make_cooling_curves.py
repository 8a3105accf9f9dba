"""Make the file that ``load_cooling_curves`` loads. On two cores it takes about an hour and a half.

    python tools/make_cooling_curves.py --directory runs --n-jobs 2

A call that was stopped continues with the same --directory. Most of the time goes into the slowest
cooling, and into 200 quenches for each run.
"""

import argparse
from pathlib import Path

import numpy as np

from glassclf.datasets.cooling_curves import FILE_NAME, pack_curves
from glassclf.datasets.generation import make_kob_andersen
from glassclf.thermodynamics.curve_files import read_cooling_curves

# Time steps of a cooling, and how many runs of it: one of the slowest takes four minutes.
N_RUNS = {20_000: 16, 200_000: 16, 2_000_000: 16}
N_POINTS = 200
# Nobody's default: a set that a user makes shares no run with the bundled one.
RANDOM_STATE = 20264
DATA = Path(__file__).resolve().parents[1] / "glassclf" / "datasets" / "data"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", required=True, help="where finished runs are kept")
    parser.add_argument("--n-jobs", type=int, default=1, help="number of processes")
    arguments = parser.parse_args()
    curves = {}
    for steps, n_runs in N_RUNS.items():
        data = make_kob_andersen(
            n_runs,
            cooling_steps=steps,
            curve_points=N_POINTS,
            random_state=RANDOM_STATE,
            n_jobs=arguments.n_jobs,
            directory=arguments.directory,
        )
        names = dict.fromkeys(data.info["run"].tolist())
        files = [Path(arguments.directory, f"{name}-cooling.dat") for name in names]
        curves[steps] = read_cooling_curves(files)
    np.savez_compressed(DATA / FILE_NAME, **pack_curves(curves))
    print(f"{DATA / FILE_NAME}: {(DATA / FILE_NAME).stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
