"""Box geometry against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassclf.configurations import (
    cell_from_box,
    fractional,
    is_rectangular,
    minimum_image,
    plane_distances,
    volume,
    wrap,
)


@st.composite
def boxes(draw, skew=0.5):
    """A cell, which directions repeat, and a generator for the rest."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_dims = draw(st.sampled_from([2, 3]))
    lengths = rng.uniform(0.5, 4.0, n_dims)
    cell = np.diag(lengths)
    if draw(st.booleans()):
        cell += np.tril(rng.uniform(-skew, skew, (n_dims, n_dims)) * lengths, -1)
    return cell, rng.random(n_dims) < 0.7, rng


@settings(deadline=None)
@given(boxes(), st.sampled_from([1.0, 100.0]))
def test_wrapped_positions_lie_in_the_box_a_whole_number_of_vectors_away(box, spread):
    cell, periodic, rng = box
    positions = rng.uniform(-spread, spread, (20, len(cell))) @ cell
    wrapped = wrap(positions, cell, periodic)
    fractions = fractional(wrapped, cell)
    assert (fractions[:, periodic] > -1e-12).all()
    assert (fractions[:, periodic] < 1 + 1e-12).all()
    shifts = fractional(wrapped - positions, cell)
    np.testing.assert_allclose(shifts[:, periodic], np.round(shifts[:, periodic]), atol=1e-10)
    np.testing.assert_allclose(shifts[:, ~periodic], 0, atol=1e-10)
    np.testing.assert_allclose(wrap(wrapped, cell, periodic), wrapped, atol=1e-10)


@settings(deadline=None)
@given(boxes() | boxes(skew=1.5))
def test_minimum_image_is_the_shortest_of_all_images(box):
    cell, periodic, rng = box
    vectors = rng.uniform(-2, 2, (10, len(cell))) @ cell
    found = minimum_image(vectors, cell, periodic)
    # All images that could be shorter than the vector itself, in the lattice that repeats.
    lattice = cell[periodic]
    reach = (
        2 * np.linalg.norm(vectors, axis=1).max() * np.linalg.norm(np.linalg.pinv(lattice), axis=0)
    )
    steps = [range(-step, step + 1) for step in np.ceil(reach).astype(int)]
    images = np.array(list(product(*steps)), dtype=float) @ lattice
    shortest = [np.linalg.norm(vector + images, axis=1).min() for vector in vectors]
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), shortest, atol=1e-10)
    shifts = fractional(found - vectors, cell)
    np.testing.assert_allclose(shifts, np.round(shifts), atol=1e-9)


def test_a_tiny_negative_coordinate_wraps_into_the_box():
    wrapped = wrap(np.array([[-1e-20, 3.0]]), np.diag([2.0, 3.0]), [True, True])
    assert wrapped.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("cell", [np.diag([2.0, 3.0]), np.array([[2.0, 0.0], [0.5, 3.0]])])
def test_inputs_are_left_untouched(cell):
    positions = np.array([[-5.0, 7.0], [1.0, 1.0]])
    positions.flags.writeable = cell.flags.writeable = False
    before = positions.tobytes(), cell.tobytes()
    for function in (wrap, minimum_image):
        function(positions, cell, np.array([True, False]))
    assert (positions.tobytes(), cell.tobytes()) == before


def test_volume_and_plane_distances_of_a_skewed_cell():
    cell = np.array([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [0.5, 0.5, 4.0]])
    assert volume(cell) == pytest.approx(24.0)
    assert volume(np.stack([cell, 2 * cell])).tolist() == pytest.approx([24.0, 192.0])
    assert plane_distances(cell)[2] == pytest.approx(4.0)
    assert plane_distances(cell[:2, :2]).tolist() == pytest.approx([6 / np.sqrt(10), 3.0])


def test_which_cells_are_rectangular():
    assert is_rectangular(np.diag([1.0, 2.0]))
    assert not is_rectangular(np.array([[1.0, 0.0], [0.1, 2.0]]))
    assert not is_rectangular(np.diag([1.0, -2.0]))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("ab", "box must be numbers, got 'ab'"),
        ([[1.0], [1.0, 2.0]], "box must be numbers"),
        ([1.0], r"box must have shape \(2,\) for edge lengths or \(2, 2\)"),
        ([1.0, 2.0, 3.0], r"2-dimensional positions, got shape \(3,\)"),
        (5.0, r"got shape \(\)"),
        ([1.0, np.nan], "box must be finite"),
        ([1.0, 0.0], r"box lengths must be positive, got \[1.0, 0.0\]"),
        ([1.0, -2.0], "box lengths must be positive"),
        ([[1.0, 0.0], [0.0, -1.0]], "box lengths must be positive, got lattice vectors"),
        ([[1.0, 1.0], [0.0, 0.0]], "box lengths must be positive, got lattice vectors"),
        ([[1.0, 2.0], [2.0, 4.0]], "box must have a positive volume"),
    ],
)
def test_bad_boxes_are_refused(box, message):
    with pytest.raises(ValueError, match=message):
        cell_from_box(box, n_dims=2)
