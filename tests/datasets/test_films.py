"""The bundled films: what is in them, and that it is what the description says."""

from pathlib import Path

import numpy as np
import pytest

from glassclf.datasets import load_films, select_films
from glassclf.simulation import particle_energies
from glassclf.thermodynamics import bulk_energies, bulk_region


@pytest.fixture(scope="module")
def bunch():
    return load_films()


@pytest.fixture(scope="module")
def films(bunch):
    return bunch.data


def test_contents(films):
    assert len(films) == 64
    for film in films:
        assert np.bincount(film.types)[:2].tolist() == [650, 350]
        assert film.periodic.tolist() == [True, False]
        assert film.box[0] == 30.0
    temperatures, counts = np.unique(films.info["substrate_temperature"], return_counts=True)
    assert temperatures.tolist() == [0.147, 0.168, 0.189, 0.21, 0.231]
    assert counts.tolist() == [4, 4, 48, 4, 4]
    assert len(set(films.info["run"])) == 16
    assert len(set(films.info["flux"])) == 1
    assert (films.info["cooling_steps"] == 0).sum() == 32
    assert set(films.info["n_deposited"]) == {1000}


def test_stored_energy_is_that_of_the_stored_positions(films):
    energies = particle_energies(films, potential="kob-andersen-2d-film")
    for film, of_particles in zip(films, energies):
        energy = of_particles[film.types < 2].mean()
        assert film.info["potential_energy"] == pytest.approx(energy, abs=1e-4)


def test_temperature_is_that_of_the_substrate(films):
    measured, asked = films.info["measured_temperature"], films.info["temperature"]
    # The kinetic temperature of 1000 particles in two dimensions scatters by 3 %.
    assert np.abs(measured / asked - 1).max() < 0.13
    assert np.mean(measured / asked) == pytest.approx(1.0, abs=0.03)


def test_every_film_has_a_bulk_of_known_density_and_composition(films):
    inherent = films[films.info["state"] == "inherent"]
    bulk = bulk_energies(inherent)
    assert ((bulk.density > 1.1) & (bulk.density < 1.2)).all()
    assert ((bulk.composition > 0.3) & (bulk.composition < 0.4)).all()
    assert bulk.n_particles.min() > 100
    assert ((bulk.energy > -3.85) & (bulk.energy < -3.6)).all()
    for film in inherent:
        region = bulk_region(film)
        assert region.y_low >= region.substrate_top + 6.0
        assert region.y_high <= region.lowest_surface - 6.0


def test_both_materials_are_cut_to_equal_samples(bunch):
    X, y, groups = select_films(bunch, 0.189)
    assert len(X) == 24
    assert y.tolist() == ["vapor-deposited", "liquid-cooled"] * 12
    assert len(set(X.n_particles)) == 1
    assert X.n_particles[0] >= 100
    assert len({int(sample.types.sum()) for sample in X}) == 1
    assert len(set(groups)) == 12


def test_no_two_films_are_alike(films):
    deposited = films[
        (films.info["state"] == "thermal") & (films.info["material"] == "vapor-deposited")
    ]
    corners = np.array([film.positions[film.types < 2][:50] for film in deposited])
    for one in range(len(corners)):
        for other in range(one):
            assert np.abs(corners[one] - corners[other]).max() > 0.5


def test_bunch(bunch):
    assert set(bunch) == {"data", "DESCR", "units", "filename"}
    assert "random_state=20263" in bunch.DESCR
    assert bunch.units["positions"] == "sigma_AA"
    assert Path(bunch.filename).stat().st_size < 1.5e6
