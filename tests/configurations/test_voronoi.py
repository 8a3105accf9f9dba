"""Voronoi cells fill the box, are those of freud, and know which of them are open."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassclf.configurations import Configuration, minimum_image, volume, voronoi_cells
from glassclf.testing import noisy_lattice


def random_configuration(seed, n_dims, n, skew):
    rng = np.random.default_rng(seed)
    box = np.diag(rng.uniform(0.5, 3, n_dims))
    box[-1, 0] = skew
    return Configuration(rng.normal(size=(n, n_dims)) @ box, np.zeros(n, int), box)


@given(
    seed=st.integers(0, 10**6),
    n_dims=st.sampled_from([2, 3]),
    n=st.integers(1, 20),
    skew=st.floats(-3, 3),
)
def test_cells_fill_any_periodic_box(seed, n_dims, n, skew):
    configuration = random_configuration(seed, n_dims, n, skew)
    cells = voronoi_cells(configuration)
    assert cells.closed.all()
    assert cells.volumes.sum() == pytest.approx(volume(configuration.cell))
    # Each face is there from both sides, and a cell is the sum of the pyramids under its faces.
    sides = sorted(zip(cells.sources, cells.targets, cells.sizes.round(7)))
    assert sides == sorted(zip(cells.targets, cells.sources, cells.sizes.round(7)))
    heights = np.linalg.norm(cells.vectors, axis=1) / 2
    pyramids = np.bincount(cells.sources, cells.sizes * heights / n_dims, minlength=n)
    assert np.allclose(pyramids, cells.volumes, rtol=1e-4)
    if n_dims == 2:
        assert len(cells.sources) <= 6 * n


@given(seed=st.integers(0, 10**6))
def test_point_belongs_to_the_nearest_particle(seed):
    """The share of random points that are nearest to a particle is the share of its cell."""
    configuration = random_configuration(seed, 2, 5, 0.4)
    points = np.random.default_rng(seed).random((20_000, 2)) @ configuration.cell
    distances = [
        np.linalg.norm(minimum_image(points - one, configuration.cell, [True, True]), axis=1)
        for one in configuration.positions
    ]
    shares = np.bincount(np.argmin(distances, axis=0), minlength=5) / len(points)
    areas = voronoi_cells(configuration).volumes / volume(configuration.cell)
    assert np.allclose(shares, areas, atol=0.02)


# In a process of its own: LAMMPS and freud both bring the library that makes the cells, and where
# LAMMPS was loaded before, freud calls into that one and crashes.
FREUD = """
import sys
import freud, numpy as np
given = np.load(f"{sys.argv[1]}/points.npz")
box = freud.box.Box(*given["box"], is2D=len(given["box"]) == 2)
cells = freud.locality.Voronoi().compute((box, given["points"]))
np.savez(f"{sys.argv[1]}/cells.npz", volumes=cells.volumes, bonds=cells.nlist[:])
"""


@pytest.mark.parametrize("n_cells", [(9, 8), (5, 5, 4)])
def test_cells_are_those_of_freud(n_cells, tmp_path):
    pytest.importorskip("freud")
    configuration = noisy_lattice(0.2, n_cells=n_cells)
    cells = voronoi_cells(configuration)
    points = np.zeros((configuration.n_particles, 3))
    points[:, : len(n_cells)] = configuration.positions - configuration.box / 2
    np.savez(tmp_path / "points.npz", box=configuration.box, points=points)
    subprocess.run([sys.executable, "-c", FREUD, str(tmp_path)], check=True)
    peer = np.load(tmp_path / "cells.npz")
    assert np.allclose(peer["volumes"], cells.volumes, rtol=1e-4)
    # In single precision faces that are tiny come and go.
    found = dict(zip(zip(cells.sources.tolist(), cells.targets.tolist()), cells.sizes))
    theirs = set(map(tuple, peer["bonds"].tolist()))
    assert theirs <= found.keys()
    assert all(found[pair] < 1e-2 for pair in found.keys() - theirs)


def test_sites_of_a_square_lattice_have_four_neighbours():
    cells = voronoi_cells(noisy_lattice(0.0, n_cells=(6, 6)))
    assert np.allclose(cells.volumes, 1)
    assert np.bincount(cells.sources).tolist() == [4] * 36
    assert np.allclose(cells.sizes, 1)


def test_cells_at_an_open_end_are_open():
    configuration = noisy_lattice(0.05, n_cells=(6, 6), periodic=[True, False])
    cells = voronoi_cells(configuration)
    height = configuration.positions[:, 1]
    assert np.array_equal(cells.closed, (height > 1) & (height < 5))
    assert np.array_equal(np.isnan(cells.volumes), ~cells.closed)
    assert cells.closed[cells.sources].all()
    inside = voronoi_cells(noisy_lattice(0.05, n_cells=(6, 6)))
    assert np.allclose(cells.volumes[cells.closed], inside.volumes[cells.closed])


def test_particles_without_cells_are_refused():
    with pytest.raises(ValueError, match="2 particles have no Voronoi cells: too few, or all on o"):
        voronoi_cells(Configuration([[0.5, 0.5], [1.5, 0.5]], [0, 0], [2.0, 2.0], periodic=False))


def test_two_particles_at_one_place_are_refused():
    twice = [[0.5, 0.5], [1.5, 0.7], [1.5, 0.7], [0.4, 1.5]]
    with pytest.raises(ValueError, match="particle . stands at the place of another one"):
        voronoi_cells(Configuration(twice, [0] * 4, [2.0, 2.0]))


@pytest.mark.parametrize("box", [[20, 20, 20], [6, 6, 20], [1, 20, 20]])
def test_a_droplet_in_a_vacuum_has_cells_without_a_million_images(box):
    # The first cells beside the vacuum reach out far: images were made for all of that.
    positions = np.random.RandomState(0).rand(40, 3)
    cells = voronoi_cells(Configuration(positions, np.zeros(40, int), box))
    assert cells.volumes.sum() == pytest.approx(np.prod(box))


def test_a_set_has_no_cells():
    with pytest.raises(TypeError, match="cells are those of one Configuration, got list"):
        voronoi_cells([noisy_lattice(0.1)])
