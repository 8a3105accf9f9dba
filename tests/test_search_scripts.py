"""The job scripts of the documentation: right for bash, and run under a stand-in for SLURM."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "search_workers.rst"
# A study of a few short trials in place of that of the page.
SMALL = """
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from glassclf.model_selection import OptunaSearch

X, y = make_classification(60, random_state=0)
search = OptunaSearch(
    LogisticRegression(), n_trials=6, storage="search.journal", random_state=0, {settings}
)
"""


def scripts_of(page, language):
    """Blocks of a page by the file name in their comments."""
    blocks = re.findall(
        rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", page.read_text(), flags=re.MULTILINE
    )
    named = {}
    for block in map(textwrap.dedent, blocks):
        name = re.search(r"^# (\w+\.(?:sh|py))", block, flags=re.MULTILINE)
        if name:
            named[name[1]] = block
    return named


def all_job_scripts():
    return [
        pytest.param(text, id=f"{page.stem}-{name}")
        for page in sorted(DOCS.glob("*.rst"))
        for name, text in scripts_of(page, "bash").items()
    ]


@pytest.mark.parametrize("script", all_job_scripts())
def test_job_script_is_right_for_bash(script):
    assert script.startswith("#!/bin/bash\n")
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_study_of_the_page_is_a_search_that_workers_take(tmp_path, monkeypatch):
    from glassclf.model_selection.worker import read_search

    monkeypatch.chdir(tmp_path)
    script = tmp_path / "study.py"
    script.write_text(scripts_of(PAGE, "python")["study.py"])
    parts = read_search(script)
    assert parts["search"].n_trials == 100
    assert len(parts["X"]) == len(parts["y"]) == len(parts["groups"])


def submit(folder, name, settings=""):
    """Run a job script of the page as SLURM would run task 3 of an array."""
    (folder / "study.py").write_text(SMALL.format(settings=settings))
    (folder / name).write_text(scripts_of(PAGE, "bash")[name])
    stand_ins = {
        "sbatch": 'echo "$@" >> submitted',
        # What srun and a container do to a command line, as far as the scripts go.
        "srun": 'exec "$@"',
        "apptainer": 'shift 4; exec "$@"',
        "glassclf": f'exec {sys.executable} -m glassclf "$@"',
    }
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for program, line in stand_ins.items():
        (programs / program).write_text(f"#!/bin/sh\n{line}\n")
        (programs / program).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "SLURM_CPUS_PER_TASK": "1",
        "SLURM_ARRAY_TASK_ID": "3",
    }
    return subprocess.run(
        ["bash", name], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["search.sh", "contained.sh"])
def test_a_task_submits_itself_until_the_study_is_complete(name, tmp_path):
    stopped = submit(tmp_path, name, "timeout=1e-6")
    assert "0 of 6 trials" in stopped.stderr
    assert (tmp_path / "submitted").read_text() == f"--array=3 {name}\n"
    done = submit(tmp_path, name)
    assert "6 trials" in done.stdout, done.stderr
    assert (tmp_path / "study.safetensors").exists()
    assert (tmp_path / "submitted").read_text().count("\n") == 1
    # Another task of the array comes late: it finds nothing to do, and submits nothing.
    assert submit(tmp_path, name).returncode == 0
    assert (tmp_path / "submitted").read_text().count("\n") == 1
