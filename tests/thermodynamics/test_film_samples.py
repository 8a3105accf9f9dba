"""Samples of the bulk: exact counts, where they are cut, and what cannot be cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import Configuration, Configurations
from glassclf.simulation import particle_energies
from glassclf.testing import toy_films
from glassclf.thermodynamics import bulk_energies, bulk_region, cut_bulk

POTENTIAL = "kob-andersen-2d-film"


@pytest.fixture(scope="module")
def films():
    return toy_films(3)


def with_types(film, share, seed=0):
    """The same film with another share of B."""
    rng = np.random.default_rng(seed)
    types = film.types.copy()
    types[types < 2] = rng.uniform(size=(types < 2).sum()) < share
    return Configuration(film.positions, types, film.box, film.periodic, film.info)


def test_every_sample_has_the_exact_numbers(films):
    samples = cut_bulk(films, n_particles=120, n_type_1=42)
    assert len(samples) == len(films)
    for sample in samples:
        assert sample.n_particles == 120
        assert np.bincount(sample.types).tolist() == [78, 42]


def test_a_sample_is_a_window_of_its_film(films):
    for film, sample in zip(films, cut_bulk(films, n_particles=120)):
        region, info = bulk_region(film), sample.info
        heights = film.positions[:, 1]
        inside = (film.types < 2) & (heights > info["y_low"]) & (heights < info["y_high"])
        assert inside.sum() == 120
        assert region.y_low - 0.5 < info["y_low"] < info["y_high"] < region.y_high + 0.5
        in_film = sample.positions + [0.0, info["y_low"]]
        order = np.argsort(heights[inside])
        np.testing.assert_allclose(in_film, film.positions[inside][order])
        assert sample.box.tolist() == [film.box[0], info["y_high"] - info["y_low"]]
        assert sample.periodic.tolist() == [True, False]
        assert info["bulk_density"] == pytest.approx(120 / np.prod(sample.box))
        assert (sample.positions[:, 1] >= 0).all()
        assert (sample.positions[:, 1] <= sample.box[1]).all()
        energies = particle_energies(film, potential=POTENTIAL)
        assert info["bulk_energy"] == pytest.approx(energies[inside].mean())
        assert {name: info[name] for name in film.info} == film.info


@given(
    n_particles=st.integers(2, 60),
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 10),
    data=st.data(),
)
def test_the_window_nearest_to_the_middle_is_taken(n_particles, share, seed, data):
    film = with_types(toy_films(1)[0], share, seed)
    region = bulk_region(film, margin=8.0)
    order = np.argsort(film.positions[:, 1])
    order = order[film.types[order] < 2]
    heights = film.positions[order, 1]
    bulk = order[(heights >= region.y_low) & (heights < region.y_high)]
    counts = [
        int((film.types[bulk[start : start + n_particles]] == 1).sum())
        for start in range(len(bulk) - n_particles + 1)
    ]
    n_type_1 = data.draw(st.integers(min(counts), max(counts)))
    (sample,) = cut_bulk([film], n_particles, n_type_1, margin=8.0)
    assert (sample.types == 1).sum() == n_type_1
    distances = [
        abs(start - (len(counts) - 1) / 2) for start, c in enumerate(counts) if c == n_type_1
    ]
    lowest = sample.positions[:, 1].min() + sample.info["y_low"]
    start = int(np.argmin(np.abs(film.positions[bulk, 1] - lowest)))
    assert abs(start - (len(counts) - 1) / 2) == min(distances)


def test_left_to_itself_it_takes_as_many_as_all_films_allow(films):
    samples = cut_bulk(films)
    smallest = min(bulk_region(film).n_particles for film in films)
    (n,) = set(samples.n_particles)
    (n_b,) = {int(sample.types.sum()) for sample in samples}
    assert smallest / 2 < n <= smallest
    share = np.mean([bulk_region(film).composition for film in films])
    assert n_b / n == pytest.approx(share, abs=0.05)
    with pytest.raises(ValueError, match="cannot be cut out of"):
        cut_bulk(films, n_particles=n + 1)
    assert set(cut_bulk(films, n_type_1=30).n_particles) != {n}


def test_without_a_margin_all_particles_serve():
    film = toy_films(1, n_rows=6)[0]
    is_film = film.types < 2
    low, high = np.sort(film.positions[is_film, 1])[[0, -2]]
    (sample,) = cut_bulk([film], n_particles=20, margin=0)
    assert low <= sample.info["y_low"] < sample.info["y_high"] <= high


def test_one_film_of_a_set_that_cannot_be_cut_is_named(films):
    rich = with_types(films[2], 0.9)
    mixed = Configurations([films[0], films[1], rich])
    words = (
        r"samples of 100 particles, 35 of type 1, cannot be cut out of 1 of 3 films: film 2 "
        r"\(toy-000, liquid-cooled, thermal\) allows 8\d to \d+ of type 1. Leave these films out"
    )
    with pytest.raises(ValueError, match=words):
        cut_bulk(mixed, n_particles=100, n_type_1=35)
    with pytest.raises(ValueError, match=r"samples of 100 .* cannot be cut out of"):
        cut_bulk(mixed, n_particles=100)
    mixed = Configurations([films[0], with_types(films[2], 1.0)])
    with pytest.raises(ValueError, match="gives samples of one composition: choose n_particles"):
        cut_bulk(mixed)
    with pytest.raises(ValueError, match="gives samples with n_type_1=500"):
        cut_bulk(films, n_type_1=500)


def test_films_with_too_few_particles_are_named_up_to_five(films):
    words = (
        r"samples of 300 particles cannot be cut out of 12 of 12 films: film 0 .* has 2\d\d "
        r"particles in its bulk; .*; and 7 more"
    )
    with pytest.raises(ValueError, match=words):
        cut_bulk(films, n_particles=300)


@pytest.mark.parametrize("function", [cut_bulk, bulk_energies])
def test_errors_name_the_film(films, function):
    thin = toy_films(1, n_rows=10)[3]
    with pytest.raises(ValueError, match=r"film 1 \(toy-000, .*, inherent\): the film has no bulk"):
        function(Configurations([films[0], thin]))
    with pytest.raises(ValueError, match=r"film 0 .*: potential 'kob-andersen-2d' knows types 0"):
        function(films, potential="kob-andersen-2d")
    box = Configuration([[0.5, 0.5]], [0], [1.0, 1.0])
    with pytest.raises(ValueError, match="film 0: a film must be two-dimensional"):
        function([box])


@pytest.mark.parametrize("value", [-1, 1.5, True, "3"])
def test_numbers_are_checked(films, value):
    with pytest.raises(ValueError, match="n_particles must be None or an integer of at least 2"):
        cut_bulk(films, n_particles=value)
    with pytest.raises(ValueError, match="n_type_1 must be None or an integer of at least 0"):
        cut_bulk(films, n_type_1=value)
