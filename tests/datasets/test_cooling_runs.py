"""Runs and their files: segments, kills, time limits, arrays of jobs, energy curves."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets import cooling_runs, make_kob_andersen
from glassclf.simulation import cool, quench, segments
from glassclf.simulation.segments import CoolingProtocol

pytest.importorskip("lammps")
# Of runs that are too short for their thermostat.
pytestmark = pytest.mark.filterwarnings("ignore:.* runs left their set temperature")

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
TINY = {"n_particles": 50, "cooling_steps": 2000, "temperatures": (1.0, 0.05), "verbose": 0}
# In segments of a fraction of a second, see ``short_segments``.
SHORTEST_SEGMENT = 1_000_000
IN_SEGMENTS = {
    "n_particles": 200,
    "cooling_steps": 48_000,
    "temperatures": (1.5, 1.0, 0.525, 0.05),
    "curve_points": 6,
    "random_state": 3,
    "verbose": 0,
}


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SHORTEST_SEGMENT", SHORTEST_SEGMENT)


def _contents(directory):
    return {path.name: path.read_bytes() for path in sorted(Path(directory).iterdir())}


def _time_of(path):
    return path.stat().st_mtime_ns if path.exists() else 0


def _make_one_segment(n_runs, **parameters):
    """Make the next segment of one run, and be out of time then."""
    clock = iter([0.0])
    with pytest.MonkeyPatch.context() as patch:
        # A clock that jumps past every deadline when it is read a second time.
        patch.setattr(cooling_runs, "time", SimpleNamespace(time=lambda: next(clock, np.inf)))
        make_kob_andersen(n_runs, **parameters, max_time=60)


def _start(directory, n_runs, n_jobs=1, **parameters):
    code = (
        "from glassclf.datasets import make_kob_andersen\n"
        "from glassclf.simulation import segments\n"
        f"segments.SHORTEST_SEGMENT = {SHORTEST_SEGMENT}\n"
        f"make_kob_andersen({n_runs}, directory={str(directory)!r}, n_jobs={n_jobs}, "
        f"**{parameters})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for(condition, process):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


def _kill(process):
    """Kill a program and its workers, as a cluster does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
def test_killed_run_goes_on_from_its_segment_and_ends_in_the_same_files(tmp_path):
    make_kob_andersen(1, **IN_SEGMENTS, directory=tmp_path / "reference")
    directory = tmp_path / "killed"
    part = directory / "ka2d-N200-c48000-s3-000.part"
    rng = np.random.default_rng()
    n_cuts = []
    for _ in range(2 if QUICK else 8):
        before = _time_of(part)
        process = _start(directory, 1, **IN_SEGMENTS)
        _wait_for(lambda before=before: _time_of(part) != before, process)
        # Anywhere in a segment, the writing of its end included.
        time.sleep(rng.uniform(0, 0.5))
        _kill(process)
        if not part.exists():
            break
        with np.load(part) as arrays:
            n_cuts.append(int(arrays["n_cuts"]))
    assert n_cuts == sorted(n_cuts)
    assert n_cuts[-1] > 0
    make_kob_andersen(1, **IN_SEGMENTS, directory=directory)
    finished = {name: data for name, data in _contents(directory).items() if name[0] != "."}
    assert finished == _contents(tmp_path / "reference")


def test_max_time_stops_after_a_segment_and_the_same_call_goes_on(tmp_path):
    parameters = {**IN_SEGMENTS, "cooling_steps": 24_000, "directory": tmp_path / "runs"}
    with pytest.raises(TimeoutError, match=r"max_time=1e-09 is over: 0 of 2 runs are finished"):
        make_kob_andersen(2, **parameters, max_time=1e-9)
    assert _contents(tmp_path / "runs") == {}
    words = r"max_time=60 is over: 0 of 2 runs are finished, .* same call goes on with them in "
    for _ in range(4):
        with pytest.raises(TimeoutError, match=words):
            _make_one_segment(2, **parameters)
    endings = [name.rpartition(".")[2] for name in _contents(tmp_path / "runs")]
    assert endings in (["log", "part"], ["log", "part"] * 2)
    resumed = make_kob_andersen(2, **parameters, max_time=1000, n_jobs=2)
    again = make_kob_andersen(2, **{**parameters, "directory": tmp_path / "again"})
    np.testing.assert_array_equal(resumed.positions, again.positions)
    assert _contents(tmp_path / "runs") == _contents(tmp_path / "again")


