"""Caches that cannot be written: one error, which names ``cache`` and the folder."""

import resource

import pytest

from glassclf.featurizers import ImageFeaturizer
from glassclf.testing import two_phases


def images_in(cache):
    return ImageFeaturizer(8, lazy=True, cache=cache).fit_transform(two_phases(n_runs=2)[0])


def test_a_cache_that_cannot_be_is_one_clear_error(tmp_path):
    with pytest.raises(ValueError, match="cache='' names no folder"):
        images_in("").compute([0])
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="cache='.*file' is a file: give the path"):
        images_in(tmp_path / "file").compute([0])
    with pytest.raises(OSError, match="cannot be kept in cache='.*file/inner': .*name another"):
        images_in(tmp_path / "file" / "inner").compute([0])


def test_a_full_disk_names_the_cache(tmp_path):
    images = images_in(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow larger.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match=f"cannot be kept in cache='{tmp_path}': .*make room"):
            images.compute([0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert images.compute([0]).shape == (1, 2, 8, 8)
