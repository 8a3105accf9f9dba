"""The moving average of a network's weights along its training."""

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class WeightAverage:
    """Exponential moving average of weights, which predicts more steadily than the last ones.

    Parameters
    ----------
    module : torch.nn.Module
    decay : float
        Share of the average that is kept in each step; it looks back over ``1 / (1 - decay)``
        steps.

    Attributes
    ----------
    module : torch.nn.Module
        A copy of the network with the averaged weights.

    Notes
    -----
    Polyak and Juditsky, SIAM J. Control Optim. 30, 838 (1992); with a fixed horizon as in Tarvainen
    and Valpola, arXiv:1703.01780, equation 1.
    """

    def __init__(self, module, decay):
        # Buffers too: statistics of batch normalisation belong to the weights.
        average = get_ema_multi_avg_fn(decay)
        self._average = AveragedModel(module, multi_avg_fn=average, use_buffers=True).eval()

    @property
    def module(self):
        return self._average.module

    def update(self, module):
        """Take in the weights after a step.

        Parameters
        ----------
        module : torch.nn.Module
        """
        self._average.update_parameters(module)

    def state_dict(self):
        """State for a checkpoint."""
        return self._average.state_dict()

    def load_state_dict(self, state):
        """Go on from a state.

        Parameters
        ----------
        state : dict
        """
        self._average.load_state_dict(state)
