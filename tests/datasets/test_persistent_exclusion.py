"""Sets of lattice simulations: what they hold, how they are kept, and what is refused."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from glassclf.datasets import make_persistent_exclusion

SMALL = {"shape": (12, 12), "n_snapshots": 3, "warm_up": 5, "random_state": 0, "verbose": 0}


def test_info_tells_rate_density_run_and_iteration():
    X = make_persistent_exclusion([0.3, 0.5], [0.1, 0.25], 2, **SMALL)
    assert len(X) == 2 * 2 * 2 * 3
    assert len(np.unique(X.info["run"])) == 8
    of_run = X.info["run"] == X.info["run"][0]
    assert X.info["iteration"][of_run].tolist() == [5, 8, 11]
    assert X.info["tumbling_rate"][:12].tolist() == [0.3] * 6 + [0.5] * 6
    # int(0.1 * 144) particles.
    assert X.density[:3] == pytest.approx([14 / 144] * 3)
    assert X.density[-1] == pytest.approx(0.25)


def test_runs_do_not_depend_on_the_call_that_makes_them():
    several = make_persistent_exclusion([0.3, 0.5], [0.1, 0.25], 2, n_jobs=2, **SMALL)
    one = make_persistent_exclusion(0.5, 0.25, **SMALL)
    same = several[several.info["run"] == one.info["run"][0]]
    assert same.fingerprint() == one.fingerprint()
    other = make_persistent_exclusion(0.5, 0.25, **{**SMALL, "random_state": 1})
    assert other.fingerprint() != one.fingerprint()
    # Neither runs of one rate nor those of two share random numbers.
    frames = several[several.info["iteration"] == 5].sites
    assert len({frame.tobytes() for frame in frames}) == 8


def test_time_is_counted_in_iterations():
    often = make_persistent_exclusion(0.3, 0.2, interval=1, **SMALL)
    assert often.info["iteration"].tolist() == [5, 6, 7]
    slow = make_persistent_exclusion(0.3, 0.2, interval=1, speed=20, **{**SMALL, "warm_up": 5})
    fast = make_persistent_exclusion(0.3, 0.2, interval=2, speed=10, **{**SMALL, "warm_up": 10})
    assert slow.fingerprint() == fast.fingerprint()
    at_once = make_persistent_exclusion(1.0, 0.2, **{**SMALL, "warm_up": 0})
    assert at_once.info["iteration"].tolist() == [0, 1, 2]


def test_a_directory_is_gone_on_with(tmp_path):
    memory = make_persistent_exclusion([0.3, 0.5], 0.2, **SMALL)
    first = make_persistent_exclusion(0.5, 0.2, directory=tmp_path / "set", **SMALL)
    (kept,) = (tmp_path / "set").glob("*.npy")
    stamp = kept.stat().st_mtime_ns
    both = make_persistent_exclusion([0.3, 0.5], 0.2, directory=tmp_path / "set", **SMALL)
    assert both.fingerprint() == memory.fingerprint()
    assert kept.stat().st_mtime_ns == stamp
    assert isinstance(first._parts[0], np.memmap)


PROGRAM = """
from glassclf.datasets import make_persistent_exclusion
make_persistent_exclusion(
    0.02, 0.2, 40, shape=(64, 64), n_snapshots=20, warm_up=5, random_state=0, verbose=0,
    directory={directory!r}
)
"""


@pytest.mark.slow
def test_a_killed_call_loses_the_run_in_flight_only(tmp_path):
    folder = tmp_path / "set"
    program = PROGRAM.format(directory=str(folder))
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        deadline = time.time() + 120
        while len(list(folder.glob("pep-*.npy"))) < 2:
            assert time.time() < deadline
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("pep-*.npy")}
    assert len(finished) < 40
    settings = {"shape": (64, 64), "n_snapshots": 20, "warm_up": 5, "random_state": 0, "verbose": 0}
    X = make_persistent_exclusion(0.02, 0.2, 40, directory=folder, **settings)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())
    assert X.fingerprint() == make_persistent_exclusion(0.02, 0.2, 40, **settings).fingerprint()


def test_a_directory_of_other_settings_or_a_damaged_file_is_refused(tmp_path):
    make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)
    with pytest.raises(ValueError, match="holds runs with n_snapshots=3, not 4: give another"):
        make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **{**SMALL, "n_snapshots": 4})
    with pytest.raises(ValueError, match="directory needs an int as random_state"):
        make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **{**SMALL, "random_state": None})
    (path,) = tmp_path.glob("*.npy")
    np.save(path, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must hold bytes of shape .*remove it, it is made again"):
        make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)
    for content in (b"nothing", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged: remove it, it is made again"):
            make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)
    path.unlink()
    sites = make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL).sites
    for value in (9, 0):
        damaged = sites.copy()
        damaged[-1].flat[np.flatnonzero(damaged[-1])[0]] = value
        np.save(path, damaged)
        with pytest.raises(ValueError, match="is damaged: snapshot 2 must hold .* particles of"):
            make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)


def test_runs_of_unknown_settings_are_refused(tmp_path):
    make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)
    for content in (b"{", b"[1]", b"\xff"):
        (tmp_path / "settings.json").write_bytes(content)
        with pytest.raises(ValueError, match="settings.json is damaged, and what the runs"):
            make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ValueError, match="holds runs, but no settings.json: give another"):
        make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)


def test_a_call_that_fails_leaves_the_directory_to_others(tmp_path):
    large = {**SMALL, "shape": (200_000, 200_000), "n_snapshots": 10_000}
    with pytest.raises(OSError, match="MB are needed for the runs"):
        make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **large)
    assert len(make_persistent_exclusion(0.5, 0.2, directory=tmp_path, **SMALL)) == 3


def test_of_two_calls_with_other_settings_at_once_one_is_refused(tmp_path):
    program = "import sys\nfrom glassclf.datasets import make_persistent_exclusion\n"
    program += "make_persistent_exclusion(0.5, 0.2, 4, shape=(8, 8), n_snapshots=3, warm_up=2, "
    program += "random_state=0, verbose=0, directory=sys.argv[1], speed=int(sys.argv[2]))"
    calls = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), speed], stderr=subprocess.PIPE, text=True
        )
        for speed in ("1", "10")
    ]
    errors = [call.communicate()[1] for call in calls]
    assert sorted(call.returncode for call in calls) == [0, 1]
    assert sum("holds runs with speed=" in error for error in errors) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tumbling_rates": [0.1, 0.0]}, r"tumbling_rate must be in \(0, 1\], got 0.0"),
        ({"densities": 1.0}, "density must lie strictly between 0 and 1, got 1.0"),
        ({"tumbling_rates": []}, "tumbling_rates holds no value"),
        ({"densities": [[0.2]]}, "densities must be numbers, got"),
        ({"tumbling_rates": "x"}, "tumbling_rates must be numbers, got"),
        ({"densities": [0.1, 0.1]}, "densities holds a value twice"),
        ({"n_runs": 0}, "n_runs must be an integer of at least 1, got 0"),
        ({"warm_up": -1}, "warm_up must be an integer of at least 0, got -1"),
        ({"interval": 0}, "interval must be an integer of at least 1, got 0"),
        ({"speed": 1.5}, "speed must be an integer of at least 1, got 1.5"),
        ({"random_state": -1}, "random_state must be 0 or larger"),
    ],
)
def test_bad_parameters_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        make_persistent_exclusion(**{"tumbling_rates": 0.5, "densities": 0.2, **SMALL, **changes})
