"""Small seeded films in the format of the vapour-deposited ones, made without a simulation."""

import numpy as np
from sklearn.utils import check_random_state

from glassclf.configurations import Configuration, Configurations

COLUMN_WIDTH = np.sqrt(3) / 2
N_SUBSTRATE_ROWS = 2
GAS_GAP = 5.0
NOISE = {"thermal": 0.04, "inherent": 0.02}
SHARE_OF_B = 0.35


def toy_films(n_films=4, *, n_rows=28, n_columns=14, substrate_temperature=0.189, random_state=0):
    """Make films of particles near the sites of a lattice, on a substrate.

    In their format they are those of a simulated deposition: types 0 (A), 1 (B) and 2 (substrate),
    x along the substrate and periodic, y the direction of growth and open, and one particle of gas
    above the surface. Their structure and their energies mean nothing.

    Parameters
    ----------
    n_films : int, default=4
        Number of deposited films; as many liquid-cooled ones stand beside them.
    n_rows : int, default=28
        Rows of particles in a film, 1 apart.
    n_columns : int, default=14
        Particles in a row, sqrt(3) / 2 apart; an even number.
    substrate_temperature : float, default=0.189
        Goes into ``info``.
    random_state : int, RandomState instance or None, default=0
        Seed of the positions and types.

    Returns
    -------
    films : Configurations of shape (4 * n_films,)
        Film by film: deposited thermal and inherent, liquid-cooled thermal and inherent. A
        deposited film and its liquid-cooled one share ``info["run"]``.

    Examples
    --------
    >>> from glassclf.testing import toy_films
    >>> films = toy_films(2)
    >>> films.info["material"][:4].tolist()
    ['vapor-deposited', 'vapor-deposited', 'liquid-cooled', 'liquid-cooled']
    >>> films.info["run"][::4].tolist()
    ['toy-000', 'toy-001']
    """
    rng = check_random_state(random_state)
    films = []
    for index in range(n_films):
        for material in ("vapor-deposited", "liquid-cooled"):
            types = _shuffled_types(n_rows * n_columns, rng)
            for state in ("thermal", "inherent"):
                info = {
                    "run": f"toy-{index:03d}",
                    "material": material,
                    "state": state,
                    "substrate_temperature": substrate_temperature,
                    "cooling_steps": 0 if material == "vapor-deposited" else 1000,
                }
                films.append(_film(types, n_rows, n_columns, NOISE[state], info, rng))
    return Configurations(films)


def _shuffled_types(n_particles, rng):
    n_b = round(SHARE_OF_B * n_particles)
    return rng.permutation(np.repeat([0, 1], [n_particles - n_b, n_b]))


def _film(types, n_rows, n_columns, noise, info, rng):
    n_all_rows = N_SUBSTRATE_ROWS + n_rows
    rows, columns = np.indices((n_all_rows, n_columns)).reshape(2, -1)
    # Neighbouring columns are shifted against each other by a little more than half a row, so that
    # the density hardly varies with y.
    shifts = columns * (0.5 + 1 / n_columns) % 1.0
    positions = np.column_stack([(columns + 0.5) * COLUMN_WIDTH, rows + shifts])
    positions += noise * rng.normal(size=positions.shape)
    # The last particle of the film has not condensed.
    positions[-1, 1] += GAS_GAP
    kinds = np.concatenate([np.full(N_SUBSTRATE_ROWS * n_columns, 2), types])
    box = (n_columns * COLUMN_WIDTH, n_all_rows + 2 * GAS_GAP)
    positions[:, 0] %= box[0]
    return Configuration(positions, kinds, box, periodic=(True, False), info=info)
