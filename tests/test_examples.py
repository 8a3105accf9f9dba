"""The examples run in their quick form, twice in the same folder, and so do the benchmarks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
# Without the quick start, which is the first command of the README, and without glass_or_liquid.py,
# which simulates for long.
GALLERY = sorted({*EXAMPLES.glob("plot_*.py")} - {EXAMPLES / "plot_quickstart.py"})
BENCHMARKS = [
    "larger_than_memory.py",
    "lattice_simulation.py",
    "neighborhoods.py",
    "optuna_search.py",
    "peers.py",
    "simulation_speed.py",
    "training_loop.py",
]

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.slow


def run(script, folder, *options):
    environment = {**os.environ, "GLASSCLF_QUICK": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, script, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("script", GALLERY, ids=lambda path: path.stem)
def test_example_runs_twice(script, tmp_path):
    for _ in range(2):
        done = run(script, tmp_path)
        # A quick form that is taken for the whole is worse than none.
        assert "mean nothing" in done.stdout
        assert "Warning" not in done.stderr
    (figure,) = tmp_path.glob("*_output/*.png")
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_runs(name, tmp_path):
    assert "ratio" in run(EXAMPLES / "benchmarks" / name, tmp_path, "--quick").stdout
