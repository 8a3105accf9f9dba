"""The ionised field: photon counting against a plain loop, and what the parameters mean."""

import numpy as np
import pytest

from glassclf.datasets import make_ionized_field


def make(shape=16, r_max=5, **settings):
    return make_ionized_field(
        shape, **{"r_max": r_max, "fraction": 0.3, "random_state": 0, "verbose": 0, **settings}
    )


def plain_count(data, r_max, flag):
    """Every cell and every sphere, as the notes have it."""
    shape = data.density.shape
    density, sources = data.density.astype(float), data.sources.astype(float)
    cells = np.argwhere(np.ones(shape))
    ionized = np.minimum(data.zeta * sources / density, 1)
    radii, radius = [], r_max
    while radius >= 1:
        radii.append(radius)
        radius /= 1.1
    for cell in cells:
        steps = np.abs(cells - cell)
        squares = (np.minimum(steps, shape - steps) ** 2).sum(axis=1)
        for radius in radii:
            inside = tuple(cells[squares <= radius**2].T)
            if data.zeta * sources[inside].mean() >= density[inside].mean():
                flagged = inside if flag == "sphere" else tuple(cell)
                ionized[flagged] = 1
    return ionized


@pytest.mark.parametrize("flag", ["center", "sphere"])
def test_photons_are_counted_as_in_a_plain_loop(flag):
    data = make(10, 4, flag=flag)
    np.testing.assert_allclose(data.ionized, plain_count(data, 4, flag), atol=1e-5)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_the_mean_fraction_is_met(fraction):
    data = make(24, 8, fraction=fraction)
    assert data.ionized.mean() == pytest.approx(fraction, abs=0.002)
    assert 0 <= data.ionized.min() < data.ionized.max() == 1
    assert np.mean((data.ionized > 0.01) & (data.ionized < 0.99)) < 0.01


def test_density_is_log_normal_and_sources_sit_on_its_peaks():
    data = make_ionized_field(32, r_max=2, sigma=0.7, fraction=0.02, random_state=1, verbose=0)
    assert data.density.mean() == pytest.approx(1, abs=1e-5)
    assert np.log(data.density).std() == pytest.approx(0.7, abs=1e-4)
    assert np.mean(data.sources > 0) == pytest.approx(0.01, abs=1e-3)
    assert data.density[data.sources > 0].min() >= data.density[data.sources == 0].max()
    assert {data[name].dtype for name in ("density", "sources", "ionized")} == {np.dtype("f4")}


def test_the_spectrum_is_the_power_law():
    fields = [
        np.log(
            make_ionized_field(
                32, slope=-2.5, smoothing=0, r_max=1, fraction=0.015, random_state=seed, verbose=0
            ).density
        )
        for seed in range(8)
    ]
    power = np.mean([np.abs(np.fft.fftn(field)) ** 2 for field in fields], axis=0)
    wave = np.sqrt(sum(k**2 for k in np.meshgrid(*[np.fft.fftfreq(32)] * 3, indexing="ij")))
    chosen = (wave > 0.1) & (wave < 0.5)
    slope, _ = np.polyfit(np.log(wave[chosen]), np.log(power[chosen]), 1)
    assert slope == pytest.approx(-2.5, abs=0.05)


def test_light_gets_no_farther_than_the_largest_sphere():
    data = make(24, 3, fraction=0.1)
    cells = np.argwhere(data.ionized == 1)
    sources = np.argwhere(data.sources > 0)
    steps = np.abs(cells[:, None] - sources[None])
    squares = (np.minimum(steps, 24 - steps) ** 2).sum(axis=2)
    assert squares.min(axis=1).max() <= 9
    assert data.zeta > make(24, 8, fraction=0.1).zeta


def test_what_no_light_reaches_is_not_ionised():
    with pytest.raises(
        ValueError, match=r"fraction=0.9 cannot be reached: 0\.\d+ of the cells lie"
    ):
        make(24, 2, fraction=0.9)


def test_a_seed_gives_the_same_field_and_other_shapes_are_no_cubes():
    one, same, other = make(), make(), make(random_state=1)
    assert np.array_equal(one.ionized, same.ionized)
    assert not np.array_equal(one.density, other.density)
    assert make((12, 14, 16)).ionized.shape == (12, 14, 16)


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="shape must be one or three integers above 2"):
        make((8, 8))
    with pytest.raises(ValueError, match="shape must be one or three integers above 2"):
        make(24.5)
    with pytest.raises(ValueError, match="slope must be a finite number, got nan"):
        make(slope=np.nan)
    for settings in ({"sigma": 50}, {"smoothing": 100}):
        with pytest.raises(ValueError, match="leave no density that is finite and positive"):
            make(**settings)
    with pytest.raises(ValueError, match="sigma must be positive, got 0"):
        make(sigma=0)
    with pytest.raises(ValueError, match="smoothing must be at least 0 cells, got -1"):
        make(smoothing=-1)
    with pytest.raises(ValueError, match="r_max must be from 1 to 7.5 cells in a box of shape"):
        make(16, 8)
    with pytest.raises(ValueError, match="fraction must lie between 0 and 1, got 1"):
        make(fraction=1)
    with pytest.raises(ValueError, match='flag must be "center" or "sphere", got'):
        make(flag="corner")
