import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import Configuration
from glassclf.featurizers import ImageFeaturizer


@given(
    seed=st.integers(0, 10**6),
    n_pixels=st.integers(1, 20),
    blur=st.floats(0, 8),
    periodic=st.tuples(st.booleans(), st.booleans()),
    tilt=st.floats(0, 2),
)
def test_sum_is_the_particle_number_at_any_blur(gas, seed, n_pixels, blur, periodic, tilt):
    X = gas(25, [[5, 0], [tilt, 7]], periodic=periodic, seed=seed)
    images = ImageFeaturizer(n_pixels, blur=blur).fit_transform(X)
    assert images.shape == (1, 2, n_pixels, n_pixels)
    assert images.dtype == np.float32
    assert images.sum(axis=(2, 3), dtype=np.float64)[0] == pytest.approx([13, 12], rel=1e-5)
    assert (images >= 0).all()


@given(seed=st.integers(0, 10**6), blur=st.floats(0, 3))
def test_sum_in_three_dimensions(gas, seed, blur):
    images = ImageFeaturizer(6, blur=blur).fit_transform(gas(25, [5, 6, 7], seed=seed))
    assert images.shape == (1, 2, 6, 6, 6)
    assert images.sum(dtype=np.float64) == pytest.approx(25, rel=1e-5)


def test_particle_is_in_its_pixel():
    # Pixels of 0.5 along direction 0 and 1.0 along direction 1.
    one = Configuration([[1.2, 2.5], [0.1, 0.2]], [3, 1], [2.0, 4.0])
    images = ImageFeaturizer(4, blur=0).fit_transform([one])
    assert np.argwhere(images).tolist() == [[0, 0, 0, 0], [0, 1, 2, 2]]


def test_particle_is_in_its_voxel():
    one = Configuration([[0.1, 1.1, 2.9]], [0], [3.0, 3.0, 3.0])
    images = ImageFeaturizer(3, blur=0).fit_transform([one])
    assert np.argwhere(images).tolist() == [[0, 0, 0, 1, 2]]


def test_triclinic_pixels_divide_the_lattice_vectors():
    cell = np.array([[4.0, 0.0], [2.0, 4.0]])
    one = Configuration([[0.1, 0.9] @ cell], [0], cell)
    assert np.argwhere(ImageFeaturizer(10, blur=0).fit_transform([one])).tolist() == [[0, 0, 1, 9]]


def test_unwrapped_particles_are_folded_back_along_periodic_directions():
    inside = Configuration([[0.5, 0.5], [1.5, 1.5]], [0, 0], [2.0, 2.0])
    unwrapped = Configuration([[-5.5, 0.5], [1.5, 7.5]], [0, 0], [2.0, 2.0])
    images = ImageFeaturizer(8, blur=0).fit_transform([inside, unwrapped])
    assert (images[0] == images[1]).all()


def test_upper_edge_of_an_open_box_is_in_the_last_pixel():
    one = Configuration([[3.0, 0.0], [3.0 + 1e-12, -1e-12]], [0, 0], [3.0, 3.0], periodic=False)
    images = ImageFeaturizer(7, blur=0).fit_transform([one])
    assert images[0, 0, 6, 0] == 2


def test_just_below_the_edge_of_a_periodic_box_is_in_the_last_pixel():
    one = Configuration([[-1e-20, 0.0], [3.0, 0.0]], [0, 0], [3.0, 3.0])
    images = ImageFeaturizer(5, blur=0).fit_transform([one])
    assert (images[0, 0, 4, 0], images[0, 0, 0, 0]) == (1, 1)


def test_particle_outside_an_open_direction_names_sample_and_particle():
    inside = Configuration([[1.0, 1.0]], [0], [3.0, 3.0], periodic=[True, False])
    outside = Configuration([[-1.0, 1.0], [1.0, 3.5]], [0, 0], [3.0, 3.0], periodic=[True, False])
    message = r"configuration 1: particle 1 at \[1.0, 3.5\] lies outside the box along direction 1"
    with pytest.raises(ValueError, match=message):
        ImageFeaturizer().fit_transform([inside, outside])


