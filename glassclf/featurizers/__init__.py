"""Configurations turned into what estimators read: images, RDFs, bond order, graphs."""

from glassclf.featurizers.base import ConfigurationFeaturizer
from glassclf.featurizers.bond_order import BondOrderFeaturizer
from glassclf.featurizers.graph import GraphFeaturizer
from glassclf.featurizers.graphs import Graphs
from glassclf.featurizers.image import ImageFeaturizer
from glassclf.featurizers.lattice import LatticeFeaturizer
from glassclf.featurizers.lattice_correlation import LatticeCorrelationFeaturizer
from glassclf.featurizers.lazy import LazyGraphs, LazyImages
from glassclf.featurizers.local_structure import LocalStructureFeaturizer
from glassclf.featurizers.neighborhood import LazyNeighborhoods, NeighborhoodFeaturizer
from glassclf.featurizers.rdf import RDFFeaturizer
from glassclf.featurizers.shell_average import ShellAverageFeaturizer

__all__ = [
    "BondOrderFeaturizer",
    "ConfigurationFeaturizer",
    "GraphFeaturizer",
    "Graphs",
    "ImageFeaturizer",
    "LatticeCorrelationFeaturizer",
    "LatticeFeaturizer",
    "LazyGraphs",
    "LazyImages",
    "LazyNeighborhoods",
    "LocalStructureFeaturizer",
    "NeighborhoodFeaturizer",
    "RDFFeaturizer",
    "ShellAverageFeaturizer",
]
