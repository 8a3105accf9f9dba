"""What a sample is: configurations of particles, their boxes, neighbours and files."""

from glassclf.configurations.box import (
    cell_from_box,
    fractional,
    is_rectangular,
    minimum_image,
    plane_distances,
    volume,
    wrap,
)
from glassclf.configurations.configuration import Configuration
from glassclf.configurations.configuration_set import Configurations
from glassclf.configurations.conversion import as_configurations
from glassclf.configurations.field_points import FieldPoints
from glassclf.configurations.files import read_configurations, write_configurations
from glassclf.configurations.labelled_files import read_labelled
from glassclf.configurations.lattice_files import read_lattices
from glassclf.configurations.lattices import Lattices, as_lattices
from glassclf.configurations.neighbors import Pairs, nearest_neighbors, pairs_one_way, pairs_within
from glassclf.configurations.point_sampling import sample_points
from glassclf.configurations.voronoi import VoronoiCells, voronoi_cells
from glassclf.configurations.windows import Windows, cut_windows

__all__ = [
    "Configuration",
    "Configurations",
    "FieldPoints",
    "Lattices",
    "Pairs",
    "VoronoiCells",
    "Windows",
    "as_configurations",
    "as_lattices",
    "cell_from_box",
    "cut_windows",
    "fractional",
    "is_rectangular",
    "minimum_image",
    "nearest_neighbors",
    "pairs_one_way",
    "pairs_within",
    "plane_distances",
    "read_configurations",
    "read_labelled",
    "read_lattices",
    "sample_points",
    "volume",
    "voronoi_cells",
    "wrap",
    "write_configurations",
]