def test_an_array_of_jobs_is_merged_by_its_directory(tmp_path):
    parameters = {**TINY, "random_state": 4, "directory": tmp_path}
    alone = [make_kob_andersen(3, **parameters, runs=index) for index in (2, 0)]
    assert [set(one.info["run"]) for one in alone] == [
        {"ka2d-N50-c2000-s4-002"},
        {"ka2d-N50-c2000-s4-000"},
    ]
    alone.append(make_kob_andersen(3, **parameters, runs=[1]))
    merged = make_kob_andersen(3, **parameters)
    np.testing.assert_array_equal(
        merged.positions, np.concatenate([alone[i].positions for i in (1, 2, 0)])
    )
    turned = make_kob_andersen(3, **TINY, random_state=4, runs=(2, 1))
    np.testing.assert_array_equal(turned[:4].positions, alone[0].positions)


def test_energy_curve_is_that_of_quenched_snapshots_and_its_own_file(tmp_path):
    make_kob_andersen(1, **TINY, random_state=4, curve_points=5, directory=tmp_path)
    path = tmp_path / "ka2d-N50-c2000-s4-000-cooling.dat"
    temperature, energy = np.loadtxt(path, unpack=True)
    np.testing.assert_allclose(temperature, np.linspace(2, 0.05, 5))
    assert "# cooling_steps 2000" in path.read_text().splitlines()
    # The same run, with snapshots where the curve has its points.
    points = {**TINY, "temperatures": (*temperature, 1.0)}
    sequence = np.random.SeedSequence([4, 50, 2000, 0])
    del points["verbose"]
    snapshots = cool(**points, random_state=np.random.RandomState(sequence.generate_state(8)))
    inherent = quench(snapshots).info["inherent_energy"]
    np.testing.assert_array_equal(energy, inherent[[0, 1, 2, 4, 5]])


def test_three_dimensions():
    data = make_kob_andersen(1, **TINY, n_dims=3, random_state=4)
    assert data.n_dims == 3
    assert data.info["run"][0] == "ka3d-N50-c2000-s4-000"
    assert np.bincount(data[0].types).tolist() == [40, 10]
    flat = make_kob_andersen(1, **TINY, random_state=4)
    assert flat.n_dims == 2


def test_equal_time_intervals():
    data = make_kob_andersen(1, **{**TINY, "temperatures": 5}, random_state=4)
    thermal = data[data.info["state"] == "thermal"]
    np.testing.assert_allclose(thermal.info["temperature"], [1.61, 1.22, 0.83, 0.44, 0.05])


def test_pressure_and_drift_are_kept():
    hot = {"temperatures": (1.95,), "cooling_steps": 100_000, "verbose": 0}
    info = make_kob_andersen(2, n_particles=500, random_state=4, **hot).info
    # The equilibrium melt of 1080 particles at this temperature and density: 22.5.
    assert info["pressure"].mean() == pytest.approx(22.5, abs=3)
    # LAMMPS itself scatters by 4e-4 at T = 2, fitted over as many steps.
    assert (np.abs(info["energy_drift"]) < 2e-3).all()
    assert len(np.unique(info["energy_drift"])) == len(np.unique(info["pressure"])) == 2


def test_a_run_that_the_thermostat_cannot_follow_is_reported():
    words = r"1 of 1 runs left their set temperature by more than 3 standard errors, mostly ka2d-"
    with pytest.warns(UserWarning, match=words):
        make_kob_andersen(1, **{**TINY, "cooling_steps": 50}, random_state=0)


