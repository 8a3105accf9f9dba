"""The torch modules: networks on images, fields and graphs, without scikit-learn or skorch."""

from glassclf.networks.cnn import ConvolutionalNetwork
from glassclf.networks.core import stopped_depth
from glassclf.networks.edge_update import EdgeUpdate
from glassclf.networks.energy import EnergyForcesVirial, EnergyNetwork
from glassclf.networks.global_node import GlobalNode
from glassclf.networks.graph_batch import GraphBatch
from glassclf.networks.layered import LayeredNetwork
from glassclf.networks.mpnn import MessagePassingNetwork
from glassclf.networks.normalization import SafeBatchNorm
from glassclf.networks.pooling import AttentionPooling, MeanPooling
from glassclf.networks.potential import InverseBasis, PotentialNetwork
from glassclf.networks.pyramid import PyramidNetwork
from glassclf.networks.radial import GaussianBasis

__all__ = [
    "AttentionPooling",
    "ConvolutionalNetwork",
    "EdgeUpdate",
    "EnergyForcesVirial",
    "EnergyNetwork",
    "GaussianBasis",
    "GlobalNode",
    "GraphBatch",
    "InverseBasis",
    "LayeredNetwork",
    "MeanPooling",
    "MessagePassingNetwork",
    "PotentialNetwork",
    "PyramidNetwork",
    "SafeBatchNorm",
    "stopped_depth",
]
