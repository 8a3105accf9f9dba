"""Models that earlier versions saved still load, and say what they said then."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

import glassclf
from glassclf.testing import graded_disorder, two_phases

SAVED = Path(__file__).resolve().parents[1] / "saved"
FILES = sorted(SAVED.glob("*.safetensors"))


def test_this_version_has_its_files():
    assert any(path.name.startswith(f"{glassclf.__version__}-") for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_outputs_are_those_of_then(path):
    with warnings.catch_warnings():
        # Of scikit-learn: the file may be older, or later, than the one at hand.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = glassclf.load(path)
    X = (graded_disorder if path.stem.endswith("mpnn") else two_phases)(n_runs=4)[0]
    for method, expected in json.loads(path.with_suffix(".json").read_text()).items():
        got = getattr(model, method)(X)
        if got.dtype.kind == "f":
            # Another processor or version of torch may round otherwise.
            np.testing.assert_allclose(got, expected, atol=1e-4)
        else:
            assert got.tolist() == expected