def test_blur_is_a_gaussian_of_the_given_width():
    # 40 pixels of 0.25 and of 0.5: the width is a length, not a number of pixels.
    one = Configuration([[5.125, 10.25]], [0], [10.0, 20.0])
    image = ImageFeaturizer(40, blur=1.0).fit_transform([one])[0, 0].astype(np.float64)
    for axis, length in ((0, 10.0), (1, 20.0)):
        profile = image.sum(axis=1 - axis)
        x = (np.arange(40) + 0.5) * length / 40
        mean = np.average(x, weights=profile)
        assert np.sqrt(np.average((x - mean) ** 2, weights=profile)) == pytest.approx(1, rel=0.01)


def test_blurred_image_moves_with_the_particle_by_less_than_a_pixel():
    images = ImageFeaturizer(10, blur=1.0).fit_transform(
        [Configuration([[x, 5.2]], [0], [10.0, 10.0]) for x in (4.9, 5.0, 5.3)]
    )
    x = np.arange(10) + 0.5
    centers = images[:, 0].sum(axis=2) @ x
    assert centers == pytest.approx([4.9, 5.0, 5.3], abs=1e-3)


def test_blur_wraps_along_periodic_directions_only():
    corner = np.array([[0.25, 0.25]])  # the middle of the first pixel
    one = Configuration(corner, [0], [8.0, 8.0], periodic=[True, False])
    image = ImageFeaturizer(16, blur=0.5).fit_transform([one])[0, 0]
    assert image[15, 0] == pytest.approx(image[1, 0])
    assert image[0, 15] == 0


def test_tabular_names_are_absent(gas):
    assert not hasattr(ImageFeaturizer().fit(gas(9, [5, 5])), "get_feature_names_out")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_pixels", 0),
        ("n_pixels", 8.0),
        ("n_pixels", True),
        ("n_pixels", None),
        ("blur", -0.1),
        ("blur", np.nan),
        ("blur", np.inf),
        ("blur", None),
        ("blur", False),
    ],
)
def test_bad_parameters_are_named(gas, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of ImageFeaturizer must be"):
        ImageFeaturizer(**{name: value}).fit(gas(9, [5, 5]))


def test_pixel_size_is_the_mean_of_fit(gas):
    X = [gas(9, [4.0, 8.0])[0], gas(9, [4.1, 8.0])[0]]
    featurizer = ImageFeaturizer(8).fit(X)
    assert featurizer.pixel_size_ == pytest.approx([4.05 / 8, 1.0])
    tilted = ImageFeaturizer(10).fit(gas(9, [[3, 4], [0, 6]]))
    assert tilted.pixel_size_ == pytest.approx([0.5, 0.6])


def test_pixels_of_another_width_warn_once(gas):
    small, large = gas(9, [7.36, 7.36])[0], gas(9, [7.36, 15.04])[0]
    featurizer = ImageFeaturizer(32).fit([small])
    message = (
        r"^pixels of configuration 3 are 0\.47 wide along direction 1, those of fit were 0\.23: to "
        r"a CNN that is another scale; choose n_pixels in proportion to the box$"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        featurizer.transform([small] * 3 + [large] * 2)
    assert len(caught) == 1


def test_boxes_of_several_sizes_in_fit_warn(gas):
    X = [gas(9, [4, 4])[0], gas(9, [5, 5])[0]]
    with pytest.warns(UserWarning, match=r"of configuration 0 are 0\.5 wide .* fit were 0\.56"):
        ImageFeaturizer(8).fit_transform(X)


@pytest.mark.filterwarnings("error")
def test_boxes_that_breathe_do_not_warn(gas):
    featurizer = ImageFeaturizer(8).fit(gas(9, [5, 5]))
    featurizer.transform([gas(9, [length, 5])[0] for length in (4.8, 5.0, 5.2)])
