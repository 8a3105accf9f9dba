"""Energies of the bulk, and what is left of them at equal composition."""

import numpy as np
import pytest

from glassclf.simulation import particle_energies
from glassclf.testing import toy_films
from glassclf.thermodynamics import (
    bulk_energies,
    bulk_region,
    energies_at_equal_composition,
)


def test_energy_of_the_bulk_is_the_mean_over_its_particles():
    films = toy_films(1)
    bulk = bulk_energies(films, margin=8.0)
    for index, film in enumerate(films):
        region = bulk_region(film, margin=8.0)
        heights = film.positions[:, 1]
        inside = (film.types < 2) & (heights >= region.y_low) & (heights < region.y_high)
        energies = particle_energies(film, potential="kob-andersen-2d-film")
        assert bulk.energy[index] == pytest.approx(energies[inside].mean())
        assert bulk.n_particles[index] == region.n_particles == inside.sum()
        assert bulk.density[index] == region.density
        assert bulk.composition[index] == region.composition


def test_substrate_is_no_part_of_the_bulk_without_a_margin():
    films = toy_films(1)[:1]
    film, bulk = films[0], bulk_energies(films, margin=0)
    heights, region = film.positions[:, 1], bulk_region(film, margin=0)
    assert heights[film.types == 2].max() == region.y_low
    inside = (film.types < 2) & (heights >= region.y_low) & (heights < region.y_high)
    energies = particle_energies(film, potential="kob-andersen-2d-film")
    assert bulk.energy[0] == pytest.approx(energies[inside].mean())
    assert bulk.n_particles[0] == inside.sum()


def test_slope_and_its_error_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], [3, 4, 5])
    composition, energy = rng.normal(0.35, 0.02, 12), rng.normal(-3.7, 0.01, 12)
    design = np.column_stack([composition, kinds[:, None] == np.arange(3)])
    solution, (residual,), _, _ = np.linalg.lstsq(design, energy)
    covariance = residual / (12 - 4) * np.linalg.inv(design.T @ design)
    result = energies_at_equal_composition(energy, composition, kinds=kinds)
    assert result.slope == pytest.approx(solution[0])
    assert result.slope_error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert result.reference == composition.mean()


def test_a_known_line_is_found_and_taken_out():
    rng = np.random.default_rng(0)
    composition = rng.normal(0.345, 0.02, 40)
    kinds = np.repeat(["vapor-deposited", "liquid-cooled"], 20)
    height = np.where(kinds == "liquid-cooled", -3.74, -3.71)
    energy = height - 1.4 * (composition - 0.345) + rng.normal(0, 0.001, 40)
    result = energies_at_equal_composition(energy, composition, kinds=kinds, reference=0.345)
    assert result.slope == pytest.approx(-1.4, abs=4 * result.slope_error)
    assert 0.001 < result.slope_error < 0.03
    np.testing.assert_allclose(result.energy, height, atol=0.005)
    np.testing.assert_array_equal(result.raw, energy)


def test_a_difference_of_kinds_is_not_taken_for_composition():
    # Each kind flat, and the kinds at different compositions and energies.
    composition = np.array([0.33, 0.34, 0.36, 0.37])
    energy = np.array([-3.70, -3.70, -3.75, -3.75])
    apart = energies_at_equal_composition(energy, composition, kinds=[0, 0, 1, 1])
    assert apart.slope == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(apart.energy, energy)
    assert energies_at_equal_composition(energy, composition).slope < -1


def test_a_slope_that_is_given_is_used():
    result = energies_at_equal_composition([-3.7, -3.8], [0.35, 0.35], slope=-1.4, reference=0.34)
    np.testing.assert_allclose(result.energy, [-3.686, -3.786])
    assert np.isnan(result.slope_error)
    assert result.reference == 0.34


def test_error_of_a_line_through_two_points_is_unknown():
    assert np.isnan(energies_at_equal_composition([-3.7, -3.8], [0.33, 0.36]).slope_error)


def test_bad_input():
    with pytest.raises(ValueError, match="energy, composition and kinds must be .* 2, 3 and 2"):
        energies_at_equal_composition([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="energy must be a sequence of finite numbers"):
        energies_at_equal_composition([1, np.nan], [1, 2])
    with pytest.raises(ValueError, match="composition must be a sequence of finite numbers"):
        energies_at_equal_composition([1], [])
    with pytest.raises(ValueError, match="energy must be a sequence of finite numbers: could not"):
        energies_at_equal_composition(["x"], [0.3])
    for name in ("slope", "reference"):
        for value in (np.nan, np.inf, "1"):
            with pytest.raises(ValueError, match=f"{name} must be None or a finite number, got"):
                energies_at_equal_composition([1, 2], [0.3, 0.4], **{name: value})
    with pytest.raises(ValueError, match="does not vary within a kind, so that no slope"):
        energies_at_equal_composition([1, 2], [0.3, 0.4], kinds=["a", "b"])
