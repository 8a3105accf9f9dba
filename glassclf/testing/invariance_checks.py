"""Checks that a featurizer keeps the invariances it declares."""

from unittest import SkipTest

import numpy as np

from glassclf.configurations import Configuration, Configurations, wrap
from glassclf.testing.comparison import assert_close
from glassclf.testing.samples import two_phases
from glassclf.testing.subject import fitted, last_step

KNOWN_INVARIANCES = ("translation", "rotation90", "rotation", "permutation")


def _declared(featurizer):
    return getattr(last_step(featurizer), "_invariances", ())


def _check_invariance(featurizer, invariance, move):
    if invariance not in _declared(featurizer):
        raise SkipTest(f"{invariance} is not among the declared invariances")
    X, y, _ = two_phases()
    rng = np.random.default_rng(0)
    moved = Configurations(move(one, rng) for one in X)
    transformer = fitted(featurizer, X, y)
    assert_close(transformer.transform(moved), transformer.transform(X), f"after a {invariance}")


def check_declared_invariances(name, featurizer):
    """``_invariances`` holds known names only: a misspelt one would never be checked."""
    unknown = sorted(set(_declared(featurizer)) - set(KNOWN_INVARIANCES))
    assert not unknown, f"_invariances must come from {KNOWN_INVARIANCES}, got {unknown}"


def check_translation_invariance(name, featurizer):
    """Where declared: a shift through the periodic box changes nothing."""
    _check_invariance(featurizer, "translation", _shifted)


def check_rotation90_invariance(name, featurizer):
    """Where declared: a turn of particles and box by 90 degrees changes nothing."""
    _check_invariance(featurizer, "rotation90", _turned_by_90_degrees)


def check_rotation_invariance(name, featurizer):
    """Where declared: a turn of particles and box by any angle changes nothing."""
    _check_invariance(featurizer, "rotation", _turned)


def check_permutation_invariance(name, featurizer):
    """Where declared: the order of the particles changes nothing."""
    _check_invariance(featurizer, "permutation", _permuted)


def _shifted(one, rng):
    positions = one.positions + rng.uniform(size=one.n_dims) * one.box
    positions = wrap(positions, one.cell, one.periodic)
    return Configuration(positions, one.types, one.box, one.periodic, one.info)


def _turned_by_90_degrees(one, rng):
    # (x, y) -> (-y, x) leaves the box at negative x; a shift by its new width brings it back.
    positions = np.column_stack([one.box[1] - one.positions[:, 1], one.positions[:, 0]])
    return Configuration(positions, one.types, one.box[::-1], one.periodic[::-1], one.info)


def _turned(one, rng):
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Configuration(one.positions @ turn, one.types, one.cell @ turn, one.periodic, one.info)


def _permuted(one, rng):
    order = rng.permutation(one.n_particles)
    return Configuration(one.positions[order], one.types[order], one.box, one.periodic, one.info)


INVARIANCE_CHECKS = (
    check_declared_invariances,
    check_translation_invariance,
    check_rotation90_invariance,
    check_rotation_invariance,
    check_permutation_invariance,
)
