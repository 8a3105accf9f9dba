"""Let the pages import the modules that stand beside them, as a user does with own files."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

# Settings of sphinx, and what sphinx has made.
collect_ignore = ["_build", "auto_examples", "conf.py", "generated"]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    """Run each page in an empty folder: some write files."""
    monkeypatch.chdir(tmp_path)
