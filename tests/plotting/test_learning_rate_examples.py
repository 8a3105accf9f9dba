"""The examples about learning rates run in their quick form, twice in the same folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

pytest.importorskip("matplotlib")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["learning_rate", "threshold_schedule"])
def test_example_runs_twice(name, tmp_path):
    script = EXAMPLES / f"plot_{name}.py"
    environment = {**os.environ, "GLASSCLF_QUICK": "1"}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "numbers mean nothing" in done.stdout
        assert "Warning" not in done.stderr
    assert (tmp_path / f"{name}_output" / f"{name}.png").stat().st_size > 10_000
