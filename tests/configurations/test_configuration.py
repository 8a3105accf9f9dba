"""One configuration: what it keeps and what it refuses."""

import numpy as np
import pytest

from glassclf.configurations import Configuration

POSITIONS = [[0.5, 0.5], [1.5, 0.5]]


def test_what_is_given_is_kept_as_arrays():
    one = Configuration(POSITIONS, [3, 1], [2.0, 4.0], [True, False], {"run": "a"})
    assert one.positions.dtype == np.float64
    assert one.positions.tolist() == POSITIONS
    assert one.types.dtype == np.int64
    assert one.types.tolist() == [3, 1]
    assert one.box.tolist() == [2.0, 4.0]
    assert one.cell.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert one.periodic.tolist() == [True, False]
    assert one.info == {"run": "a"}
    assert (one.n_particles, one.n_dims) == (2, 2)
    assert "periodic=[True, False]" in repr(one)


def test_a_triclinic_box_is_its_cell():
    cell = [[2.0, 0.0], [0.5, 4.0]]
    one = Configuration(POSITIONS, [0, 0], cell)
    assert one.box.tolist() == cell
    one.box[:] = 7
    assert one.cell.tolist() == cell


def test_what_is_given_stays_untouched_and_apart():
    positions, info = np.array(POSITIONS), {"run": "a"}
    types, box = np.array([0, 1]), np.array([2.0, 2.0])
    one = Configuration(positions, types, box, info=info)
    one.positions += 1
    one.types += 1
    one.cell *= 2
    one.info["run"] = "b"
    assert positions.tolist() == POSITIONS
    assert types.tolist() == [0, 1]
    assert box.tolist() == [2.0, 2.0]
    assert info == {"run": "a"}


def test_unsigned_and_small_types_are_taken():
    assert Configuration(POSITIONS, np.array([0, 7], np.uint8), [2, 2]).types.tolist() == [0, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": [[0, 0], [1]]}, "positions must be an array of numbers"),
        ({"positions": "ab"}, "positions must be an array of numbers"),
        (
            {"positions": np.array(POSITIONS) + 1j},
            "positions must be an array of numbers: .* complex",
        ),
        ({"positions": [[0, 1j], [1, 1]]}, "positions must be an array of numbers: .* complex"),
        ({"positions": [0.0, 1.0]}, r"must have shape \(n_particles, 2\) or .* got \(2,\)"),
        ({"positions": np.zeros((2, 4))}, r"got \(2, 4\)"),
        ({"positions": np.zeros((0, 2))}, "positions is empty: .* at least one particle"),
        ({"positions": [[0, 0], [np.nan, 1]]}, r"finite, got \[nan, 1.0\] for particle 1"),
        ({"positions": [[np.inf, 0], [1, 1]]}, r"finite, got \[inf, 0.0\] for particle 0"),
        (
            {"positions": [[0, -1e101], [1, 1]]},
            r"below 1e\+100, or .* for particle 0",
        ),
        (
            {"positions": [[0, 0], [1, -3e12]]},
            r"particle 1 at \[1.0, -3.+\] lies [\d.e+]+ boxes away along direction 1: rounding has "
            "moved it within the box; give positions that are folded into the box",
        ),
        ({"types": [0, 0, 0]}, r"types must have shape \(2,\), one for each position, got \(3,\)"),
        ({"types": 0}, r"types must have shape \(2,\)"),
        (
            {"types": [0.0, 1.0]},
            r"types must be integers, got an array of float64: convert them with \.astype\(int\)$",
        ),
        ({"types": [0.0, 1.5]}, "types must be integers, got an array of float64$"),
        ({"types": [0.0, np.nan]}, "types must be integers, got an array of float64$"),
        ({"types": [0.0, np.inf]}, "types must be integers, got an array of float64$"),
        ({"types": np.array([0, 1], object)}, "types must be integers, got an array of object$"),
        ({"types": ["A", "B"]}, "types must be integers"),
        ({"types": [True, False]}, "types must be integers, got an array of bool"),
        ({"types": [0, -1]}, "types must be 0 or larger, got -1 for particle 1"),
        ({"box": np.array([1.0, 1j])}, "box must be numbers, got array"),
        ({"box": [1.0, 0.0]}, "box lengths must be positive"),
        ({"box": [1.0, 1.0, 1.0]}, "box must have shape"),
        ({"periodic": [True]}, "periodic must be a bool or 2 bools"),
        ({"periodic": "yes"}, "periodic must be a bool or 2 bools, got 'yes'"),
        ({"periodic": [1, 0]}, "periodic must be a bool or 2 bools"),
        ({"info": ["run"]}, "info must be a dict or None, got list"),
    ],
)
def test_bad_values_are_refused(change, message):
    good = {"positions": POSITIONS, "types": [0, 1], "box": [2.0, 2.0]}
    with pytest.raises(ValueError, match=message):
        Configuration(**{**good, **change})


def test_far_out_along_an_open_direction_is_no_matter_of_digits():
    positions = [[0.5, 1e15], [1e9, 0.5]]
    far = Configuration(positions, [0, 0], [2.0, 2.0], periodic=[True, False])
    assert far.positions.tolist() == positions
