"""Make the bundled snapshots of the persistent exclusion process, in a minute on 2 cores."""

from pathlib import Path

import numpy as np

import glassclf.datasets
from glassclf.configurations.atomic import complete_file
from glassclf.datasets import make_persistent_exclusion
from glassclf.datasets.lattice_sample import FILE_NAME, pack_lattices

RATES = 2.0 ** np.linspace(-6, -1, 10)


def main():
    data = make_persistent_exclusion(
        RATES, 0.15, n_runs=8, n_snapshots=15, random_state=20260, n_jobs=2
    )
    path = Path(glassclf.datasets.__file__).parent / "data" / FILE_NAME
    with complete_file(path) as temporary:
        np.savez_compressed(temporary, **pack_lattices(data))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
