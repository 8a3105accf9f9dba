"""What an optional dependency that is missing is told with."""

import sys

import numpy as np
import pytest

from glassclf._extras import import_extra
from glassclf.configurations import read_lattices
from glassclf.thermodynamics import steady_state


def test_present_module_is_returned():
    assert import_extra("json", "io", "reading").loads("1") == 1


def test_missing_module_names_the_extra():
    with pytest.raises(ImportError, match=r'dreaming needs nowhere: pip install "glassclf\[io\]"'):
        import_extra("nowhere.at_all", "io", "dreaming")


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("h5py", lambda: read_lattices("a.hdf5"), r"reading HDF5 files needs h5py: .*\[io\]"),
        (
            "pymbar.timeseries",
            lambda: steady_state(np.arange(20)),
            r"finding the steady state needs pymbar: .*\[simulation\]",
        ),
    ],
)
def test_each_extra_of_lattices_is_named(monkeypatch, module, call, message):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        call()
