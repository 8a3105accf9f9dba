"""Rules of the house: small files, one place for each number, documents that name what exists."""

import configparser
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import glassclf

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 400
SOURCES = sorted(
    path
    for folder in ("glassclf", "tests", "examples", "docs", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if not {"_build", "generated", "auto_examples"} & set(path.parts)
)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(text, language):
    """Blocks of a Markdown text that are fenced as one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def lowest_versions(tmp_path_factory):
    """Versions that tools/lowest_versions.py writes for ``tox -e min``."""
    path = tmp_path_factory.mktemp("lowest") / "lowest.txt"
    subprocess.run([sys.executable, ROOT / "tools/lowest_versions.py", path], check=True)
    return pins(path.read_text())


def pins(text):
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines), "one name==version a line"
    return dict(line.split("==") for line in lines)


def requirements():
    return [Requirement(text) for text in distribution("glassclf").requires]


def test_no_file_is_too_long():
    too_long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: n for name, n in too_long.items() if n > MAX_LINES} == {}


def test_tests_run_on_the_installed_package():
    installed = distribution("glassclf").locate_file("glassclf/__init__.py")
    if not installed.exists():
        pytest.skip("installed as editable: the checkout is the package")
    assert Path(glassclf.__file__).samefile(installed)
    assert str(ROOT) not in sys.path


def test_version_stands_in_one_place():
    assert distribution("glassclf").version == glassclf.__version__
    for name in ("setup.py", "README.md", "CITATION.cff", "docs/conf.py"):
        assert f'"{glassclf.__version__}"' not in read(name), name


def test_constraints_meet_every_requirement():
    known = {name.lower().replace("_", "-"): version for name, version in constraints().items()}
    for requirement in requirements():
        if requirement.name in known:
            assert requirement.specifier.contains(known[requirement.name]), requirement
        else:
            assert requirement.marker is not None, f"the core needs a pin for {requirement.name}"


def constraints():
    return pins(read("constraints.txt"))


def test_constraints_pin_torch_without_a_build():
    assert constraints()["torch"] == "2.13.0"


def test_lowest_versions_are_those_of_the_metadata(lowest_versions):
    torch = lowest_versions.pop("torch")
    assert torch == constraints()["torch"]
    floors = {
        requirement.name: next(iter(requirement.specifier)).version
        for requirement in requirements()
    }
    assert floors.pop("torch")
    assert lowest_versions == floors


def test_python_version_is_the_same_everywhere():
    lowest = Version(distribution("glassclf").metadata["Requires-Python"].removeprefix(">="))
    target = tomllib.loads(read("ruff.toml"))["target-version"]
    assert target == f"py{lowest.major}{lowest.minor}"
    assert f"Python {lowest} or later" in read("README.md")


def test_changelog_has_a_place_for_the_next_entry():
    assert "\n## [Unreleased]\n" in read("CHANGELOG.md")


def test_readme_has_two_commands_that_exist():
    run, check = fenced(read("README.md"), "bash")
    install = r'^python -m pip install -c constraints\.txt "\.\[([\w,]+)\]" && '
    assert re.match(install + r"pytest -n 2$", check)
    found = re.match(install + r"python (\S+)$", run)
    extras, script = found.groups()
    assert set(extras.split(",")) <= set(
        distribution("glassclf").metadata.get_all("Provides-Extra")
    )
    assert (ROOT / script).is_file()


def test_links_of_the_documents_exist():
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", read(name)):
            assert (ROOT / target).is_file(), f"{name}: {target}"


def test_example_of_the_readme_runs():
    (code,) = fenced(read("README.md"), "python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    auc = float(re.match(r"AUC ([\d.]+) \(spread", done.stdout).group(1))
    assert auc > 0.95


def tox_environments():
    config = configparser.ConfigParser()
    config.read_string(read("tox.ini"))
    named = [name.partition(":")[2] for name in config.sections() if name.startswith("testenv:")]
    return {"py", *named}


def test_tox_environments_that_are_named_exist():
    environments = tox_environments()
    listed = configparser.ConfigParser()
    listed.read_string(read("tox.ini"))
    assert set(listed["tox"]["env_list"].split(", ")) <= environments
    assert environments == {"py", "lint", "min", "noextras", "docs"}
    for name in ("README.md", "CONTRIBUTING.md", "setup.py"):
        assert set(re.findall(r"tox -e (\w+)", read(name))) <= environments


def commands_of_contributing():
    """Everything that CONTRIBUTING asks to run: indented lines and the table's first column."""
    text = read("CONTRIBUTING.md")
    commands = re.findall(r"^    (\S.*)$", text, flags=re.MULTILINE)
    return commands + re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)


def test_contributing_names_only_commands_that_exist():
    programs = {"python", "pytest", "ruff", "tox"}
    commands = commands_of_contributing()
    assert len(commands) >= 9
    for command in commands:
        for part in command.partition("#")[0].split("&&"):
            words = part.split()
            if words[0] in programs:
                for word in words[1:]:
                    assert not word.startswith(("tests", "docs")) or (ROOT / word).exists(), command
            else:
                assert os.access(ROOT / words[0], os.X_OK), command


def test_ci_runs_the_commands_of_the_readme():
    script = read(".ci/run")
    assert "README.md" in script
    assert "set -euo pipefail" in script
    assert "examples/" not in script, "the commands are read from the README, not written again"


def test_documents_name_no_registry():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*.py"), *(ROOT / "docs").glob("*.rst")]:
        assert not re.search(r"pypi|conda-forge|anaconda\.org", path.read_text(), re.IGNORECASE)
