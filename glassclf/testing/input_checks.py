"""Checks of what X may be, and that it stays as it was."""

import tempfile
import warnings
from pathlib import Path
from unittest import SkipTest

import joblib
import numpy as np

from glassclf.configurations import Configuration, Configurations
from glassclf.testing.comparison import all_bytes, assert_close, assert_equal
from glassclf.testing.samples import as_triples, noisy_lattice, without_info
from glassclf.testing.subject import fit_and_respond, fitted, respond, seeded, task_for

SHIFTED_TYPES = (1, 4)


def check_X_and_y_unchanged(name, estimator):
    """Every byte of X and y is the same after fit and output."""
    X, y, _ = task_for(estimator)
    before = all_bytes(X, y)
    fit_and_respond(estimator, X, y)
    assert all_bytes(X, y) == before, "fit or output wrote into X or y"


def check_readonly_memmap(name, estimator):
    """X that joblib maps read-only from disk gives what X in memory gives."""
    X, y, _ = task_for(estimator)
    expected = fit_and_respond(estimator, X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X.joblib")
        joblib.dump(X, path)
        mapped = joblib.load(path, mmap_mode="r")
        assert_equal(fit_and_respond(estimator, mapped, y), expected, "a memmapped X")


def check_opened_store(name, estimator):
    """X that Configurations.open maps from disk gives what X in memory gives."""
    X, y, _ = task_for(estimator)
    expected = fit_and_respond(estimator, X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X.safetensors")
        X.save(path)
        opened = Configurations.open(path)
        assert_equal(fit_and_respond(estimator, opened, y), expected, "an opened store")


def check_list_of_configurations(name, estimator):
    """A list of Configuration gives what a Configurations gives."""
    X, y, _ = task_for(estimator)
    expected = fit_and_respond(estimator, X, y)
    assert_equal(fit_and_respond(estimator, list(X), y), expected, "a list of Configuration")


def check_list_of_triples(name, estimator):
    """A list of (positions, types, box) triples gives what a Configurations gives."""
    X, y, _ = task_for(estimator)
    X = without_info(X)
    expected = fit_and_respond(estimator, X, y)
    assert_equal(fit_and_respond(estimator, as_triples(X), y), expected, "a list of triples")


def check_list_of_atoms(name, estimator):
    """A list of ase.Atoms gives what a Configurations gives; skipped without ase."""
    try:
        from ase import Atoms
    except ImportError as error:
        raise SkipTest("ase is not installed") from error
    X, y, _ = task_for(estimator)
    X = without_info(X)
    atoms = []
    for one in X:
        flat = np.zeros((one.n_particles, 1))
        atoms.append(
            Atoms(
                numbers=np.ones(one.n_particles, dtype=int),
                positions=np.hstack([one.positions, flat]),
                cell=[*one.box, 1.0],
                pbc=[True, True, False],
            )
        )
        atoms[-1].set_array("types", one.types)
    expected = fit_and_respond(estimator, X, y)
    assert_equal(fit_and_respond(estimator, atoms, y), expected, "a list of ase.Atoms")


def check_index_kinds(name, estimator):
    """However X is indexed, the output is the output of X under the same index."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    whole = respond(model, X)
    mask = np.arange(len(X)) % 3 == 0
    keys = {
        "slice": slice(2, 9, 2),
        "list": [3, 1, 1],
        "int array": np.array([5, -1, 0]),
        "bool mask": mask,
        "(key, Ellipsis)": (np.array([4, 2]), Ellipsis),
    }
    for kind, key in keys.items():
        assert_close(respond(model, X[key]), whole[key], f"X indexed by a {kind}")
    assert_close(respond(model, [X[3]])[0], whole[3], "X indexed by an int")
    assert_close(respond(model, X[np.int64(3) :][0:1])[0], whole[np.int64(3)], "numpy.int64")


def check_sizes_mixed(name, estimator):
    """Configurations of different particle number and box share one X; this may warn."""
    X, y, _ = task_for(estimator)
    shapes = ((6, 6), (6, 7), (7, 8))
    mixed = Configurations(
        noisy_lattice(
            0.05 if index % 2 == 0 else None,
            n_cells=shapes[index % 3],
            info={"run": str(index // 2)},
            random_state=index,
        )
        for index in range(len(X))
    )
    with warnings.catch_warnings():
        # Images of boxes of several sizes differ in scale, which is worth a warning.
        warnings.simplefilter("ignore", UserWarning)
        model = fitted(estimator, mixed, y)
        whole = respond(model, mixed)
        assert_close(respond(model, mixed[[1, 5]]), whole[[1, 5]], "X with sizes mixed")


def check_missing_type(name, estimator):
    """A configuration may lack a type that fit saw, as a small window does."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    lacking = Configurations(
        [
            *without_info(X),
            Configuration(X[0].positions, np.zeros(X[0].n_particles, dtype=int), X[0].box),
        ]
    )
    output = respond(model, lacking)
    assert len(output) == len(lacking), "one output for each configuration"
    if isinstance(output, np.ndarray):
        assert np.isfinite(output).all(), "a configuration that lacks a type gives NaN"


def check_unwrapped_positions(name, estimator):
    """Positions outside a periodic box mean the same as their images inside it."""
    X, y, _ = task_for(estimator)
    rng = np.random.default_rng(0)
    unwrapped = Configurations(
        Configuration(
            one.positions + rng.integers(-2, 3, one.positions.shape) * one.box,
            one.types,
            one.box,
            one.periodic,
            one.info,
        )
        for one in X
    )
    model = fitted(estimator, X, y)
    assert_close(respond(model, unwrapped), respond(model, X), "unwrapped positions")


def check_refit_other_types(name, estimator):
    """A second fit, on other particle types, forgets the first."""
    X, y, _ = task_for(estimator)
    shifted = Configurations(
        Configuration(
            one.positions, np.take(SHIFTED_TYPES, one.types), one.box, one.periodic, one.info
        )
        for one in X
    )
    refitted = seeded(estimator).fit(X, y).fit(shifted, y)
    expected = fit_and_respond(estimator, shifted, y)
    assert_equal(respond(refitted, shifted), expected, "a refit on other types")


INPUT_CHECKS = (
    check_X_and_y_unchanged,
    check_readonly_memmap,
    check_opened_store,
    check_list_of_configurations,
    check_list_of_triples,
    check_list_of_atoms,
    check_index_kinds,
    check_sizes_mixed,
    check_missing_type,
    check_unwrapped_positions,
    check_refit_other_types,
)
