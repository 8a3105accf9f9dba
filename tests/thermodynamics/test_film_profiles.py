"""Profiles and bulk regions of films whose density and composition are known."""

import numpy as np
import pytest

from glassclf.configurations import Configuration
from glassclf.testing import toy_films
from glassclf.thermodynamics import bulk_region, film_profile

WIDTH = 20.0


def film_of(density, composition, *, height=40.0, box_height=60.0, gas=(), seed=0):
    """A random film; density and composition are functions of the height above the substrate."""
    rng = np.random.default_rng(seed)
    # Evenly along the height: at random the number in a slab would scatter more than in a glass.
    levels = np.linspace(0.0, height, 1001)
    below = np.cumsum([density(y) for y in levels]) * (levels[1] * WIDTH)
    y = np.interp(np.arange(0.5, int(below[-1])), below, levels)
    types = (rng.uniform(size=len(y)) < [composition(value) for value in y]).astype(int)
    x = rng.uniform(0, WIDTH, len(y))
    substrate = np.column_stack([np.arange(0.5, WIDTH), np.full(int(WIDTH), 1.0)])
    film = np.column_stack([x, y + 1.0])
    positions = np.concatenate([substrate, film, np.array(gas).reshape(-1, 2)])
    kinds = np.concatenate([np.full(len(substrate), 2), types, np.zeros(len(gas), int)])
    return Configuration(positions, kinds, (WIDTH, box_height), (True, False))


def flat(value):
    return lambda y: value


def test_profile_counts_every_particle_of_the_film_once():
    film = film_of(flat(1.1), flat(0.35))
    profile = film_profile(film, bin_width=1.5)
    assert profile.n_particles.sum() == (film.types < 2).sum()
    np.testing.assert_allclose(np.diff(profile.edges), 1.5)
    np.testing.assert_allclose(profile.y, profile.edges[:-1] + 0.75)
    np.testing.assert_allclose(profile.density * WIDTH * 1.5, profile.n_particles)
    filled = profile.n_particles > 0
    n_b = np.nansum(profile.composition * profile.n_particles)
    assert round(n_b) == (film.types == 1).sum()
    assert np.isnan(profile.composition[~filled]).all()


def test_substrate_is_no_part_of_the_profile():
    profile = film_profile(film_of(flat(1.1), flat(0.35)))
    assert profile.substrate_top == 1.0
    assert profile.n_particles[0] == 0


@pytest.mark.parametrize("bin_width", [0.7, 1.0, 2.0])
def test_surface_is_that_of_the_film_and_not_the_highest_particle(bin_width):
    gas = [(3.0, 57.0), (10.0, 50.0), (11.0, 50.1)]
    profile = film_profile(film_of(flat(1.1), flat(0.35), gas=gas), bin_width)
    assert profile.surface == pytest.approx(41.0, abs=0.6 * bin_width)


def test_surface_of_a_film_that_fills_its_box():
    film = film_of(flat(1.1), flat(0.35), height=30.0, box_height=31.0)
    assert film_profile(film).surface == pytest.approx(31.0, abs=0.6)


def test_particles_below_and_above_the_box_are_counted():
    film = film_of(flat(1.1), flat(0.35))
    moved = Configuration(
        film.positions - [0.0, 2.3], film.types, (WIDTH, 30.0), periodic=(True, False)
    )
    profile = film_profile(moved)
    assert profile.n_particles.sum() == (film.types < 2).sum()
    assert profile.edges[0] <= -2
    assert profile.surface == pytest.approx(38.7, abs=0.6)


def test_bulk_keeps_its_distance_from_both_ends():
    film = film_of(flat(1.15), flat(0.35), height=30.0)
    region = bulk_region(film)
    assert region.margin == 6.0
    assert region.y_low == pytest.approx(7.0)
    assert region.y_high == pytest.approx(region.lowest_surface - 6.0)
    assert region.surface - 2.0 < region.lowest_surface < region.surface + 0.5
    assert region.density == pytest.approx(1.15, abs=0.1)
    assert region.composition == pytest.approx(0.35, abs=0.08)
    heights = film.positions[film.types < 2, 1]
    inside = (heights >= region.y_low) & (heights < region.y_high)
    assert region.n_particles == inside.sum()


@pytest.mark.parametrize("at", [0.2, 9.0])
def test_bulk_keeps_its_distance_from_a_valley_of_the_surface(at):
    film = film_of(flat(1.15), flat(0.35), height=40.0, gas=[(at, 50.0)])
    away = np.abs((film.positions[:, 0] - at + WIDTH / 2) % WIDTH - WIDTH / 2)
    keep = (film.positions[:, 1] < 30.0) | (away > 3.0) | (film.positions[:, 1] > 45.0)
    carved = Configuration(film.positions[keep], film.types[keep], film.box, film.periodic)
    region = bulk_region(carved)
    assert region.surface == pytest.approx(41.0, abs=0.6)
    assert 28.0 < region.lowest_surface <= 30.0
    assert region.y_high == pytest.approx(region.lowest_surface - 6.0)


