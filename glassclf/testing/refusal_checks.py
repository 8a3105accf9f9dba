"""Checks that bad input is refused, with the index of the configuration that is bad."""

import re

import numpy as np

from glassclf.testing.samples import as_triples, noisy_lattice, two_phases
from glassclf.testing.subject import fitted, respond, seeded, task_for

BAD_INDEX = 3


def assert_raises_value_error(call, what, *mentions):
    """Fail unless a call raises a ValueError whose message has every mention as a word.

    Parameters
    ----------
    call : callable
    what : str
        What is bad; begins the message.
    *mentions : str or int
    """
    try:
        call()
    except (ValueError, TypeError) as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(f"{what} must raise a ValueError, got {error!r}") from error
    else:
        raise AssertionError(f"{what} must be refused with a ValueError")
    for mention in mentions:
        found = re.search(rf"(?<!\w){re.escape(str(mention))}(?!\w)", message)
        assert found, f"{what}: the message must name {mention}: {message}"


def _with_bad(X, positions=None, types=None, box=None):
    triples = as_triples(X)
    good = triples[BAD_INDEX]
    bad = (good[0] if positions is None else positions, good[1] if types is None else types)
    triples[BAD_INDEX] = (*bad, good[2] if box is None else box)
    return triples


def _assert_refused_everywhere(estimator, what, X_bad, *mentions):
    X, y, _ = task_for(estimator)
    assert_raises_value_error(lambda: seeded(estimator).fit(X_bad, y), f"fit on {what}", *mentions)
    model = fitted(estimator, X, y)
    assert_raises_value_error(lambda: respond(model, X_bad), f"output for {what}", *mentions)


def check_non_finite_positions_refused(name, estimator):
    """NaN and infinite positions are refused with their index."""
    X, _, _ = task_for(estimator)
    for value in (np.nan, np.inf):
        positions = X[BAD_INDEX].positions.copy()
        positions[-1, 0] = value
        bad = _with_bad(X, positions=positions)
        _assert_refused_everywhere(estimator, f"positions with {value}", bad, BAD_INDEX)


def check_bad_types_refused(name, estimator):
    """Negative or fractional types and a wrong number of them are refused with their index."""
    X, _, _ = task_for(estimator)
    types = X[BAD_INDEX].types
    for what, bad in {
        "negative types": types - 1,
        "fractional types": types + 0.5,
        "too few types": types[:-1],
    }.items():
        _assert_refused_everywhere(estimator, what, _with_bad(X, types=bad), BAD_INDEX)


def check_bad_box_refused(name, estimator):
    """A box of zero or negative length is refused with its index."""
    X, _, _ = task_for(estimator)
    for length in (0.0, -7.0):
        bad = _with_bad(X, box=[7.0, length])
        _assert_refused_everywhere(estimator, f"a box of length {length}", bad, BAD_INDEX)


def check_empty_configuration_refused(name, estimator):
    """A configuration without particles is refused with its index."""
    X, _, _ = task_for(estimator)
    bad = _with_bad(X, positions=np.empty((0, 2)), types=np.empty(0, dtype=int))
    _assert_refused_everywhere(estimator, "an empty configuration", bad, BAD_INDEX)


def check_empty_set_refused(name, estimator):
    """A set without configurations is refused, as a list and as a Configurations."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    for what, empty in {"an empty list": [], "an empty Configurations": X[:0]}.items():
        assert_raises_value_error(lambda e=empty: seeded(estimator).fit(e, y[:0]), f"fit on {what}")
        assert_raises_value_error(lambda e=empty: respond(model, e), f"output for {what}")


def check_mixed_dimensions_refused(name, estimator):
    """Configurations of two and of three dimensions in one X are refused with the index."""
    X, _, _ = task_for(estimator)
    bad = as_triples(X)
    bad[BAD_INDEX] = as_triples([noisy_lattice(0.05, n_cells=(6, 6, 6))])[0]
    _assert_refused_everywhere(estimator, "2D and 3D mixed", bad, BAD_INDEX)


def check_other_dimension_refused(name, estimator):
    """Output for 3D configurations is refused after a fit on 2D ones."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    X_3d, _, _ = two_phases(n_runs=2, n_dims=3)
    assert_raises_value_error(lambda: respond(model, X_3d), "3D after a fit on 2D")


def check_unseen_type_refused(name, estimator):
    """A type that fit never saw is refused with the type and the index."""
    X, y, _ = task_for(estimator)
    model = fitted(estimator, X, y)
    types = X[BAD_INDEX].types.copy()
    types[0] = 17
    bad = _with_bad(X, types=types)
    assert_raises_value_error(lambda: respond(model, bad), "a type unseen in fit", BAD_INDEX, 17)


REFUSAL_CHECKS = (
    check_non_finite_positions_refused,
    check_bad_types_refused,
    check_bad_box_refused,
    check_empty_configuration_refused,
    check_empty_set_refused,
    check_mixed_dimensions_refused,
    check_other_dimension_refused,
    check_unseen_type_refused,
)
