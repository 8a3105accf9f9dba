"""Make the file that ``load_kob_andersen`` loads. On two cores it takes about ten minutes.

    python tools/make_bundled_data.py --directory runs --n-jobs 2

A call that was stopped continues with the same --directory.
"""

import argparse
from pathlib import Path

import numpy as np

from glassclf.datasets.generation import make_kob_andersen
from glassclf.datasets.kob_andersen import FILE_NAME, pack_runs

N_RUNS = 32
# Nobody's default: a set that a user makes shares no run with the bundled one.
RANDOM_STATE = 20261
DATA = Path(__file__).resolve().parents[1] / "glassclf" / "datasets" / "data"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", required=True, help="where finished runs are kept")
    parser.add_argument("--n-jobs", type=int, default=1, help="number of processes")
    arguments = parser.parse_args()
    data = make_kob_andersen(
        N_RUNS,
        random_state=RANDOM_STATE,
        n_jobs=arguments.n_jobs,
        directory=arguments.directory,
    )
    np.savez(DATA / FILE_NAME, **pack_runs(data))
    print(f"{DATA / FILE_NAME}: {(DATA / FILE_NAME).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