def test_a_film_with_a_hole_down_to_its_substrate_has_no_bulk():
    film = film_of(flat(1.15), flat(0.35))
    keep = (film.types == 2) | (film.positions[:, 0] > 5.0)
    holed = Configuration(film.positions[keep], film.types[keep], film.box, film.periodic)
    with pytest.raises(ValueError, match="no bulk: it is 0.0 sigma thick where it is thinnest"):
        bulk_region(holed)


def test_thick_films_keep_ten_and_a_margin_that_is_given_is_kept():
    film = film_of(flat(1.15), flat(0.35), height=45.0)
    assert bulk_region(film).margin == 10.0
    assert bulk_region(film).y_low == pytest.approx(11.0)
    assert bulk_region(film, margin=7.5).y_low == pytest.approx(8.5)
    assert bulk_region(film, margin=0).y_low == pytest.approx(1.0)


def test_a_part_of_other_density_is_no_bulk():
    # Holes in the upper half of the film.
    region = bulk_region(film_of(lambda y: 1.15 if y < 24 else 0.7, flat(0.35), height=45.0))
    assert 20.0 < region.y_high < 27.1


def test_a_part_of_other_composition_is_no_bulk():
    region = bulk_region(film_of(flat(1.15), lambda y: 0.9 if y < 16 else 0.35, height=45.0))
    assert 15.0 < region.y_low < 20.0
    assert region.composition == pytest.approx(0.35, abs=0.06)


def test_a_film_of_two_parts_of_other_density_has_no_bulk():
    # Two slabs, neither of which is near to the mean of both.
    film = film_of(lambda y: 1.8 if y < 8.3 else 1.0, flat(0.35), height=19.0)
    with pytest.raises(ValueError, match="no bulk: between 7.0 and .* no part has the density and"):
        bulk_region(film)


def test_films_may_be_shifted_along_the_substrate():
    film = toy_films(1)[0]
    region = bulk_region(film)
    for shift in (0.4, -7.0, 137.3):
        moved = Configuration(film.positions + [shift, 0], film.types, film.box, film.periodic)
        # Columns begin elsewhere, so that their tops differ a little.
        found = bulk_region(moved)
        assert found.lowest_surface == pytest.approx(region.lowest_surface, abs=1.0)
        wrapped = film.positions.copy()
        wrapped[:, 0] = (wrapped[:, 0] + shift) % film.box[0]
        again = bulk_region(Configuration(wrapped, film.types, film.box, film.periodic))
        assert again.n_particles == found.n_particles
        assert again.y_high == pytest.approx(found.y_high)


def test_regions_of_homogeneous_films_are_whole():
    films = toy_films(20, random_state=1)
    heights = [bulk_region(film).y_high - bulk_region(film).y_low for film in films]
    assert np.median(heights) == pytest.approx(15.0, abs=0.2)
    assert np.mean(np.array(heights) > 14) > 0.95


def without_substrate(film):
    keep = film.types < 2
    return Configuration(film.positions[keep], film.types[keep], film.box, film.periodic)


GOOD = film_of(flat(1.1), flat(0.35))


@pytest.mark.parametrize(
    ("film", "words"),
    [
        (without_substrate(GOOD), r"on a substrate of type 2, and no others, .*\[0, 1\]"),
        (Configuration([[0.5, 0.5]], [2], [1.0, 1.0], (True, False)), r"got the types \[2\]"),
        (Configuration([[0.5, 0.5]] * 2, [2, 3], [1.0, 1.0], (True, False)), r"types \[2, 3\]"),
        (Configuration(GOOD.positions, GOOD.types, GOOD.box), r"periodic=\[True, True\]"),
        (Configuration([[0.5] * 3], [0], [1.0] * 3), "must be two-dimensional, .*got 3 dimensions"),
        (
            Configuration([[0.5, 0.5]] * 2, [0, 2], [[2, 0], [1, 2]], (True, False)),
            "a film must have a rectangular box",
        ),
    ],
)
@pytest.mark.parametrize("function", [film_profile, bulk_region])
def test_what_is_no_film(function, film, words):
    with pytest.raises(ValueError, match=words):
        function(film)


def test_bad_input():
    with pytest.raises(TypeError, match="a film must be a Configuration, got Configurations"):
        film_profile(toy_films(1))
    for width in (0, -1.0, np.inf, "1", True, None):
        with pytest.raises(ValueError, match="bin_width must be a positive number"):
            film_profile(GOOD, bin_width=width)
    for margin in (-1.0, np.nan, "6", False):
        with pytest.raises(ValueError, match="margin must be None or a number of at least 0"):
            bulk_region(GOOD, margin=margin)
    with pytest.raises(
        ValueError, match=r"no bulk: it is \d+\.\d sigma thick .* and a margin of 6"
    ):
        bulk_region(film_of(flat(1.1), flat(0.35), height=12.0))
