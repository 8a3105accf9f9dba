"""Make the file that ``load_films`` loads. It takes about 25 minutes of one core.

    python tools/make_films.py --directory films --n-jobs 2

A call that was stopped continues with the same --directory. With ``--flux published`` the films
grow as slowly as those of the literature, in about two hours of one core.
"""

import argparse
from pathlib import Path

import numpy as np

from glassclf.configurations.configuration_set import Configurations
from glassclf.datasets.films import FILE_NAME, pack_films
from glassclf.datasets.vapor_deposition import make_vapor_deposited

# Nobody's default: a set that a user makes shares no film with the bundled one.
RANDOM_STATE = 20263
# How many films at each substrate temperature: many for the comparison of the two materials, one
# each for the dependence on the temperature. In units of 0.21, these are 0.9 and the others.
N_FILMS = {0.189: 12, 0.147: 1, 0.168: 1, 0.21: 1, 0.231: 1}
DATA = Path(__file__).resolve().parents[1] / "glassclf" / "datasets" / "data"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", required=True, help="where finished films are kept")
    parser.add_argument("--n-jobs", type=int, default=1, help="number of processes")
    parser.add_argument("--flux", default="workstation", choices=["workstation", "published"])
    arguments = parser.parse_args()
    films = [
        make_vapor_deposited(
            n_films,
            substrate_temperature=temperature,
            flux=arguments.flux,
            random_state=RANDOM_STATE,
            n_jobs=arguments.n_jobs,
            directory=arguments.directory,
        )
        for temperature, n_films in N_FILMS.items()
    ]
    data = Configurations.concatenate(films)
    np.savez_compressed(DATA / FILE_NAME, **pack_films(data))
    print(f"{DATA / FILE_NAME}: {(DATA / FILE_NAME).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
