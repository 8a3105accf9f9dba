"""Films packed into a file come back as they were, but for the last digits."""

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets.films import load_films, pack_films, unpack_films
from glassclf.testing import toy_films


@pytest.fixture(scope="module")
def films():
    return Configurations.concatenate(
        [toy_films(2), toy_films(1, n_rows=30, substrate_temperature=0.21, random_state=1)]
    )


def assert_same_films(one, other):
    np.testing.assert_allclose(one.positions, other.positions, rtol=0, atol=4e-6)
    for name in ("types", "offsets", "cells", "periodic"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert set(one.info) == set(other.info)
    for name, values in other.info.items():
        np.testing.assert_array_equal(one.info[name], values)


def test_films_come_back(films):
    assert_same_films(unpack_films(pack_films(films)), films)


def test_films_that_were_packed_survive_another_round(films):
    once = unpack_films(pack_films(films))
    np.testing.assert_array_equal(unpack_films(pack_films(once)).positions, once.positions)


def test_the_file_survives_another_round_and_each_call_reads_it_anew():
    data = load_films().data
    assert_same_films(unpack_films(pack_films(data)), data)
    data.positions[:] = 0.0
    assert load_films().data.positions.any()