def test_cuts_follow_from_the_protocol():
    short = CoolingProtocol(1000, 200_000, (1.0, 0.05), "kob-andersen-2d")
    assert short.cuts().tolist() == [102_564, 200_000]
    long = CoolingProtocol(1000, 1_000_000, (1.0, 0.05), "kob-andersen-2d")
    assert long.cuts().tolist() == [300_000, 512_821, 812_821, 1_000_000]
    dense = short._replace(curve_points=3)
    assert dense.cuts().tolist() == [0, 100_000, 102_564, 200_000]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_dims": 4}, "n_dims must be 2 or 3, got 4"),
        ({"n_dims": 2.0}, "n_dims must be 2 or 3, got 2.0"),
        ({"n_dims": [2]}, r"n_dims must be 2 or 3, got \[2\]"),
        ({"curve_points": 1}, "curve_points must be 0, or between 2 and cooling_steps"),
        ({"curve_points": 2002}, "curve_points must be 0, or between .* cooling_steps=2000"),
        ({"curve_points": -1}, "curve_points must be an integer of at least 0, got -1"),
        ({"curve_points": 5}, "curve_points=5 needs a directory, where the runs are kept"),
        ({"max_time": 5}, "max_time=5 needs a directory"),
        ({"max_time": 0}, "max_time must be a positive number of seconds, got 0"),
        ({"max_time": 0, "directory": "runs", "random_state": 0}, "max_time must be a positive"),
        ({"temperatures": 0}, "temperatures must be an integer of at least 1, got 0"),
        ({"temperatures": 2001}, "temperatures=2001 asks for more snapshots than there are steps"),
        ({"runs": 2}, "runs must be numbers from 0 to n_runs - 1 = 1, got 2"),
        ({"runs": [0, 0]}, r"runs must name each run once, got \[0, 0\]"),
        ({"runs": []}, r"runs must be an int or a sequence of ints, got \[\]"),
        ({"runs": 0.5}, "runs must be an int or a sequence of ints, got 0.5"),
    ],
)
def test_bad_parameters(parameters, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(2, **{**TINY, **parameters})
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk(tmp_path):
    with pytest.raises(OSError, match="MB are needed for the runs still to be made") as caught:
        make_kob_andersen(1, n_particles=10**10, random_state=0, directory=tmp_path, verbose=0)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path)


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Return the path of a part that a call has left behind."""
    parameters = {**IN_SEGMENTS, "cooling_steps": 24_000}
    directory = tmp_path_factory.mktemp("stopped")
    with pytest.raises(TimeoutError):
        _make_one_segment(1, **parameters, directory=directory)
    return directory / "ka2d-N200-c24000-s3-000.part"


@pytest.fixture
def stopped(part, tmp_path):
    """Return the path of a copy, to be spoilt."""
    return Path(shutil.copy(part, tmp_path))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"temperatures": (1.0, 0.05)}, r"000.part was made with temperatures=\(1.5, .*\(1.0, 0.0"),
        ({"curve_points": 7}, "000.part was made with curve_points=6, not with curve_points=7"),
    ],
)
def test_part_of_another_protocol_is_refused(stopped, changed, words):
    parameters = {**IN_SEGMENTS, "cooling_steps": 24_000, **changed}
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(1, **parameters, directory=stopped.parent)


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_garbled_part_is_named(stopped, content):
    stopped.write_bytes(stopped.read_bytes()[:-100] if content is None else content)
    with pytest.raises(ValueError, match=r"000.part is not part of a run .*; remove it"):
        make_kob_andersen(1, **{**IN_SEGMENTS, "cooling_steps": 24_000}, directory=stopped.parent)


def test_curve_that_was_not_made_is_asked_for(tmp_path):
    parameters = {**TINY, "random_state": 4, "directory": tmp_path}
    make_kob_andersen(1, **parameters)
    words = "000.safetensors was made with curve_points=0, not with curve_points=5; remove it"
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(1, **parameters, curve_points=5)
    (tmp_path / "ka2d-N50-c2000-s4-000-cooling.dat").write_text("one two\n")
    with pytest.raises(ValueError, match=r"000-cooling.dat is not an energy curve \(.*remove it"):
        make_kob_andersen(1, **parameters, curve_points=5)


@pytest.mark.slow
def test_a_dead_worker_is_named_with_the_last_lines_of_lammps(tmp_path):
    parameters = {**IN_SEGMENTS, "cooling_steps": 2_000_000, "verbose": 0}
    process = _start(tmp_path, 4, n_jobs=2, **parameters)
    try:
        _wait_for(lambda: len(list(tmp_path.glob("*.part"))) == 2, process)
        os.kill(_workers_of(process.pid)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            _kill(process)
    assert "RuntimeError: a worker process died: LAMMPS crashed, or" in errors
    assert "finished segments are kept: the same call goes on with them" in errors
    assert "ka2d-N200-c2000000-s3-00" in errors
    assert "    run " in errors


def _workers_of(pid):
    """Children that run joblib's workers, and not its resource tracker."""
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = folder.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        if parent == pid and b"resource_tracker" not in command:
            children.append(int(folder.name))
    return children


