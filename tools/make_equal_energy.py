"""Make the file that ``load_equal_energy`` loads. On one core it takes about ten minutes.

    python tools/make_equal_energy.py --directory fast_runs

A call that was stopped continues with the same --directory.
"""

import argparse
from pathlib import Path

import numpy as np

from glassclf.datasets.equal_energy import FILE_NAME, pack_inherent
from glassclf.datasets.generation import make_kob_andersen

N_RUNS = 128
COOLING_STEPS = 20_000
# Where a faster cooling has fallen out of equilibrium while a slower one has not, and the glass.
TEMPERATURES = (0.401, 0.05)
# As many as there are slower runs to compare with; of the glasses, equal energies take more.
N_WARM_RUNS = 32
# Nobody's default, and not that of the slower runs that are bundled.
RANDOM_STATE = 20262
DATA = Path(__file__).resolve().parents[1] / "glassclf" / "datasets" / "data"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", required=True, help="where finished runs are kept")
    parser.add_argument("--n-jobs", type=int, default=1, help="number of processes")
    arguments = parser.parse_args()
    data = make_kob_andersen(
        N_RUNS,
        cooling_steps=COOLING_STEPS,
        temperatures=TEMPERATURES,
        random_state=RANDOM_STATE,
        n_jobs=arguments.n_jobs,
        directory=arguments.directory,
    )
    warm_runs = np.unique(data.info["run"])[:N_WARM_RUNS]
    kept = (data.info["temperature"] == 0.05) | np.isin(data.info["run"], warm_runs)
    np.savez(DATA / FILE_NAME, **pack_inherent(data[kept]))
    print(f"{DATA / FILE_NAME}: {(DATA / FILE_NAME).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
