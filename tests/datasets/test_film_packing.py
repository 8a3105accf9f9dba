"""Films packed into a file come back as they were, but for the last digits."""

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets import films as bundled
from glassclf.datasets import select_films
from glassclf.datasets.films import pack_films, unpack_films
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


def test_the_loader_reads_what_was_packed(films, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    np.savez_compressed(folder / bundled.FILE_NAME, **pack_films(films))
    (folder / bundled.DESCRIPTION_NAME).write_text("what it is")
    monkeypatch.setattr(bundled.resources, "files", lambda package: tmp_path)
    bunch = bundled.load_films()
    assert_same_films(bunch.data, films)
    assert bunch.DESCR == "what it is"
    assert bunch.filename == str(folder / bundled.FILE_NAME)
    X, _, _ = select_films(bunch, 0.189, n_particles=100)
    assert len(X) == 4
    bunch.data.positions[:] = 0.0
    assert bundled.load_films().data.positions.any()
