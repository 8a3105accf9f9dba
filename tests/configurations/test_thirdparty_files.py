"""Files that other people's programs wrote; skipped where they are absent."""

from pathlib import Path

import numpy as np
import pytest

from glassclf.configurations import minimum_image, pairs_within, read_configurations

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/thirdparty"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the third-party files are not here")

# 2D Kob-Andersen mixture: depth and diameter by pair of types.
EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])


def energy_per_particle(configuration):
    """Lennard-Jones energy, cut at 2.5 sigma and shifted."""
    pairs = pairs_within(configuration, 2.5)
    a, b = configuration.types[pairs.sources], configuration.types[pairs.targets]
    ratio = (SIGMA[a, b] / pairs.distances) ** 6
    cut = 2.5**-6
    energy = 4 * EPSILON[a, b] * (ratio**2 - ratio - (cut**2 - cut))
    inside = pairs.distances < 2.5 * SIGMA[a, b]
    return 0.5 * energy[inside].sum() / configuration.n_particles


@pytest.mark.parametrize("name", ["ka2d_wrapped", "ka2d_unwrapped"])
def test_the_two_dimensional_liquid_has_its_energy(name):
    X = read_configurations(FOLDER / f"{name}.dump")
    assert len(X) == 10
    assert np.bincount(X[0].types).tolist() == [650, 350]
    assert X.n_particles[0] / np.linalg.det(X.cells[0]) == pytest.approx(1.2, abs=1e-4)
    energies = [energy_per_particle(configuration) for configuration in X]
    assert np.mean(energies) == pytest.approx(-3.07, abs=0.005)


def test_wrapped_and_unwrapped_frames_are_the_same():
    one = read_configurations(FOLDER / "ka2d_wrapped.dump")
    two = read_configurations(FOLDER / "ka2d_unwrapped.dump")
    assert one.info["timestep"].tolist() == two.info["timestep"].tolist()
    assert one.types.tolist() == two.types.tolist()
    difference = minimum_image(one.positions - two.positions, one.cells[0], one.periodic[0])
    np.testing.assert_allclose(difference, 0, atol=1e-3)


def test_the_three_dimensional_liquid():
    X = read_configurations(FOLDER / "ka3d.dump")
    assert len(X) == 10
    assert X.n_dims == 3
    assert np.bincount(X[0].types).tolist() == [800, 200]
    energies = [energy_per_particle(configuration) for configuration in X]
    assert np.mean(energies) == pytest.approx(-6.674, abs=0.005)


def test_the_triclinic_box():
    X = read_configurations(FOLDER / "triclinic2d.dump")
    assert X.n_dims == 2
    assert X.n_particles.tolist() == [8192]
    assert X.cells[0, 1, 0] == pytest.approx(2.9279725503869999e-03)
    assert X.cells[0, 0, 0] == pytest.approx(9.7602012985450386e01 - 2.9279725503869999e-03)
    assert pairs_within(X[0], 0.5).distances.size < 100


def test_the_gsd_file():
    pytest.importorskip("gsd")
    X = read_configurations(FOLDER / "example.gsd")
    assert X.n_dims == 3
    assert X.types.tolist() == [0] * 4
    assert X.cells[0].tolist() == np.eye(3).tolist()
    assert X.positions[0, 0] == pytest.approx(0.68665826 + 0.5)
