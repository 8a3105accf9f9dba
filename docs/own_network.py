"""A learned pair potential: a network of one's own for MPNNClassifier."""

from torch import nn

from glassclf.networks import GaussianBasis


class PairNetwork(nn.Module):
    """Average over all bonds of a function of their length.

    The constructor asks by name for what it needs: facts that ``fit`` has learned from the data
    (here ``r_min``, ``r_max`` and ``n_outputs``) and parameters of the estimator (``hidden_size``,
    ``n_radial``).
    """

    def __init__(self, n_outputs, r_min, r_max, hidden_size, n_radial):
        super().__init__()
        self.pair_function = nn.Sequential(
            GaussianBasis(n_radial, r_min, r_max),
            nn.Linear(n_radial, hidden_size),
            nn.SiLU(),
        )
        self.head = nn.Linear(hidden_size, n_outputs)

    def embed(self, batch):
        """What ``transform`` of the estimator returns."""
        return batch.mean_nodes(batch.sum_edges(self.pair_function(batch.distances)))

    def forward(self, batch):
        return self.head(self.embed(batch))
