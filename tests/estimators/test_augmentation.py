"""Augmentations of images: exact symmetries, drawn anew for each sample."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassclf.estimators import Crops, Mirrors, QuarterTurns, Shifts
from glassclf.estimators.augmentation import make_augmentation

EXACT = ["quarter_turns", "mirrors", "shifts"]


def augment(images, augmentation, seed=0):
    """Augment with a seed, as a numpy array."""
    torch.manual_seed(seed)
    images = torch.as_tensor(images)
    before = images.clone()
    out = make_augmentation(augmentation, images.dim() - 2)(images)
    assert torch.equal(images, before), "the batch that was given must stay as it was"
    assert out.dtype == images.dtype
    return out.numpy()


def outcomes(image, augmentation, n_draws=400):
    """All different results of one augmentation on one image, as a set of bytes."""
    many = augment(np.repeat(image[None], n_draws, axis=0), augmentation)
    return {np.ascontiguousarray(one).tobytes() for one in many}


def numbered(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def as_set(images):
    return {np.ascontiguousarray(image).tobytes() for image in images}


def make_lattice(state, n_sites):
    """Draw (x, y, direction) of particles on a lattice; directions 0..3 are +x, +y, -x, -y.

    Channel 0 counts particles, 1 and 2 hold the vector, 3 to 6 the direction one-hot.
    """
    image = np.zeros((7, *n_sites), dtype=np.float32)
    steps = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    for x, y, direction in state:
        image[0, x, y] = 1
        image[1:3, x, y] = steps[direction]
        image[3 + direction, x, y] = 1
    return image


def turn_state(state, n_sites):
    """Turn particles by 90 degrees: (x, y) -> (-y, x), within sites 0 to n - 1."""
    return [(n_sites - 1 - y, x, (direction + 1) % 4) for x, y, direction in state]


def mirror_state(state, n_sites, axis):
    """Reverse one coordinate, of positions and directions."""
    swapped = {0: [2, 1, 0, 3], 1: [0, 3, 2, 1]}[axis]
    return [
        (
            n_sites[0] - 1 - x if axis == 0 else x,
            n_sites[1] - 1 - y if axis == 1 else y,
            swapped[direction],
        )
        for x, y, direction in state
    ]


def random_state_of(n_sites, rng, n_particles=6):
    sites = rng.choice(n_sites[0] * n_sites[1], n_particles, replace=False)
    return [(s // n_sites[1], s % n_sites[1], rng.integers(4)) for s in sites.tolist()]


# What each one does -------------------------------------------------------------------------------


def test_quarter_turns_are_the_four_turns():
    image = numbered(2, 5, 5)
    expected = as_set(np.rot90(image, k, axes=(1, 2)) for k in range(4))
    assert outcomes(image, "quarter_turns") == expected


def test_image_that_is_not_square_is_turned_by_half_turns():
    image = numbered(1, 4, 6)
    assert outcomes(image, "quarter_turns") == as_set([image, image[:, ::-1, ::-1]])


def test_turns_of_a_cube_are_its_24_rotations():
    cube = numbered(1, 3, 3, 3)
    expected = set()
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.eye(3)[list(order)] * np.array(signs)[:, None]
        if np.linalg.det(matrix) > 0:
            turned = cube.transpose(0, *[axis + 1 for axis in order])
            flipped = np.flip(turned, [a + 1 for a in range(3) if signs[a] < 0])
            expected.add(np.ascontiguousarray(flipped).tobytes())
    assert len(expected) == 24
    assert outcomes(cube, "quarter_turns", 1000) == expected


@pytest.mark.parametrize(
    ("shape", "n_turns"), [((3, 3, 3), 24), ((3, 3, 4), 8), ((4, 3, 3), 8), ((2, 3, 4), 4)]
)
def test_turns_of_a_box_keep_its_extent(shape, n_turns):
    assert len(outcomes(numbered(1, *shape), "quarter_turns", 600)) == n_turns


def test_turns_within_chosen_axes():
    field = numbered(1, 3, 3, 4)
    expected = as_set(np.rot90(field, k, axes=(1, 2)) for k in range(4))
    assert outcomes(field, QuarterTurns(axes=(0, 1))) == expected


def test_mirrors_reverse_each_axis_or_not():
    image = numbered(2, 3, 4)
    expected = as_set(image[:, ::a, ::b] for a in (1, -1) for b in (1, -1))
    assert outcomes(image, "mirrors") == expected


@pytest.mark.parametrize("axes", [(0,), 0, [0], np.array([0])])
def test_mirrors_along_one_axis_only(axes):
    image = numbered(1, 3, 4)
    assert outcomes(image, Mirrors(axes=axes)) == as_set([image, image[:, ::-1]])


def test_shifts_are_all_the_periodic_ones():
    image = numbered(1, 3, 4)
    expected = as_set(np.roll(image, (a, b), (1, 2)) for a in range(3) for b in range(4))
    assert outcomes(image, "shifts") == expected


def test_shifts_along_one_axis_only():
    image = numbered(2, 3, 4)
    assert outcomes(image, Shifts(axes=(0,))) == as_set(np.roll(image, a, 1) for a in range(3))


def test_crops_are_all_the_windows():
    image = numbered(2, 4, 6)
    windows = [image[:, a : a + 2, b : b + 3] for a in range(3) for b in range(4)]
    assert outcomes(image, "crops") == as_set(windows)


def test_crops_along_one_axis_only():
    image = numbered(1, 4, 4)
    windows = [image[:, :, b : b + 3] for b in range(2)]
    assert outcomes(image, Crops(share=0.75, axes=(1,))) == as_set(windows)


def test_crop_of_everything_changes_nothing():
    image = numbered(1, 4, 5)
    assert outcomes(image, Crops(share=1.0)) == as_set([image])


@pytest.mark.parametrize("shape", [(6,), (5, 6), (3, 4, 5)])
@pytest.mark.parametrize("name", [*EXACT, "crops"])
def test_samples_are_drawn_one_by_one(shape, name):
    if name == "quarter_turns" and len(shape) == 1:
        pytest.skip("a profile cannot be turned")
    many = augment(np.repeat(numbered(1, 2, *shape), 64, axis=0), name)
    assert len(as_set(many)) > 1


def test_parts_of_a_list_follow_one_another():
    image = numbered(1, 4, 4)
    both = outcomes(image, ["shifts", Crops(share=0.5)], 4000)
    windows = {np.roll(image, (a, b), (1, 2))[:, :2, :2].tobytes() for a, b in np.ndindex(4, 4)}
    assert both == windows


# Properties ---------------------------------------------------------------------------------------

extents = st.lists(st.integers(1, 5), min_size=1, max_size=3)


@given(extents, st.integers(1, 3), st.integers(0, 5), st.integers(0, 2**31))
def test_turns_mirrors_and_shifts_only_move_pixels(extent, n_channels, n, seed):
    images = np.random.default_rng(seed).random((n, n_channels, *extent), dtype=np.float32)
    parts = EXACT if len(extent) > 1 else EXACT[1:]
    out = augment(images, parts, seed)
    assert out.shape == images.shape
    # Each channel of each sample keeps its pixels, so it keeps its sum.
    shape = (n, n_channels, np.prod(extent))
    pixels, moved = (np.sort(x.reshape(shape), axis=2) for x in (images, out))
    np.testing.assert_array_equal(pixels, moved)


@given(extents, st.floats(0.3, 1.0), st.integers(0, 2**31))
def test_a_crop_stands_somewhere_in_its_sample(extent, share, seed):
    image = numbered(1, 1, *[2 * n for n in extent])
    window = augment(image, Crops(share=share), seed)[0, 0]
    assert window.shape == tuple(round(share * 2 * n) for n in extent)
    first = np.unravel_index(int(window.min()), image.shape[2:])
    place = tuple(slice(a, a + length) for a, length in zip(first, window.shape))
    np.testing.assert_array_equal(image[(0, 0, *place)], window)


@pytest.mark.parametrize("part", [QuarterTurns(), Mirrors(), Mirrors(axes=(1,)), Shifts()])
def test_results_form_a_group(part):
    image = numbered(1, 3, 3)
    once = outcomes(image, part)
    for result in once:
        twice = outcomes(np.frombuffer(result, np.float32).reshape(image.shape), part)
        assert twice == once


def test_turns_and_mirrors_together_are_the_eight_symmetries_of_a_square():
    assert len(outcomes(numbered(1, 3, 3), ["quarter_turns", "mirrors"])) == 8


@pytest.mark.parametrize("name", EXACT)
def test_what_does_not_depend_on_place_stays(name):
    """The density of neighbours of each pixel, averaged: a function with all the symmetries."""
    images = torch.rand(16, 2, 6, 6, dtype=torch.float64)
    kernel = torch.ones(2, 2, 3, 3, dtype=torch.float64)

    def symmetric_network(x):
        padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
        return torch.nn.functional.conv2d(padded, kernel).tanh().mean((2, 3))

    torch.manual_seed(3)
    moved = make_augmentation(name, 2)(images)
    assert not torch.equal(moved, images)
    torch.testing.assert_close(symmetric_network(moved), symmetric_network(images))


@pytest.mark.parametrize("name", [*EXACT, "crops"])
def test_seed_decides(name):
    images = np.random.default_rng(0).random((16, 2, 6, 6), dtype=np.float32)
    np.testing.assert_array_equal(augment(images, name, 1), augment(images, name, 1))
    assert not np.array_equal(augment(images, name, 1), augment(images, name, 2))


# Vectors and directions turn with the lattice -----------------------------------------------------

CHANNELS = {"vector_channels": [(1, 2)], "orientation_channels": [(3, 4, 5, 6)]}


@given(st.integers(2, 6), st.integers(0, 2**31))
def test_turning_the_state_is_turning_its_image(n, seed):
    state = random_state_of((n, n), np.random.default_rng(seed), n_particles=3)
    turned = [state]
    for _ in range(3):
        turned.append(turn_state(turned[-1], n))
    expected = as_set(make_lattice(s, (n, n)) + 0.0 for s in turned)
    # Adding zero makes -0 a plain 0: the same number in other bytes.
    many = augment(np.repeat(make_lattice(state, (n, n))[None], 100, 0), QuarterTurns(**CHANNELS))
    assert as_set(many + 0.0) == expected


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_mirroring_the_state_is_mirroring_its_image(axes):
    n_sites = (4, 6)
    state = random_state_of(n_sites, np.random.default_rng(0))
    states = [state]
    for axis in axes:
        states += [mirror_state(s, n_sites, axis) for s in states]
    mirrors = Mirrors(axes=axes, **CHANNELS)
    many = augment(np.repeat(make_lattice(state, n_sites)[None], 100, 0), mirrors)
    assert as_set(many + 0.0) == as_set(make_lattice(s, n_sites) for s in states)


def test_shifting_the_state_is_shifting_its_image():
    state = random_state_of((4, 4), np.random.default_rng(0))
    moved = [
        [((x + a) % 4, (y + b) % 4, direction) for x, y, direction in state]
        for a, b in np.ndindex(4, 4)
    ]
    expected = as_set(make_lattice(s, (4, 4)) for s in moved)
    assert outcomes(make_lattice(state, (4, 4)), "shifts") == expected


@pytest.mark.parametrize("part", [QuarterTurns, Mirrors])
def test_directions_and_vectors_in_three_dimensions(part):
    """One particle that points along +z: its one-hot channel and its vector stay one thing."""
    field = np.zeros((9, 3, 3, 3), dtype=np.float32)
    field[:, 1, 1, 1] = [0, 0, 1, 0, 0, 1, 0, 0, 0]
    channels = {"vector_channels": (0, 1, 2), "orientation_channels": (3, 4, 5, 6, 7, 8)}
    many = augment(np.repeat(field[None], 200, 0), part(**channels))[:, :, 1, 1, 1]
    np.testing.assert_array_equal(many[:, :3], many[:, 3:6] - many[:, 6:])
    assert len(np.unique(many + 0.0, axis=0)) == {QuarterTurns: 6, Mirrors: 2}[part]


def test_vector_turns_the_way_its_place_does():
    """A vector field that points away from the middle still does so afterwards."""
    place = np.stack(np.meshgrid(*[np.arange(5) - 2.0] * 3, indexing="ij")).astype(np.float32)
    parts = [QuarterTurns(vector_channels=(0, 1, 2)), Mirrors(vector_channels=(0, 1, 2))]
    assert as_set(augment(np.repeat(place[None], 50, 0), parts) + 0.0) == as_set([place])