def test_a_kill_at_any_moment_of_the_end_changes_no_file(tmp_path, monkeypatch):
    parameters = {**TINY, "random_state": 4, "curve_points": 3}
    make_kob_andersen(2, **parameters, directory=tmp_path / "whole")
    reference, directory = _contents(tmp_path / "whole"), tmp_path / "killed"

    def killed(self, path):
        raise KeyboardInterrupt

    # After the curve is written and before the run is.
    with monkeypatch.context() as patch:
        patch.setattr(Configurations, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            make_kob_andersen(1, **parameters, directory=directory)
    name = "ka2d-N50-c2000-s4-000"
    endings = ("-cooling.dat", ".log", ".part")
    assert list(_contents(directory)) == [f"{name}{ending}" for ending in endings]
    kept = {name: data for name, data in _contents(directory).items() if "cooling" not in name}
    make_kob_andersen(2, **parameters, directory=directory)
    assert _contents(directory) == reference
    # After the run is written, and before its part and its log are removed.
    for missing in ((), (f"{name}.part",)):
        for left in kept.keys() - missing:
            (directory / left).write_bytes(kept[left])
        make_kob_andersen(2, **parameters, directory=directory)
        assert _contents(directory) == reference


def test_a_run_that_another_process_has_just_finished_is_not_begun_again(tmp_path, monkeypatch):
    make_kob_andersen(1, **TINY, random_state=4, directory=tmp_path)
    path = tmp_path / "ka2d-N50-c2000-s4-000.safetensors"
    finished = path.read_bytes()
    path.unlink()

    def finish_elsewhere(run):
        path.write_bytes(finished)

    # The other one writes the run, then removes the part: here when the part is looked for.
    monkeypatch.setattr(cooling_runs, "read_part", finish_elsewhere)
    monkeypatch.setattr(cooling_runs, "cool_in_segments", None)
    assert len(make_kob_andersen(1, **TINY, random_state=4, directory=tmp_path)) == 4


@pytest.mark.parametrize("in_files", [False, True])
def test_a_run_in_which_lammps_stops_is_named_with_its_last_lines(in_files, tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "THERMOSTAT_DAMPING", "slow")
    directory = {"directory": tmp_path} if in_files else {}
    words = r"^ka2d-N50-c2000-s4-000: LAMMPS stopped: ERROR(.|\n)*last lines were:\n    "
    with pytest.raises(RuntimeError, match=words):
        make_kob_andersen(1, **TINY, random_state=4, **directory)


def test_runs_of_earlier_versions_and_renamed_ones_are_refused(tmp_path):
    data = make_kob_andersen(1, **TINY, random_state=4)
    path = tmp_path / "ka2d-N50-c2000-s4-000.safetensors"
    earlier = Configurations(list(data))
    del earlier.info["pressure"]
    earlier.save(path)
    words = r"000.safetensors is not a run of make_kob_andersen \('pressure'\); remove it"
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(1, **TINY, random_state=4, directory=tmp_path)
    data.save(path)
    path.rename(tmp_path / "ka2d-N50-c2000-s4-001.safetensors")
    words = "001.safetensors holds the run ka2d-N50-c2000-s4-000, not ka2d-.*-001; remove it"
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(2, **TINY, random_state=4, directory=tmp_path)
