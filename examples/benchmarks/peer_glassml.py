"""Graphs and batches as the code published with a study of glasses by message passing makes them.

The study is K. Swanson, S. Trivedi, J. Lequieu, K. Swanson and R. Kondor, arXiv:1909.04648, its
code github.com/ks8/glassML. It is no package, so that a folder with a copy has to be named. Its
graphs join nearest neighbours both ways and end at the borders of the box.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch


def graph_and_batch(folder, configuration, n_neighbors):
    """Make the graph of a configuration and a batch of it, as a function of nothing."""
    if not (Path(folder) / "GlassBatchMolGraph.py").exists():
        raise SystemExit(f"--glassml: no copy of github.com/ks8/glassML in {folder}")
    sys.path.insert(0, str(folder))
    from distance_PyTorch import Distance
    from GlassBatchMolGraph import GlassBatchMolGraph
    from nngraph_PyTorch import NNGraph

    positions = torch.tensor(configuration.positions, dtype=torch.float32)
    kinds = torch.tensor(configuration.types, dtype=torch.float32)[:, None]
    join, measure = NNGraph(n_neighbors), Distance()

    def make():
        sample = SimpleNamespace(pos=positions, x=kinds, edge_attr=None, uid=None, y=None)
        sample.batch = torch.zeros(len(positions), dtype=torch.int64)
        # A row of zeros stands before the particles.
        return len(GlassBatchMolGraph(measure(join(sample))).f_atoms) - 1

    return make
